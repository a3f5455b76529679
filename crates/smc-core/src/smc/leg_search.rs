//! Where the leg that breaks a pivot started: the extreme bar since that pivot, the last one on ties.

use serde::{Deserialize, Serialize};

use crate::market::Bar;

/// A bar from which a leg may have started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Candidate {
    pub open_time: i64,
    pub low: i64,
    pub high: i64,
}

impl Candidate {
    pub const fn of(bar: &Bar) -> Self {
        Self { open_time: bar.open_time, low: bar.low, high: bar.high }
    }
}

/// The extreme bar since the current pivot of each side, kept up to date bar by bar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LegSearch {
    lowest: Option<Candidate>,
    highest: Option<Candidate>,
}

impl LegSearch {
    /// No bars yet.
    pub const fn new() -> Self {
        Self { lowest: None, highest: None }
    }

    /// The bar from which a leg in `direction` started: the lowest low, or the highest high, since the pivot.
    pub const fn origin(&self, direction: i8) -> Option<Candidate> {
        if direction > 0 {
            self.lowest
        } else {
            self.highest
        }
    }

    /// Adds a bar.
    pub fn push(&mut self, bar: &Bar) {
        if self.lowest.is_none_or(|best| bar.low <= best.low) {
            self.lowest = Some(Candidate::of(bar));
        }
        if self.highest.is_none_or(|best| bar.high >= best.high) {
            self.highest = Some(Candidate::of(bar));
        }
    }

    /// Starts again from a pivot of `side` that was just confirmed, with the bars since it, the pivot's first.
    pub fn restart<'a>(&mut self, side: i8, since: impl Iterator<Item = &'a Bar>) {
        if side > 0 {
            self.lowest = since.reduce(|best, next| if next.low <= best.low { next } else { best }).map(Candidate::of);
        } else {
            self.highest =
                since.reduce(|best, next| if next.high >= best.high { next } else { best }).map(Candidate::of);
        }
    }
}
