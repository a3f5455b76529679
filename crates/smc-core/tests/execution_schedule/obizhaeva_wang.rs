//! Obizhaeva and Wang beside the worked numbers, a quadratic program, and every split there is.

use crate::oracle::{floats, least, quadratic_program};
use proptest::prelude::*;
use smc_core::execution::schedule::{continuous_obizhaeva_wang, twap, ObizhaevaWang};

/// Resilience at which a displacement falls to 0.7 in one step.
fn seven_tenths(trades: usize) -> ObizhaevaWang {
    ObizhaevaWang::new(-(0.7f64.ln()), 1.0, trades).unwrap()
}

#[test]
fn six_trades_that_decay_to_seven_tenths_are_as_published() {
    let model = seven_tenths(6);
    let weights = model.weights();
    for (k, weight) in weights.iter().enumerate() {
        let published = if k == 0 || k == 5 { 0.3125 } else { 0.093_75 };
        assert!((weight - published).abs() < 1e-12, "{k}: {weight}");
    }
    let excess = model.cost(&[1.0 / 6.0; 6]) / model.cost(&weights) - 1.0;
    assert!((0.055..0.065).contains(&excess), "equal slices cost {excess} more");
    assert_eq!(model.lots(1_600).unwrap(), [500, 150, 150, 150, 150, 500]);
}

#[test]
fn ever_shorter_steps_reach_the_continuous_blocks() {
    let (resilience, horizon) = (0.8, 5.0);
    let (block, rate) = continuous_obizhaeva_wang(resilience, horizon).unwrap();
    assert!((2.0 * block + rate * horizon - 1.0).abs() < 1e-12);
    let trades = 100_001;
    let step = horizon / (trades - 1) as f64;
    let weights = ObizhaevaWang::new(resilience, step, trades).unwrap().weights();
    assert!((weights[0] - block).abs() < 1e-5);
    assert!((weights[50_000] / step - rate).abs() < 1e-5);
}

#[test]
fn without_resilience_only_the_ends_trade_and_with_much_of_it_all_alike() {
    assert_eq!(ObizhaevaWang::new(0.0, 1.0, 4).unwrap().weights(), [0.5, 0.0, 0.0, 0.5]);
    assert_eq!(ObizhaevaWang::new(1e6, 1.0, 5).unwrap().lots(1_003).unwrap(), twap(1_003, 5).unwrap());
    assert_eq!(ObizhaevaWang::new(1.0, 1.0, 1).unwrap().lots(9).unwrap(), [9]);
    assert_eq!(ObizhaevaWang::new(-1.0, 1.0, 2).unwrap_err().name, "resilience");
}

proptest! {
    #[test]
    fn weights_solve_the_quadratic_program(decay in 0.01f64..0.95, trades in 1usize..9) {
        let model = ObizhaevaWang::new(-decay.ln(), 1.0, trades).unwrap();
        let row = |i: usize| (0..trades).map(|j| decay.powi(i.abs_diff(j) as i32)).collect();
        let hessian: Vec<Vec<f64>> = (0..trades).map(row).collect();
        let best = quadratic_program(&hessian, &vec![0.0; trades], 1.0);
        for (ours, best) in model.weights().iter().zip(&best) {
            prop_assert!((ours - best).abs() < 1e-9);
        }
    }

    #[test]
    fn no_split_in_whole_lots_is_cheaper(decay in 0.0f64..0.98, total in 1i64..15, trades in 1usize..6) {
        let model = ObizhaevaWang::new(-decay.max(1e-9).ln(), 1.0, trades).unwrap();
        let best = least(total, trades, |split| model.cost(&floats(split)));
        let ours = model.cost(&floats(&model.lots(total).unwrap()));
        prop_assert!(ours <= best * (1.0 + 1e-9), "{ours} {best}");
    }

    #[test]
    fn slices_are_a_split(resilience in 0.0f64..3.0, total in 1i64..1_000_000_000, trades in 1usize..40) {
        let lots = ObizhaevaWang::new(resilience, 0.5, trades).unwrap().lots(total).unwrap();
        prop_assert_eq!(lots.iter().sum::<i64>(), total);
        prop_assert!(lots.iter().all(|&lots| (0..=total).contains(&lots)));
    }
}
