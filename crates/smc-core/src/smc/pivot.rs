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
//! A pivot is never retracted. Window extremes are kept in monotone queues: the work a bar does not
//! depend on the window's length.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::config::PivotRule;
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    index: u64,
    value: i64,
    open_time: i64,
}

/// Maximum of the last `window` values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SlidingMax {
    window: u64,
    /// Of equal values, whether the first is the maximum (else the last).
    first_wins: bool,
    entries: VecDeque<Entry>,
}

impl SlidingMax {
    const fn new(window: u64, first_wins: bool) -> Self {
        Self { window, first_wins, entries: VecDeque::new() }
    }

    /// Adds the value of bar `entry.index` and gives the maximum of the window ending there.
    fn push(&mut self, entry: Entry) -> Entry {
        let beaten = |last: &Entry| if self.first_wins { last.value < entry.value } else { last.value <= entry.value };
        while self.entries.back().is_some_and(beaten) {
            self.entries.pop_back();
        }
        self.entries.push_back(entry);
        while self.entries.front().is_some_and(|first| first.index + self.window <= entry.index) {
            self.entries.pop_front();
        }
        self.entries.front().copied().unwrap_or(entry)
    }
}

/// Highs and lows (negated) through the same window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Extremes {
    highs: SlidingMax,
    lows: SlidingMax,
}

impl Extremes {
    const fn new(window: u64, first_wins: bool) -> Self {
        Self { highs: SlidingMax::new(window, first_wins), lows: SlidingMax::new(window, first_wins) }
    }

    /// Adds a bar; gives the high and the low of bar `at` if they are the extremes of the window.
    fn push(&mut self, index: u64, bar: &Bar, at: Option<u64>) -> (Option<Pivot>, Option<Pivot>) {
        let open_time = bar.open_time;
        let high = self.highs.push(Entry { index, value: bar.high, open_time });
        let low = self.lows.push(Entry { index, value: -bar.low, open_time });
        let pivot = |side: i8, entry: Entry| {
            let price = i64::from(side) * entry.value;
            (Some(entry.index) == at).then_some(Pivot { side, price, formed_at: entry.open_time })
        };
        (pivot(1, high), pivot(-1, low))
    }
}

/// Finds fractal pivots; a bar may be a high and a low.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FractalPivots {
    left: u64,
    right: u64,
    extremes: Extremes,
}

impl FractalPivots {
    /// Pivots with `left` bars before and `right` bars after them.
    #[must_use]
    pub fn new(left: u32, right: u32) -> Self {
        let (left, right) = (u64::from(left), u64::from(right));
        Self { left, right, extremes: Extremes::new(left + right + 1, true) }
    }

    /// Adds bar number `index` (0, 1, 2 ...); gives the high and the low it confirms.
    pub fn update(&mut self, index: u64, bar: &Bar) -> (Option<Pivot>, Option<Pivot>) {
        let at = index.checked_sub(self.right).filter(|&at| at >= self.left);
        self.extremes.push(index, bar, at)
    }
}

/// Finds leg pivots; highs and lows alternate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegPivots {
    size: u64,
    /// +1 up, -1 down, 0 before the first turn.
    leg: i8,
    extremes: Extremes,
}

impl LegPivots {
    /// Pivots confirmed `size` bars after their own.
    #[must_use]
    pub fn new(size: u32) -> Self {
        let size = u64::from(size);
        Self { size, leg: 0, extremes: Extremes::new(size + 1, false) }
    }

    /// Adds bar number `index` (0, 1, 2 ...); gives the pivot it confirms.
    pub fn update(&mut self, index: u64, bar: &Bar) -> Option<Pivot> {
        let (high, low) = self.extremes.push(index, bar, index.checked_sub(self.size));
        let pivot = high.or(low)?;
        let turned = self.leg == pivot.side;
        self.leg = -pivot.side;
        turned.then_some(pivot)
    }
}

/// The pivots of a structure machine, by the configured rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StructurePivots {
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

    /// Adds bar number `index`; gives the high and the low it confirms.
    pub fn update(&mut self, index: u64, bar: &Bar) -> (Option<Pivot>, Option<Pivot>) {
        match self {
            Self::Fractal(pivots) => pivots.update(index, bar),
            Self::Leg(pivots) => match pivots.update(index, bar) {
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
        let mut found = Vec::new();
        for (index, &(high, low)) in ranges.iter().enumerate() {
            let pair = pivots.update(index as u64, &bar(index as i64, high, low));
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
