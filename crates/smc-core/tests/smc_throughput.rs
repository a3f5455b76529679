//! Time a bar through the detector: `cargo test --release --test smc_throughput -- --ignored --nocapture`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Instant;

use smc_core::market::Bar;
use smc_core::smc::{Detector, DetectorConfig};

const MINUTE: i64 = 60_000_000_000;
const PART: usize = 100_000;

/// A random walk of eight steps a bar; a multiplicative congruence is random enough to keep every branch busy.
fn walk(length: usize) -> Vec<Bar> {
    let (mut state, mut price) = (0x2545_f491_4f6c_dd1du64, 5_000_000i64);
    let mut bars = Vec::with_capacity(length);
    for minute in 0..length as i64 {
        let (open, mut high, mut low) = (price, price, price);
        for _ in 0..8 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            price += (state >> 40) as i64 % 401 - 200;
            high = high.max(price);
            low = low.min(price);
        }
        bars.push(Bar {
            open_time: minute * MINUTE,
            close_time: (minute + 1) * MINUTE,
            open,
            high,
            low,
            close: price,
            volume: 1,
            taker_buy_volume: 0,
            trades: 8,
        });
    }
    bars
}

#[test]
#[ignore = "a measurement, meaningful in release builds on a quiet machine"]
fn a_bar_costs_the_same_however_long_the_history() {
    let bars = walk(1_000_000);
    let mut detector = Detector::new("1m".parse().unwrap(), DetectorConfig::default()).unwrap();
    let mut events = Vec::with_capacity(10 * PART);
    let mut costs = Vec::new();
    for part in bars.chunks(PART) {
        events.clear();
        let start = Instant::now();
        for bar in part {
            detector.update(bar, &mut events).unwrap();
        }
        let nanoseconds = start.elapsed().as_nanos() as f64 / part.len() as f64;
        let rate = events.len() as f64 / part.len() as f64;
        println!("{:>8} bars: {nanoseconds:.0} ns a bar, {rate:.2} events a bar", detector.bars_seen());
        costs.push(nanoseconds);
    }
    costs.sort_by(f64::total_cmp);
    let (least, median) = (costs[0], costs[costs.len() / 2]);
    assert!(median < 2_000.0, "median {median:.0} ns a bar");
    assert!(median < 3.0 * least, "median {median:.0} ns a bar against {least:.0} at best");
}
