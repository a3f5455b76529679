//! The last bars, and how each of them stands: what pivots, legs and extremes are read from.
//!
//! A bar **stands** on a side while no later bar went further there. Standing bars form a monotone queue, so adding
//! a bar costs O(1) amortised, whether a bar stands is one look, and the furthest price since any bar is a binary search.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::market::Bar;

/// A bar among the last ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recent {
    pub bar: Bar,
    /// Whether its range is too long for it to be an order block.
    pub passed_over: bool,
    /// Whether a later bar went as high.
    high_matched: bool,
    /// Whether a later bar went as low.
    low_matched: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    index: u64,
    /// The high, or the negated low.
    reach: i64,
}

/// The last bars, by number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RecentBars {
    /// Bar i lies at `i % ring.len()` once the ring is full.
    ring: Vec<Recent>,
    capacity: usize,
    /// Bars for which the furthest price is remembered.
    memory: u64,
    /// Standing bars, the oldest first: their reach never rises.
    highs: VecDeque<Entry>,
    lows: VecDeque<Entry>,
}

impl RecentBars {
    /// Keeps at least `depth` bars before the last one, and the furthest prices since any of `memory` bars.
    pub fn new(depth: u32, memory: u32) -> Self {
        Self {
            ring: Vec::new(),
            capacity: (depth as usize + 1).next_power_of_two(),
            memory: memory.max(depth).into(),
            highs: VecDeque::new(),
            lows: VecDeque::new(),
        }
    }

    /// Adds bar number `index` (0, 1, 2 ...).
    pub fn push(&mut self, index: u64, bar: &Bar, passed_over: bool) {
        stand(&mut self.highs, index, bar.high, self.memory, |i| {
            if let Some(recent) = recall(&mut self.ring, self.capacity, i, index) {
                recent.high_matched = true;
            }
        });
        stand(&mut self.lows, index, -bar.low, self.memory, |i| {
            if let Some(recent) = recall(&mut self.ring, self.capacity, i, index) {
                recent.low_matched = true;
            }
        });
        let recent = Recent { bar: *bar, passed_over, high_matched: false, low_matched: false };
        if self.ring.len() < self.capacity {
            self.ring.push(recent);
        } else {
            self.ring[index as usize & (self.capacity - 1)] = recent;
        }
    }

    /// Bar number `index`, which is one of the last.
    pub fn get(&self, index: u64) -> Option<&Recent> {
        self.ring.get(index as usize & (self.capacity - 1))
    }

    /// The bar `back` bars before bar `index`, if there is one.
    pub fn earlier(&self, index: u64, back: u64) -> Option<&Bar> {
        Some(&self.get(index.checked_sub(back)?)?.bar)
    }

    /// The `number` bars before bar `index`, the oldest first.
    pub fn before(&self, index: u64, number: u64) -> impl Iterator<Item = &Recent> {
        (index.saturating_sub(number)..index).filter_map(|i| self.get(i))
    }

    /// Whether every later bar reached less far on a side (+1 the high, -1 the low) than bar `index`.
    pub fn is_beyond_all_later(&self, side: i8, index: u64) -> bool {
        self.get(index).is_some_and(|recent| !(if side > 0 { recent.high_matched } else { recent.low_matched }))
    }

    /// The furthest price on a side (+1 above, -1 below) since bar `from`, and the first bar that traded there.
    pub fn furthest_since(&self, side: i8, from: u64) -> Option<(i64, u64)> {
        let entries = if side > 0 { &self.highs } else { &self.lows };
        let entry = entries.get(entries.partition_point(|entry| entry.index < from))?;
        Some((i64::from(side) * entry.reach, entry.index))
    }
}

/// Adds a bar to the standing ones; `matched` is shown each that it goes as far as, or further.
fn stand(entries: &mut VecDeque<Entry>, index: u64, reach: i64, memory: u64, mut matched: impl FnMut(u64)) {
    while let Some(last) = entries.back().filter(|last| last.reach < reach) {
        matched(last.index);
        entries.pop_back();
    }
    if let Some(last) = entries.back().filter(|last| last.reach == reach) {
        matched(last.index);
    }
    entries.push_back(Entry { index, reach });
    while entries.front().is_some_and(|first| first.index + memory < index) {
        entries.pop_front();
    }
}

/// The place of bar `index` while bar `last` comes in, if it is still kept.
fn recall(ring: &mut [Recent], capacity: usize, index: u64, last: u64) -> Option<&mut Recent> {
    if index + capacity as u64 <= last {
        return None;
    }
    ring.get_mut(index as usize & (capacity - 1))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn read(depth: u32, memory: u32, ranges: &[(i64, i64)]) -> RecentBars {
        let mut recent = RecentBars::new(depth, memory);
        for (index, &(high, low)) in ranges.iter().enumerate() {
            let (open_time, close_time) = (index as i64, index as i64 + 1);
            let (open, close, volume, taker_buy_volume, trades) = (low, high, 0, 0, 0);
            let bar = Bar { open_time, close_time, open, high, low, close, volume, taker_buy_volume, trades };
            recent.push(index as u64, &bar, false);
        }
        recent
    }

    #[test]
    fn the_first_of_equal_extremes_is_named() {
        let recent = read(3, 3, &[(9, 1), (7, 3), (8, 2), (8, 4), (5, 2)]);
        assert_eq!(recent.furthest_since(1, 1), Some((8, 2)));
        assert_eq!(recent.furthest_since(1, 3), Some((8, 3)));
        assert_eq!(recent.furthest_since(-1, 1), Some((2, 2)));
        assert_eq!(recent.furthest_since(-1, 3), Some((2, 4)));
        // Bar 0 has left the memory, and no bar is newer than the last.
        assert_eq!((recent.furthest_since(1, 0), recent.furthest_since(1, 5)), (Some((8, 2)), None));
    }

    #[test]
    fn a_bar_stands_until_one_goes_further() {
        let recent = read(7, 7, &[(5, 1), (6, 2), (8, 3), (7, 3), (8, 4), (6, 4)]);
        // Bar 4 is as high as bar 2, and bar 3 lower than it.
        assert!(!recent.is_beyond_all_later(1, 2) && !recent.is_beyond_all_later(1, 3));
        assert!(recent.is_beyond_all_later(1, 4) && recent.is_beyond_all_later(-1, 0));
    }

    #[test]
    fn bars_that_left_the_ring_are_not_marked() {
        let recent = read(1, 9, &[(9, 5), (8, 4), (7, 3), (6, 2), (10, 1)]);
        let kept: Vec<i64> = recent.before(5, 2).map(|recent| recent.bar.high).collect();
        assert_eq!(kept, [6, 10]);
        assert!(recent.is_beyond_all_later(1, 4) && !recent.is_beyond_all_later(1, 3));
    }
}
