//! Order blocks in the extreme form: the bar from which a break of structure started.
//!
//! On an upward break at t of a pivot high at p, the **bullish block** is the bar with the lowest low in
//! `[p, t-1]`, the last one on ties; its zone is that bar's full range. Downward breaks mirror (highest high).
//! Bars whose range reaches `volatility_filter` times the ATR of the bar before them are passed over; where
//! none is left there is no block, and before the ATR is warm no bar is passed over.
//! Knowable at the close of t.
//!
//! Life, from the bar after t (the zone is `[low, high]`, bullish side given):
//! - **touched**: the first bar that reaches the zone, `low[u] <= high`;
//! - **mitigated**: `low[u] <= (low + high) / 2`;
//! - **invalidated**: `close[u] < low`; the end;
//! - **expired**: older than `max_age` bars, or the oldest of more than `max_count`; the end.
//!
//! A bar that opens beyond the zone has reached it too: an order resting there would have been filled.
//! First touched and invalidated by the same bar, all its records of that bar are flagged ambiguous:
//! what happened in between is not known.

use serde::{Deserialize, Serialize};

use super::config::OrderBlockConfig;
use super::event::{EventKind, Scope, Sink};
use super::leg_search::LegSearch;
use super::recent_bars::Recent;
use super::structure::Break;
use super::zone::{Zone, ZoneDraft, ZoneKind, ZoneState};
use super::zone_life::{End, Life, ZonePair};
use crate::market::Bar;

const LIFE: Life = Life {
    edge_enters: true,
    touched: EventKind::OrderBlockTouched,
    half: Some((EventKind::OrderBlockMitigated, ZoneState::Mitigated)),
    filled: None,
    end: End::CloseBeyond,
    ended: EventKind::OrderBlockInvalidated,
    reverses: false,
    expired: EventKind::OrderBlockExpired,
};

/// The blocks of one structure machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderBlocks {
    scope: Scope,
    search: LegSearch,
    zones: ZonePair,
}

impl OrderBlocks {
    /// No blocks yet.
    #[must_use]
    pub const fn new(scope: Scope, config: &OrderBlockConfig) -> Self {
        Self { scope, search: LegSearch::new(), zones: ZonePair::new(config.max_age, config.max_count) }
    }

    /// Live blocks of a direction, nearest edge first.
    pub fn live(&self, direction: i8) -> impl Iterator<Item = &Zone> {
        self.zones.live(direction)
    }

    /// Applies bar `index` to the blocks that exist; `failed` is shown each that it invalidates, with the id of
    /// that record.
    pub(crate) fn update(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>, failed: impl FnMut(&Zone, u64)) {
        self.zones.update(&LIFE, index, bar, sink, failed);
    }

    /// Notes that a pivot of `side` was confirmed; `since` are the bars from it to the last one.
    pub(crate) fn on_pivot<'a>(&mut self, side: i8, since: impl Iterator<Item = &'a Recent>) {
        self.search.restart(side, since.filter(|recent| !recent.passed_over).map(|recent| &recent.bar));
    }

    /// Makes the block of a break on bar `index`.
    pub(crate) fn on_break(&mut self, index: u64, broken: Break, sink: &mut Sink<'_>) -> Option<Zone> {
        let direction = broken.direction;
        let bar = self.search.origin(direction)?;
        let draft = ZoneDraft {
            kind: ZoneKind::OrderBlock,
            direction,
            side: 0,
            scope: self.scope,
            formed_at: bar.open_time,
            low: bar.low,
            high: bar.high,
            source_id: broken.id,
        };
        Some(self.zones.add(&LIFE, draft, index, sink))
    }

    /// Offers a bar to later breaks, unless it is passed over.
    pub(crate) fn offer(&mut self, bar: &Bar, passed_over: bool) {
        if !passed_over {
            self.search.push(bar);
        }
    }
}
