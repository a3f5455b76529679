//! The life of a level at which stops rest: swept by a wick beyond it and a close back, or run by a close beyond.
//!
//! Trading exactly at the level takes nothing. One bar may take several levels, nearest first.

use serde::{Deserialize, Serialize};

use super::event::{EventKind, Scope, Sink};
use super::zone::{Zone, ZoneDraft};
use super::zone_index::{Fate, ZoneIndex};
use crate::market::Bar;

/// The records of a concept's life.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LevelLife {
    /// Points away from the level's side.
    pub swept: EventKind,
    /// Points towards it; None where a close beyond counts as a wick.
    pub run: Option<EventKind>,
    pub expired: EventKind,
}

/// The levels of one concept: the buy-side above price, the sell-side below.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LevelPair {
    buy_side: ZoneIndex,
    sell_side: ZoneIndex,
}

impl LevelPair {
    pub const fn new(max_age: u32, max_count: u32) -> Self {
        Self { buy_side: ZoneIndex::new(-1, max_age, max_count), sell_side: ZoneIndex::new(1, max_age, max_count) }
    }

    /// Resting levels of a side (+1 buy-side, -1 sell-side), nearest first.
    pub fn resting(&self, side: i8) -> impl Iterator<Item = &Zone> {
        (if side > 0 { &self.buy_side } else { &self.sell_side }).nearest_first()
    }

    /// Every level.
    pub fn all(&self) -> impl Iterator<Item = &Zone> {
        self.resting(1).chain(self.resting(-1))
    }

    /// Applies bar `index` to the levels that rest.
    pub fn update(&mut self, life: &LevelLife, index: u64, bar: &Bar, sink: &mut Sink<'_>) {
        for zones in [&mut self.buy_side, &mut self.sell_side] {
            zones.expire(index, |zone| {
                zone.record(life.expired, 0, false, sink);
            });
            zones.reach(bar, |zone, (level, _), approach| {
                if approach.low == level {
                    return Fate::Keep;
                }
                match life.run.filter(|_| approach.close < level) {
                    Some(run) => zone.record(run, zone.side, false, sink),
                    None => zone.record(life.swept, -zone.side, false, sink),
                };
                Fate::Remove
            });
        }
    }

    /// Makes a level on bar `index`.
    pub fn add(&mut self, life: &LevelLife, draft: ZoneDraft, index: u64, sink: &mut Sink<'_>) {
        let zone = Zone::create(draft, index, sink);
        self.insert(life, zone, sink);
    }

    /// Keeps a level.
    pub fn insert(&mut self, life: &LevelLife, zone: Zone, sink: &mut Sink<'_>) {
        if let Some(evicted) = self.of_mut(zone.side).insert(zone) {
            evicted.record(life.expired, 0, false, sink);
        }
    }

    /// Ends the levels of a scope, because others took their place.
    pub fn retire(&mut self, life: &LevelLife, scope: Scope, sink: &mut Sink<'_>) {
        for zones in [&mut self.buy_side, &mut self.sell_side] {
            zones.remove_where(
                |zone| zone.scope == scope,
                |zone| {
                    zone.record(life.expired, 0, false, sink);
                },
            );
        }
    }

    /// The youngest level of a side that satisfies a condition.
    pub fn youngest_mut(&mut self, side: i8, wanted: impl Fn(&Zone) -> bool) -> Option<&mut Zone> {
        self.of_mut(side).iter_mut().filter(|zone| wanted(zone)).max_by_key(|zone| zone.id)
    }

    fn of_mut(&mut self, side: i8) -> &mut ZoneIndex {
        if side > 0 {
            &mut self.buy_side
        } else {
            &mut self.sell_side
        }
    }
}
