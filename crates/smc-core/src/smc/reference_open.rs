//! Reference opens: the prices at which the day, the week and certain hours of New York began.
//!
//! The **day open** and the **week open** are the open of the first bar of a trading day or week, by the configured zone
//! and roll ([`super::civil_time`]), whenever that bar comes. The **New York midnight open** and the
//! **New York morning open** (08:30, when American figures are published) are the open of the first bar that opens
//! inside a short window from that time on; a day without such a bar, because the market is shut or
//! the bars are too long to open there, has none. Where the bars start inside a period or window, it has none
//! either. Periods not longer than a bar are not followed.
//!
//! Knowable at the close of that bar. A reference that the next one of its scope replaces, by a new record; without a life:
//! price crosses it as often as it likes.

use serde::{Deserialize, Serialize};

use super::civil_time::{PeriodLength, Schedule, Span};
use super::config::{PeriodConfig, ReferenceOpenConfig};
use super::event::{EventKind, Fact, Scope, Sink};
use crate::market::{Bar, Timeframe};

/// An open that prices are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceOpen {
    /// Id of its event.
    pub id: u64,
    /// The open in ticks.
    pub price: i64,
    /// Open time of its bar.
    pub formed_at: i64,
}

/// Waits for one open after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Follower {
    scope: Scope,
    schedule: Schedule,
    span: Option<Span>,
    /// Whether the present span has no open yet, and may have one.
    waiting: bool,
    current: Option<ReferenceOpen>,
}

impl Follower {
    /// Takes a bar; says whether it opens the span.
    fn opens(&mut self, bar: &Bar) -> bool {
        let span = match self.span {
            Some(span) if bar.open_time < span.end => span,
            before => {
                let span = self.schedule.span_at(bar.open_time);
                self.waiting = before.is_some() || bar.open_time <= span.start;
                self.span = Some(span);
                span
            }
        };
        self.waiting && bar.open_time >= span.start && std::mem::replace(&mut self.waiting, false)
    }

    /// The first open time that can change anything.
    fn next(&self) -> i64 {
        let until = |span: Span| if self.waiting { span.start } else { span.end };
        self.span.map_or(i64::MIN, until)
    }
}

/// The reference opens of one timeframe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceOpens {
    followers: Vec<Follower>,
    /// Bars that open before this time change nothing.
    next: i64,
}

impl ReferenceOpens {
    /// None yet.
    #[must_use]
    pub fn new(config: &ReferenceOpenConfig, periods: &PeriodConfig, timeframe: Timeframe) -> Self {
        let PeriodConfig { zone, roll } = *periods;
        let period = |length| Schedule::Period { length, zone, roll };
        let long = |schedule: &Schedule| schedule.usual_length() > timeframe.ns();
        let day = Some(period(PeriodLength::Day)).filter(|_| config.day).filter(long);
        let week = Some(period(PeriodLength::Week)).filter(|_| config.week).filter(long);
        let schedules = [
            (Scope::Day, day),
            (Scope::Week, week),
            (Scope::NewYorkMidnight, config.new_york_midnight.map(|window| window.schedule())),
            (Scope::NewYorkMorning, config.new_york_morning.map(|window| window.schedule())),
        ];
        let follower = |(scope, schedule): (Scope, Option<Schedule>)| {
            Some(Follower { scope, schedule: schedule?, span: None, waiting: false, current: None })
        };
        Self { followers: schedules.into_iter().filter_map(follower).collect(), next: i64::MIN }
    }

    /// The last open of a scope.
    #[must_use]
    pub fn current(&self, scope: Scope) -> Option<ReferenceOpen> {
        self.followers.iter().find(|follower| follower.scope == scope)?.current
    }

    /// Takes a closed bar.
    pub(crate) fn form(&mut self, bar: &Bar, sink: &mut Sink<'_>) {
        if bar.open_time < self.next {
            return;
        }
        let (price, formed_at) = (bar.open, bar.open_time);
        for follower in &mut self.followers {
            if !follower.opens(bar) {
                continue;
            }
            let id = sink.emit(Fact {
                kind: EventKind::ReferenceOpen,
                direction: 0,
                side: 0,
                scope: follower.scope,
                formed_at,
                low: price,
                high: price,
                zone_id: 0,
                source_id: 0,
                ambiguous: false,
            });
            follower.current = Some(ReferenceOpen { id, price, formed_at });
        }
        self.next = self.followers.iter().map(Follower::next).min().unwrap_or(i64::MAX);
    }
}
