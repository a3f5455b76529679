//! Optimal trade entry (OTE): the deep retracement of a leg that goes with the swing bias.
//!
//! When a dealing range is made by an upward leg ([`super::dealing_range`]) while the swing bias is up, the zone between
//! the retracements `near` and `far` of that leg, counted down from its end and rounded outwards to ticks, is its
//! **optimal entry**. None where the close lies beyond the leg's origin already. Downward legs mirror. Knowable
//! with the range, which is the source.
//!
//! Life, from the bar after: **touched**; **invalidated**: a close beyond the leg's origin; **expired**: the next dealing
//! range. First touched and invalidated by the same bar, its records of that bar are flagged ambiguous.

use serde::{Deserialize, Serialize};

use super::config::OptimalEntryConfig;
use super::dealing_range::DealingRange;
use super::event::{EventKind, Scope, Sink};
use super::zone::{Zone, ZoneDraft, ZoneKind};
use super::zone_life::{End, Life, ZonePair};
use crate::market::Bar;

const LIFE: Life = Life {
    edge_enters: true,
    touched: EventKind::OptimalEntryTouched,
    half: None,
    filled: None,
    end: End::CloseBeyond,
    ended: EventKind::OptimalEntryInvalidated,
    reverses: false,
    expired: EventKind::OptimalEntryExpired,
};

/// The optimal entry of the present dealing range.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OptimalEntries {
    config: OptimalEntryConfig,
    /// Origin of the leg, seen from the zone's side.
    origin: i64,
    zones: ZonePair,
}

impl OptimalEntries {
    /// None yet.
    #[must_use]
    pub const fn new(config: OptimalEntryConfig) -> Self {
        Self { config, origin: 0, zones: ZonePair::new(u32::MAX, u32::MAX) }
    }

    /// The zone, if there is one.
    pub fn live(&self) -> impl Iterator<Item = &Zone> {
        self.zones.all()
    }

    /// The live zone of a direction whose near edge price would meet first.
    pub(crate) fn nearest(&self, direction: i8) -> Option<&Zone> {
        self.zones.live(direction).next()
    }

    /// Applies bar `index` to the zone.
    pub(crate) fn update(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>) {
        let life = Life { end: End::CloseBeyondLevel(self.origin), ..LIFE };
        self.zones.update(&life, index, bar, sink, |_, _| ());
    }

    /// Takes a dealing range that bar `index` made, and the swing bias.
    pub(crate) fn on_range(&mut self, range: DealingRange, bias: i8, index: u64, sink: &mut Sink<'_>) {
        let direction = range.direction;
        self.zones.retire(&LIFE, sink);
        let size = (range.high - range.low) as f64;
        let (near, far) = ((self.config.near * size).floor() as i64, (self.config.far * size).ceil() as i64);
        let (low, high, origin, close) = if direction > 0 {
            (range.high - far, range.high - near, range.low, sink.bar.close)
        } else {
            (range.low + near, range.low + far, -range.high, -sink.bar.close)
        };
        if direction == 0 || direction != bias || close < origin {
            return;
        }
        self.origin = origin;
        let (kind, scope, formed_at) = (ZoneKind::OptimalEntry, Scope::Swing, range.formed_at);
        let draft = ZoneDraft { kind, direction, side: 0, scope, formed_at, low, high, source_id: range.id };
        self.zones.add(&LIFE, draft, index, sink);
    }
}
