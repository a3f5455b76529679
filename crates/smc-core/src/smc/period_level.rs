//! Previous day, week and month: the high and the low of the last completed period.
//!
//! Periods are those of civil time ([`super::civil_time`]) with the configured zone and roll of the trading day. When
//! one is over ([`super::span_range`]), its high becomes a buy-side level and its low a sell-side level, with the
//! period's name as scope. Knowable at the period's end.
//!
//! Life, from the bar after: **swept**, **run**: as a liquidity pool ([`super::liquidity`]); **expired**: the next period
//! of its length is over. Periods not longer than a bar are not followed.

use serde::{Deserialize, Serialize};

use super::civil_time::{PeriodLength, Schedule};
use super::config::PeriodConfig;
use super::event::{EventKind, Scope, Sink};
use super::level_life::{LevelLife, LevelPair};
use super::span_range::SpanFollower;
use super::zone::{Zone, ZoneDraft, ZoneKind};
use crate::market::{Bar, Timeframe};

const LIFE: LevelLife = LevelLife {
    swept: EventKind::PeriodLevelSwept,
    run: Some(EventKind::PeriodLevelRun),
    expired: EventKind::PeriodLevelExpired,
};

/// The levels of completed periods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodLevels {
    followers: Vec<SpanFollower>,
    levels: LevelPair,
}

impl PeriodLevels {
    /// None yet.
    #[must_use]
    pub fn new(config: &PeriodConfig, timeframe: Timeframe) -> Self {
        let PeriodConfig { zone, roll } = *config;
        let lengths =
            [(Scope::Day, PeriodLength::Day), (Scope::Week, PeriodLength::Week), (Scope::Month, PeriodLength::Month)];
        let schedules = lengths.map(|(scope, length)| (scope, Schedule::Period { length, zone, roll }));
        let followed = schedules.into_iter().filter(|(_, schedule)| schedule.usual_length() > timeframe.ns());
        Self {
            followers: followed.map(|(scope, schedule)| SpanFollower::new(scope, schedule)).collect(),
            levels: LevelPair::new(u32::MAX, u32::MAX),
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

    /// The resting level that a period (day, week or month) left on a side; there is one at most.
    pub(crate) fn of(&self, period: Scope, side: i8) -> Option<&Zone> {
        self.levels.resting(side).find(|level| level.scope == period)
    }

    /// The period of day or week that the last bar opened, the longer one where it opened both.
    #[must_use]
    pub(crate) fn began(&self) -> Option<Scope> {
        let began = |scope| self.followers.iter().any(|follower| follower.scope == scope && follower.began());
        [Scope::Week, Scope::Day].into_iter().find(|&scope| began(scope))
    }

    /// Applies bar `index` to the levels that rest.
    pub(crate) fn update(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>) {
        self.levels.update(&LIFE, index, bar, sink);
    }

    /// Makes the levels of the periods that are over with bar `index`.
    pub(crate) fn form(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>) {
        for follower in &mut self.followers {
            let scope = follower.scope;
            for range in follower.update(bar).into_iter().flatten() {
                self.levels.retire(&LIFE, scope, sink);
                for (side, formed_at, price) in [(1, range.high_at, range.high), (-1, range.low_at, range.low)] {
                    let draft = ZoneDraft { scope, ..ZoneDraft::level(ZoneKind::PeriodLevel, side, formed_at, price) };
                    self.levels.add(&LIFE, draft, index, sink);
                }
            }
        }
    }
}
