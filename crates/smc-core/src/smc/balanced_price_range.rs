//! Balanced price ranges: where a gap of one direction overlaps one of the other.
//!
//! When a fair value gap forms at t, and a live gap of the opposite direction (not filled, confirmed at most
//! `max_distance` bars before t) overlaps it by at least a tick, the range is their true intersection, with the
//! direction of the younger gap. Of several such gaps the youngest counts, and is the source. Knowable at the
//! close of t.
//!
//! Life, from the bar after t (bullish side given): **touched**: `low[u] < top`; **traversed**:
//! `low[u] <= bottom`, the end; **expired**.

use serde::{Deserialize, Serialize};

use super::config::BalancedRangeConfig;
use super::event::{EventKind, Sink};
use super::zone::{Zone, ZoneDraft, ZoneKind};
use super::zone_life::{End, Life, ZonePair};
use crate::market::Bar;

const LIFE: Life = Life {
    edge_enters: false,
    touched: EventKind::BalancedPriceRangeTouched,
    half: None,
    filled: None,
    end: End::Traded,
    ended: EventKind::BalancedPriceRangeTraversed,
    reverses: false,
    expired: EventKind::BalancedPriceRangeExpired,
};

/// The balanced price ranges of one timeframe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalancedRanges {
    max_distance: u64,
    zones: ZonePair,
}

impl BalancedRanges {
    /// None yet.
    #[must_use]
    pub const fn new(config: &BalancedRangeConfig) -> Self {
        Self { max_distance: config.max_distance as u64, zones: ZonePair::new(config.max_age, config.max_count) }
    }

    /// Live ranges of both directions.
    pub fn live(&self) -> impl Iterator<Item = &Zone> {
        self.zones.all()
    }

    /// The live zone of a direction whose near edge price would meet first.
    pub(crate) fn nearest(&self, direction: i8) -> Option<&Zone> {
        self.zones.live(direction).next()
    }

    /// Applies bar `index` to the ranges that exist.
    pub(crate) fn update(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>) {
        self.zones.update(&LIFE, index, bar, sink, |_, _| ());
    }

    /// Looks at a gap that bar `index` made, and at the live gaps of the other direction, nearest first.
    pub(crate) fn form<'a>(
        &mut self,
        gap: &Zone,
        opposite: impl Iterator<Item = &'a Zone>,
        index: u64,
        sink: &mut Sink<'_>,
    ) {
        // The near edge of an opposite gap must lie before this gap's own near edge.
        let near = |other: &&Zone| if gap.direction > 0 { other.low < gap.high } else { other.high > gap.low };
        let recent = opposite.take_while(near).filter(|other| other.born + self.max_distance >= index);
        let overlapping = recent.filter(|other| other.low.max(gap.low) < other.high.min(gap.high));
        let Some(other) = overlapping.max_by_key(|other| other.id) else { return };
        let (low, high) = (other.low.max(gap.low), other.high.min(gap.high));
        let kind = ZoneKind::BalancedPriceRange;
        let draft = ZoneDraft { kind, low, high, source_id: other.id, ..ZoneDraft::of(gap) };
        self.zones.add(&LIFE, draft, index, sink);
    }
}
