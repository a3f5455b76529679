//! Order-flow imbalance at several levels, after Cont, Kukanov and Stoikov (2014), "The price impact of order book events".

use super::{within, MicrostructureError};
use std::collections::VecDeque;

/// Sums of the imbalance at each level over a sliding window of time, exact.
///
/// Between two books, level i adds `1{Pb >= Pb-} qb - 1{Pb <= Pb-} qb- - 1{Pa <= Pa-} qa + 1{Pa >= Pa-} qa-`, the minus
/// marking the book before. A level that isn't there has quantity 0 at a price worse than any.
#[derive(Clone, Debug)]
pub struct OrderFlowImbalance {
    window_ns: i64,
    levels: usize,
    before: Option<Levels>,
    recent: VecDeque<(i64, Vec<i64>)>,
    sums: Vec<i64>,
    /// Rows that have left the window, to be used again.
    spare: Vec<Vec<i64>>,
}

/// Each level of both sides as (price, lots).
#[derive(Clone, Debug)]
struct Levels {
    bids: Vec<(i64, i64)>,
    asks: Vec<(i64, i64)>,
}

const NO_BID: (i64, i64) = (i64::MIN, 0);
const NO_ASK: (i64, i64) = (i64::MAX, 0);

fn level_imbalance(old: [(i64, i64); 2], new: [(i64, i64); 2]) -> i64 {
    let [(old_bid, old_bid_lots), (old_ask, old_ask_lots)] = old;
    let [(bid, bid_lots), (ask, ask_lots)] = new;
    let when = |holds: bool, lots: i64| if holds { lots } else { 0 };
    when(bid >= old_bid, bid_lots) - when(bid <= old_bid, old_bid_lots) - when(ask <= old_ask, ask_lots)
        + when(ask >= old_ask, old_ask_lots)
}

impl OrderFlowImbalance {
    /// Sums over `window_ns`, for the best `levels` of the book.
    ///
    /// # Errors
    /// [`MicrostructureError`] where one of them isn't positive.
    pub fn new(levels: usize, window_ns: i64) -> Result<Self, MicrostructureError> {
        within("levels", levels as f64, levels > 0, "positive")?;
        within("window_ns", window_ns as f64, window_ns > 0, "positive")?;
        let sums = vec![0; levels];
        Ok(Self { window_ns, levels, before: None, recent: VecDeque::new(), sums, spare: Vec::new() })
    }

    /// Takes the book at `time` as (price, lots) a side, best first; the first book only sets what the next is
    /// compared with.
    pub fn on_book(&mut self, time: i64, bids: &[(i64, i64)], asks: &[(i64, i64)]) {
        self.forget(time);
        let at = |side: &[(i64, i64)], level: usize, none| side.get(level).copied().unwrap_or(none);
        let levels = self.levels;
        let Some(before) = &mut self.before else {
            let bids = (0..levels).map(|level| at(bids, level, NO_BID)).collect();
            let asks = (0..levels).map(|level| at(asks, level, NO_ASK)).collect();
            self.before = Some(Levels { bids, asks });
            return;
        };
        let mut row = self.spare.pop().unwrap_or_else(|| vec![0; levels]);
        for (level, slot) in row.iter_mut().enumerate() {
            let new = [at(bids, level, NO_BID), at(asks, level, NO_ASK)];
            let change = level_imbalance([before.bids[level], before.asks[level]], new);
            [before.bids[level], before.asks[level]] = new;
            *slot = change;
            self.sums[level] += change;
        }
        self.recent.push_back((time, row));
    }

    fn forget(&mut self, now: i64) {
        while self.recent.front().is_some_and(|row| now.saturating_sub(row.0) >= self.window_ns) {
            if let Some((_, row)) = self.recent.pop_front() {
                self.sums.iter_mut().zip(&row).for_each(|(sum, change)| *sum -= change);
                self.spare.push(row);
            }
        }
    }

    /// Sums of each level over the window that ends at the last book; positive where demand grew.
    #[must_use]
    pub fn sums(&self) -> &[i64] {
        &self.sums
    }
}
