//! Opening gaps: prices at which nothing traded between one bar and the next.
//!
//! **Bullish** at t if `low[t] > high[t-1]`; the zone is `[high[t-1], low[t]]`, anchored on t. Bearish mirrors. Where t
//! is the first bar of a trading day or week ([`super::period_level`]), the zone between the close of t-1 and the open
//! of t is one too, with that scope (new day and new week opening gap); its direction is that of the jump. A gap
//! must reach `min_size_atr` times the ATR of t-1; while the ATR is not warm none is taken unless that factor
//! is 0. Knowable at the close of t, whose wick decides how much between two bars stays open.
//!
//! Life, from the bar after t (bullish side given): **touched**: `low[u] < top`; **half filled**:
//! `low[u] <= (bottom + top) / 2`, the consequent encroachment; **filled**: `low[u] <= bottom`, the end; **expired**.

use serde::{Deserialize, Serialize};

use super::config::OpeningGapConfig;
use super::event::{EventKind, Scope, Sink};
use super::recent_bars::RecentBars;
use super::zone::{Zone, ZoneDraft, ZoneKind, ZoneState};
use super::zone_life::{End, Life, ZonePair};
use crate::market::Bar;

const LIFE: Life = Life {
    edge_enters: false,
    touched: EventKind::OpeningGapTouched,
    half: Some((EventKind::OpeningGapHalfFilled, ZoneState::HalfFilled)),
    filled: None,
    end: End::Traded,
    ended: EventKind::OpeningGapFilled,
    reverses: false,
    expired: EventKind::OpeningGapExpired,
};

/// The opening gaps of one timeframe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpeningGaps {
    min_size_atr: f64,
    zones: ZonePair,
}

impl OpeningGaps {
    /// None yet.
    #[must_use]
    pub const fn new(config: &OpeningGapConfig) -> Self {
        Self { min_size_atr: config.min_size_atr, zones: ZonePair::new(config.max_age, config.max_count) }
    }

    /// Live gaps of both directions.
    pub fn live(&self) -> impl Iterator<Item = &Zone> {
        self.zones.all()
    }

    /// The live zone of a direction whose near edge price would meet first.
    pub(crate) fn nearest(&self, direction: i8) -> Option<&Zone> {
        self.zones.live(direction).next()
    }

    /// Applies bar `index` to the gaps that exist.
    pub(crate) fn update(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>) {
        self.zones.update(&LIFE, index, bar, sink, |_, _| ());
    }

    /// Compares bar `index`, the last of `recent` and the first of the period `began`, with the one before; `atr` is
    /// that of the bar before.
    pub(crate) fn form(
        &mut self,
        index: u64,
        recent: &RecentBars,
        began: Option<Scope>,
        atr: Option<f64>,
        sink: &mut Sink<'_>,
    ) {
        let bar = sink.bar;
        let Some(before) = recent.earlier(index, 1) else { return };
        self.make(Scope::None, (before.low, before.high), (bar.low, bar.high), atr, index, sink);
        if let Some(scope) = began {
            self.make(scope, (before.close, before.close), (bar.open, bar.open), atr, index, sink);
        }
    }

    /// Makes the zone between two ranges that do not meet.
    fn make(
        &mut self,
        scope: Scope,
        old: (i64, i64),
        new: (i64, i64),
        atr: Option<f64>,
        index: u64,
        sink: &mut Sink<'_>,
    ) {
        let (direction, low, high) = if new.0 > old.1 {
            (1, old.1, new.0)
        } else if new.1 < old.0 {
            (-1, new.1, old.0)
        } else {
            return;
        };
        if self.min_size_atr > 0.0 && !atr.is_some_and(|atr| (high - low) as f64 >= self.min_size_atr * atr) {
            return;
        }
        let (kind, formed_at) = (ZoneKind::OpeningGap, sink.bar.open_time);
        let draft = ZoneDraft { kind, direction, side: 0, scope, formed_at, low, high, source_id: 0 };
        self.zones.add(&LIFE, draft, index, sink);
    }
}
