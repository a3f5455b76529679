//! Reclaimed block: a breaker that fails, so that the first block acts again.
//!
//! When a close invalidates a breaker ([`super::flipped_block`]) at t, it has closed through the zone in the direction
//! of the order block that the breaker came from: the zone goes on with that direction. Mitigation blocks that fail
//! leave none. Knowable at the close of t; the source is the record that invalidated the breaker.
//!
//! Life, from the bar after t, as that of an order block: **touched**, **mitigated** (half penetrated),
//! **invalidated** (a close beyond the far edge, the end: it does not flip again), **expired**.

use serde::{Deserialize, Serialize};

use super::config::ReclaimedBlockConfig;
use super::event::{EventKind, Sink};
use super::zone::{Zone, ZoneDraft, ZoneKind, ZoneState};
use super::zone_life::{End, Life, ZonePair};
use crate::market::Bar;

const LIFE: Life = Life {
    edge_enters: true,
    touched: EventKind::ReclaimedBlockTouched,
    half: Some((EventKind::ReclaimedBlockMitigated, ZoneState::Mitigated)),
    filled: None,
    end: End::CloseBeyond,
    ended: EventKind::ReclaimedBlockInvalidated,
    reverses: false,
    expired: EventKind::ReclaimedBlockExpired,
};

/// The reclaimed blocks of one timeframe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReclaimedBlocks {
    zones: ZonePair,
}

impl ReclaimedBlocks {
    /// None yet.
    #[must_use]
    pub const fn new(config: &ReclaimedBlockConfig) -> Self {
        Self { zones: ZonePair::new(config.max_age, config.max_count) }
    }

    /// Live blocks of both directions.
    pub fn live(&self) -> impl Iterator<Item = &Zone> {
        self.zones.all()
    }

    /// The live zone of a direction that price would meet first.
    pub(crate) fn nearest(&self, direction: i8) -> Option<&Zone> {
        self.zones.live(direction).next()
    }

    /// Applies bar `index` to the blocks that exist.
    pub(crate) fn update(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>) {
        self.zones.update(&LIFE, index, bar, sink, |_, _| ());
    }

    /// Takes back a breaker that bar `index` invalidated by the record `cause`.
    pub(crate) fn form(&mut self, breaker: &Zone, cause: u64, index: u64, sink: &mut Sink<'_>) {
        let (kind, direction) = (ZoneKind::ReclaimedBlock, -breaker.direction);
        let draft = ZoneDraft { kind, direction, source_id: cause, ..ZoneDraft::of(breaker) };
        self.zones.add(&LIFE, draft, index, sink);
    }
}
