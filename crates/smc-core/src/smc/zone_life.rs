//! The life that blocks and imbalances share: reached, half used, used up, ended. Each concept names its
//! records and says what ends it; bulls and bears, seen from the zone's side, are one piece of code.
//!
//! First touched and ended by a close of the same bar, all records of that bar are flagged ambiguous.

use serde::{Deserialize, Serialize};

use super::event::{EventKind, Sink};
use super::zone::{Zone, ZoneDraft, ZoneState};
use super::zone_index::{Approach, Fate, ZoneIndex};
use crate::market::Bar;

/// What ends a zone, beyond age and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// A close beyond the far edge.
    CloseBeyond,
    /// A close beyond the middle.
    CloseBeyondHalf,
    /// A close beyond a price further off, seen from the zone's side.
    CloseBeyondLevel(i64),
    /// Trading at the far edge.
    Traded,
}

/// The records of a concept's life, in the order in which they happen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    /// Whether trading exactly at the near edge enters the zone.
    pub edge_enters: bool,
    pub touched: EventKind,
    /// Half of the zone is traded: the record, and the state that it leaves.
    pub half: Option<(EventKind, ZoneState)>,
    /// The whole zone is traded, where that is not the end.
    pub filled: Option<EventKind>,
    pub end: End,
    pub ended: EventKind,
    /// Whether the end points against the zone.
    pub reverses: bool,
    pub expired: EventKind,
}

impl Life {
    const fn is_over(&self, (near, far): (i64, i64), bar: Approach) -> bool {
        match self.end {
            End::CloseBeyond => bar.close < far,
            End::CloseBeyondHalf => 2 * bar.close < near + far,
            End::CloseBeyondLevel(level) => bar.close < level,
            End::Traded => bar.low <= far,
        }
    }

    /// Applies bar `index`, which reaches the zone; gives the id of the record that ends it.
    fn live_through(
        &self,
        zone: &mut Zone,
        edges: (i64, i64),
        bar: Approach,
        index: u64,
        sink: &mut Sink<'_>,
    ) -> Option<u64> {
        let (near, far) = edges;
        if bar.low == near && !self.edge_enters {
            return None;
        }
        let over = self.is_over(edges, bar);
        let ambiguous = over && zone.state == ZoneState::Fresh && self.end != End::Traded;
        zone.touch(index);
        if zone.state == ZoneState::Fresh {
            zone.state = ZoneState::Touched;
            zone.first_touch = index;
            zone.record(self.touched, zone.direction, ambiguous, sink);
        }
        if let Some((kind, state)) = self.half {
            if zone.state == ZoneState::Touched && 2 * bar.low <= near + far {
                zone.state = state;
                zone.record(kind, zone.direction, ambiguous, sink);
            }
            if let Some(kind) = self.filled.filter(|_| zone.state == state && bar.low <= far) {
                zone.state = ZoneState::Filled;
                zone.record(kind, zone.direction, ambiguous, sink);
            }
        }
        let direction = if self.reverses { -zone.direction } else { zone.direction };
        over.then(|| zone.record(self.ended, direction, ambiguous, sink))
    }
}

/// The zones of one concept: bullish ones below price, bearish ones above.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ZonePair {
    bullish: ZoneIndex,
    bearish: ZoneIndex,
}

impl ZonePair {
    pub const fn new(max_age: u32, max_count: u32) -> Self {
        Self { bullish: ZoneIndex::new(1, max_age, max_count), bearish: ZoneIndex::new(-1, max_age, max_count) }
    }

    const fn of(&self, direction: i8) -> &ZoneIndex {
        if direction > 0 {
            &self.bullish
        } else {
            &self.bearish
        }
    }

    /// Zones of a direction, nearest edge first.
    pub fn live(&self, direction: i8) -> impl Iterator<Item = &Zone> {
        self.of(direction).nearest_first()
    }

    /// Every zone.
    pub fn all(&self) -> impl Iterator<Item = &Zone> {
        self.live(1).chain(self.live(-1))
    }

    /// Applies bar `index` to the zones that exist; `ended` is shown each that ends, with the id of that record.
    pub fn update(
        &mut self,
        life: &Life,
        index: u64,
        bar: &Bar,
        sink: &mut Sink<'_>,
        mut ended: impl FnMut(&Zone, u64),
    ) {
        for zones in [&mut self.bullish, &mut self.bearish] {
            zones.expire(index, |zone| {
                zone.record(life.expired, zone.direction, false, sink);
            });
            zones.reach(bar, |zone, edges, approach| match life.live_through(zone, edges, approach, index, sink) {
                Some(id) => {
                    ended(zone, id);
                    Fate::Remove
                }
                None => Fate::Keep,
            });
        }
    }

    /// Makes a zone on bar `index`.
    pub fn add(&mut self, life: &Life, draft: ZoneDraft, index: u64, sink: &mut Sink<'_>) -> Zone {
        let zone = Zone::create(draft, index, sink);
        let zones = if zone.direction > 0 { &mut self.bullish } else { &mut self.bearish };
        if let Some(evicted) = zones.insert(zone) {
            evicted.record(life.expired, evicted.direction, false, sink);
        }
        zone
    }

    /// Ends every zone, because something took its place.
    pub fn retire(&mut self, life: &Life, sink: &mut Sink<'_>) {
        for zones in [&mut self.bullish, &mut self.bearish] {
            zones.remove_where(
                |_| true,
                |zone| {
                    zone.record(life.expired, zone.direction, false, sink);
                },
            );
        }
    }
}
