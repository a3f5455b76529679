//! Returns of several instruments at the same times, the newest of them, in a ring.

use super::RiskError;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Returns are integers: this many units are 100 %.
pub const RETURN_UNIT: i64 = 100_000_000;

/// A larger return is refused: a hundredfold in one step is a broken feed.
pub const LARGEST_RETURN: i64 = 100 * RETURN_UNIT;

/// `after / before - 1` in [`RETURN_UNIT`]ths, to the nearest, halves to even; `None` beyond [`LARGEST_RETURN`].
///
/// Simple returns, not logarithms: profit is linear in them. Both prices must be positive.
#[must_use]
pub fn simple_return(before: i64, after: i64) -> Option<i64> {
    let (change, before) = ((i128::from(after) - i128::from(before)) * i128::from(RETURN_UNIT), i128::from(before));
    let (whole, rest) = (change.div_euclid(before), change.rem_euclid(before));
    let up = 2 * rest > before || (2 * rest == before && whole % 2 != 0);
    let rounded = i64::try_from(whole + i128::from(up)).ok()?;
    (rounded <= LARGEST_RETURN).then_some(rounded)
}

/// What a row of returns is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instrument {
    /// Its name, as orders give it.
    pub key: String,
    /// What it is a price of, as the stresses name it, such as `BTC`.
    pub asset: String,
}

/// One instrument's past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct History {
    /// The last `horizon + 1` closes in ticks, the newest last; 0 before the first.
    closes: VecDeque<i64>,
    newest: Option<i64>,
    /// Rows since its first return, without a break.
    covered: usize,
    returns: Vec<i64>,
    steps: Vec<i64>,
    largest: i64,
}

/// What a bar moved one instrument by; none before its first close.
struct Move {
    over_horizon: Option<i64>,
    step: Option<i64>,
}

/// A ring of the last `window` rows. A row holds one return of every instrument, over `horizon` bars, and the return
/// of its last bar alone.
///
/// A bar that one instrument lacks counts as unchanged, and its next one brings the whole move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scenarios {
    window: usize,
    instruments: Vec<Instrument>,
    histories: Vec<History>,
    newest: Option<i64>,
    bars: u64,
    rows: u64,
}

impl Scenarios {
    /// An empty ring; window and horizon are at least 1.
    #[must_use]
    pub fn new(instruments: Vec<Instrument>, window: usize, horizon: usize) -> Self {
        let history = History {
            closes: VecDeque::from(vec![0; horizon + 1]),
            newest: None,
            covered: 0,
            returns: Vec::new(),
            steps: Vec::new(),
            largest: 0,
        };
        let histories = vec![history; instruments.len()];
        Self { window, instruments, histories, newest: None, bars: 0, rows: 0 }
    }

    /// The instruments, in the order of the returns.
    #[must_use]
    pub fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    /// Rows in the ring.
    #[must_use]
    pub fn len(&self) -> usize {
        self.window.min(self.rows as usize)
    }

    /// Whether there is no row.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Rows taken so far, those that left the ring included.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Close of the newest bar, ns.
    #[must_use]
    pub const fn newest(&self) -> Option<i64> {
        self.newest
    }

    /// Close of the newest bar of one instrument itself, ns.
    #[must_use]
    pub fn newest_of(&self, instrument: usize) -> Option<i64> {
        self.histories[instrument].newest
    }

    /// Whether an instrument has a return in every row of the ring.
    #[must_use]
    pub fn covers(&self, instrument: usize) -> bool {
        self.histories[instrument].covered >= self.len()
    }

    /// Returns over the horizon, in ring order: row `r` lies at `r % window`.
    #[must_use]
    pub fn returns(&self, instrument: usize) -> &[i64] {
        &self.histories[instrument].returns
    }

    /// Returns over one bar, in the same order.
    #[must_use]
    pub fn steps(&self, instrument: usize) -> &[i64] {
        &self.histories[instrument].steps
    }

    /// Largest absolute return over the horizon in the ring.
    #[must_use]
    pub fn largest(&self, instrument: usize) -> i64 {
        self.histories[instrument].largest
    }

    /// The place of the newest row.
    #[must_use]
    pub fn newest_slot(&self) -> Option<usize> {
        self.rows.checked_sub(1).map(|row| (row % self.window as u64) as usize)
    }

    /// Takes the closes of one bar, in ticks and in the order of the instruments; whether that made a row.
    ///
    /// # Errors
    /// A close that is no price or leads to a wild return, or a bar out of order; nothing is changed then.
    pub fn push(&mut self, time: i64, closes: &[Option<i64>]) -> Result<bool, RiskError> {
        if let Some(newest) = self.newest.filter(|newest| time <= *newest) {
            return Err(RiskError::OutOfOrder { time, newest });
        }
        let moves = self.moves(closes)?;
        let horizon = self.histories.first().map_or(0, |history| history.closes.len() - 1);
        self.bars += 1;
        let makes_row = self.bars > horizon as u64;
        let slot = (self.rows % self.window as u64) as usize;
        for ((history, close), moved) in self.histories.iter_mut().zip(closes).zip(moves) {
            history.take(*close, time);
            if makes_row {
                history.covered = if moved.over_horizon.is_some() { history.covered + 1 } else { 0 };
                history.store(slot, moved.over_horizon.unwrap_or(0), moved.step.unwrap_or(0));
            }
        }
        self.rows += u64::from(makes_row);
        self.newest = Some(time);
        Ok(makes_row)
    }

    /// Of each instrument the returns over horizon and last bar; none before its first close.
    fn moves(&self, closes: &[Option<i64>]) -> Result<Vec<Move>, RiskError> {
        let each = self.instruments.iter().zip(&self.histories).zip(closes);
        each.map(|((instrument, history), close)| {
            let (start, last) = (history.closes[1], history.last());
            let now = close.unwrap_or(last);
            if close.is_some_and(|close| close <= 0) {
                return Err(RiskError::InvalidClose { instrument: instrument.key.clone(), close: now });
            }
            let from = |before: i64| match (before, now) {
                (0, _) | (_, 0) => Ok(None),
                _ => simple_return(before, now).map(Some).ok_or_else(|| RiskError::WildReturn {
                    instrument: instrument.key.clone(),
                    before,
                    after: now,
                }),
            };
            Ok(Move { over_horizon: from(start)?, step: from(last)? })
        })
        .collect()
    }
}

impl History {
    fn last(&self) -> i64 {
        self.closes.back().copied().unwrap_or(0)
    }

    fn take(&mut self, close: Option<i64>, time: i64) {
        let now = close.unwrap_or_else(|| self.last());
        self.closes.pop_front();
        self.closes.push_back(now);
        if close.is_some() {
            self.newest = Some(time);
        }
    }

    fn store(&mut self, slot: usize, over_horizon: i64, step: i64) {
        if slot == self.returns.len() {
            self.returns.push(over_horizon);
            self.steps.push(step);
            self.largest = self.largest.max(over_horizon.abs());
            return;
        }
        let leaves = self.returns[slot].abs();
        self.returns[slot] = over_horizon;
        self.steps[slot] = step;
        self.largest = if leaves == self.largest {
            self.returns.iter().map(|value| value.abs()).max().unwrap_or(0)
        } else {
            self.largest.max(over_horizon.abs())
        };
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn ring(window: usize, horizon: usize) -> Scenarios {
        let named = |key: &str| Instrument { key: key.to_owned(), asset: key.to_owned() };
        Scenarios::new(vec![named("A"), named("B")], window, horizon)
    }

    #[test]
    fn returns_are_rounded_to_the_nearest_and_halves_to_even() {
        assert_eq!(simple_return(3, 4), Some(33_333_333));
        assert_eq!(simple_return(3, 2), Some(-33_333_333));
        assert_eq!(simple_return(2 * RETURN_UNIT, 2 * RETURN_UNIT + 1), Some(0));
        assert_eq!(simple_return(2 * RETURN_UNIT, 2 * RETURN_UNIT + 3), Some(2));
        assert_eq!(simple_return(2 * RETURN_UNIT, 2 * RETURN_UNIT - 1), Some(0));
        assert_eq!(simple_return(2 * RETURN_UNIT, 2 * RETURN_UNIT - 3), Some(-2));
        assert_eq!(simple_return(1, 101), Some(LARGEST_RETURN));
        assert_eq!(simple_return(1, 102), None);
        assert_eq!(simple_return(i64::MAX, 1), Some(-RETURN_UNIT));
    }

    #[test]
    fn the_oldest_row_is_replaced_and_a_missing_bar_counts_as_unchanged() {
        let mut ring = ring(2, 1);
        assert_eq!(ring.push(10, &[Some(100), Some(200)]), Ok(false));
        assert_eq!(ring.push(20, &[Some(110), None]), Ok(true));
        assert_eq!(ring.push(30, &[Some(99), Some(220)]), Ok(true));
        assert_eq!((ring.returns(0), ring.returns(1)), (&[10_000_000, -10_000_000][..], &[0, 10_000_000][..]));
        ring.push(40, &[Some(198), Some(220)]).unwrap();
        assert_eq!(
            (ring.returns(0), ring.largest(0), ring.newest_slot()),
            (&[RETURN_UNIT, -10_000_000][..], RETURN_UNIT, Some(0))
        );
        ring.push(50, &[Some(198), Some(220)]).unwrap();
        ring.push(60, &[Some(198), None]).unwrap();
        assert_eq!((ring.largest(0), ring.len(), ring.rows()), (0, 2, 5));
        assert_eq!((ring.newest_of(0), ring.newest_of(1)), (Some(60), Some(50)));
    }

    #[test]
    fn a_horizon_of_bars_overlaps_and_a_late_instrument_covers_only_whole_windows() {
        let mut ring = ring(2, 2);
        for (time, a, b) in
            [(1, 100, None), (2, 110, Some(50)), (3, 121, Some(60)), (4, 121, Some(55)), (5, 133, Some(66))]
        {
            ring.push(time, &[Some(a), b]).unwrap();
        }
        assert_eq!(ring.returns(0), &[9_917_355, 10_000_000]);
        assert_eq!(ring.steps(0), &[9_917_355, 0]);
        assert_eq!(ring.returns(1), &[10_000_000, 10_000_000]);
        assert!(ring.covers(0) && ring.covers(1));
    }

    #[test]
    fn what_is_refused_changes_nothing() {
        let mut ring = ring(2, 1);
        ring.push(10, &[Some(100), Some(200)]).unwrap();
        let before = ring.clone();
        for (time, closes, code) in [
            (10, [Some(100), Some(200)], "out_of_order"),
            (20, [Some(100), Some(0)], "invalid_close"),
            (20, [Some(-5), Some(200)], "invalid_close"),
            (20, [Some(100), Some(20_300)], "wild_return"),
        ] {
            assert_eq!(ring.push(time, &closes).unwrap_err().code(), code);
            assert_eq!(ring, before);
        }
    }
}
