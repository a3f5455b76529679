//! The baseline of chance: portfolios that enter at random bars and sides with given exits.
//!
//! A strategy whose exits alone make money is told from one that chooses its entries by comparing its
//! return with the distribution of these. Trades are read by the same bar rules as the simulated venue.

use super::matching::{exit_on, ExitLevels, Held, Span};
use crate::market::Bar;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The exits to give to random entries: one trade a run for each element.
#[derive(Clone, Copy, Debug)]
pub struct RandomEntry<'a> {
    /// Distances of the stop from the entry, in ticks.
    pub stop_distance: &'a [i64],
    /// Distances of the target from the entry, in ticks.
    pub target_distance: &'a [i64],
    /// Shares of equity lost at the stop, before costs.
    pub risk_fraction: &'a [f64],
    /// A position is closed at the first open this long after its entry.
    pub time_limit_ns: i64,
    /// Round-trip cost in parts per million of notional.
    pub cost_ppm: i64,
}

/// Arguments that describe no set of trades.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RandomEntryError {
    /// The three arrays differ in length.
    #[error("stop_distance has {stops} elements, target_distance {targets}, risk_fraction {risks}; give as many")]
    UnequalLengths {
        /// Length of the stops.
        stops: usize,
        /// Length of the targets.
        targets: usize,
        /// Length of the risks.
        risks: usize,
    },
    /// Trades without bars to enter at.
    #[error("there are no bars to enter at")]
    NoBars,
    /// A distance, risk, limit or cost outside its range.
    #[error("{name}[{index}] is {value}; it must be {range}")]
    OutOfRange {
        /// The argument.
        name: &'static str,
        /// Index in it, 0 for a scalar.
        index: usize,
        /// The value given.
        value: f64,
        /// What it must be.
        range: &'static str,
    },
}

impl RandomEntry<'_> {
    fn validate(&self, bars: &[Bar]) -> Result<(), RandomEntryError> {
        let (stops, targets, risks) = (self.stop_distance.len(), self.target_distance.len(), self.risk_fraction.len());
        if stops != targets || stops != risks {
            return Err(RandomEntryError::UnequalLengths { stops, targets, risks });
        }
        if bars.is_empty() && stops > 0 {
            return Err(RandomEntryError::NoBars);
        }
        let out_of = |name, index, value, range| Err(RandomEntryError::OutOfRange { name, index, value, range });
        for (name, distances) in [("stop_distance", self.stop_distance), ("target_distance", self.target_distance)] {
            if let Some((index, &value)) = distances.iter().enumerate().find(|&(_, &value)| value <= 0) {
                return out_of(name, index, value as f64, "positive");
            }
        }
        let bad_risk = |&(_, &value): &(usize, &f64)| !(0.0..=1.0).contains(&value);
        if let Some((index, &value)) = self.risk_fraction.iter().enumerate().find(bad_risk) {
            return out_of("risk_fraction", index, value, "in [0, 1]");
        }
        if self.time_limit_ns <= 0 {
            return out_of("time_limit_ns", 0, self.time_limit_ns as f64, "positive");
        }
        if self.cost_ppm < 0 {
            return out_of("cost_ppm", 0, self.cost_ppm as f64, "zero or more");
        }
        Ok(())
    }

    /// Return on equity of the trade `index` entered at the open of `bars[0]`.
    ///
    /// Size makes the loss at the stop `risk_fraction` of equity, so the notional is
    /// `risk_fraction * entry / stop_distance` of it, and that is what the cost applies to.
    fn trade_return(&self, index: usize, side: i8, bars: &[Bar]) -> f64 {
        let (entry, distance) = (bars[0].open, self.stop_distance[index]);
        let direction = i64::from(side);
        let levels = ExitLevels {
            side,
            stop: entry.saturating_sub(direction * distance),
            target: entry.saturating_add(direction * self.target_distance[index]),
            deadline: bars[0].open_time.saturating_add(self.time_limit_ns),
        };
        let exit = bars.iter().find_map(|bar| exit_on(&levels, Held::FromOpen, &Span::of_bar(bar)));
        let price = exit.map_or(bars[bars.len() - 1].close, |exit| exit.price);
        let size = self.risk_fraction[index] / distance as f64;
        let gain = (price - entry) as f64 * f64::from(side);
        size * (gain - entry as f64 * self.cost_ppm as f64 / 1e6)
    }

    fn run(&self, bars: &[Bar], order: &mut [usize], rng: &mut ChaCha8Rng) -> f64 {
        for last in (1..order.len()).rev() {
            order.swap(last, below(rng, last + 1));
        }
        let mut equity = 1.0;
        for &index in order.iter() {
            let start = below(rng, bars.len());
            let side = if below(rng, 2) == 0 { 1 } else { -1 };
            equity *= 1.0 + self.trade_return(index, side, &bars[start..]);
            if equity <= 0.0 {
                return -1.0;
            }
        }
        equity - 1.0
    }
}

/// Net return of `runs` portfolios, compounded over their trades; -1 where one is ruined.
///
/// Run `k` has its own random stream of `seed`, so it is the same whatever the number of runs. A trade
/// still open at the end of the bars is closed at the last close.
///
/// # Errors
/// [`RandomEntryError`] naming the argument.
pub fn random_entry_returns(
    bars: &[Bar],
    entries: &RandomEntry<'_>,
    runs: usize,
    seed: u64,
) -> Result<Vec<f64>, RandomEntryError> {
    entries.validate(bars)?;
    let returns = (0..runs as u64).map(|run| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(run);
        let mut order: Vec<usize> = (0..entries.stop_distance.len()).collect();
        entries.run(bars, &mut order, &mut rng)
    });
    Ok(returns.collect())
}

/// A uniform index below `bound` (at least 1) by a widening product; its bias is below 2^-40 for any file.
pub(crate) fn below(rng: &mut ChaCha8Rng, bound: usize) -> usize {
    ((u128::from(rng.next_u64()) * bound as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn bar(index: i64, open: i64, high: i64, low: i64, close: i64) -> Bar {
        let open_time = index * 60;
        Bar { open_time, close_time: open_time + 60, open, high, low, close, volume: 1, taker_buy_volume: 0, trades: 1 }
    }

    fn entries<'a>(stop: &'a [i64], target: &'a [i64], risk: &'a [f64]) -> RandomEntry<'a> {
        RandomEntry {
            stop_distance: stop,
            target_distance: target,
            risk_fraction: risk,
            time_limit_ns: 600,
            cost_ppm: 0,
        }
    }

    #[test]
    fn a_stop_costs_the_risk_and_a_target_pays_its_multiple() {
        // One wide bar: whichever the side, both barriers lie inside it, so the stop is taken.
        let bars = [bar(0, 1_000, 1_100, 900, 1_000)];
        let spec = entries(&[10], &[20], &[0.01]);
        let lost = random_entry_returns(&bars, &spec, 20, 1).unwrap();
        assert!(lost.iter().all(|value| (value + 0.01).abs() < 1e-12));
        // A rise only: longs reach the target (+2 risks), shorts the stop (-1 risk).
        let bars = [bar(0, 1_000, 1_100, 1_000, 1_100)];
        let seen = random_entry_returns(&bars, &spec, 50, 1).unwrap();
        assert!(seen.iter().all(|value| (value - 0.02).abs() < 1e-12 || (value + 0.01).abs() < 1e-12));
        assert!(seen.iter().any(|value| *value > 0.0) && seen.iter().any(|value| *value < 0.0));
    }

    #[test]
    fn costs_apply_to_the_notional() {
        let bars = [bar(0, 1_000, 1_000, 1_000, 1_000)];
        let spec = RandomEntry { cost_ppm: 800, ..entries(&[10], &[20], &[0.01]) };
        // Notional is 0.01 * 1000 / 10 = 1 equity.
        let seen = random_entry_returns(&bars, &spec, 1, 1).unwrap();
        assert!((seen[0] + 0.0008).abs() < 1e-12);
    }

    #[test]
    fn more_runs_extend_and_seeds_differ() {
        let walk = |i: i64| 1_000 + (i * 37) % 101;
        let bars: Vec<Bar> = (0..500).map(|i| bar(i, walk(i), walk(i) + 5, walk(i) - 5, walk(i))).collect();
        let spec = entries(&[10, 20, 30], &[20, 20, 20], &[0.01, 0.02, 0.01]);
        let few = random_entry_returns(&bars, &spec, 5, 7).unwrap();
        let many = random_entry_returns(&bars, &spec, 9, 7).unwrap();
        assert_eq!(few, many[..5]);
        assert_ne!(few, random_entry_returns(&bars, &spec, 5, 8).unwrap());
    }

    #[test]
    fn bad_arguments_are_named() {
        let bars = [bar(0, 1_000, 1_000, 1_000, 1_000)];
        let uneven = random_entry_returns(&bars, &entries(&[1, 2], &[1], &[0.1]), 1, 1);
        assert!(matches!(uneven, Err(RandomEntryError::UnequalLengths { stops: 2, targets: 1, risks: 1 })));
        let error = random_entry_returns(&bars, &entries(&[1], &[1], &[f64::NAN]), 1, 1).unwrap_err();
        assert_eq!(error.to_string(), "risk_fraction[0] is NaN; it must be in [0, 1]");
        assert_eq!(random_entry_returns(&[], &entries(&[1], &[1], &[0.1]), 1, 1), Err(RandomEntryError::NoBars));
        assert_eq!(random_entry_returns(&[], &entries(&[], &[], &[]), 2, 1), Ok(vec![0.0, 0.0]));
    }
}
