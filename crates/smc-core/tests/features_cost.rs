//! Time the feature vector: `cargo test --release -p smc-core --test features_cost -- --ignored --nocapture`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod smc_common;

use std::hint::black_box;
use std::time::Instant;

use smc_common::{congruential_walk, timeframe};
use smc_core::features::{FeatureDetector, COLUMNS};
use smc_core::market::{Aggregator, ClosedBar};
use smc_core::smc::{Detector, DetectorConfig};

const BARS: usize = 200_000;

fn detector(name: &str) -> Detector {
    Detector::new(timeframe(name), DetectorConfig::default()).unwrap()
}

fn context_bars(closed: &[ClosedBar], contexts: &mut [Detector; 2]) {
    let mut events = Vec::new();
    for made in closed {
        let context = contexts.iter_mut().find(|context| context.timeframe() == made.timeframe).unwrap();
        context.update(&made.bar, &mut events).unwrap();
    }
}

#[test]
#[ignore = "a measurement, meaningful in release builds on a quiet machine"]
fn the_vector_of_a_bar() {
    let mut decision = FeatureDetector::new(detector("1m"));
    let mut contexts = [detector("15m"), detector("1h")];
    let frames = [timeframe("15m"), timeframe("1h")];
    let mut aggregator = Aggregator::new(timeframe("1m"), &frames).unwrap();
    let (mut events, mut closed, mut values) = (Vec::new(), Vec::new(), Vec::new());
    let (mut taking, mut costs) = (0, Vec::with_capacity(BARS));
    for bar in congruential_walk(BARS) {
        closed.clear();
        events.clear();
        aggregator.push(&bar, &mut closed).unwrap();
        context_bars(&closed, &mut contexts);
        let start = Instant::now();
        decision.update(&bar, &mut events).unwrap();
        taking += start.elapsed().as_nanos();
        let start = Instant::now();
        decision.view([Some(&contexts[0]), Some(&contexts[1])]).write(&mut values);
        costs.push(start.elapsed().as_nanos());
        black_box(&values);
    }
    costs.sort_unstable();
    let quantile = |per_mille: usize| costs[(costs.len() - 1) * per_mille / 1_000];
    let (median, high) = (quantile(500), quantile(990));
    let update = taking / BARS as u128;
    println!("{} columns: p50 {median} ns, p99 {high} ns a bar, beside {update} ns for the detector", COLUMNS.len());
    assert_eq!(values.len(), COLUMNS.len());
    assert_eq!(values.capacity(), COLUMNS.len(), "the buffer was allocated again");
}
