//! Liquidity void: price went one way by bar after bar of force, and traded one side only.
//!
//! A bar **delivers** upwards if it is a displacement upwards ([`super::displacement`]) and the middle bar of a
//! bullish fair value gap ([`super::fair_value_gap`]), which the bar after it makes known. A longest row of at least
//! `min_bars` such bars is a **bullish void**; its zone reaches from the lowest edge of their gaps to the highest.
//! Bearish mirrors. Knowable at the close that shows where the row ends: that of its last gap, where the bar after the
//! row is no displacement of its direction; else that of the bar after, which left no gap there. The
//! source is the last gap.
//!
//! Life, from the bar after (bullish side given), as that of an opening gap: **touched**: `low[u] < top`; **half
//! filled**: `low[u] <= (bottom + top) / 2`; **filled**: `low[u] <= bottom`, the end; **expired**. How much
//! is filled beyond these steps follows from the lowest low since.

use serde::{Deserialize, Serialize};

use super::config::LiquidityVoidConfig;
use super::event::{EventKind, Scope, Sink};
use super::zone::{Zone, ZoneDraft, ZoneKind, ZoneState};
use super::zone_life::{End, Life, ZonePair};
use crate::market::Bar;

const LIFE: Life = Life {
    edge_enters: false,
    touched: EventKind::LiquidityVoidTouched,
    half: Some((EventKind::LiquidityVoidHalfFilled, ZoneState::HalfFilled)),
    filled: None,
    end: End::Traded,
    ended: EventKind::LiquidityVoidFilled,
    reverses: false,
    expired: EventKind::LiquidityVoidExpired,
};

/// A row of bars that deliver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Row {
    direction: i8,
    bars: u32,
    formed_at: i64,
    low: i64,
    high: i64,
    /// The last gap.
    gap_id: u64,
}

/// The voids of one timeframe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiquidityVoids {
    min_bars: u32,
    /// Direction of the displacement of the last bar, 0 where it was none.
    displaced: i8,
    row: Option<Row>,
    zones: ZonePair,
}

impl LiquidityVoids {
    /// None yet.
    #[must_use]
    pub const fn new(config: &LiquidityVoidConfig) -> Self {
        let zones = ZonePair::new(config.max_age, config.max_count);
        Self { min_bars: config.min_bars, displaced: 0, row: None, zones }
    }

    /// Live voids of both directions.
    pub fn live(&self) -> impl Iterator<Item = &Zone> {
        self.zones.all()
    }

    /// The live zone of a direction that price would meet first.
    pub(crate) fn nearest(&self, direction: i8) -> Option<&Zone> {
        self.zones.live(direction).next()
    }

    /// Applies bar `index` to the voids that exist.
    pub(crate) fn update(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>) {
        self.zones.update(&LIFE, index, bar, sink, |_, _| ());
    }

    /// Takes what bar `index` is: the third bar of `gap`, and a displacement of direction `displaced`.
    pub(crate) fn form(&mut self, index: u64, gap: Option<&Zone>, displaced: i8, sink: &mut Sink<'_>) {
        let before = std::mem::replace(&mut self.displaced, displaced);
        match gap.filter(|gap| gap.direction == before) {
            Some(gap) => self.extend(gap),
            None => self.finish(index, sink),
        }
        if self.row.is_some_and(|row| row.direction != displaced) {
            self.finish(index, sink);
        }
    }

    /// The row that goes on has the direction of the bar before, and so of the gap.
    fn extend(&mut self, gap: &Zone) {
        let Zone { direction, formed_at, low, high, id, .. } = *gap;
        let fresh = Row { direction, bars: 0, formed_at, low, high, gap_id: id };
        let row = self.row.get_or_insert(fresh);
        row.bars = row.bars.saturating_add(1);
        (row.low, row.high, row.gap_id) = (row.low.min(low), row.high.max(high), id);
    }

    fn finish(&mut self, index: u64, sink: &mut Sink<'_>) {
        let Some(row) = self.row.take().filter(|row| row.bars >= self.min_bars) else { return };
        let Row { direction, formed_at, low, high, gap_id, .. } = row;
        let (kind, scope, source_id) = (ZoneKind::LiquidityVoid, Scope::None, gap_id);
        let draft = ZoneDraft { kind, direction, side: 0, scope, formed_at, low, high, source_id };
        self.zones.add(&LIFE, draft, index, sink);
    }
}
