//! Equal highs and equal lows (EQH, EQL): the same level turned price twice, and stops gather behind it.
//!
//! When a pivot high of `size` (leg by default, [`super::pivot`]) is confirmed at t, and the pivot high before it lies at most
//! `tolerance * ATR(atr_period)` of t-1 away, and no bar after that older pivot traded above the higher of the two,
//! the two are **equal highs**; the level is the higher one. The older pivot may be `max_age` bars old. Lows mirror
//! (side -1). Before that ATR is warm there are none. Knowable with the younger pivot, `size` bars after it.
//!
//! Life, from the bar after t:
//! - **grown**: another pivot of the side within the tolerance of the resting level (of several, the youngest
//!   level's); its number of touches counts the pivots, two at birth;
//! - **swept**, **run**, **expired**: as a liquidity pool ([`super::liquidity`]).
//!
//! A pivot that makes a level grow does not make another with the pivot before it.

use serde::{Deserialize, Serialize};

use super::atr::AverageTrueRange;
use super::config::EqualLevelsConfig;
use super::event::{EventKind, Sink};
use super::level_life::{LevelLife, LevelPair};
use super::pivot::{Pivot, StructurePivots};
use super::recent_bars::RecentBars;
use super::zone::{Zone, ZoneDraft, ZoneKind};
use crate::market::Bar;

const LIFE: LevelLife = LevelLife {
    swept: EventKind::EqualLevelsSwept,
    run: Some(EventKind::EqualLevelsRun),
    expired: EventKind::EqualLevelsExpired,
};

/// The last pivot of a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Last {
    index: u64,
    price: i64,
}

/// The equal highs and lows of one timeframe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EqualLevels {
    config: EqualLevelsConfig,
    pivots: StructurePivots,
    atr: AverageTrueRange,
    high: Option<Last>,
    low: Option<Last>,
    levels: LevelPair,
}

impl EqualLevels {
    /// None yet.
    #[must_use]
    pub fn new(config: EqualLevelsConfig) -> Self {
        Self {
            config,
            pivots: StructurePivots::new(config.rule, config.size),
            atr: AverageTrueRange::new(config.atr_period),
            high: None,
            low: None,
            levels: LevelPair::new(config.max_age, config.max_count),
        }
    }

    /// Resting levels of both sides.
    pub fn live(&self) -> impl Iterator<Item = &Zone> {
        self.levels.all()
    }

    /// The nearest resting level of a side.
    pub(crate) fn nearest(&self, side: i8) -> Option<&Zone> {
        self.levels.resting(side).next()
    }

    /// Applies bar `index` to the levels that rest.
    pub(crate) fn update(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>) {
        self.levels.update(&LIFE, index, bar, sink);
    }

    /// Compares the pivots that bar `index` confirms; that bar is the last of `recent`.
    pub(crate) fn confirm(&mut self, index: u64, bar: &Bar, recent: &RecentBars, sink: &mut Sink<'_>) {
        let tolerance = self.atr.value().map(|atr| self.config.tolerance * atr);
        self.atr.update(bar);
        let (high, low) = self.pivots.confirm(index, bar, recent);
        for pivot in [high, low].into_iter().flatten() {
            self.on_pivot(pivot, tolerance, recent, index, sink);
        }
    }

    fn on_pivot(&mut self, pivot: Pivot, tolerance: Option<f64>, recent: &RecentBars, index: u64, sink: &mut Sink<'_>) {
        let last = Last { index: index - u64::from(self.config.size), price: pivot.price };
        let before = (if pivot.side > 0 { &mut self.high } else { &mut self.low }).replace(last);
        let Some(tolerance) = tolerance else { return };
        let near = |price: i64| (price - pivot.price).abs() as f64 <= tolerance;
        if let Some(level) = self.levels.youngest_mut(pivot.side, |level| near(level.low)) {
            level.touches += 1;
            level.record(EventKind::EqualLevelsGrown, 0, false, sink);
        } else if let Some(before) = before.filter(|before| near(before.price)) {
            self.pair(before, pivot, recent, index, sink);
        }
    }

    fn pair(&mut self, before: Last, pivot: Pivot, recent: &RecentBars, index: u64, sink: &mut Sink<'_>) {
        let side = i64::from(pivot.side);
        let level = side * (side * before.price).max(side * pivot.price);
        let furthest = recent.furthest_since(pivot.side, before.index + 1);
        let too_old = index - before.index > u64::from(self.config.max_age);
        if too_old || furthest.is_some_and(|(price, _)| side * price > side * level) {
            return;
        }
        let draft = ZoneDraft::level(ZoneKind::EqualLevels, pivot.side, pivot.formed_at, level);
        let zone = Zone { touches: 2, ..Zone::create(draft, index, sink) };
        self.levels.insert(&LIFE, zone, sink);
    }
}
