//! Readings of the detector as of its last bar: trailing extremes, premium and discount, reference opens, the draw.

use chrono::{Datelike, NaiveDateTime, TimeDelta, Timelike};
use chrono_tz::Tz;
use proptest::prelude::*;
use smc_core::market::Bar;
use smc_core::smc::config::{PeriodConfig, WindowConfig};
use smc_core::smc::{DetectorConfig, EventKind, PivotRule, Region, Scope, ZoneKind};

use super::smc_common::plain::{legs, of_kind, reach, unbounded};
use super::smc_common::{one_minute_bar, run, small, walk};
use super::times::{civil, weeks, CHANGES};

fn closes(closes: &[i64]) -> Vec<Bar> {
    let bar = |(minute, &close): (usize, &i64)| one_minute_bar(minute as i64, [close, close + 1, close - 1, close]);
    closes.iter().enumerate().map(bar).collect()
}

#[test]
fn the_extreme_against_the_bias_is_strong() {
    // A low at 99, a high at 121 that breaks at bar 8: the bias is up.
    let rise = [110, 115, 120, 110, 105, 100, 110, 115, 122, 125];
    let (detector, _) = run(small(PivotRule::Leg), &closes(&rise));
    assert_eq!(detector.bias(Scope::Internal), 1);
    let high = detector.trailing_extreme(Scope::Internal, 1).unwrap();
    let low = detector.trailing_extreme(Scope::Internal, -1).unwrap();
    assert_eq!((high.price, high.strong), (126, false));
    assert_eq!((low.price, low.strong), (99, true));
    assert_eq!(detector.trailing_extreme(Scope::Swing, -1), None);
    assert_eq!(detector.trailing_extreme(Scope::Day, 1), None);
}

#[test]
fn the_draw_is_the_nearest_level_ahead() {
    let levels = [110, 115, 120, 110, 105, 100, 110, 115, 122, 125, 118, 116, 119];
    let (detector, _) = run(small(PivotRule::Leg), &closes(&levels));
    // Stops rest above 126; those above 121 were run on the way there.
    assert_eq!(detector.bias(Scope::Internal), 1);
    let draw = detector.draw_on_liquidity(Scope::Internal).unwrap();
    assert_eq!((draw.kind, draw.side, draw.low), (ZoneKind::LiquidityPool, 1, 126));
    assert_eq!(detector.draw_on_liquidity(Scope::Swing), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn readings_of_any_market(bars in walk(20..250)) {
        let (detector, events) = run(unbounded(PivotRule::Leg, None), &bars);
        let close = bars.last().unwrap().close;
        for (scope, size) in [(Scope::Internal, 2), (Scope::Swing, 5)] {
            let bias = detector.bias(scope);
            for side in [1i8, -1] {
                let pivot = legs(&bars, size).into_iter().rfind(|pivot| pivot.2 == side);
                let expected = pivot.map(|(p, ..)| {
                    let reached = bars[p..].iter().map(|bar| reach(bar, side)).max().unwrap();
                    let at = bars[p..].iter().find(|bar| reach(bar, side) == reached).unwrap();
                    (i64::from(side) * reached, at.open_time, bias == -side)
                });
                let found = detector.trailing_extreme(scope, side);
                prop_assert_eq!(found.map(|e| (e.price, e.formed_at, e.strong)), expected);
            }
            let kinds = [ZoneKind::LiquidityPool, ZoneKind::EqualLevels, ZoneKind::PeriodLevel, ZoneKind::SessionLevel];
            let mut ahead = detector.zones();
            let sign = i64::from(bias);
            ahead.retain(|zone| kinds.contains(&zone.kind) && zone.side == bias && sign * zone.low >= sign * close);
            let nearest = ahead.iter().map(|zone| sign * zone.low).min();
            let oldest = ahead.iter().filter(|zone| Some(sign * zone.low) == nearest).map(|zone| zone.id).min();
            prop_assert_eq!(detector.draw_on_liquidity(scope).map(|zone| zone.id), oldest);
        }
        let range = of_kind(&events, EventKind::DealingRange).pop();
        let position = |price: i64| range.map(|e| (price - e.low) as f64 / (e.high - e.low) as f64);
        for price in [close - 3, close, close + 3] {
            let expected = position(price).map(|at| match at {
                at if at < 0.475 => Region::Discount,
                at if at > 0.525 => Region::Premium,
                _ => Region::Equilibrium,
            });
            prop_assert_eq!(detector.region(price), expected);
        }
    }
}

/// Opens of bars at which a name changes: (scope, bar).
fn changes(bars: &[Bar], scope: Scope, name: impl Fn(NaiveDateTime) -> u32, zone: Tz) -> Vec<(usize, Scope)> {
    let named = |t: usize| name(civil(zone, bars[t].open_time));
    (1..bars.len()).filter(|&t| named(t) != named(t - 1)).map(|t| (t, scope)).collect()
}

/// Bars that open at a time of New York's day.
fn at(bars: &[Bar], scope: Scope, hour: u32, minute: u32) -> Vec<(usize, Scope)> {
    let there = |&t: &usize| {
        let time = civil(Tz::America__New_York, bars[t].open_time);
        (time.hour(), time.minute()) == (hour, minute)
    };
    (0..bars.len()).filter(there).map(|t| (t, scope)).collect()
}

#[test]
fn days_weeks_and_hours_of_new_york_have_opens() {
    let evening = PeriodConfig { zone: Tz::America__New_York, roll: "17:00".to_owned().try_into().unwrap() };
    for start in CHANGES {
        let bars = weeks(start);
        let (detector, events) = run(DetectorConfig { periods: evening, ..DetectorConfig::default() }, &bars);
        let shifted = |time: NaiveDateTime| time + TimeDelta::hours(7);
        let mut expected = changes(&bars, Scope::Day, |time| shifted(time).ordinal(), evening.zone);
        expected.extend(changes(&bars, Scope::Week, |time| shifted(time).iso_week().week(), evening.zone));
        expected.extend(at(&bars, Scope::NewYorkMidnight, 0, 0));
        expected.extend(at(&bars, Scope::NewYorkMorning, 8, 30));
        expected.sort_unstable();
        let opens = of_kind(&events, EventKind::ReferenceOpen);
        let made: Vec<_> = opens.iter().map(|e| (e.formed_at, e.scope, e.low, e.high)).collect();
        let place = |&(t, scope): &(usize, Scope)| (bars[t].open_time, scope, bars[t].open, bars[t].open);
        assert_eq!(made, expected.iter().map(place).collect::<Vec<_>>());
        for scope in [Scope::Day, Scope::Week, Scope::NewYorkMidnight, Scope::NewYorkMorning] {
            let last = opens.iter().rfind(|e| e.scope == scope).unwrap();
            let open = detector.reference_open(scope).unwrap();
            assert_eq!((open.id, open.price, open.formed_at), (last.id, last.low, last.formed_at));
        }
        assert_eq!(detector.reference_open(Scope::Month), None);
    }
}

#[test]
fn an_open_is_looked_for_in_its_window_only() {
    let zone = Tz::America__New_York;
    let time = |text: &str| text.to_owned().try_into().unwrap();
    let bars = weeks(CHANGES[0]);
    let count = |window: Option<WindowConfig>| {
        let mut config = DetectorConfig::default();
        config.reference_open.new_york_morning = window;
        let events = run(config, &bars).1;
        of_kind(&events, EventKind::ReferenceOpen).iter().filter(|e| e.scope == Scope::NewYorkMorning).count()
    };
    let window = |start: &str, end: &str| Some(WindowConfig { zone, start: time(start), end: time(end) });
    // Quarter hours: none opens between 08:31 and 08:44. Sundays trade from 17:00, Fridays until 16:00.
    assert_eq!(count(window("08:31", "08:44")), 0);
    assert_eq!(count(window("08:31", "08:46")), 25);
    assert_eq!(count(window("16:30", "17:15")), 20 + 5);
    assert_eq!(count(None), 0);
}
