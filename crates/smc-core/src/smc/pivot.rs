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
//! A pivot is never retracted. Leg pivots are read from how a bar stands among the recent bars ([`super::recent_bars`]),
//! fractal pivots from a window of their own.

use serde::{Deserialize, Serialize};

use super::config::PivotRule;
use super::recent_bars::RecentBars;
use crate::market::Bar;

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

/// The last values of one side, and whether the one in the middle is their maximum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Window {
    left: usize,
    right: usize,
    /// Each value twice, a window apart, so that the last window always lies side by side.
    values: Vec<i64>,
    next: usize,
}

impl Window {
    /// Neighbours that are compared at once, without a branch between them: most bars are beaten by one of these.
    const NEAR: usize = 3;

    fn new(left: u32, right: u32) -> Self {
        let (left, right) = (left as usize, right as usize);
        // Until the window is full the value before the first is one that nothing beats.
        Self { left, right, values: vec![i64::MAX; 2 * (left + right + 1)], next: 0 }
    }

    /// Adds a value; gives the one `right` before it if it beats all on its left and is beaten by none on its right.
    ///
    /// Looks outwards from the middle and stops at the first that beats it. How far it looks is bounded by the nearer of
    /// the two neighbours that beat it, and a sum of such distances by n log n: O(log(left + right)) a bar, amortised.
    #[inline]
    fn push(&mut self, value: i64) -> Option<i64> {
        let width = self.left + self.right + 1;
        self.values[self.next] = value;
        self.values[self.next + width] = value;
        self.next = if self.next + 1 == width { 0 } else { self.next + 1 };
        let (before, rest) = self.values[self.next..self.next + width].split_at(self.left);
        let (&middle, after) = rest.split_first()?;
        if let (Some(earlier), Some(later)) =
            (before.last_chunk::<{ Self::NEAR }>(), after.first_chunk::<{ Self::NEAR }>())
        {
            let [before, after] =
                [earlier, later].map(|near| near.iter().fold(i64::MIN, |most, &value| most.max(value)));
            if (before >= middle) | (after > middle) {
                return None;
            }
        }
        let (mut earlier, mut later) = (before.iter().rev(), after.iter());
        loop {
            match (earlier.next(), later.next()) {
                (None, None) => return Some(middle),
                (Some(&value), _) if value >= middle => return None,
                (_, Some(&value)) if value > middle => return None,
                _ => {}
            }
        }
    }
}

/// Finds fractal pivots; a bar may be a high and a low.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FractalPivots {
    highs: Window,
    lows: Window,
    /// Opening times of the last bars, the next to be replaced being the oldest.
    times: Vec<i64>,
    next: usize,
}

impl FractalPivots {
    /// Pivots with `left` bars before and `right` bars after them.
    #[must_use]
    pub fn new(left: u32, right: u32) -> Self {
        let (highs, lows) = (Window::new(left, right), Window::new(left, right));
        Self { highs, lows, times: vec![0; right as usize + 1], next: 0 }
    }

    /// Adds a bar; gives the high and the low that it confirms.
    #[inline]
    pub fn update(&mut self, bar: &Bar) -> (Option<Pivot>, Option<Pivot>) {
        self.times[self.next] = bar.open_time;
        self.next = if self.next + 1 == self.times.len() { 0 } else { self.next + 1 };
        let formed_at = self.times[self.next];
        let high = self.highs.push(bar.high).map(|price| Pivot { side: 1, price, formed_at });
        let low = self.lows.push(-bar.low).map(|price| Pivot { side: -1, price: -price, formed_at });
        (high, low)
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
    pub fn new(rule: PivotRule, size: u32) -> Self {
        match rule {
            PivotRule::Leg => Self::Leg(LegPivots::new(size)),
            PivotRule::Fractal => Self::Fractal(FractalPivots::new(size, size)),
        }
    }

    /// The high and the low that bar number `index`, the last of `recent`, confirms.
    pub fn confirm(&mut self, index: u64, bar: &Bar, recent: &RecentBars) -> (Option<Pivot>, Option<Pivot>) {
        match self {
            Self::Fractal(pivots) => pivots.update(bar),
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
    use proptest::prelude::*;

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
            let pair = pivots.confirm(index as u64, &bar(index as i64, high, low), &recent);
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

    proptest! {
        #[test]
        fn a_window_equals_a_scan(
            values in prop::collection::vec(-6_i64..6, 0..60),
            left in 1_u32..9,
            right in 1_u32..9,
        ) {
            let mut window = Window::new(left, right);
            let (left, right) = (left as usize, right as usize);
            for (index, &value) in values.iter().enumerate() {
                let found = window.push(value);
                let expected = index.checked_sub(right).filter(|&at| at >= left).and_then(|at| {
                    let beats = values[at - left..at].iter().all(|&earlier| earlier < values[at]);
                    let stands = values[at + 1..=index].iter().all(|&later| later <= values[at]);
                    (beats && stands).then_some(values[at])
                });
                prop_assert_eq!(found, expected);
            }
        }
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
