//! Shift of market structure (MSS): a change of character with force behind it.
//!
//! A **CHoCH** at t is also an MSS if its break leg holds a displacement in its direction. The leg starts at
//! the bar with the lowest low in `[p, t-1]` (upward; the last one on ties; highest high downward), p being the
//! pivot that breaks, and ends with t. In the **strict** form it also follows, within `sweep_window` bars (the
//! bar t included), the sweep of a resting level that points its way; the newest such sweep is named.
//! Knowable at the close of t. A record of its own beside the CHoCH, without a life.
//!
//! An `mss` speaks of the broken pivot and names the CHoCH as its source; an `mss_strict` speaks of the `mss`
//! and names the sweep.

use serde::{Deserialize, Serialize};

use super::displacement::Displacements;
use super::event::{Event, EventKind, Fact, Scope, Sink};
use super::leg_search::LegSearch;
use super::recent_bars::Recent;
use super::structure::Break;
use crate::market::Bar;

/// A sweep, by bar number and event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Sweep {
    index: u64,
    id: u64,
}

/// The newest sweep that points each way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sweeps {
    window: u64,
    up: Option<Sweep>,
    down: Option<Sweep>,
}

impl Sweeps {
    pub const fn new(window: u32) -> Self {
        Self { window: window as u64, up: None, down: None }
    }

    /// Takes what bar `index` did to the resting levels.
    pub fn note(&mut self, index: u64, events: &[Event]) {
        for event in events.iter().filter(|event| event.kind.is_sweep()) {
            let slot = if event.direction > 0 { &mut self.up } else { &mut self.down };
            *slot = Some(Sweep { index, id: event.id });
        }
    }

    fn recent(&self, direction: i8, index: u64) -> Option<u64> {
        let sweep = if direction > 0 { self.up } else { self.down };
        sweep.filter(|sweep| index - sweep.index <= self.window).map(|sweep| sweep.id)
    }
}

/// The shifts of one structure machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shifts {
    scope: Scope,
    search: LegSearch,
}

impl Shifts {
    /// None yet.
    #[must_use]
    pub const fn new(scope: Scope) -> Self {
        Self { scope, search: LegSearch::new() }
    }

    /// Notes that a pivot of `side` was confirmed; `since` are the bars from it to the last one.
    pub(crate) fn on_pivot<'a>(&mut self, side: i8, since: impl Iterator<Item = &'a Recent>) {
        self.search.restart(side, since.map(|recent| &recent.bar));
    }

    /// Adds a bar, after the breaks by its close.
    pub(crate) fn push(&mut self, bar: &Bar) {
        self.search.push(bar);
    }

    /// Looks at a break on bar `index`; gives the direction of a shift.
    pub(crate) fn on_break(
        &self,
        index: u64,
        broken: Break,
        displacements: &Displacements,
        sweeps: &Sweeps,
        sink: &mut Sink<'_>,
    ) -> Option<i8> {
        let start = self.search.origin(broken.direction)?.open_time;
        if !broken.change || displacements.last(broken.direction).is_none_or(|time| time < start) {
            return None;
        }
        let fact = Fact {
            kind: EventKind::Mss,
            direction: broken.direction,
            side: broken.direction,
            scope: self.scope,
            formed_at: broken.formed_at,
            low: broken.price,
            high: broken.price,
            zone_id: broken.pivot_id,
            source_id: broken.id,
            ambiguous: false,
        };
        let shift = sink.emit(fact);
        if let Some(sweep) = sweeps.recent(broken.direction, index) {
            sink.emit(Fact { kind: EventKind::MssStrict, zone_id: shift, source_id: sweep, ..fact });
        }
        Some(broken.direction)
    }
}
