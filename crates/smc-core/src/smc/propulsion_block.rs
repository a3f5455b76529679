//! Propulsion blocks: an order block that formed inside an older one which still acts.
//!
//! When a break makes an order block, and its zone lies within the zone of a live block of the same direction
//! and either scope whose bar is older, the new one is also a **propulsion block**: the move started again from
//! within the older block. Of several such parents the youngest counts, and is the source. Knowable with the
//! new block, at the close of the break.
//!
//! Life, from the bar after: **touched**; **invalidated**: a close beyond the middle of the zone (a propulsion
//! block is expected to hold its half); **expired**.

use serde::{Deserialize, Serialize};

use super::config::PropulsionBlockConfig;
use super::event::{EventKind, Sink};
use super::zone::{Zone, ZoneDraft, ZoneKind};
use super::zone_life::{End, Life, ZonePair};
use crate::market::Bar;

const LIFE: Life = Life {
    edge_enters: true,
    touched: EventKind::PropulsionBlockTouched,
    half: None,
    filled: None,
    end: End::CloseBeyondHalf,
    ended: EventKind::PropulsionBlockInvalidated,
    reverses: false,
    expired: EventKind::PropulsionBlockExpired,
};

/// The propulsion blocks of one timeframe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropulsionBlocks {
    zones: ZonePair,
}

impl PropulsionBlocks {
    /// None yet.
    #[must_use]
    pub const fn new(config: &PropulsionBlockConfig) -> Self {
        Self { zones: ZonePair::new(config.max_age, config.max_count) }
    }

    /// Live blocks of both directions.
    pub fn live(&self) -> impl Iterator<Item = &Zone> {
        self.zones.all()
    }

    /// The live zone of a direction whose near edge price would meet first.
    pub(crate) fn nearest(&self, direction: i8) -> Option<&Zone> {
        self.zones.live(direction).next()
    }

    /// Applies bar `index` to the blocks that exist.
    pub(crate) fn update(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>) {
        self.zones.update(&LIFE, index, bar, sink, |_, _| ());
    }

    /// Looks for the parent of a block that bar `index` made, among the live blocks of its direction (each
    /// machine's nearest first).
    pub(crate) fn form<'a>(
        &mut self,
        block: &Zone,
        machines: [impl Iterator<Item = &'a Zone>; 2],
        index: u64,
        sink: &mut Sink<'_>,
    ) {
        let nearer = |zone: &&Zone| {
            if block.direction > 0 {
                zone.high >= block.high
            } else {
                zone.low <= block.low
            }
        };
        let holds = |zone: &&Zone| zone.low <= block.low && zone.high >= block.high && zone.formed_at < block.formed_at;
        let parents = machines.into_iter().filter_map(|live| {
            let inside = live.take_while(nearer).filter(holds);
            inside.map(|zone| zone.id).max()
        });
        let Some(parent) = parents.max() else { return };
        let draft = ZoneDraft { kind: ZoneKind::PropulsionBlock, source_id: parent, ..ZoneDraft::of(block) };
        self.zones.add(&LIFE, draft, index, sink);
    }
}
