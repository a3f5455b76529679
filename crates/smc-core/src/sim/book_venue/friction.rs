//! How long messages take, and what own volume does to the price.

use rand_chacha::rand_core::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1};
use serde::{Deserialize, Serialize};

/// The way from the agent to the venue and back.
///
/// Each way takes a constant and an exponential jitter from a seeded generator, drawn in the order of the messages. One
/// connection keeps its order: a message never overtakes the one sent before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    entry_ns: i64,
    response_ns: i64,
    jitter_ns: i64,
    rng: ChaCha8Rng,
    last_arrival: i64,
    last_answer: i64,
}

/// A model parameter outside its range.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{name} is {value}; it must be {range}")]
pub struct FrictionError {
    /// The parameter.
    pub name: &'static str,
    /// The value given.
    pub value: f64,
    /// What it must be.
    pub range: &'static str,
}

impl Latency {
    /// Nanoseconds to the venue and back, and the mean jitter of each way (0 for none).
    ///
    /// # Errors
    /// [`FrictionError`] naming the negative one.
    pub fn new(entry_ns: i64, response_ns: i64, jitter_ns: i64, seed: u64) -> Result<Self, FrictionError> {
        for (name, value) in [("entry_ns", entry_ns), ("response_ns", response_ns), ("jitter_ns", jitter_ns)] {
            if value < 0 {
                return Err(FrictionError { name, value: value as f64, range: "zero or more" });
            }
        }
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Ok(Self { entry_ns, response_ns, jitter_ns, rng, last_arrival: i64::MIN, last_answer: i64::MIN })
    }

    fn jitter(&mut self) -> i64 {
        if self.jitter_ns == 0 {
            return 0;
        }
        let drawn: f64 = Exp1.sample(&mut self.rng);
        (drawn * self.jitter_ns as f64) as i64
    }

    /// When a message sent at `now` is at the venue.
    pub(super) fn arrival(&mut self, now: i64) -> i64 {
        let arrival = now.saturating_add(self.entry_ns).saturating_add(self.jitter());
        self.last_arrival = self.last_arrival.max(arrival);
        self.last_arrival
    }

    /// When what the venue said at `time` is known to the agent.
    pub(super) fn answer(&mut self, time: i64) -> i64 {
        let answer = time.saturating_add(self.response_ns).saturating_add(self.jitter());
        self.last_answer = self.last_answer.max(answer);
        self.last_answer
    }
}

/// The square-root law: own volume `Q` moves the price by `coefficient * volatility * sqrt(Q / daily_volume)` of itself.
///
/// A recorded market does not answer to own orders. Here the taker volume that the venue has seen, halved every
/// `half_life_ns`, stands for the part that has not been absorbed: takers on the same side pay its impact on top of
/// the levels that they walk; those on the other side gain nothing. The law holds on Bitcoin over four
/// decades of size, with a coefficient near 1 (Donier and Bonart 2015).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Impact {
    coefficient: f64,
    volatility: f64,
    daily_volume: f64,
    half_life_ns: f64,
    /// Signed lots not absorbed at `at`.
    volume: f64,
    at: i64,
}

impl Impact {
    /// Volatility is the day's, as a fraction of price; volume the day's, in lots.
    ///
    /// # Errors
    /// [`FrictionError`] naming the first that is not positive and finite.
    pub fn new(coefficient: f64, volatility: f64, daily_volume: f64, half_life_ns: f64) -> Result<Self, FrictionError> {
        let given = [
            ("coefficient", coefficient),
            ("volatility", volatility),
            ("daily_volume", daily_volume),
            ("half_life_ns", half_life_ns),
        ];
        match given.into_iter().find(|(_, value)| !(value.is_finite() && *value > 0.0)) {
            Some((name, value)) => Err(FrictionError { name, value, range: "positive and finite" }),
            None => Ok(Self { coefficient, volatility, daily_volume, half_life_ns, volume: 0.0, at: 0 }),
        }
    }

    fn left(&self, time: i64) -> f64 {
        self.volume * (-((time - self.at).max(0) as f64) / self.half_life_ns).exp2()
    }

    /// Ticks that a taker of `side` pays on top of a level at `price`, rounded up.
    pub(super) fn ticks(&self, side: i8, price: i64, time: i64) -> i64 {
        let volume = self.left(time) * f64::from(side);
        if volume <= 0.0 {
            return 0;
        }
        (self.coefficient * self.volatility * (volume / self.daily_volume).sqrt() * price as f64).ceil() as i64
    }

    /// Counts `lots` taken by an order of `side`.
    pub(super) fn took(&mut self, side: i8, lots: i64, time: i64) {
        self.volume = self.left(time) + f64::from(side) * lots as f64;
        self.at = time;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn messages_keep_their_order_and_depend_on_the_seed() {
        let arrivals = |seed| {
            let mut latency = Latency::new(1_000, 500, 2_000, seed).unwrap();
            (0..200).map(|sent| latency.arrival(sent * 10)).collect::<Vec<_>>()
        };
        assert!(arrivals(1).windows(2).all(|pair| pair[0] <= pair[1]));
        assert!(arrivals(1).iter().enumerate().all(|(sent, at)| *at >= sent as i64 * 10 + 1_000));
        assert_eq!(arrivals(1), arrivals(1));
        assert_ne!(arrivals(1), arrivals(2));
        let mut constant = Latency::new(1_000, 500, 0, 1).unwrap();
        assert_eq!((constant.arrival(7), constant.answer(1_007)), (1_007, 1_507));
        assert!(Latency::new(0, -1, 0, 0).is_err());
    }

    #[test]
    fn four_times_the_volume_has_twice_the_impact_and_it_fades() {
        let mut impact = Impact::new(1.0, 0.04, 1_000_000.0, 1_000.0).unwrap();
        assert_eq!(impact.ticks(1, 100_000, 0), 0);
        impact.took(1, 100, 0);
        // 4 percent times sqrt(1e-4) is 0.04 percent, of 100,000 ticks 40.
        assert_eq!((impact.ticks(1, 100_000, 0), impact.ticks(-1, 100_000, 0)), (40, 0));
        impact.took(1, 300, 0);
        assert_eq!(impact.ticks(1, 100_000, 0), 80);
        assert_eq!(impact.ticks(1, 100_000, 2_000), 40);
        assert!(Impact::new(1.0, f64::NAN, 1.0, 1.0).is_err());
    }
}
