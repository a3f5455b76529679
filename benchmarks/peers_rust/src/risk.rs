//! Measures what the risk of one order costs in the core, order by order, and prints JSON.
//!
//! Arguments: the number of instruments, and of orders. The book holds every instrument; orders are drawn from the same
//! generator as the closes. A reading of the timer is part of each sample; its own cost is printed too.

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use serde::Serialize;
use smc_core::risk::{Instrument, RiskBook, RiskBookSettings};

const SCENARIOS: usize = 1_000;
const MINUTE: i64 = 60_000_000_000;
const MONEY: i64 = 100_000_000;

/// Nanoseconds of each order, and of reading the timer twice with nothing between.
#[derive(Serialize)]
struct Report {
    orders_ns: Vec<u64>,
    timer_ns: Vec<u64>,
}

/// A linear congruential generator (Knuth, MMIX), its upper half.
struct Chance(u64);

impl Chance {
    /// Uniform in [-most, most].
    fn within(&mut self, most: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as i64 % (2 * most + 1) - most
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let [wide, orders] = <[String; 2]>::try_from(std::env::args().skip(1).collect::<Vec<_>>())
        .map_err(|given| format!("{} arguments given; say INSTRUMENTS ORDERS", given.len()))?;
    let (wide, orders): (usize, usize) = (wide.parse()?, orders.parse()?);
    let mut chance = Chance(7);
    let mut book = book(wide, &mut chance)?;
    let now = book.scenarios().newest().unwrap_or(0);
    let drawn: Vec<(usize, i64)> = (0..orders).map(|order| (order % wide, chance.within(MONEY))).collect();
    let mut report = Report { orders_ns: Vec::with_capacity(orders), timer_ns: Vec::with_capacity(orders) };
    for &(at, order) in &drawn {
        black_box(book.assess(at, order, now)?);
    }
    for &(at, order) in &drawn {
        let began = Instant::now();
        black_box(book.assess(black_box(at), black_box(order), now)?);
        report.orders_ns.push(began.elapsed().as_nanos() as u64);
        let began = Instant::now();
        report.timer_ns.push(began.elapsed().as_nanos() as u64);
    }
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

/// A book of `wide` instruments, each held, after a whole window of walks.
fn book(wide: usize, chance: &mut Chance) -> Result<RiskBook, Box<dyn Error>> {
    let settings = RiskBookSettings {
        window: SCENARIOS,
        min_scenarios: SCENARIOS,
        horizon: 1,
        confidence: 0.99,
        shortfall_confidence: 0.975,
        decay: 0.94,
        max_age_ns: MINUTE,
        unknown_loss: 0.7,
    };
    let named = (0..wide).map(|at| Instrument { key: format!("I{at}"), asset: "BTC".to_owned() });
    let mut book = RiskBook::new(settings, named.collect())?;
    let mut closes = vec![1_000_000_000_i64; wide];
    for bar in 0..=SCENARIOS as i64 {
        let common = chance.within(8_000);
        closes.iter_mut().for_each(|close| *close += *close * (common + chance.within(8_000)) / 1_000_000);
        book.on_bar(bar * MINUTE, &closes.iter().copied().map(Some).collect::<Vec<_>>())?;
    }
    (0..wide).for_each(|at| book.hold(at, chance.within(MONEY)));
    Ok(book)
}
