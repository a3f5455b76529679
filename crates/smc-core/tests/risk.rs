//! The book kept order by order and bar by bar equals one computed anew, and its figures are those of sorted scenarios.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use smc_core::risk::{
    order_statistic, simple_return, Assessment, Instrument, RiskBook, RiskBookSettings, RETURN_UNIT, STRESSES,
};
use smc_core::snapshot::{decode, encode};

const NAMES: [(&str, &str); 3] = [("A", "BTC"), ("B", "ETH"), ("C", "NEW")];
const MINUTE: i64 = 60_000_000_000;

fn settings(window: usize, horizon: usize) -> RiskBookSettings {
    RiskBookSettings {
        window,
        min_scenarios: 1,
        horizon,
        confidence: 0.99,
        shortfall_confidence: 0.975,
        decay: 0.94,
        max_age_ns: 10 * MINUTE,
        unknown_loss: 0.7,
    }
}

fn book(settings: RiskBookSettings) -> RiskBook {
    let named = NAMES.map(|(key, asset)| Instrument { key: key.to_owned(), asset: asset.to_owned() });
    RiskBook::new(settings, named.to_vec()).unwrap()
}

/// What happens to a book.
#[derive(Clone, Debug)]
enum Step {
    Bar([Option<i64>; 3]),
    Hold(usize, i64),
}

fn close() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![9 => (500i64..2_000).prop_map(Some), 1 => Just(None)]
}

fn notional() -> impl Strategy<Value = i64> {
    prop_oneof![4 => -1_000_000i64..1_000_000, 1 => Just(0)]
}

fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let bar = (close(), close(), close()).prop_map(|(a, b, c)| Step::Bar([a, b, c]));
    let hold = (0usize..3, notional()).prop_map(|(at, notional)| Step::Hold(at, notional));
    prop::collection::vec(prop_oneof![4 => bar, 1 => hold], 1..most)
}

fn run(book: &mut RiskBook, steps: &[Step]) -> i64 {
    let mut time = book.scenarios().newest().unwrap_or(0);
    for step in steps {
        match step {
            Step::Bar(closes) => {
                time += MINUTE;
                book.on_bar(time, closes).unwrap();
            }
            Step::Hold(at, notional) => book.hold(*at, *notional),
        }
    }
    time
}

/// P&L of every scenario of positions, from closes that are kept whole: the definition, without a ring.
fn plain_profits(steps: &[Step], window: usize, horizon: usize, notionals: [i64; 3]) -> (Vec<i128>, i128) {
    let mut closes: Vec<[i64; 3]> = Vec::new();
    for step in steps {
        if let Step::Bar(given) = step {
            let last = closes.last().copied().unwrap_or([0; 3]);
            closes.push(std::array::from_fn(|at| given[at].unwrap_or(last[at])));
        }
    }
    let first = (horizon.max(closes.len().saturating_sub(window))).min(closes.len());
    let covered: [bool; 3] = std::array::from_fn(|at| (first..closes.len()).all(|row| closes[row - horizon][at] > 0));
    let profit = |row: usize| {
        let each = (0..3).filter(|&at| covered[at]);
        each.map(|at| {
            i128::from(notionals[at]) * i128::from(simple_return(closes[row - horizon][at], closes[row][at]).unwrap())
        })
        .sum()
    };
    let uncovered = (0..3).filter(|&at| !covered[at]).map(|at| i128::from(notionals[at]).abs()).sum();
    ((first..closes.len()).map(profit).collect(), uncovered)
}

fn up(raw: i128, count: i128) -> i64 {
    let unit = i128::from(RETURN_UNIT) * count;
    i64::try_from((raw + unit - 1).div_euclid(unit)).unwrap()
}

fn plain_losses(mut profits: Vec<i128>, uncovered: i128) -> (i64, i64) {
    profits.sort_unstable();
    let rank = |confidence| order_statistic(profits.len(), confidence);
    let charge = uncovered * i128::from(7 * RETURN_UNIT / 10);
    let worst = rank(0.975);
    let sum: i128 = profits[..worst].iter().sum();
    (up(-profits[rank(0.99) - 1] + charge, 1), up(-sum + charge * worst as i128, worst as i128))
}

fn anew(book: &RiskBook) -> RiskBook {
    let bytes = encode(*b"RISK", 1, book).unwrap();
    let mut read: RiskBook = decode(*b"RISK", 1, &bytes).unwrap();
    read.rebuild();
    read
}

fn exact(of: &Assessment) -> [i64; 7] {
    [
        of.value_at_risk,
        of.value_at_risk_before,
        of.shortfall,
        of.shortfall_before,
        of.stress_loss,
        of.uncovered,
        of.data_time,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn figures_are_those_of_the_sorted_scenarios(
        steps in steps(160), horizon in 1usize..4, at in 0usize..3, order in notional(),
    ) {
        let mut book = book(RiskBookSettings { max_age_ns: i64::MAX, ..settings(60, horizon) });
        let now = run(&mut book, &steps);
        let held: [i64; 3] = book.notionals().try_into().unwrap();
        let mut with = held;
        with[at] += order;
        let Ok(seen) = book.assess(at, order, now) else {
            // No scenario yet, or an instrument that never had a close.
            let never = (0..3).any(|i| (held[i] != 0 || i == at) && book.scenarios().newest_of(i).is_none());
            prop_assert!(book.scenarios().is_empty() || never);
            return Ok(());
        };
        for (notionals, var, shortfall) in [
            (held, seen.value_at_risk_before, seen.shortfall_before),
            (with, seen.value_at_risk, seen.shortfall),
        ] {
            let (profits, uncovered) = plain_profits(&steps, 60, horizon, notionals);
            prop_assert_eq!(plain_losses(profits, uncovered), (var, shortfall));
        }
        let stressed = |notionals: [i64; 3]| -> Vec<i64> {
            let of = |stress: &smc_core::risk::Stress| {
                let each = NAMES.iter().zip(notionals);
                let profit: i128 = each.map(|((_, asset), n)| stress.profit(i128::from(n), stress.of(asset))).sum();
                up(-profit, 1)
            };
            STRESSES.iter().map(of).collect()
        };
        prop_assert_eq!(book.stress_losses(at, order), stressed(with));
        prop_assert_eq!(Some(seen.stress_loss), stressed(with).into_iter().max());
        prop_assert_eq!(seen.stress_loss, stressed(with)[seen.worst_stress]);
    }

    #[test]
    fn a_book_kept_step_by_step_is_the_book_made_anew(
        first in steps(120), second in steps(40), at in 0usize..3, order in notional(),
    ) {
        let mut kept = book(settings(50, 1));
        run(&mut kept, &first);
        let mut restored = anew(&kept);
        prop_assert_eq!(&restored, &kept);
        let now = run(&mut kept, &second);
        prop_assert_eq!(run(&mut restored, &second), now);
        prop_assert_eq!(&restored, &kept);
        prop_assert_eq!(anew(&kept), kept.clone());
        prop_assert_eq!(restored.assess(at, order, now), kept.assess(at, order, now));
        prop_assert_eq!(restored.correlation(), kept.correlation());
    }

    #[test]
    fn an_order_that_fills_leaves_the_book_that_was_assessed(
        steps in steps(120), at in 0usize..3, order in notional(),
    ) {
        let mut book = book(settings(50, 1));
        let now = run(&mut book, &steps);
        let Ok(with) = book.assess(at, order, now) else { return Ok(()) };
        let held = book.notionals()[at];
        book.hold(at, held + order);
        let after = book.assess(at, 0, now).unwrap();
        prop_assert_eq!((with.value_at_risk, with.shortfall), (after.value_at_risk, after.shortfall));
        prop_assert_eq!((after.value_at_risk, after.shortfall), (after.value_at_risk_before, after.shortfall_before));
        prop_assert_eq!((with.stress_loss, with.uncovered), (after.stress_loss, after.uncovered));
        for (one, other) in [(with.parametric, after.parametric), (with.ewma, after.ewma)] {
            // The change of a sum of squares cancels where the order closes the book.
            let scale = 1e-6 * (book.notionals()[at].abs() + held.abs() + 1) as f64;
            prop_assert!((one - other).abs() <= 1e-9 * one.abs() + scale, "{one} {other}");
        }
    }

    #[test]
    fn risk_is_homogeneous_and_shortfall_subadditive_and_never_below_value_at_risk_at_its_level(
        rows in prop::collection::vec(prop::array::uniform3(-50_000_000i64..50_000_000), 1..200),
        left in prop::array::uniform3(-1_000_000i64..1_000_000),
        right in prop::array::uniform3(-1_000_000i64..1_000_000),
        factor in 1i64..1_000,
    ) {
        use smc_core::risk::TailFinder;
        let profits = |notionals: [i64; 3]| -> Vec<i64> {
            rows.iter().map(|row| row.iter().zip(notionals).map(|(value, held)| value * held).sum()).collect()
        };
        let flat = vec![0; rows.len()];
        let rank = order_statistic(rows.len(), 0.975);
        let tail = |notionals: [i64; 3]| {
            TailFinder::default().find(&profits(notionals), &flat, 1, (rank, rank), i64::MAX)
        };
        let (a, b, both) = (tail(left), tail(right), tail(std::array::from_fn(|at| left[at] + right[at])));
        prop_assert!(-both.shortfall_sum <= -a.shortfall_sum - b.shortfall_sum);
        let scaled = tail(left.map(|held| held * factor));
        prop_assert_eq!(scaled.quantile, a.quantile * factor);
        prop_assert_eq!(scaled.shortfall_sum, a.shortfall_sum * i128::from(factor));
        prop_assert!(a.shortfall_sum <= i128::from(a.quantile) * rank as i128);
        let better: Vec<i64> = profits(left).iter().map(|profit| profit + 5).collect();
        let shifted = TailFinder::default().find(&better, &flat, 1, (rank, rank), i64::MAX);
        prop_assert_eq!((shifted.quantile, shifted.shortfall_sum), (a.quantile + 5, a.shortfall_sum + 5 * rank as i128));
    }

    #[test]
    fn clusters_partition_what_is_held(steps in steps(120), at in 0usize..3, order in notional(), threshold in -1.0..1.0f64) {
        let mut book = book(settings(50, 1));
        run(&mut book, &steps);
        let groups = book.cluster_exposures(at, order, threshold);
        let mut members: Vec<usize> = groups.iter().flat_map(|(group, _)| group.clone()).collect();
        members.sort_unstable();
        let with = |i: usize| book.notionals()[i] + if i == at { order } else { 0 };
        let held: Vec<usize> = (0..3).filter(|&i| with(i) != 0).collect();
        prop_assert_eq!(&members, &held);
        let total: i128 = groups.iter().map(|(_, exposure)| exposure).sum();
        prop_assert_eq!(total, held.iter().map(|&i| i128::from(with(i)).abs()).sum::<i128>());
    }
}

/// 120 bars of two instruments that move alike; the third has its first close at bar 100.
fn warm() -> (RiskBook, i64) {
    let mut book = book(RiskBookSettings { min_scenarios: 30, ..settings(100, 1) });
    let mut price = 10_000;
    for bar in 1..=120i64 {
        price += (bar * 7_919) % 201 - 100;
        book.on_bar(bar * MINUTE, &[Some(price), Some(2 * price + bar % 3), (bar >= 100).then_some(700 + bar % 5)])
            .unwrap();
    }
    (book, 120 * MINUTE)
}

#[test]
fn an_instrument_without_a_whole_window_is_taken_to_lose_its_worst_beside_everything() {
    let (mut book, now) = warm();
    book.hold(0, 1_000_000);
    let alone = book.assess(0, 0, now).unwrap();
    let with = book.assess(2, -50_000, now).unwrap();
    assert_eq!(with.uncovered, 50_000);
    assert_eq!(with.value_at_risk, alone.value_at_risk + 35_000);
    assert_eq!(with.shortfall, alone.shortfall + 35_000);
    assert!((with.parametric - alone.parametric - 35_000.0).abs() < 1e-6);
    assert_eq!(book.correlation()[2], 1.0);
    assert!(book.correlation()[1] > 0.99 && book.correlation()[1] <= 1.0);
    assert_eq!(book.cluster_exposures(2, 50_000, 1.0), vec![(vec![0, 2], 1_050_000)]);
}

#[test]
fn what_cannot_be_judged_is_refused_by_name() {
    let mut fresh = book(RiskBookSettings { min_scenarios: 30, ..settings(100, 1) });
    assert_eq!(fresh.assess(0, 1, 0).unwrap_err().code(), "few_scenarios");
    let mut without = book(settings(100, 1));
    (1..5).for_each(|bar| without.on_bar(bar * MINUTE, &[Some(100 + bar), Some(7), None]).unwrap());
    assert!(without.assess(0, 1, 4 * MINUTE).is_ok());
    assert_eq!(without.assess(2, 1, 4 * MINUTE).unwrap_err().code(), "no_close");
    let (mut book, now) = warm();
    assert_eq!(book.index("nowhere").unwrap_err().code(), "unknown_instrument");
    assert!(book.assess(0, 1, now + 10 * MINUTE).is_ok());
    assert_eq!(book.assess(0, 1, now + 10 * MINUTE + 1).unwrap_err().code(), "stale");
    assert_eq!(book.assess(0, 1, now - 1).unwrap_err().code(), "stale");
    assert!(book.assess(0, i64::MAX / RETURN_UNIT, now).is_ok());
    assert_eq!(book.assess(0, i64::MAX / RETURN_UNIT + 1, now).unwrap_err().code(), "too_large");
    assert_eq!(book.assess(0, i64::MIN, now).unwrap_err().code(), "too_large");
    book.hold(1, i64::MAX);
    assert_eq!(book.assess(0, 1, now).unwrap_err().code(), "too_large");
    book.hold(1, 0);
    assert_eq!(exact(&book.assess(0, 500, now).unwrap()), exact(&warm().0.assess(0, 500, now).unwrap()));
}

#[test]
fn settings_outside_their_range_are_named() {
    let good = settings(10, 1);
    let instrument = || vec![Instrument { key: "A".to_owned(), asset: "A".to_owned() }];
    for (bad, name) in [
        (RiskBookSettings { window: 0, ..good.clone() }, "window"),
        (RiskBookSettings { min_scenarios: 11, ..good.clone() }, "min_scenarios"),
        (RiskBookSettings { horizon: 0, ..good.clone() }, "horizon"),
        (RiskBookSettings { confidence: f64::NAN, ..good.clone() }, "confidence"),
        (RiskBookSettings { shortfall_confidence: 1.0, ..good.clone() }, "shortfall_confidence"),
        (RiskBookSettings { decay: 1.0, ..good.clone() }, "decay"),
        (RiskBookSettings { max_age_ns: 0, ..good.clone() }, "max_age_ns"),
        (RiskBookSettings { unknown_loss: f64::NAN, ..good.clone() }, "unknown_loss"),
    ] {
        assert!(RiskBook::new(bad, instrument()).unwrap_err().to_string().starts_with(name), "{name}");
    }
    assert!(RiskBook::new(good.clone(), Vec::new()).is_err());
    assert!(RiskBook::new(good, [instrument(), instrument()].concat()).unwrap_err().to_string().contains("A twice"));
}

#[test]
fn a_book_of_one_instrument_by_hand() {
    // Ten returns of -1 to -10 %, confidence 0.9: the worst one; shortfall at 0.7: the mean of the three worst.
    let by_hand = RiskBookSettings { confidence: 0.9, shortfall_confidence: 0.7, ..settings(10, 1) };
    let mut book = RiskBook::new(by_hand, vec![Instrument { key: "A".into(), asset: "BTC".into() }]).unwrap();
    let mut close = 10_000_000_000_000_000;
    book.on_bar(MINUTE, &[Some(close)]).unwrap();
    for percent in 1..=10 {
        close = close / 100 * (100 - percent);
        book.on_bar((percent + 1) * MINUTE, &[Some(close)]).unwrap();
    }
    let seen = book.assess(0, 1_000, 11 * MINUTE).unwrap();
    assert_eq!((seen.value_at_risk, seen.shortfall, seen.value_at_risk_before), (100, 90, 0));
    assert_eq!((STRESSES[seen.worst_stress].name, seen.stress_loss), ("venue_loss", 1_000));
    // Standard deviation of 1 to 10: sqrt(55 / 6); quantile of 0.9: 1.2815515655446004.
    assert!((seen.parametric - 1_000.0 * 0.01 * (55.0f64 / 6.0).sqrt() * 1.281_551_565_544_600_4).abs() < 1e-6);
    // Short, the least fall is the worst.
    assert_eq!(book.assess(0, -1_000, 11 * MINUTE).unwrap().value_at_risk, -10);
}
