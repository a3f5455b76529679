//! Random venues with books.

use rand_chacha::rand_core::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use smc_core::execution::router::{VenueState, VenueTerms};

pub struct Market {
    pub side: i8,
    pub terms: Vec<VenueTerms>,
    pub states: Vec<VenueState>,
    pub books: Vec<Vec<(i64, i64)>>,
}

pub struct Dice(ChaCha8Rng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number in `[low, high]`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + (self.0.next_u64() % (high - low + 1) as u64) as i64
    }

    /// A market of plain venues: one lot, no smallest order, plenty of balance, no fade.
    pub fn market(&mut self, venues: i64, levels: i64, depth: i64) -> Market {
        let side = if self.between(0, 1) == 0 { 1 } else { -1 };
        let mut made = Market { side, terms: Vec::new(), states: Vec::new(), books: Vec::new() };
        for _ in 0..self.between(1, venues) {
            made.terms.push(VenueTerms {
                taker_fee_ppm: self.between(-50, 700),
                latency_ns: self.between(0, 50) * 1_000_000,
                fade_per_second: 0.0,
                lot: 1,
                min_notional: 0,
            });
            let latency_cost = self.between(0, 500_000);
            let penalty_ppm = self.between(0, 3) * 50;
            made.states.push(VenueState { balance: i128::MAX, latency_cost, penalty_ppm, available: true });
            let mut price = 10_000 + i64::from(side) * self.between(0, 9);
            let mut book = Vec::new();
            for _ in 0..self.between(0, levels) {
                book.push((price, self.between(1, depth)));
                price += i64::from(side) * self.between(1, 6);
            }
            made.books.push(book);
        }
        made
    }
}

impl Market {
    pub fn views(&self) -> Vec<&[(i64, i64)]> {
        self.books.iter().map(Vec::as_slice).collect()
    }

    /// Cost of a lot at a venue's level, from the definition, in micro-ticks.
    pub fn cost(&self, venue: usize, price: i64) -> i64 {
        let (terms, state) = (&self.terms[venue], &self.states[venue]);
        let fee = price * (terms.taker_fee_ppm + state.penalty_ppm);
        i64::from(self.side) * price * 1_000_000 + fee + state.latency_cost
    }
}
