//! Confluence: what leans which way, and that a higher timeframe counts by what closed, for as long as it is fresh.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod smc_common;

use proptest::prelude::*;
use smc_common::{congruential_walk, hourly, one_minute_bar, small, timeframe, walk, MINUTE};
use smc_core::features::COLUMNS;
use smc_core::market::{Bar, Instrument};
use smc_core::smc::{Analyzer, Detector, DetectorConfig, Factor, PivotRule, Scope};

fn analyzer(base: &str, contexts: &[&str], config: DetectorConfig) -> Analyzer {
    let instrument = Instrument::new("test", "WALK", "0.01", "0.001", "0").unwrap();
    let contexts: Vec<_> = contexts.iter().map(|name| timeframe(name)).collect();
    Analyzer::new(instrument, timeframe(base), timeframe(base), &contexts, config).unwrap()
}

fn read(analyzer: &mut Analyzer, bars: &[Bar]) {
    let mut start = 0;
    while start < bars.len() {
        start = analyzer.advance(bars, start).unwrap().end;
    }
}

fn column(analyzer: &Analyzer, name: &str) -> f64 {
    analyzer.features()[COLUMNS.iter().position(|column| column.name == name).unwrap()]
}

#[test]
fn before_any_bar_nothing_speaks() {
    for direction in [1, -1] {
        let told = analyzer("1m", &["5m"], small(PivotRule::Leg)).confluence(direction);
        assert_eq!((told.direction, told.score(), told.supporting, told.opposing), (direction, 0, vec![], vec![]));
    }
}

#[test]
fn a_gap_below_speaks_for_longs_and_a_kill_zone_for_either() {
    // Monday, 00:00 UTC, is 20:00 in New York: the Asian kill zone. A jump leaves a bullish gap [102, 110].
    let mut bars: Vec<Bar> = (0..20).map(|minute| one_minute_bar(minute, [100, 102, 98, 100])).collect();
    bars.push(one_minute_bar(20, [101, 112, 101, 111]));
    bars.push(one_minute_bar(21, [112, 116, 110, 113]));
    let mut told = analyzer("1m", &[], small(PivotRule::Fractal));
    read(&mut told, &bars);
    let (long, short) = (told.confluence(1), told.confluence(-1));
    assert_eq!((long.supporting, long.opposing), (vec![Factor::FairValueGap, Factor::KillZone], vec![]));
    assert_eq!((short.supporting, short.opposing), (vec![Factor::KillZone], vec![Factor::FairValueGap]));
    assert_eq!((told.confluence(1).score(), told.confluence(-1).score()), (2, 0));
    assert_eq!((column(&told, "bullish_confluence"), column(&told, "bearish_confluence")), (2.0, 1.0));

    let mut narrow = small(PivotRule::Fractal);
    narrow.confluence.near_atr = 0.1;
    let mut told = analyzer("1m", &[], narrow);
    read(&mut told, &bars);
    assert_eq!(told.confluence(1).supporting, [Factor::KillZone]);
}

#[test]
fn a_higher_timeframe_counts_until_it_is_stale() {
    let bars = congruential_walk(2_000);
    let end = bars.last().unwrap().close_time;
    let mut before = analyzer("1m", &["5m"], small(PivotRule::Leg));
    read(&mut before, &bars);
    let bias = column(&before, "context_1_swing_bias");
    assert_eq!(bias.abs(), 1.0);
    let direction = bias as i8;
    assert!(before.confluence(direction).supporting.contains(&Factor::Context1Bias));
    assert!(before.confluence(-direction).opposing.contains(&Factor::Context1Bias));
    // The context bar closed 14 and 17 minutes before these bars close; three of its bars are 15.
    for (minutes, fresh) in [(14, true), (17, false)] {
        let close_time = end + minutes * MINUTE;
        let late = Bar { open_time: close_time - MINUTE, close_time, ..*bars.last().unwrap() };
        let mut after = before.clone();
        read(&mut after, &[late]);
        assert_eq!(after.detector(timeframe("5m")).unwrap().last_close_time(), Some(end));
        assert_eq!(column(&after, "context_1_swing_bias"), bias);
        assert_eq!(after.confluence(direction).supporting.contains(&Factor::Context1Bias), fresh, "{minutes}");
    }
}

#[test]
fn settings_outside_their_range_are_named() {
    let mut config = DetectorConfig::default();
    config.confluence.stale_bars = 0;
    let error = Detector::new(timeframe("1m"), config).unwrap_err();
    assert_eq!(error.key, "confluence.stale_bars");
}

/// The factors that can be told from outside, by their definition.
fn expected(analyzer: &Analyzer, bar: &Bar, factor: Factor) -> Option<i8> {
    let decision = analyzer.detector(analyzer.base()).unwrap();
    let way = |up: bool, down: bool| Some(i8::from(up) - i8::from(down));
    match factor {
        Factor::InternalBias => Some(decision.bias(Scope::Internal)),
        Factor::SwingBias => Some(decision.bias(Scope::Swing)),
        Factor::RangePosition => {
            let position = decision.dealing_range().map_or(0.5, |range| range.position(bar.close));
            way(position < 0.475 - 1e-9, position > 0.525 + 1e-9)
        }
        Factor::Context1Zone => {
            let context = analyzer.detector(analyzer.timeframes().nth(1).unwrap()).unwrap();
            let holds = |direction| {
                let blocks = context.order_blocks(direction).chain(context.fair_value_gaps(direction));
                let mut zones = blocks.chain(context.breakers(direction));
                zones.any(|zone| zone.low <= bar.close && bar.close <= zone.high)
            };
            way(holds(1), holds(-1))
        }
        Factor::OptimalEntry => {
            let holds = |direction| {
                let zones = decision.zones().into_iter().filter(|zone| zone.kind.name() == "optimal_entry");
                zones.filter(|zone| zone.direction == direction).any(|zone| (zone.low..=zone.high).contains(&bar.close))
            };
            way(holds(1), holds(-1))
        }
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn factors_lean_as_defined_and_never_both_ways(bars in walk(1..300)) {
        for (bars, base, contexts) in [(bars.clone(), "1m", ["5m", "15m"]), (hourly(&bars), "1h", ["4h", "1d"])] {
            let mut config = small(PivotRule::Fractal);
            // Walks have long gaps; without limit the context is whatever closed last.
            config.confluence.stale_bars = 10_000;
            let mut told = analyzer(base, &contexts, config);
            read(&mut told, &bars);
            let (long, short) = (told.confluence(1), told.confluence(-1));
            for &factor in Factor::ALL {
                let leans = |found: &[Factor]| found.contains(&factor);
                let up = leans(&long.supporting);
                let down = leans(&short.supporting);
                prop_assert!(!(up && down) || factor == Factor::KillZone);
                prop_assert_eq!(leans(&long.opposing), down && !up);
                prop_assert_eq!(leans(&short.opposing), up && !down);
                if let Some(way) = expected(&told, bars.last().unwrap(), factor) {
                    prop_assert_eq!(i8::from(up) - i8::from(down), way, "{}", factor.name());
                }
            }
            prop_assert_eq!(column(&told, "bullish_confluence"), long.supporting.len() as f64);
            prop_assert_eq!(column(&told, "bearish_confluence"), short.supporting.len() as f64);
        }
    }
}
