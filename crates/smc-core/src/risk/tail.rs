//! The order statistic of value at risk, and the quick exact way to it.
//!
//! Of N scenarios the tail holds `k = max(1, floor(N * (1 - confidence)))`. Value at risk is the loss in the k-th
//! worst, one that happened: nothing is interpolated. Where N(1 - confidence) is whole this is type 1 of Hyndman and
//! Fan (Sample quantiles in statistical packages, 1996); elsewhere it is the next worse scenario. Ties need no rule,
//! equal losses being equal. Expected shortfall is the mean of the k worst: the estimator of Acerbi and Tasche (On the
//! coherence of expected shortfall, 2002) where N(1 - confidence) is whole.

const MILLION: u64 = 1_000_000;

/// Scenarios judged between two looks at the bound.
const BLOCK: usize = 8;

/// As many candidates as this times the rank, and all but the worst are dropped.
const CROWD: usize = 3;

/// How many of `scenarios` lie in the tail beyond `confidence`, which counts in millionths; none of none.
#[must_use]
pub fn order_statistic(scenarios: usize, confidence: f64) -> usize {
    let beyond = MILLION.saturating_sub((confidence * MILLION as f64).round() as u64);
    let tail = (scenarios as u128 * u128::from(beyond) / u128::from(MILLION)) as usize;
    tail.max(1).min(scenarios)
}

/// The worst end of a set of scenarios, exact, in units of money times [`RETURN_UNIT`](super::RETURN_UNIT).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// P&L in the scenario that value at risk is read from.
    pub quantile: i64,
    /// Sum of the P&L of the scenarios that expected shortfall is the mean of.
    pub shortfall_sum: i128,
    /// How many scenarios that are.
    pub shortfall_count: usize,
}

/// Finds the tail of `base + order * returns`; keeps its buffer between calls.
#[derive(Clone, Debug, Default)]
pub struct TailFinder {
    candidates: Vec<i64>,
}

impl TailFinder {
    /// The tail of `base[s] + order * returns[s]`; `ranks` are the order statistics of value at risk and of expected
    /// shortfall, both from 1 to the number of scenarios.
    ///
    /// `bound` is any value that at least as many scenarios don't exceed as the larger rank says: those that do exceed
    /// it are passed over. `i64::MAX` is always one. Products and sums must fit 64 bits; the book sees to that.
    pub fn find(&mut self, base: &[i64], returns: &[i64], order: i64, ranks: (usize, usize), bound: i64) -> Tail {
        self.candidates.clear();
        let larger = ranks.0.max(ranks.1);
        let mut bound = bound;
        let (bases, rest) = base.as_chunks::<BLOCK>();
        let (rows, rest_rows) = returns.as_chunks::<BLOCK>();
        for (base, row) in bases.iter().zip(rows) {
            let mut moved = [0; BLOCK];
            let mut worst = i64::MAX;
            for lane in 0..BLOCK {
                moved[lane] = base[lane].wrapping_add(order.wrapping_mul(row[lane]));
                worst = worst.min(moved[lane]);
            }
            if worst <= bound {
                self.candidates.extend(moved.iter().filter(|value| **value <= bound));
                if self.candidates.len() > CROWD * larger {
                    bound = *self.candidates.select_nth_unstable(larger - 1).1;
                    self.candidates.truncate(larger);
                }
            }
        }
        let moved = rest.iter().zip(rest_rows).map(|(base, row)| base.wrapping_add(order.wrapping_mul(*row)));
        self.candidates.extend(moved.filter(|value| *value <= bound));
        tail_of(&mut self.candidates, ranks)
    }
}

/// The tail of values in any order, which it reorders.
fn tail_of(values: &mut [i64], (quantile, shortfall): (usize, usize)) -> Tail {
    let (larger, smaller) = (quantile.max(shortfall), quantile.min(shortfall));
    let at_larger = *values.select_nth_unstable(larger - 1).1;
    let at_smaller = *values[..larger].select_nth_unstable(smaller - 1).1;
    Tail {
        quantile: if quantile == larger { at_larger } else { at_smaller },
        shortfall_sum: values[..shortfall].iter().copied().map(i128::from).sum(),
        shortfall_count: shortfall,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_counted_without_floats_getting_in_the_way() {
        for (scenarios, confidence, wanted) in [
            (1_000, 0.99, 10),
            (1_000, 0.975, 25),
            (1_000, 0.9, 100),
            (1_000, 0.999, 1),
            (500, 0.99, 5),
            (250, 0.99, 2),
            (199, 0.99, 1),
            (50, 0.99, 1),
            (3, 0.999_999, 1),
            (0, 0.99, 0),
        ] {
            assert_eq!(order_statistic(scenarios, confidence), wanted, "{scenarios} at {confidence}");
        }
    }

    #[test]
    fn the_tail_is_that_of_the_sorted_scenarios() {
        let base: Vec<i64> = (0..21).map(|number| (number * 8) % 21).collect();
        let returns: Vec<i64> = (0..21).map(|number| -(number % 4)).collect();
        let mut sorted: Vec<i64> = base.iter().zip(&returns).map(|(base, row)| base + 5 * row).collect();
        sorted.sort_unstable();
        for ranks in [(1, 1), (2, 5), (5, 2), (21, 21), (1, 21)] {
            let larger = sorted[ranks.0.max(ranks.1) - 1];
            for bound in [larger, larger + 3, i64::MAX] {
                let found = TailFinder::default().find(&base, &returns, 5, ranks, bound);
                assert_eq!(found.quantile, sorted[ranks.0 - 1]);
                assert_eq!(found.shortfall_sum, sorted[..ranks.1].iter().map(|&value| i128::from(value)).sum::<i128>());
            }
        }
    }
}
