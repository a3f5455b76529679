//! Sessions and kill zones: windows of the day, by the clocks of their place, and the range that each left.
//!
//! A window is half-open and daylight-saving aware ([`super::civil_time`]); a bar belongs to it by its open time. When
//! it is over ([`super::span_range`]), its **session range** is known, and its high and low become a buy-side and a
//! sell-side **session level**, with the window's name as scope and the range as source. A silver bullet is an hour in
//! which to look for setups; nobody rests stops at its range, which leaves no levels.
//!
//! Life of a level, from the bar after: **swept**, **run**: as a liquidity pool ([`super::liquidity`]); **expired**: the
//! next window of its name is over. Windows shorter than a bar are not followed.

use serde::{Deserialize, Serialize};

use super::config::SessionConfig;
use super::event::{EventKind, Fact, Scope, Sink};
use super::level_life::{LevelLife, LevelPair};
use super::span_range::{SpanFollower, SpanRange};
use super::zone::{Zone, ZoneDraft, ZoneKind};
use crate::market::{Bar, Timeframe};

const LIFE: LevelLife = LevelLife {
    swept: EventKind::SessionLevelSwept,
    run: Some(EventKind::SessionLevelRun),
    expired: EventKind::SessionLevelExpired,
};

/// The range of a window that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SessionRange {
    /// Id of its event.
    pub id: u64,
    pub range: SpanRange,
}

/// The windows of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sessions {
    followers: Vec<SpanFollower>,
    levels: LevelPair,
}

impl Sessions {
    /// None yet.
    #[must_use]
    pub fn new(config: &SessionConfig, timeframe: Timeframe) -> Self {
        let followed = config.windows().into_iter().filter_map(|(scope, window)| Some((scope, window?.schedule())));
        let followed = followed.filter(|(_, schedule)| schedule.usual_length() >= timeframe.ns());
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

    /// Whether the last bar belongs to the window named `scope`.
    #[must_use]
    pub fn is_open(&self, scope: Scope) -> bool {
        self.followers.iter().any(|follower| follower.scope == scope && follower.is_open())
    }

    /// Whether the last bar belongs to one of the windows whose names satisfy a condition.
    pub(crate) fn is_any_open(&self, wanted: impl Fn(Scope) -> bool) -> bool {
        self.followers.iter().any(|follower| follower.is_open() && wanted(follower.scope))
    }

    /// The part of the window named `scope` that is over at `time`, at most 1; None where the last bar is not in it.
    #[must_use]
    pub fn elapsed(&self, scope: Scope, time: i64) -> Option<f64> {
        let span = self.followers.iter().find(|follower| follower.scope == scope)?.open_span()?;
        Some(((time - span.start) as f64 / (span.end - span.start) as f64).min(1.0))
    }

    /// Applies bar `index` to the levels that rest.
    pub(crate) fn update(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>) {
        self.levels.update(&LIFE, index, bar, sink);
    }

    /// Makes the ranges and levels of the windows that are over with bar `index`; gives the Asian kill zone's range.
    pub(crate) fn form(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>) -> Option<SessionRange> {
        let mut asian = None;
        for follower in &mut self.followers {
            if follower.skips(bar) {
                continue;
            }
            let scope = follower.scope;
            for range in follower.update(bar).into_iter().flatten() {
                let id = record(scope, range, sink);
                if scope == Scope::AsianKillZone {
                    asian = Some(SessionRange { id, range });
                }
                if !leaves_levels(scope) {
                    continue;
                }
                self.levels.retire(&LIFE, scope, sink);
                for (side, formed_at, price) in [(1, range.high_at, range.high), (-1, range.low_at, range.low)] {
                    let level = ZoneDraft::level(ZoneKind::SessionLevel, side, formed_at, price);
                    self.levels.add(&LIFE, ZoneDraft { scope, source_id: id, ..level }, index, sink);
                }
            }
        }
        asian
    }
}

const fn leaves_levels(scope: Scope) -> bool {
    !matches!(scope, Scope::LondonSilverBullet | Scope::MorningSilverBullet | Scope::AfternoonSilverBullet)
}

fn record(scope: Scope, range: SpanRange, sink: &mut Sink<'_>) -> u64 {
    sink.emit(Fact {
        kind: EventKind::SessionRange,
        direction: 0,
        side: 0,
        scope,
        formed_at: range.formed_at,
        low: range.low,
        high: range.high,
        zone_id: 0,
        source_id: 0,
        ambiguous: false,
    })
}
