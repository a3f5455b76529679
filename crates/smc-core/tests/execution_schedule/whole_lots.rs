//! Cumulative rounding: exact sums, and the smallest largest deviation of all splits.

use crate::oracle::least;
use proptest::prelude::*;
use smc_core::execution::schedule::{apportion, twap, vwap_next};

fn deviation(split: &[i64], weights: &[f64]) -> f64 {
    let (total, sum) = (split.iter().sum::<i64>() as f64, weights.iter().sum::<f64>());
    let (mut placed, mut wanted, mut worst) = (0.0, 0.0, 0.0f64);
    for (&lots, weight) in split.iter().zip(weights) {
        placed += lots as f64;
        wanted += total * weight / sum;
        worst = worst.max((placed - wanted).abs());
    }
    worst
}

#[test]
fn ten_lots_in_four_slices_round_cumulatively() {
    assert_eq!(twap(10, 4).unwrap(), [3, 2, 3, 2]);
    assert_eq!(twap(1, 3).unwrap(), [0, 1, 0]);
    assert_eq!(apportion(10, &[1.0, 0.0, 3.0, 0.0]).unwrap(), [3, 0, 7, 0]);
    assert_eq!(twap(i64::MAX, 7).unwrap().iter().sum::<i64>(), i64::MAX);
    assert_eq!(apportion(i64::MAX, &[0.3, 0.3, 0.4]).unwrap().iter().sum::<i64>(), i64::MAX);
}

#[test]
fn arguments_that_describe_no_schedule_are_named() {
    assert_eq!(twap(0, 3).unwrap_err().to_string(), "total is 0; it must be positive and finite");
    assert_eq!(twap(3, 0).unwrap_err().name, "slices");
    assert_eq!(apportion(3, &[1.0, f64::NAN]).unwrap_err().name, "weight");
    assert_eq!(apportion(3, &[0.0, 0.0]).unwrap_err().name, "sum of weights");
    assert_eq!(vwap_next(3, &[]).unwrap_err().name, "slices");
    assert_eq!(vwap_next(-1, &[1.0]).unwrap_err().name, "remaining");
}

proptest! {
    #[test]
    fn no_split_has_a_smaller_largest_deviation(
        total in 1i64..9,
        weights in prop::collection::vec(0u8..6, 1..5),
    ) {
        prop_assume!(weights.iter().any(|&weight| weight > 0));
        let weights: Vec<f64> = weights.into_iter().map(f64::from).collect();
        let ours = apportion(total, &weights).unwrap();
        let best = least(total, weights.len(), |split| deviation(split, &weights));
        prop_assert!(deviation(&ours, &weights) <= best + 1e-12);
    }

    #[test]
    fn slices_sum_to_the_parent_and_are_never_negative(
        total in 1i64..i64::MAX,
        weights in prop::collection::vec(0.0f64..1e9, 1..200),
    ) {
        prop_assume!(weights.iter().sum::<f64>() > 0.0);
        for lots in [apportion(total, &weights).unwrap(), twap(total, weights.len()).unwrap()] {
            prop_assert_eq!(lots.iter().map(|&lots| i128::from(lots)).sum::<i128>(), i128::from(total));
            prop_assert!(lots.iter().all(|&lots| (0..=total).contains(&lots)));
        }
    }

    #[test]
    fn equal_weights_are_twap(total in 1i64..1_000_000_000, slices in 1usize..100) {
        let equal = apportion(total, &vec![1.0; slices]).unwrap();
        let exact = twap(total, slices).unwrap();
        let (mut ours, mut theirs) = (0i64, 0i64);
        for (a, b) in equal.iter().zip(&exact) {
            ours += a;
            theirs += b;
            // Halves may fall to the other side in doubles.
            prop_assert!((ours - theirs).abs() <= 1);
        }
    }

    #[test]
    fn following_the_curve_slice_by_slice_spends_the_parent(
        total in 1i64..1_000_000,
        curve in prop::collection::vec(1u32..1000, 1..60),
    ) {
        let curve: Vec<f64> = curve.into_iter().map(f64::from).collect();
        let mut remaining = total;
        for k in 0..curve.len() {
            let rest: f64 = curve[k..].iter().sum();
            let lots = vwap_next(remaining, &curve[k..]).unwrap();
            prop_assert!((0..=remaining).contains(&lots));
            prop_assert!((lots as f64 - remaining as f64 * curve[k] / rest).abs() <= 0.5 + 1e-6);
            remaining -= lots;
        }
        prop_assert_eq!(remaining, 0);
    }
}
