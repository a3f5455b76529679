//! Where the leg that breaks a pivot started: the extreme bar since that pivot, the last one on ties.

use std::collections::VecDeque;

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
    /// As many bars as lie between a pivot and its confirmation; None for those passed over.
    recent: VecDeque<Option<Candidate>>,
    size: usize,
    lowest: Option<Candidate>,
    highest: Option<Candidate>,
}

impl LegSearch {
    /// No bars yet; `size` is the number of bars that confirm a pivot.
    pub const fn new(size: u32) -> Self {
        Self { recent: VecDeque::new(), size: size as usize, lowest: None, highest: None }
    }

    /// The bar from which a leg in `direction` started: the lowest low, or the highest high, since the pivot.
    pub const fn origin(&self, direction: i8) -> Option<Candidate> {
        if direction > 0 {
            self.lowest
        } else {
            self.highest
        }
    }

    fn consider(&mut self, candidate: Candidate) {
        if self.lowest.is_none_or(|best| candidate.low <= best.low) {
            self.lowest = Some(candidate);
        }
        if self.highest.is_none_or(|best| candidate.high >= best.high) {
            self.highest = Some(candidate);
        }
    }

    /// Starts again from a pivot of `side` that was just confirmed: the bars since it are the recent ones.
    pub fn restart(&mut self, side: i8) {
        let bars = self.recent.iter().flatten().copied();
        if side > 0 {
            self.lowest = bars.reduce(|best, next| if next.low <= best.low { next } else { best });
        } else {
            self.highest = bars.reduce(|best, next| if next.high >= best.high { next } else { best });
        }
    }

    /// Adds a bar, None for one that is passed over.
    pub fn push(&mut self, candidate: Option<Candidate>) {
        if let Some(candidate) = candidate {
            self.consider(candidate);
        }
        if self.recent.len() == self.size {
            self.recent.pop_front();
        }
        self.recent.push_back(candidate);
    }
}
