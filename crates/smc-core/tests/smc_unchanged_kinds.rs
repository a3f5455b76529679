//! The first nineteen kinds say what they said before the vocabulary grew: a digest of their kinds, times, levels,
//! directions and flags, taken with the detector that knew only these. Ids count every event, so they are left out.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod smc_common;

use std::collections::BTreeMap;

use smc_common::{congruential_walk, eurusd};
use smc_core::market::Bar;
use smc_core::smc::{Detector, DetectorConfig, Event};

const FIRST_KINDS: [&str; 19] = [
    "pivot",
    "bos",
    "choch",
    "order_block",
    "order_block_touched",
    "order_block_mitigated",
    "order_block_invalidated",
    "order_block_expired",
    "fair_value_gap",
    "fair_value_gap_touched",
    "fair_value_gap_half_filled",
    "fair_value_gap_filled",
    "fair_value_gap_inverted",
    "fair_value_gap_expired",
    "liquidity_pool",
    "liquidity_pool_swept",
    "liquidity_pool_run",
    "liquidity_pool_expired",
    "dealing_range",
];

/// FNV-1a over the readable form of every event but for its ids; ids become the position of what they name
/// among the events that are kept.
fn digest(events: &[Event]) -> (usize, u64) {
    let kept: Vec<&Event> = events.iter().filter(|event| FIRST_KINDS.contains(&event.kind.name())).collect();
    let position: BTreeMap<u64, usize> = kept.iter().enumerate().map(|(at, event)| (event.id, at + 1)).collect();
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for e in &kept {
        let links = (position[&e.zone_id], position.get(&e.source_id).copied().unwrap_or(0));
        let what = (e.kind.name(), e.direction, e.side, e.scope.name(), e.timeframe.name(), e.ambiguous);
        let text = format!("{what:?} {links:?} {} {} {} {}\n", e.formed_at, e.confirmed_at, e.low, e.high);
        hash = text.bytes().fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    }
    (kept.len(), hash)
}

fn events(timeframe: &str, bars: &[Bar]) -> Vec<Event> {
    let mut detector = Detector::new(timeframe.parse().unwrap(), DetectorConfig::default()).unwrap();
    let mut events = Vec::new();
    for bar in bars {
        detector.update(bar, &mut events).unwrap();
    }
    events
}

#[test]
fn on_a_random_walk() {
    assert_eq!(digest(&events("1m", &congruential_walk(100_000))), (206_261, 14_710_194_781_159_582_598));
}

#[test]
fn on_a_year_of_eurusd() {
    let Some(bars) = eurusd() else { return };
    assert_eq!(digest(&events("15m", &bars)), (36_355, 6_754_532_001_004_582_711));
}
