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
use super::event::{EventKind, Sink};
use super::level_life::{LevelLife, LevelPair};
use super::pivot::FractalPivots;
use super::zone::{Zone, ZoneDraft, ZoneKind};
use crate::market::Bar;

const LIFE: LevelLife = LevelLife {
    swept: EventKind::LiquidityPoolSwept,
    run: Some(EventKind::LiquidityPoolRun),
    expired: EventKind::LiquidityPoolExpired,
};

/// The pools of one timeframe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiquidityPools {
    pivots: FractalPivots,
    levels: LevelPair,
}

impl LiquidityPools {
    /// No pools yet.
    #[must_use]
    pub fn new(config: &LiquidityConfig) -> Self {
        Self {
            pivots: FractalPivots::new(config.left, config.right),
            levels: LevelPair::new(config.max_age, config.max_count),
        }
    }

    /// Resting pools of a side (+1 buy-side, -1 sell-side), nearest level first.
    pub fn resting(&self, side: i8) -> impl Iterator<Item = &Zone> {
        self.levels.resting(side)
    }

    /// Applies bar `index` to the pools that rest.
    pub(crate) fn update(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>) {
        self.levels.update(&LIFE, index, bar, sink);
    }

    /// Makes the pools of the pivots that bar `index` confirms.
    pub(crate) fn confirm(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>) {
        let (high, low) = self.pivots.update(bar);
        for pivot in [high, low].into_iter().flatten() {
            let draft = ZoneDraft::level(ZoneKind::LiquidityPool, pivot.side, pivot.formed_at, pivot.price);
            self.levels.add(&LIFE, draft, index, sink);
        }
    }
}
