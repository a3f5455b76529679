//! Change in the state of delivery (CISD): a close beyond the open from which a run of opposite bars started.
//!
//! A **down run** is a longest row of bars that close below their open; a bar without a body (close equal to open) is
//! passed over: it neither counts nor ends the row. The run **counts** from its bar number `min_bars` on, and then
//! takes the place of the older one. Its level is the open of its first bar. The first bar that does not belong to it
//! and closes above that level is a **bullish** change in the state of delivery, once for each run. Up runs
//! mirror. Knowable at that close; a record without a life. A bar of the run that closes beyond the level, after a
//! jump, changes nothing.

use serde::{Deserialize, Serialize};

use super::event::{EventKind, Fact, Scope, Sink};
use crate::market::Bar;

/// The first bar of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Start {
    open: i64,
    formed_at: i64,
}

/// The runs against one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Opposition {
    direction: i8,
    /// The run that goes on, with its bars so far; without bars there is none.
    start: Start,
    bars: u32,
    /// The last run that counts, until a close beyond its level.
    counted: Option<Start>,
}

impl Opposition {
    const fn new(direction: i8) -> Self {
        Self { direction, start: Start { open: 0, formed_at: 0 }, bars: 0, counted: None }
    }

    /// Takes a bar of direction `body`; gives the run whose level it closes beyond.
    fn update(&mut self, bar: &Bar, body: i8, min_bars: u32) -> Option<Start> {
        if body == -self.direction {
            if self.bars == 0 {
                self.start = Start { open: bar.open, formed_at: bar.open_time };
            }
            self.bars = self.bars.saturating_add(1);
            if self.bars == min_bars {
                self.counted = Some(self.start);
            }
            return None;
        }
        if body == self.direction {
            self.bars = 0;
        }
        let sign = i64::from(self.direction);
        self.counted.take_if(|run| sign * bar.close > sign * run.open)
    }
}

/// Looks for changes in both directions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateOfDelivery {
    min_bars: u32,
    sides: [Opposition; 2],
}

impl StateOfDelivery {
    /// No bars yet.
    #[must_use]
    pub const fn new(min_bars: u32) -> Self {
        Self { min_bars, sides: [Opposition::new(1), Opposition::new(-1)] }
    }

    /// Takes a closed bar.
    pub(crate) fn update(&mut self, bar: &Bar, sink: &mut Sink<'_>) {
        let body = (bar.close - bar.open).signum() as i8;
        for side in &mut self.sides {
            let Some(run) = side.update(bar, body, self.min_bars) else { continue };
            sink.emit(Fact {
                kind: EventKind::Cisd,
                direction: side.direction,
                side: 0,
                scope: Scope::None,
                formed_at: run.formed_at,
                low: run.open,
                high: run.open,
                zone_id: 0,
                source_id: 0,
                ambiguous: false,
            });
        }
    }
}
