//! The feature vector: named, documented, finite, bounded, and right where it can be computed by hand.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod smc_common;

use std::collections::HashSet;

use proptest::prelude::*;
use smc_common::{mirrored, one_minute_bar, small, timeframe, walk};
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
            "hour_cos" => 1.0,
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
    assert_eq!(value("bullish_gap_age"), 0.0);
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn values_are_finite_and_bounded(bars in walk(1..300)) {
        let (_, values) = after(&bars);
        for (column, value) in COLUMNS.iter().zip(values) {
            prop_assert!(value.is_finite() && value.abs() <= 20.0, "{} is {}", column.name, value);
            if column.name.ends_with("_distance") || column.name.ends_with("_age") {
                prop_assert!(value >= 0.0, "{} is {}", column.name, value);
            }
        }
    }

    #[test]
    fn negated_prices_swap_the_columns_of_the_two_sides(bars in walk(1..300)) {
        let (_, upright) = after(&bars);
        let (_, reflected) = after(&mirrored(&bars));
        for (at, column) in COLUMNS.iter().enumerate() {
            let value = upright[at];
            let expected = match column.name {
                // Taker volume is not mirrored; the negated close makes the share negative.
                "taker_imbalance" => value,
                "atr_share" => -value,
                name if name.ends_with("range_position") => 1.0 - value,
                name if name.ends_with("_bias") || name.ends_with("_direction") => -value,
                name if name.starts_with("return_") || name == "body_share" => -value,
                _ => value,
            };
            let other = reflected[position(&partner(column.name))];
            prop_assert!((other - expected).abs() < 1e-9, "{}: {} against {}", column.name, other, expected);
        }
    }
}
