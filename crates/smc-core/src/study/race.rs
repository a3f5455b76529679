//! Races between two prices, all in one pass over the bars.
//!
//! Open races lie in two heaps, by upper and by lower price, so a bar looks at those it decides and no others: a race
//! costs O(log n) over its whole life, however long it stays open. One whose time is over is passed over when reached.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::market::Bar;

/// How a race stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Neither price was reached, so far or within the time limit.
    Open,
    /// The price in its direction came first.
    Hit,
    /// The other price came first.
    Miss,
    /// One bar reached both.
    Tie,
}

#[derive(Clone, Copy, Debug)]
struct Race {
    upward: bool,
    outcome: Outcome,
    /// The bar that decided it.
    decided: usize,
    /// The last bar that may.
    last: usize,
}

/// Every race, in the order of starting.
#[derive(Debug)]
pub(super) struct Races {
    time_limit: usize,
    races: Vec<Race>,
    above: BinaryHeap<Reverse<(i64, usize)>>,
    below: BinaryHeap<(i64, usize)>,
}

impl Races {
    /// None yet; a race lasts `time_limit` bars after that on which it starts.
    pub fn new(time_limit: usize) -> Self {
        Self { time_limit, races: Vec::new(), above: BinaryHeap::new(), below: BinaryHeap::new() }
    }

    /// Starts a race at the end of bar `index`, between `lower` and `upper`.
    pub fn start(&mut self, index: usize, direction: i8, lower: i64, upper: i64) {
        let number = self.races.len();
        let last = index.saturating_add(self.time_limit);
        self.races.push(Race { upward: direction > 0, outcome: Outcome::Open, decided: index, last });
        self.above.push(Reverse((upper, number)));
        self.below.push((lower, number));
    }

    /// Adds a race that is over as it starts.
    pub fn settled(&mut self, outcome: Outcome) {
        self.races.push(Race { upward: true, outcome, decided: 0, last: 0 });
    }

    /// Decides the races whose prices bar `index` reaches.
    pub fn advance(&mut self, index: usize, bar: &Bar) {
        while let Some(&Reverse((price, number))) = self.above.peek() {
            if price > bar.high {
                break;
            }
            self.above.pop();
            self.reach(number, true, index);
        }
        while let Some(&(price, number)) = self.below.peek() {
            if price < bar.low {
                break;
            }
            self.below.pop();
            self.reach(number, false, index);
        }
    }

    fn reach(&mut self, number: usize, upper: bool, index: usize) {
        let race = &mut self.races[number];
        if index > race.last {
            return;
        }
        if race.outcome == Outcome::Open {
            race.outcome = if race.upward == upper { Outcome::Hit } else { Outcome::Miss };
            race.decided = index;
        } else if race.decided == index {
            race.outcome = Outcome::Tie;
        }
    }

    /// Every outcome, in the order of starting.
    pub fn outcomes(&self) -> impl Iterator<Item = Outcome> + '_ {
        self.races.iter().map(|race| race.outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(high: i64, low: i64) -> Bar {
        Bar { open_time: 0, close_time: 1, open: low, high, low, close: low, volume: 0, taker_buy_volume: 0, trades: 0 }
    }

    fn outcomes(bars: &[(i64, i64)], time_limit: usize) -> Vec<Outcome> {
        let mut races = Races::new(time_limit);
        races.start(0, 1, 90, 110);
        races.start(0, -1, 90, 110);
        for (index, &(high, low)) in bars.iter().enumerate() {
            races.advance(index + 1, &bar(high, low));
        }
        races.outcomes().collect()
    }

    #[test]
    fn the_first_price_decides_and_reaching_is_enough() {
        assert_eq!(outcomes(&[(109, 91), (110, 95), (100, 80)], 9), [Outcome::Hit, Outcome::Miss]);
        assert_eq!(outcomes(&[(109, 90), (120, 95)], 9), [Outcome::Miss, Outcome::Hit]);
    }

    #[test]
    fn both_prices_in_one_bar_are_a_tie() {
        assert_eq!(outcomes(&[(110, 90)], 9), [Outcome::Tie, Outcome::Tie]);
    }

    #[test]
    fn nothing_is_decided_after_the_time_limit() {
        assert_eq!(outcomes(&[(100, 95), (110, 95)], 2), [Outcome::Hit, Outcome::Miss]);
        assert_eq!(outcomes(&[(100, 95), (110, 95)], 1), [Outcome::Open, Outcome::Open]);
    }
}
