//! Failed break: price comes back soon after a break of structure.
//!
//! A BOS or CHoCH at t ([`super::structure`]) **fails** at the first of the `max_bars` bars after t that closes on
//! the broken level or back inside it; once for each break, in its scope. Knowable at that close. After
//! `max_bars` bars the break is held to be good, and no record says so. Several breaks may be on trial at once: the
//! oldest that fails is told first. A record of its own that speaks of the pivot and names the break as its
//! source; it points against the break. Bias and structure know nothing of it.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::event::{EventKind, Fact, Scope, Sink};
use super::structure::Break;

/// A break that may still fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Trial {
    id: u64,
    direction: i8,
    pivot_id: u64,
    price: i64,
    formed_at: i64,
    /// Last bar on which it may fail.
    until: u64,
}

/// The breaks of one structure machine that may still fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedBreaks {
    scope: Scope,
    max_bars: u64,
    /// At most one a bar, oldest first.
    trials: VecDeque<Trial>,
}

impl FailedBreaks {
    /// None yet.
    #[must_use]
    pub const fn new(scope: Scope, max_bars: u32) -> Self {
        Self { scope, max_bars: max_bars as u64, trials: VecDeque::new() }
    }

    /// Takes a break on bar `index`.
    pub(crate) fn on_break(&mut self, index: u64, broken: Break) {
        let Break { id, direction, pivot_id, price, formed_at, .. } = broken;
        self.trials.push_back(Trial { id, direction, pivot_id, price, formed_at, until: index + self.max_bars });
    }

    /// Compares the close of bar `index` with the levels that were broken before it.
    pub(crate) fn update(&mut self, index: u64, sink: &mut Sink<'_>) {
        while self.trials.front().is_some_and(|trial| trial.until < index) {
            self.trials.pop_front();
        }
        if self.trials.is_empty() {
            return;
        }
        let (scope, close) = (self.scope, sink.bar.close);
        self.trials.retain(|trial| {
            let sign = i64::from(trial.direction);
            let back = sign * close <= sign * trial.price;
            if back {
                sink.emit(Fact {
                    kind: EventKind::FailedBreak,
                    direction: -trial.direction,
                    side: trial.direction,
                    scope,
                    formed_at: trial.formed_at,
                    low: trial.price,
                    high: trial.price,
                    zone_id: trial.pivot_id,
                    source_id: trial.id,
                    ambiguous: false,
                });
            }
            !back
        });
    }
}
