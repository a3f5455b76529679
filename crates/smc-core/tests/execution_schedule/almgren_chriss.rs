//! Almgren and Chriss beside the paper's example, a quadratic program, and every split there is.

use crate::oracle::{floats, least, quadratic_program};
use proptest::prelude::*;
use smc_core::execution::schedule::{twap, AlmgrenChriss, LinearImpact};

/// The example of the paper (section 3.4): a million shares in five days, in dollars, shares and days.
const PAPER: LinearImpact = LinearImpact { volatility: 0.95, permanent: 2.5e-7, temporary: 2.5e-6, fixed: 0.0625 };
const MILLION: i64 = 1_000_000;

fn objective(model: &AlmgrenChriss, lambda: f64, lots: &[i64]) -> f64 {
    let trades = floats(lots);
    model.expected_cost(&trades) + lambda * model.variance(&trades)
}

#[test]
fn the_papers_example_has_the_papers_numbers() {
    let model = AlmgrenChriss::new(PAPER, 1e-6, 1.0, 5).unwrap();
    // kappa is about 0.61 a day, so the half-life about 1.6 days.
    assert!((model.urgency() - 0.61).abs() < 0.005, "{}", model.urgency());
    assert!((1.0 / model.urgency() - 1.6).abs() < 0.05);
    // Traded evenly, the expected shortfall is 0.6625 million dollars.
    let even = floats(&twap(MILLION, 5).unwrap());
    assert!((model.expected_cost(&even) - 662_500.0).abs() < 1e-6);
    let lots = model.lots(MILLION).unwrap();
    assert_eq!(lots.iter().sum::<i64>(), MILLION);
    assert!(lots.windows(2).all(|pair| pair[0] > pair[1]), "{lots:?}");
}

#[test]
fn the_formula_of_the_slices_is_the_difference_of_the_holdings() {
    let model = AlmgrenChriss::new(PAPER, 1e-6, 1.0, 5).unwrap();
    let (kappa, held) = (model.urgency(), model.holdings());
    for j in 1..=5 {
        let middle = kappa * (5.0 - (j as f64 - 0.5));
        let slice = 2.0 * (kappa / 2.0).sinh() / (5.0 * kappa).sinh() * middle.cosh();
        assert!((held[j - 1] - held[j] - slice).abs() < 1e-12);
    }
    assert_eq!((held[0], held[5]), (1.0, 0.0));
}

#[test]
fn an_urgency_near_zero_is_twap_and_a_great_one_trades_at_once() {
    for lambda in [0.0, 1e-300, 1e-30] {
        let model = AlmgrenChriss::new(PAPER, lambda, 1.0, 7).unwrap();
        let held = model.holdings();
        assert!(held.iter().enumerate().all(|(j, held)| (held - (7 - j) as f64 / 7.0).abs() < 1e-9), "{lambda}");
        assert_eq!(model.lots(MILLION).unwrap(), twap(MILLION, 7).unwrap(), "{lambda}");
    }
    // The least urgency decides which slice gets the odd lot: the first.
    let model = AlmgrenChriss::new(PAPER, 1e-20, 1.0, 7).unwrap();
    assert_eq!(model.lots(MILLION).unwrap()[..2], [142_858, 142_857]);
    let model = AlmgrenChriss::new(PAPER, 1e12, 1.0, 400).unwrap();
    assert!(model.holdings().iter().all(|held| held.is_finite()));
    assert_eq!(model.lots(MILLION).unwrap()[0], MILLION);
}

#[test]
fn steps_too_long_for_the_permanent_impact_are_refused() {
    let error = AlmgrenChriss::new(PAPER, 1e-6, 21.0, 5).unwrap_err();
    assert_eq!(error.name, "temporary - permanent * step / 2");
    assert_eq!(AlmgrenChriss::new(PAPER, -1.0, 1.0, 5).unwrap_err().name, "risk_aversion");
    assert!(AlmgrenChriss::new(PAPER, f64::NAN, 1.0, 5).is_err());
}

fn impact() -> impl Strategy<Value = LinearImpact> {
    (0.0f64..3.0, 0.0f64..0.5, 0.5f64..3.0, 0.0f64..1.0)
        .prop_map(|(volatility, permanent, temporary, fixed)| LinearImpact { volatility, permanent, temporary, fixed })
}

proptest! {
    #[test]
    fn holdings_solve_the_quadratic_program(
        impact in impact(), lambda in 0.0f64..2.0, step in 0.2f64..1.9, slices in 1usize..9,
    ) {
        let model = AlmgrenChriss::new(impact, lambda, step, slices).unwrap();
        let (square, risk) = (impact.temporary - impact.permanent * step / 2.0, lambda * impact.volatility.powi(2) * step);
        // What is held after step k is the sum of the later trades.
        let shared = |i: usize, j: usize| i.min(j) as f64 * 2.0 * risk;
        let own = |i, j| if i == j { 2.0 * square / step } else { 0.0 };
        let hessian: Vec<Vec<f64>> =
            (0..slices).map(|i| (0..slices).map(|j| shared(i, j) + own(i, j)).collect()).collect();
        let trades = quadratic_program(&hessian, &vec![0.0; slices], 1.0);
        for (pair, trade) in model.holdings().windows(2).zip(trades) {
            prop_assert!((pair[0] - pair[1] - trade).abs() < 1e-9);
        }
    }

    #[test]
    fn no_split_in_whole_lots_is_cheaper(
        impact in impact(), lambda in 0.0f64..2.0, step in 0.2f64..1.9, total in 1i64..15, slices in 1usize..5,
    ) {
        let model = AlmgrenChriss::new(impact, lambda, step, slices).unwrap();
        let best = least(total, slices, |split| objective(&model, lambda, split));
        let ours = objective(&model, lambda, &model.lots(total).unwrap());
        prop_assert!(ours <= best + 1e-9 * best.abs(), "{ours} {best}");
    }

    #[test]
    fn slices_are_a_split_close_to_the_formula(
        impact in impact(), lambda in 0.0f64..2.0, total in 1i64..1_000_000_000, slices in 1usize..60,
    ) {
        let model = AlmgrenChriss::new(impact, lambda, 1.0, slices).unwrap();
        let lots = model.lots(total).unwrap();
        prop_assert_eq!(lots.iter().sum::<i64>(), total);
        let (mut left, held) = (total, model.holdings());
        for (k, &lots) in lots.iter().enumerate() {
            prop_assert!((0..=total).contains(&lots));
            left -= lots;
            prop_assert!((left as f64 - total as f64 * held[k + 1]).abs() <= slices as f64 + 1e-6 * total as f64);
        }
    }
}
