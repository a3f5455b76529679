//! Time a bar through the detector: `cargo test --release --test smc_throughput -- --ignored --nocapture`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod smc_common;

use std::time::Instant;

use smc_common::congruential_walk;
use smc_core::smc::{Detector, DetectorConfig};

const PART: usize = 100_000;

#[test]
#[ignore = "a measurement, meaningful in release builds on a quiet machine"]
fn a_bar_costs_the_same_however_long_the_history() {
    let bars = congruential_walk(1_000_000);
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
