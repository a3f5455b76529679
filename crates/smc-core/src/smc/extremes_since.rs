//! The highest high and the lowest low since any recent bar, and which bar made them first.
//!
//! Each bar is kept while no later one exceeds it, so an answer is a binary search and a bar costs O(1) amortised.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::market::Bar;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    index: u64,
    /// The high, or the negated low.
    reach: i64,
}

/// Both sides over the last `window` bars.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExtremesSince {
    window: u64,
    /// Reach never rises from front to back.
    highs: VecDeque<Entry>,
    lows: VecDeque<Entry>,
}

impl ExtremesSince {
    pub const fn new(window: u32) -> Self {
        Self { window: window as u64, highs: VecDeque::new(), lows: VecDeque::new() }
    }

    /// Adds bar number `index`.
    pub fn push(&mut self, index: u64, bar: &Bar) {
        for (entries, reach) in [(&mut self.highs, bar.high), (&mut self.lows, -bar.low)] {
            while entries.back().is_some_and(|last| last.reach < reach) {
                entries.pop_back();
            }
            entries.push_back(Entry { index, reach });
            while entries.front().is_some_and(|first| first.index + self.window < index) {
                entries.pop_front();
            }
        }
    }

    /// The furthest price on a side (+1 above, -1 below) since bar `from`, and the first bar that traded there.
    pub fn since(&self, side: i8, from: u64) -> Option<(i64, u64)> {
        let entries = if side > 0 { &self.highs } else { &self.lows };
        let entry = entries.get(entries.partition_point(|entry| entry.index < from))?;
        Some((i64::from(side) * entry.reach, entry.index))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn the_first_of_equal_extremes_is_named() {
        let ranges = [(9, 1), (7, 3), (8, 2), (8, 4), (5, 2)];
        let mut extremes = ExtremesSince::new(3);
        for (index, &(high, low)) in ranges.iter().enumerate() {
            let (open, close) = (low, high);
            let times = (index as i64, index as i64 + 1);
            let bar = Bar {
                open_time: times.0,
                close_time: times.1,
                open,
                high,
                low,
                close,
                volume: 0,
                taker_buy_volume: 0,
                trades: 0,
            };
            extremes.push(index as u64, &bar);
        }
        assert_eq!(extremes.since(1, 1), Some((8, 2)));
        assert_eq!(extremes.since(1, 3), Some((8, 3)));
        assert_eq!(extremes.since(-1, 1), Some((2, 2)));
        assert_eq!(extremes.since(-1, 3), Some((2, 4)));
        // Bar 0 has left the window, and no bar is newer than the last.
        assert_eq!((extremes.since(1, 0), extremes.since(1, 5)), (Some((8, 2)), None));
    }
}
