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
use super::zone::{Zone, ZoneDraft, ZoneKind, ZoneState};
use super::zone_index::{Approach, Fate, ZoneIndex};
use crate::market::Bar;

/// The gaps of one timeframe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FairValueGaps {
    min_size_atr: f64,
    /// The bars t-2 and t-1.
    previous: [Option<Bar>; 2],
    bullish: ZoneIndex,
    bearish: ZoneIndex,
}

impl FairValueGaps {
    /// No gaps yet.
    #[must_use]
    pub const fn new(config: &FairValueGapConfig) -> Self {
        Self {
            min_size_atr: config.min_size_atr,
            previous: [None, None],
            bullish: ZoneIndex::new(1, config.max_age, config.max_count),
            bearish: ZoneIndex::new(-1, config.max_age, config.max_count),
        }
    }

    /// Live gaps of a direction, nearest edge first; filled ones are left out.
    pub fn live(&self, direction: i8) -> impl Iterator<Item = &Zone> {
        let zones = if direction > 0 { &self.bullish } else { &self.bearish };
        zones.nearest_first().filter(|zone| zone.state != ZoneState::Filled)
    }

    /// Applies bar `index` to the gaps that exist.
    pub(crate) fn update(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>) {
        for zones in [&mut self.bullish, &mut self.bearish] {
            zones.expire(index, |zone| zone.record(EventKind::FairValueGapExpired, zone.direction, false, sink));
            zones.reach(bar, |zone, edges, approach| live_through(zone, edges, approach, index, sink));
        }
    }

    /// Looks for a gap whose third bar is bar `index`; `atr` is that of the bar before it.
    pub(crate) fn form(&mut self, index: u64, bar: &Bar, atr: Option<f64>, sink: &mut Sink<'_>) {
        let [first, middle] = self.previous;
        self.previous = [middle, Some(*bar)];
        let (Some(first), Some(middle)) = (first, middle) else { return };
        let (direction, low, high) = if bar.low > first.high {
            (1, first.high, bar.low)
        } else if bar.high < first.low {
            (-1, bar.high, first.low)
        } else {
            return;
        };
        if self.min_size_atr > 0.0 && !atr.is_some_and(|atr| (high - low) as f64 >= self.min_size_atr * atr) {
            return;
        }
        let draft = ZoneDraft {
            kind: ZoneKind::FairValueGap,
            direction,
            side: 0,
            scope: Scope::None,
            formed_at: middle.open_time,
            low,
            high,
            source_id: 0,
        };
        let zone = Zone::create(draft, index, sink);
        let zones = if direction > 0 { &mut self.bullish } else { &mut self.bearish };
        if let Some(evicted) = zones.insert(zone) {
            evicted.record(EventKind::FairValueGapExpired, evicted.direction, false, sink);
        }
    }
}

fn live_through(zone: &mut Zone, edges: (i64, i64), bar: Approach, index: u64, sink: &mut Sink<'_>) -> Fate {
    let (near, far) = edges;
    if bar.low == near {
        return Fate::Keep;
    }
    let inverted = bar.close < far;
    let ambiguous = inverted && zone.state == ZoneState::Fresh;
    zone.touch(index);
    if zone.state == ZoneState::Fresh {
        zone.state = ZoneState::Touched;
        zone.record(EventKind::FairValueGapTouched, zone.direction, ambiguous, sink);
    }
    if zone.state == ZoneState::Touched && 2 * bar.low <= near + far {
        zone.state = ZoneState::HalfFilled;
        zone.record(EventKind::FairValueGapHalfFilled, zone.direction, ambiguous, sink);
    }
    if zone.state == ZoneState::HalfFilled && bar.low <= far {
        zone.state = ZoneState::Filled;
        zone.record(EventKind::FairValueGapFilled, zone.direction, ambiguous, sink);
    }
    if inverted {
        zone.record(EventKind::FairValueGapInverted, -zone.direction, ambiguous, sink);
        return Fate::Remove;
    }
    Fate::Keep
}
