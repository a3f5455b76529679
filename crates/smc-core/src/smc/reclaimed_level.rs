//! Reclaimed level (turtle soup): the slower sweep, by a close beyond a level and a close back soon after.
//!
//! When a bar t **runs** a resting level, a liquidity pool, equal levels or the level of a period or a session (a close
//! beyond it, which ends it), the first of the `max_bars` bars after t that closes on it or back inside
//! **reclaims** it; once. Knowable at that close. It speaks of the level and names the run as its source; its
//! side is the level's and its direction points away from that side, as with a sweep by one bar. After `max_bars`
//! bars the run stands, and no record says so.
//!
//! It comes after the end of the level, which nothing brings back. Neither shifts of market structure nor rejection
//! blocks count it among the sweeps: these go by one bar's wick.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::event::{Event, EventKind, Fact, Sink};

/// A run that may still be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    event: Event,
    /// Last bar on which it may be taken back.
    until: u64,
}

/// The runs of the last few bars.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReclaimedLevels {
    max_bars: u64,
    /// Oldest first.
    runs: VecDeque<Run>,
}

const fn reclaim_of(run: EventKind) -> Option<EventKind> {
    match run {
        EventKind::LiquidityPoolRun => Some(EventKind::LiquidityPoolReclaimed),
        EventKind::EqualLevelsRun => Some(EventKind::EqualLevelsReclaimed),
        EventKind::PeriodLevelRun => Some(EventKind::PeriodLevelReclaimed),
        EventKind::SessionLevelRun => Some(EventKind::SessionLevelReclaimed),
        _ => None,
    }
}

impl ReclaimedLevels {
    /// None yet.
    #[must_use]
    pub const fn new(max_bars: u32) -> Self {
        Self { max_bars: max_bars as u64, runs: VecDeque::new() }
    }

    /// Compares the close of bar `index` with the levels that were run before it, then takes the runs of that bar,
    /// whose events so far start at `first` in the sink.
    pub(crate) fn update(&mut self, index: u64, first: usize, sink: &mut Sink<'_>) {
        let last = sink.events.len();
        while self.runs.front().is_some_and(|run| run.until < index) {
            self.runs.pop_front();
        }
        if !self.runs.is_empty() {
            self.runs.retain(|run| !reclaim(&run.event, sink));
        }
        for event in &sink.events[first..last] {
            if reclaim_of(event.kind).is_some() {
                self.runs.push_back(Run { event: *event, until: index + self.max_bars });
            }
        }
    }
}

/// Records that the bar takes back a run, if it does.
fn reclaim(run: &Event, sink: &mut Sink<'_>) -> bool {
    let sign = i64::from(run.side);
    let Some(kind) = reclaim_of(run.kind).filter(|_| sign * sink.bar.close <= sign * run.low) else { return false };
    let Event { side, scope, low, high, zone_id, id, .. } = *run;
    let formed_at = sink.bar.open_time;
    sink.emit(Fact {
        kind,
        direction: -side,
        side,
        scope,
        formed_at,
        low,
        high,
        zone_id,
        source_id: id,
        ambiguous: false,
    });
    true
}
