//! One structure machine by itself: pivots, BOS and CHoCH, and nothing else that a detector reads.

use super::config::{PivotRule, StructureConfig};
use super::event::{Event, Scope, Sink};
use super::recent_bars::RecentBars;
use super::structure::Structure;
use crate::market::{Bar, Timeframe};

/// Reads the structure of one timeframe and scope; the events are a detector's own, numbered among themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct StructureReader {
    timeframe: Timeframe,
    structure: Structure,
    rule: PivotRule,
    /// Only legs are read from it.
    recent: RecentBars,
    last_id: u64,
    bars_seen: u64,
}

impl StructureReader {
    /// A reader that has seen nothing.
    #[must_use]
    pub fn new(timeframe: Timeframe, scope: Scope, config: StructureConfig) -> Self {
        let StructureConfig { size, rule } = config;
        let recent = RecentBars::new(size, size);
        Self { timeframe, structure: Structure::new(scope, config), rule, recent, last_id: 0, bars_seen: 0 }
    }

    /// Takes the next closed bar and appends the events it made knowable to `events`.
    pub fn update(&mut self, bar: &Bar, events: &mut Vec<Event>) {
        let sink = &mut Sink { events, last_id: &mut self.last_id, timeframe: self.timeframe, bar };
        if self.rule == PivotRule::Leg {
            self.recent.push(self.bars_seen, bar, false);
        }
        self.structure.confirm(self.bars_seen, &self.recent, sink);
        self.structure.breaks(bar, sink);
        self.bars_seen += 1;
    }
}
