//! Liquidity pools: the stops that rest beyond swing points, and what becomes of them.
//!
//! A **pool** is made by every fractal pivot ([`super::pivot`], L = R = 5 by default): above a high the
//! buy-side (side +1), below a low the sell-side (side -1). Its level is the pivot's extreme. Knowable
//! when the pivot is.
//!
//! Life, from the bar after that (buy-side given):
//! - **swept**: `high[u] > level` and `close[u] <= level`, a wick beyond and a close back; the end.
//!   Direction -1: the sweep of a buy-side pool is a bearish sign;
//! - **run**: `close[u] > level`; the end. Direction +1;
//! - **expired**: older than `max_age` bars, or the oldest of more than `max_count` on its side; the end.
//!
//! Trading exactly at the level takes nothing. One bar may sweep or run several pools, nearest first.

use serde::{Deserialize, Serialize};

use super::config::LiquidityConfig;
use super::event::{EventKind, Scope, Sink};
use super::pivot::{FractalPivots, Pivot};
use super::zone::{Zone, ZoneDraft, ZoneKind};
use super::zone_index::{Fate, ZoneIndex};
use crate::market::Bar;

/// The pools of one timeframe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiquidityPools {
    pivots: FractalPivots,
    buy_side: ZoneIndex,
    sell_side: ZoneIndex,
}

impl LiquidityPools {
    /// No pools yet.
    #[must_use]
    pub fn new(config: &LiquidityConfig) -> Self {
        Self {
            pivots: FractalPivots::new(config.left, config.right),
            buy_side: ZoneIndex::new(-1, config.max_age, config.max_count),
            sell_side: ZoneIndex::new(1, config.max_age, config.max_count),
        }
    }

    /// Resting pools of a side (+1 buy-side, -1 sell-side), nearest level first.
    pub fn resting(&self, side: i8) -> impl Iterator<Item = &Zone> {
        (if side > 0 { &self.buy_side } else { &self.sell_side }).nearest_first()
    }

    /// Applies bar `index` to the pools that rest.
    pub(crate) fn update(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>) {
        for zones in [&mut self.buy_side, &mut self.sell_side] {
            zones.expire(index, |zone| zone.record(EventKind::LiquidityPoolExpired, 0, false, sink));
            zones.reach(bar, |zone, (level, _), approach| {
                if approach.low == level {
                    return Fate::Keep;
                }
                if approach.close < level {
                    zone.record(EventKind::LiquidityPoolRun, zone.side, false, sink);
                } else {
                    zone.record(EventKind::LiquidityPoolSwept, -zone.side, false, sink);
                }
                Fate::Remove
            });
        }
    }

    /// Makes the pools of the pivots that bar `index` confirms.
    pub(crate) fn confirm(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>) {
        let (high, low) = self.pivots.update(index, bar);
        for pivot in [high, low].into_iter().flatten() {
            self.add(index, pivot, sink);
        }
    }

    fn add(&mut self, index: u64, pivot: Pivot, sink: &mut Sink<'_>) {
        let draft = ZoneDraft {
            kind: ZoneKind::LiquidityPool,
            direction: 0,
            side: pivot.side,
            scope: Scope::None,
            formed_at: pivot.formed_at,
            low: pivot.price,
            high: pivot.price,
            source_id: 0,
        };
        let zone = Zone::create(draft, index, sink);
        let zones = if pivot.side > 0 { &mut self.buy_side } else { &mut self.sell_side };
        if let Some(evicted) = zones.insert(zone) {
            evicted.record(EventKind::LiquidityPoolExpired, 0, false, sink);
        }
    }
}
