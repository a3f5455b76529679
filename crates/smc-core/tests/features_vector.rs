//! The feature vector: named, documented, finite, bounded, and right where it can be computed by hand.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod smc_common;

use std::collections::HashSet;

use proptest::prelude::*;
use smc_common::{congruential_walk, hourly, mirrored, one_minute_bar, small, timeframe, walk, MINUTE, START};
use smc_core::features::{FeatureDetector, COLUMNS};
use smc_core::market::{Bar, Instrument};
use smc_core::smc::{Analyzer, Detector, PivotRule};

fn position(name: &str) -> usize {
    COLUMNS.iter().position(|column| column.name == name).unwrap()
}

/// Detector and vector after all of `bars`.
fn after(bars: &[Bar]) -> (FeatureDetector, Vec<f64>) {
    let mut detector = FeatureDetector::new(Detector::new(timeframe("1m"), small(PivotRule::Fractal)).unwrap());
    let (mut events, mut values) = (Vec::new(), Vec::new());
    for bar in bars {
        detector.update(bar, &mut events).unwrap();
    }
    detector.view([None, None]).write(&mut values);
    (detector, values)
}

#[test]
fn every_column_has_a_name_of_its_own_and_a_sentence() {
    let names: HashSet<_> = COLUMNS.iter().map(|column| column.name).collect();
    assert_eq!(names.len(), COLUMNS.len());
    for column in COLUMNS {
        assert!(
            column.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'),
            "{}",
            column.name
        );
        assert!(column.doc.len() > 30 && column.doc.ends_with('.'), "{}", column.name);
    }
}

#[test]
fn before_any_bar_everything_is_neutral() {
    let instrument = Instrument::new("test", "WALK", "0.01", "0.001", "0").unwrap();
    let analyzer = Analyzer::new(instrument, timeframe("1m"), timeframe("5m"), &[], small(PivotRule::Leg)).unwrap();
    let values = analyzer.features();
    assert_eq!(values.len(), COLUMNS.len());
    for (column, &value) in COLUMNS.iter().zip(values) {
        let neutral = match column.name {
            name if name.ends_with("_distance") => 20.0,
            name if name.ends_with("_age") => 10.0,
            name if name.ends_with("range_position") => 0.5,
            "hour_cos" | "weekday_cos" => 1.0,
            _ => 0.0,
        };
        assert_eq!(value, neutral, "{}", column.name);
    }
}

#[test]
fn values_follow_from_the_bars() {
    // Twenty flat bars of range 4, a jump that leaves a bullish gap [102, 110], and a bar above it.
    let mut bars: Vec<Bar> = (0..20).map(|minute| one_minute_bar(minute, [100, 102, 98, 100])).collect();
    bars.push(one_minute_bar(20, [101, 112, 101, 111]));
    bars.push(Bar { volume: 40, taker_buy_volume: 30, ..one_minute_bar(21, [112, 116, 110, 114]) });
    let (detector, values) = after(&bars);
    let atr = detector.detector().atr().unwrap();
    let value = |name| values[position(name)];
    assert_eq!(value("bullish_gap_distance"), 4.0 / atr);
    assert_eq!((value("bullish_gap_age"), value("bullish_gap_state")), (0.0, 0.0));
    assert_eq!(value("bearish_gap_distance"), 20.0);
    assert_eq!(value("return_1"), 3.0 / atr);
    assert_eq!(value("return_4"), 14.0 / atr);
    assert_eq!(value("range_size"), 6.0 / atr);
    assert_eq!(value("atr_share"), 100.0 * atr / 114.0);
    assert_eq!(
        (value("body_share"), value("upper_wick_share"), value("lower_wick_share")),
        (1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0)
    );
    assert_eq!(value("taker_imbalance"), 0.5);
    let mean = bars[1..21].iter().map(|bar| bar.volume as f64).sum::<f64>() / 20.0;
    assert!((value("volume_ratio") - (40.0 / mean).ln()).abs() < 1e-12);
    let angle = std::f64::consts::TAU * 22.0 / 1440.0;
    assert!((value("hour_sin") - angle.sin()).abs() < 1e-12 && (value("hour_cos") - angle.cos()).abs() < 1e-12);
}

#[test]
fn a_market_that_does_not_move_is_finite() {
    let bars: Vec<Bar> =
        (0..50).map(|minute| Bar { volume: 0, taker_buy_volume: 0, ..one_minute_bar(minute, [100; 4]) }).collect();
    let (detector, values) = after(&bars);
    assert_eq!(detector.detector().atr(), Some(0.0));
    assert!(values.iter().all(|value| value.is_finite()));
}

/// Columns that swap places when prices are negated.
fn partner(name: &str) -> String {
    for (one, other) in [("bullish", "bearish"), ("buy_side", "sell_side"), ("upper_wick", "lower_wick")] {
        if name.contains(one) {
            return name.replace(one, other);
        }
        if name.contains(other) {
            return name.replace(other, one);
        }
    }
    name.to_owned()
}

/// The last decision close of an analyzer with two higher timeframes over `bars`, if there was one.
fn analyzed(bars: &[Bar], base: &str, decision: &str, contexts: [&str; 2]) -> Analyzer {
    let instrument = Instrument::new("test", "WALK", "0.01", "0.001", "0").unwrap();
    let contexts = contexts.map(timeframe);
    let config = small(PivotRule::Fractal);
    let mut analyzer = Analyzer::new(instrument, timeframe(base), timeframe(decision), &contexts, config).unwrap();
    let mut start = 0;
    while start < bars.len() {
        start = analyzer.advance(bars, start).unwrap().end;
    }
    analyzer
}

/// Both lengths of bar that the walks have, with higher timeframes beside them.
fn both_lengths(bars: &[Bar]) -> [Analyzer; 2] {
    [analyzed(bars, "1m", "1m", ["5m", "15m"]), analyzed(&hourly(bars), "1h", "1h", ["4h", "1d"])]
}

/// What a column becomes when prices are negated, before the two sides swap.
fn negated(name: &str, value: f64) -> f64 {
    match name {
        // Taker volume is not mirrored; the negated close makes the share negative.
        "taker_imbalance" => value,
        "atr_share" => -value,
        name if name.ends_with("range_position") => 1.0 - value,
        name if name.ends_with("_bias") || name.ends_with("_direction") => -value,
        name if name.starts_with("return_") || name == "body_share" => -value,
        _ => value,
    }
}

#[test]
fn sides_come_in_pairs() {
    let sided = COLUMNS.iter().filter(|column| partner(column.name) != column.name);
    assert!(sided.clone().count() > COLUMNS.len() / 2);
    for column in sided {
        let other = partner(column.name);
        assert!(COLUMNS.iter().any(|column| column.name == other), "{} has no partner", column.name);
    }
}

#[test]
fn every_column_moves() {
    let mut seen = vec![HashSet::new(); COLUMNS.len()];
    let instrument = Instrument::new("test", "WALK", "0.01", "0.001", "0").unwrap();
    let (base, contexts) = (timeframe("1h"), [timeframe("4h"), timeframe("1d")]);
    let mut analyzer = Analyzer::new(instrument, base, base, &contexts, small(PivotRule::Leg)).unwrap();
    // Fourteen months of hours, with a jump to a lower or higher price now and then.
    let mut jump = 0;
    for (at, bar) in congruential_walk(10_000).into_iter().enumerate() {
        if at % 50 == 0 {
            jump += (at as i64 / 50 % 7 - 3) * 300;
        }
        let (hour, volume) = (START + at as i64 * 60 * MINUTE, 10 + at as i64 % 7);
        let moved = [bar.open, bar.high, bar.low, bar.close].map(|price| price + jump);
        let [open, high, low, close] = moved;
        let times = Bar { open_time: hour, close_time: hour + 60 * MINUTE, ..bar };
        let bar = Bar { open, high, low, close, volume, taker_buy_volume: volume / 2, ..times };
        analyzer.advance(&[bar], 0).unwrap();
        for (values, value) in seen.iter_mut().zip(analyzer.features()) {
            values.insert(value.to_bits());
        }
    }
    for (column, values) in COLUMNS.iter().zip(seen) {
        assert!(values.len() > 1, "{} never moved", column.name);
    }
}

#[test]
fn the_clock_shows_the_window_and_how_far_it_went() {
    // Monday to Tuesday in hours: London's kill zone is 02:00 to 05:00 in New York, 06:00 to 09:00 UTC in May.
    let bars: Vec<Bar> = hourly(&(0..31).map(|hour| one_minute_bar(hour, [100, 102, 98, 100])).collect::<Vec<_>>());
    let at = |hours: usize, name: &str| {
        let analyzer = analyzed(&bars[..hours], "1h", "1h", ["4h", "1d"]);
        analyzer.features()[position(name)]
    };
    assert_eq!(at(30, "london_kill_zone_elapsed"), 0.0);
    assert_eq!(at(31, "london_kill_zone_elapsed"), 1.0 / 3.0);
    assert_eq!(at(9, "london_kill_zone_elapsed"), 1.0);
    assert_eq!(at(10, "london_kill_zone_elapsed"), 0.0);
    assert_eq!(at(9, "london_session_elapsed"), 2.0 / 9.0);
    let angle = std::f64::consts::TAU * 31.0 / (7.0 * 24.0);
    assert!((at(31, "weekday_sin") - angle.sin()).abs() < 1e-12);
    assert_eq!(at(10, "context_1_age"), (2.0f64 / 4.0).ln_1p());
    assert_eq!(at(10, "context_2_age"), 10.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn values_are_finite_and_bounded(bars in walk(1..300)) {
        for analyzer in both_lengths(&bars) {
            for (column, &value) in COLUMNS.iter().zip(analyzer.features()) {
                prop_assert!(value.is_finite() && value.abs() <= 20.0, "{} is {}", column.name, value);
                let part = column.name.ends_with("_state") || column.name.ends_with("_elapsed");
                let positive = part || ["_distance", "_age", "_touches"].iter().any(|end| column.name.ends_with(end));
                prop_assert!(!positive || value >= 0.0, "{} is {}", column.name, value);
                prop_assert!(!part || value <= 1.0, "{} is {}", column.name, value);
            }
        }
    }

    #[test]
    fn negated_prices_swap_the_columns_of_the_two_sides(bars in walk(1..300)) {
        for (upright, reflected) in both_lengths(&bars).iter().zip(&both_lengths(&mirrored(&bars))) {
            for (column, &value) in COLUMNS.iter().zip(upright.features()) {
                let expected = negated(column.name, value);
                let other = reflected.features()[position(&partner(column.name))];
                prop_assert!((other - expected).abs() < 1e-9, "{}: {} against {}", column.name, other, expected);
            }
            for direction in [1, -1] {
                let (one, other) = (upright.confluence(direction), reflected.confluence(-direction));
                prop_assert_eq!((one.supporting, one.opposing), (other.supporting, other.opposing));
            }
        }
    }
}
