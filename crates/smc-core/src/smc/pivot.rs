//! Swing points, in two definitions.
//!
//! **Fractal** pivot high p with L bars before and R after: its high is above every high of
//! `p-L..p-1` and not below any of `p+1..p+R` (strict to the left, weak to the right: the first bar of a
//! plateau wins). Lows mirror. Needs all L bars before it. Knowable at the close of p+R.
//!
//! **Leg** pivot of size s: at bar t, with p = t-s, the leg turns down if the high of p is above
//! every high of `p+1..t`; else it turns up if the low of p is below every low of `p+1..t`. When that
//! changes the leg, p is a pivot (a high where it turned down); the first turn only says which leg it is.
//! Nothing before p is asked, and sides alternate by construction. A bar that satisfies both, because all
//! that follow lie inside it, counts as a high. Knowable at the close of p+s.
//!
//! A pivot is never retracted. Whether a bar is one is read from how it stands among the recent bars
//! ([`super::recent_bars`]): the work a bar does not depend on the window's length.

use serde::{Deserialize, Serialize};

use super::config::PivotRule;
use super::recent_bars::RecentBars;

/// A confirmed swing point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pivot {
    /// +1 a high, -1 a low.
    pub side: i8,
    /// Its extreme in ticks.
    pub price: i64,
    /// Open time of its bar.
    pub formed_at: i64,
}

/// The pivot on a side of bar `at`.
fn pivot(side: i8, at: u64, recent: &RecentBars) -> Option<Pivot> {
    let bar = recent.get(at)?.bar;
    Some(Pivot { side, price: if side > 0 { bar.high } else { bar.low }, formed_at: bar.open_time })
}

/// Finds fractal pivots; a bar may be a high and a low.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FractalPivots {
    left: u64,
    right: u64,
}

impl FractalPivots {
    /// Pivots with `left` bars before and `right` bars after them.
    #[must_use]
    pub const fn new(left: u32, right: u32) -> Self {
        Self { left: left as u64, right: right as u64 }
    }

    /// The high and the low that bar number `index` (0, 1, 2 ...), the last of `recent`, confirms.
    pub fn confirm(&self, index: u64, recent: &RecentBars) -> (Option<Pivot>, Option<Pivot>) {
        let Some(at) = index.checked_sub(self.right).filter(|&at| at >= self.left) else { return (None, None) };
        let found = |side| recent.is_fractal(side, at, self.left).then(|| pivot(side, at, recent)).flatten();
        (found(1), found(-1))
    }
}

/// Finds leg pivots; highs and lows alternate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LegPivots {
    size: u64,
    /// +1 up, -1 down, 0 before the first turn.
    leg: i8,
}

impl LegPivots {
    /// Pivots confirmed `size` bars after their own.
    #[must_use]
    pub const fn new(size: u32) -> Self {
        Self { size: size as u64, leg: 0 }
    }

    /// The pivot that bar number `index` (0, 1, 2 ...), the last of `recent`, confirms.
    pub fn confirm(&mut self, index: u64, recent: &RecentBars) -> Option<Pivot> {
        let at = index.checked_sub(self.size)?;
        let side = [1, -1].into_iter().find(|&side| recent.is_beyond_all_later(side, at))?;
        let turned = self.leg == side;
        self.leg = -side;
        turned.then(|| pivot(side, at, recent)).flatten()
    }
}

/// The pivots of a structure machine, by the configured rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum StructurePivots {
    /// See [`LegPivots`].
    Leg(LegPivots),
    /// See [`FractalPivots`], with equal sides.
    Fractal(FractalPivots),
}

impl StructurePivots {
    /// Pivots of `rule`, confirmed `size` bars after their own.
    #[must_use]
    pub const fn new(rule: PivotRule, size: u32) -> Self {
        match rule {
            PivotRule::Leg => Self::Leg(LegPivots::new(size)),
            PivotRule::Fractal => Self::Fractal(FractalPivots::new(size, size)),
        }
    }

    /// The high and the low that bar number `index`, the last of `recent`, confirms.
    pub fn confirm(&mut self, index: u64, recent: &RecentBars) -> (Option<Pivot>, Option<Pivot>) {
        match self {
            Self::Fractal(pivots) => pivots.confirm(index, recent),
            Self::Leg(pivots) => match pivots.confirm(index, recent) {
                Some(pivot) if pivot.side > 0 => (Some(pivot), None),
                low => (None, low),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::market::Bar;

    fn bar(index: i64, high: i64, low: i64) -> Bar {
        Bar {
            open_time: index,
            close_time: index + 1,
            open: low,
            high,
            low,
            close: low,
            volume: 0,
            taker_buy_volume: 0,
            trades: 0,
        }
    }

    /// (bar that confirmed, bar of the pivot, side)
    fn confirmed(pivots: &mut StructurePivots, ranges: &[(i64, i64)]) -> Vec<(u64, i64, i8)> {
        let (mut found, mut recent) = (Vec::new(), RecentBars::new(9, 9));
        for (index, &(high, low)) in ranges.iter().enumerate() {
            recent.push(index as u64, &bar(index as i64, high, low), false);
            let pair = pivots.confirm(index as u64, &recent);
            for pivot in [pair.0, pair.1].into_iter().flatten() {
                found.push((index as u64, pivot.formed_at, pivot.side));
            }
        }
        found
    }

    #[test]
    fn the_first_bar_of_a_plateau_is_the_fractal_pivot() {
        let ranges = [(10, 9), (12, 8), (12, 8), (11, 9), (10, 9), (9, 8)];
        let mut pivots = StructurePivots::new(PivotRule::Fractal, 1);
        assert_eq!(confirmed(&mut pivots, &ranges), [(2, 1, 1), (2, 1, -1)]);
    }

    #[test]
    fn a_fractal_pivot_needs_all_bars_before_it() {
        let ranges = [(20, 9), (12, 8), (11, 8), (10, 8), (9, 8)];
        let mut pivots = StructurePivots::new(PivotRule::Fractal, 2);
        assert_eq!(confirmed(&mut pivots, &ranges), []);
    }

    #[test]
    fn legs_alternate_and_ask_nothing_of_the_left() {
        let ranges = [(20, 18), (19, 17), (18, 16), (17, 15), (18, 16), (19, 17), (20, 18), (19, 17), (18, 16)];
        let mut pivots = StructurePivots::new(PivotRule::Leg, 2);
        assert_eq!(confirmed(&mut pivots, &ranges), [(5, 3, -1), (8, 6, 1)]);
    }

    #[test]
    fn a_bar_that_contains_all_that_follow_is_a_high() {
        let mut pivots = StructurePivots::new(PivotRule::Leg, 2);
        let ranges = [(9, 8), (10, 9), (11, 10), (20, 2), (19, 3), (18, 4)];
        assert_eq!(confirmed(&mut pivots, &ranges), [(5, 3, 1)]);
    }
}
