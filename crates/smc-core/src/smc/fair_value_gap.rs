//! Fair value gaps: three bars between whose outer wicks nothing traded.
//!
//! **Bullish** at t if `low[t] > high[t-2]`; the zone is `[high[t-2], low[t]]`, anchored on t-1. Bearish
//! mirrors. The gap must reach `min_size_atr` times the ATR of t-1; while the ATR is not warm, no
//! gap is taken unless that factor is 0. Knowable at the close of t.
//!
//! Life, from the bar after t (bullish side given):
//! - **touched**: `low[u] < top` (trading at the edge itself enters nothing);
//! - **half filled**: `low[u] <= (bottom + top) / 2`, the consequent encroachment;
//! - **filled**: `low[u] <= bottom`; the gap is no longer listed as live, but may still be inverted;
//! - **inverted**: `close[u] < bottom`; the end;
//! - **expired**: older than `max_age` bars, or the oldest of more than `max_count`; the end.
//!
//! A bar that jumps over the gap passes through all states at once. First touched and inverted by the
//! same bar, all its records of that bar are flagged ambiguous.

use serde::{Deserialize, Serialize};

use super::config::FairValueGapConfig;
use super::event::{EventKind, Scope, Sink};
use super::recent_bars::RecentBars;
use super::zone::{Zone, ZoneDraft, ZoneKind, ZoneState};
use super::zone_life::{End, Life, ZonePair};
use crate::market::Bar;

const LIFE: Life = Life {
    edge_enters: false,
    touched: EventKind::FairValueGapTouched,
    half: Some((EventKind::FairValueGapHalfFilled, ZoneState::HalfFilled)),
    filled: Some(EventKind::FairValueGapFilled),
    end: End::CloseBeyond,
    ended: EventKind::FairValueGapInverted,
    reverses: true,
    expired: EventKind::FairValueGapExpired,
};

/// The gaps of one timeframe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FairValueGaps {
    min_size_atr: f64,
    zones: ZonePair,
}

impl FairValueGaps {
    /// No gaps yet.
    #[must_use]
    pub const fn new(config: &FairValueGapConfig) -> Self {
        Self { min_size_atr: config.min_size_atr, zones: ZonePair::new(config.max_age, config.max_count) }
    }

    /// Live gaps of a direction, nearest edge first; filled ones are left out.
    pub fn live(&self, direction: i8) -> impl Iterator<Item = &Zone> {
        self.zones.live(direction).filter(|zone| zone.state != ZoneState::Filled)
    }

    /// Applies bar `index` to the gaps that exist; `inverted` is shown each that inverts, with the id of that record.
    pub(crate) fn update(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>, inverted: impl FnMut(&Zone, u64)) {
        self.zones.update(&LIFE, index, bar, sink, inverted);
    }

    /// Looks for a gap whose third bar is bar `index`, the last of `recent`; `atr` is that of the bar before it.
    pub(crate) fn form(
        &mut self,
        index: u64,
        recent: &RecentBars,
        atr: Option<f64>,
        sink: &mut Sink<'_>,
    ) -> Option<Zone> {
        let (bar, first) = (sink.bar, recent.earlier(index, 2)?);
        let (direction, low, high) = if bar.low > first.high {
            (1, first.high, bar.low)
        } else if bar.high < first.low {
            (-1, bar.high, first.low)
        } else {
            return None;
        };
        if self.min_size_atr > 0.0 && !atr.is_some_and(|atr| (high - low) as f64 >= self.min_size_atr * atr) {
            return None;
        }
        let draft = ZoneDraft {
            kind: ZoneKind::FairValueGap,
            direction,
            side: 0,
            scope: Scope::None,
            formed_at: recent.earlier(index, 1)?.open_time,
            low,
            high,
            source_id: 0,
        };
        Some(self.zones.add(&LIFE, draft, index, sink))
    }
}
