//! Finds the zones that a bar reaches.
//!
//! A zone lies on one side of price: bullish blocks and gaps and sell-side pools below, their mirrors
//! above. The index looks at the market from the zone's side (an upper zone sees prices negated), so one
//! piece of code serves both directions and they are mirror images by construction. Zones are sorted by
//! near edge, nearest last: whatever can happen to a zone needs a bar that reaches its near
//! edge, so a bar costs the zones it reaches and nothing more.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::zone::Zone;
use crate::market::Bar;

/// A bar as seen by a zone that lies below price.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Approach {
    pub low: i64,
    pub close: i64,
}

/// What becomes of a zone that a bar reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Keep,
    Remove,
}

/// Zones on one side of price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ZoneIndex {
    /// +1: zones below price; -1: zones above.
    orientation: i8,
    max_age: u64,
    max_count: usize,
    /// No zone can expire before this bar.
    next_expiry: u64,
    /// Ascending by near edge; of equal edges the older last, so that it is met first.
    zones: Vec<Zone>,
}

impl ZoneIndex {
    pub const fn new(orientation: i8, max_age: u32, max_count: u32) -> Self {
        Self {
            orientation,
            max_age: max_age as u64,
            max_count: max_count as usize,
            next_expiry: u64::MAX,
            zones: Vec::new(),
        }
    }

    /// The edges of `zone` as (near, far), seen from its side.
    pub const fn edges(&self, zone: &Zone) -> (i64, i64) {
        if self.orientation > 0 {
            (zone.high, zone.low)
        } else {
            (-zone.low, -zone.high)
        }
    }

    fn approach(&self, bar: &Bar) -> Approach {
        if self.orientation > 0 {
            Approach { low: bar.low, close: bar.close }
        } else {
            Approach { low: -bar.high, close: -bar.close }
        }
    }

    /// Adds a zone; gives the oldest one if there are now too many.
    pub fn insert(&mut self, zone: Zone) -> Option<Zone> {
        let key = |z: &Zone| (self.edges(z).0, Reverse(z.id));
        let position = self.zones.partition_point(|other| key(other) < key(&zone));
        self.next_expiry = self.next_expiry.min(zone.born + self.max_age + 1);
        self.zones.insert(position, zone);
        if self.zones.len() <= self.max_count {
            return None;
        }
        let oldest = self.zones.iter().enumerate().min_by_key(|(_, other)| other.id).map(|(at, _)| at)?;
        Some(self.zones.remove(oldest))
    }

    /// Removes the zones older than the limit at bar `index`, oldest first.
    pub fn expire(&mut self, index: u64, mut expired: impl FnMut(&Zone)) {
        while index >= self.next_expiry {
            let oldest = self.zones.iter().enumerate().min_by_key(|(_, zone)| zone.id);
            let Some((position, zone)) = oldest else {
                self.next_expiry = u64::MAX;
                return;
            };
            self.next_expiry = zone.born + self.max_age + 1;
            if index >= self.next_expiry {
                expired(zone);
                self.zones.remove(position);
            }
        }
    }

    /// Shows every zone whose near edge the bar reaches, nearest first, and removes those it ends.
    pub fn reach(&mut self, bar: &Bar, mut visit: impl FnMut(&mut Zone, (i64, i64), Approach) -> Fate) {
        let approach = self.approach(bar);
        let mut position = self.zones.len();
        while position > 0 {
            position -= 1;
            let edges = self.edges(&self.zones[position]);
            if edges.0 < approach.low {
                return;
            }
            if visit(&mut self.zones[position], edges, approach) == Fate::Remove {
                self.zones.remove(position);
            }
        }
    }

    /// All zones, nearest edge first.
    pub fn nearest_first(&self) -> impl Iterator<Item = &Zone> {
        self.zones.iter().rev()
    }

    /// Removes the zones that satisfy a condition, after showing each.
    pub fn remove_where(&mut self, wanted: impl Fn(&Zone) -> bool, mut removed: impl FnMut(&Zone)) {
        self.zones.retain(|zone| {
            let goes = wanted(zone);
            if goes {
                removed(zone);
            }
            !goes
        });
    }

    /// All zones, to change what does not move them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Zone> {
        self.zones.iter_mut()
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.zones.len()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::smc::event::Scope;
    use crate::smc::zone::{ZoneKind, ZoneState};

    fn zone(id: u64, low: i64, high: i64, born: u64) -> Zone {
        Zone {
            id,
            kind: ZoneKind::OrderBlock,
            direction: 1,
            side: 0,
            scope: Scope::Swing,
            state: ZoneState::Fresh,
            touches: 0,
            formed_at: 0,
            confirmed_at: 0,
            low,
            high,
            source_id: 0,
            born,
            first_touch: born,
            last_touch: born,
        }
    }

    fn bar(low: i64, high: i64) -> Bar {
        Bar {
            open_time: 0,
            close_time: 1,
            open: low,
            high,
            low,
            close: high,
            volume: 0,
            taker_buy_volume: 0,
            trades: 0,
        }
    }

    fn reached(index: &mut ZoneIndex, bar: &Bar) -> Vec<u64> {
        let mut ids = Vec::new();
        index.reach(bar, |zone, _, _| {
            ids.push(zone.id);
            Fate::Keep
        });
        ids
    }

    #[test]
    fn only_reached_zones_are_shown_nearest_first() {
        let mut below = ZoneIndex::new(1, 100, 10);
        let mut above = ZoneIndex::new(-1, 100, 10);
        for (id, low, high) in [(1, 80, 90), (2, 85, 95), (3, 70, 75), (4, 60, 95)] {
            below.insert(zone(id, low, high, 0));
            above.insert(zone(id, -high, -low, 0));
        }
        assert_eq!(reached(&mut below, &bar(90, 120)), [2, 4, 1]);
        assert_eq!(reached(&mut above, &bar(-120, -90)), [2, 4, 1]);
        assert_eq!(reached(&mut below, &bar(96, 120)), [0u64; 0]);
    }

    #[test]
    fn age_and_count_are_bounded() {
        let mut below = ZoneIndex::new(1, 10, 3);
        for id in 1..=3 {
            assert_eq!(below.insert(zone(id, 10, 20, id)), None);
        }
        assert_eq!(below.insert(zone(4, 10, 20, 4)).map(|evicted| evicted.id), Some(1));
        let mut expired = Vec::new();
        below.expire(12, |zone| expired.push(zone.id));
        assert!(expired.is_empty());
        below.expire(14, |zone| expired.push(zone.id));
        assert_eq!(expired, [2, 3]);
        assert_eq!(below.len(), 1);
        below.expire(1_000, |zone| expired.push(zone.id));
        assert_eq!((expired.len(), below.len()), (3, 0));
    }
}
