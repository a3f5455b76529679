//! Inverse fair value gaps: a gap that failed and acts the other way.
//!
//! When a close inverts a fair value gap at t ([`super::fair_value_gap`]), its zone goes on with the opposite
//! direction. Knowable at the close of t; the source is the record of the inversion.
//!
//! Life, from the bar after t (bearish side given): **touched**: `high[u] > bottom`; **half filled**: half of the
//! zone is traded; **invalidated**: `close[u] > top`; **expired**. First touched and invalidated by the same
//! bar, its records of that bar are flagged ambiguous.

use serde::{Deserialize, Serialize};

use super::config::InverseGapConfig;
use super::event::{EventKind, Sink};
use super::zone::{Zone, ZoneDraft, ZoneKind, ZoneState};
use super::zone_life::{End, Life, ZonePair};
use crate::market::Bar;

const LIFE: Life = Life {
    edge_enters: false,
    touched: EventKind::InverseFairValueGapTouched,
    half: Some((EventKind::InverseFairValueGapHalfFilled, ZoneState::HalfFilled)),
    filled: None,
    end: End::CloseBeyond,
    ended: EventKind::InverseFairValueGapInvalidated,
    reverses: false,
    expired: EventKind::InverseFairValueGapExpired,
};

/// The inverted gaps of one timeframe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InverseGaps {
    zones: ZonePair,
}

impl InverseGaps {
    /// None yet.
    #[must_use]
    pub const fn new(config: &InverseGapConfig) -> Self {
        Self { zones: ZonePair::new(config.max_age, config.max_count) }
    }

    /// Live zones of both directions.
    pub fn live(&self) -> impl Iterator<Item = &Zone> {
        self.zones.all()
    }

    /// The live zone of a direction whose near edge price would meet first.
    pub(crate) fn nearest(&self, direction: i8) -> Option<&Zone> {
        self.zones.live(direction).next()
    }

    /// Applies bar `index` to the zones that exist.
    pub(crate) fn update(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>) {
        self.zones.update(&LIFE, index, bar, sink, |_, _| ());
    }

    /// Flips a gap that bar `index` inverted by the record `cause`.
    pub(crate) fn flip(&mut self, gap: &Zone, cause: u64, index: u64, sink: &mut Sink<'_>) {
        let kind = ZoneKind::InverseFairValueGap;
        let draft = ZoneDraft { kind, direction: -gap.direction, source_id: cause, ..ZoneDraft::of(gap) };
        self.zones.add(&LIFE, draft, index, sink);
    }
}
