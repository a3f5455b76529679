//! Breakers and mitigation blocks: what an order block becomes when it fails.
//!
//! When a close invalidates an order block at t, its zone goes on with the opposite direction. Which of the
//! two it is depends on the swing that it launched (a bullish block given):
//! - **breaker**: after the bar that first touched it, price went above the highest high between the break
//!   that made the block and that touch, both included. The swing took the liquidity above, then failed;
//! - **mitigation block**: it did not; the swing failed below the old high. A block that one bar touches for the
//!   first time and invalidates launched nothing: a mitigation block.
//!
//! Bar t counts: what it traded, it traded before its close. Bearish blocks mirror. Knowable at the close of t.
//!
//! Life, from the bar after t, as that of an order block: **touched**, **mitigated** (half penetrated),
//! **invalidated** (a close beyond the far edge), **expired**. The source is the record that invalidated the block.

use serde::{Deserialize, Serialize};

use super::config::FlippedBlockConfig;
use super::event::{EventKind, Sink};
use super::recent_bars::RecentBars;
use super::zone::{Zone, ZoneDraft, ZoneKind, ZoneState};
use super::zone_life::{End, Life, ZonePair};
use crate::market::Bar;

const BREAKER: Life = Life {
    edge_enters: true,
    touched: EventKind::BreakerTouched,
    half: Some((EventKind::BreakerMitigated, ZoneState::Mitigated)),
    filled: None,
    end: End::CloseBeyond,
    ended: EventKind::BreakerInvalidated,
    reverses: false,
    expired: EventKind::BreakerExpired,
};

const MITIGATION: Life = Life {
    touched: EventKind::MitigationBlockTouched,
    half: Some((EventKind::MitigationBlockMitigated, ZoneState::Mitigated)),
    ended: EventKind::MitigationBlockInvalidated,
    expired: EventKind::MitigationBlockExpired,
    ..BREAKER
};

/// The failed blocks of one timeframe that act against their old direction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlippedBlocks {
    breakers: ZonePair,
    mitigations: ZonePair,
}

impl FlippedBlocks {
    /// None yet.
    #[must_use]
    pub const fn new(config: &FlippedBlockConfig) -> Self {
        Self {
            breakers: ZonePair::new(config.max_age, config.max_count),
            mitigations: ZonePair::new(config.max_age, config.max_count),
        }
    }

    /// Live breakers of a direction, nearest edge first.
    pub fn breakers(&self, direction: i8) -> impl Iterator<Item = &Zone> {
        self.breakers.live(direction)
    }

    /// Live mitigation blocks of a direction, nearest edge first.
    pub fn mitigations(&self, direction: i8) -> impl Iterator<Item = &Zone> {
        self.mitigations.live(direction)
    }

    /// Live zones of both kinds.
    pub fn live(&self) -> impl Iterator<Item = &Zone> {
        self.breakers.all().chain(self.mitigations.all())
    }

    /// Applies bar `index` to the zones that exist; `lost` is shown each breaker that it invalidates, with the id of
    /// that record.
    pub(crate) fn update(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>, lost: impl FnMut(&Zone, u64)) {
        self.breakers.update(&BREAKER, index, bar, sink, lost);
        self.mitigations.update(&MITIGATION, index, bar, sink, |_, _| ());
    }

    /// Flips a block that bar `index` invalidated by the record `cause`; that bar is the last of `recent`.
    pub(crate) fn flip(&mut self, block: &Zone, cause: u64, recent: &RecentBars, index: u64, sink: &mut Sink<'_>) {
        let furthest = recent.furthest_since(block.direction, block.born);
        let swept = furthest.is_some_and(|(_, bar)| bar > block.first_touch);
        let (kind, life, zones) = if swept {
            (ZoneKind::Breaker, &BREAKER, &mut self.breakers)
        } else {
            (ZoneKind::MitigationBlock, &MITIGATION, &mut self.mitigations)
        };
        let draft = ZoneDraft { kind, direction: -block.direction, source_id: cause, ..ZoneDraft::of(block) };
        zones.add(life, draft, index, sink);
    }
}
