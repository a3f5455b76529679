//! The adaptive schedule beside every split there is, its band, its cap, and the schedule it starts from.

use crate::oracle::splits;
use proptest::prelude::*;
use smc_core::execution::schedule::{AdaptiveShortfall, AlmgrenChriss, LinearImpact, LiveMarket, SliceBound};

const STEP: f64 = 1.0;
const PLENTY: f64 = 1e12;

fn impact(volatility: f64, temporary: f64) -> LinearImpact {
    LinearImpact { volatility, permanent: 0.0, temporary, fixed: 0.5 }
}

fn cost(split: &[i64], impact: &LinearImpact, lambda: f64, drift: f64) -> f64 {
    let mut held: f64 = split.iter().sum::<i64>() as f64;
    let mut cost = 0.0;
    for &lots in split {
        held -= lots as f64;
        cost += impact.temporary / STEP * (lots as f64).powi(2);
        cost += lambda * impact.volatility.powi(2) * STEP * held * held + drift * STEP * held;
    }
    cost
}

proptest! {
    #[test]
    fn the_first_slice_begins_a_cheapest_split(
        volatility in 0.0f64..2.0, temporary in 0.3f64..3.0, drift in -8.0f64..8.0,
        total in 1i64..13, slices in 1usize..5,
    ) {
        let impact = impact(volatility, temporary);
        let mut baseline = vec![0; slices];
        baseline[slices - 1] = total;
        let parent = AdaptiveShortfall::new(&baseline, 0.7, STEP, total, 0.5).unwrap();
        let live = LiveMarket { impact, adverse_drift: drift, others_volume: PLENTY };
        let ours = parent.slice(0, 0, &live).unwrap();
        prop_assert_eq!(ours.bound, SliceBound::Optimum);
        let (mut best, mut best_with_ours) = (f64::INFINITY, f64::INFINITY);
        for split in splits(total, slices) {
            let cost = cost(&split, &impact, 0.7, drift);
            best = best.min(cost);
            if split[0] == ours.lots {
                best_with_ours = best_with_ours.min(cost);
            }
        }
        prop_assert!(best_with_ours <= best + 1e-9 * (1.0 + best.abs()), "{best_with_ours} {best}");
    }

    #[test]
    fn in_the_market_it_was_planned_for_it_follows_the_plan(
        volatility in 0.1f64..2.0, total in 1i64..100_000, slices in 1usize..20,
    ) {
        let impact = impact(volatility, 1.0);
        let model = AlmgrenChriss::new(impact, 0.3, STEP, slices).unwrap();
        let plan = model.lots(total).unwrap();
        let parent = AdaptiveShortfall::new(&plan, 0.3, STEP, 0, 0.5).unwrap();
        let live = LiveMarket { impact, adverse_drift: 0.0, others_volume: PLENTY };
        let mut split = Vec::new();
        for number in 0..slices {
            split.push(parent.slice(number, split.iter().sum(), &live).unwrap().lots);
        }
        prop_assert_eq!(split.iter().sum::<i64>(), total);
        let (ours, planned) = (cost(&split, &impact, 0.3, 0.0), cost(&plan, &impact, 0.3, 0.0));
        prop_assert!((ours - planned).abs() <= 1e-9 * planned, "{:?} {:?}", split, plan);
    }

    #[test]
    fn it_keeps_to_the_band_unless_the_cap_forbids(
        markets in prop::collection::vec((0.0f64..3.0, 0.3f64..3.0, -20.0f64..20.0, 0.0f64..900.0), 1..15),
        total in 1i64..5_000, band in 0i64..500,
    ) {
        let slices = markets.len();
        let plan = AlmgrenChriss::new(impact(1.0, 1.0), 0.1, STEP, slices).unwrap().lots(total).unwrap();
        let parent = AdaptiveShortfall::new(&plan, 0.1, STEP, band, 0.25).unwrap();
        let (mut done, mut planned) = (0, 0);
        for (number, (volatility, temporary, drift, volume)) in markets.into_iter().enumerate() {
            let live =
                LiveMarket { impact: impact(volatility, temporary), adverse_drift: drift, others_volume: volume };
            let slice = parent.slice(number, done, &live).unwrap();
            done += slice.lots;
            planned += plan[number];
            prop_assert!((0..=total).contains(&done));
            // A quarter of all volume is a third of others'.
            prop_assert!(slice.lots as f64 <= volume / 3.0 + 1e-9);
            prop_assert!(slice.bound == SliceBound::Participation || done >= planned - band);
        }
    }
}

#[test]
fn drift_against_the_parent_hurries_it_and_a_drift_for_it_waits() {
    let parent = AdaptiveShortfall::new(&[100; 10], 0.01, STEP, 1_000, 0.5).unwrap();
    let first = |adverse_drift| {
        let live = LiveMarket { impact: impact(1.0, 1.0), adverse_drift, others_volume: PLENTY };
        parent.slice(0, 0, &live).unwrap().lots
    };
    assert!(first(50.0) > first(0.0) && first(0.0) > first(-50.0));
    assert_eq!(first(-1e6), 0);
}

#[test]
fn what_is_no_state_of_the_parent_is_refused() {
    let parent = AdaptiveShortfall::new(&[5, 5], 0.1, STEP, 1, 0.5).unwrap();
    let live = LiveMarket { impact: impact(1.0, 1.0), adverse_drift: 0.0, others_volume: 1.0 };
    assert_eq!(parent.slice(2, 0, &live).unwrap_err().name, "number");
    assert_eq!(parent.slice(0, 11, &live).unwrap_err().name, "done");
    assert_eq!(parent.slice(0, 0, &LiveMarket { adverse_drift: f64::NAN, ..live }).unwrap_err().name, "adverse_drift");
    assert_eq!(parent.slice(1, 10, &live).unwrap().lots, 0);
    assert_eq!(AdaptiveShortfall::new(&[], 0.1, STEP, 1, 0.5).unwrap_err().name, "total");
    assert_eq!(AdaptiveShortfall::new(&[2, -1], 0.1, STEP, 1, 0.5).unwrap_err().name, "slice");
}
