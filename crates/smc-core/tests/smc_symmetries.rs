//! What a change of units changes: prices in a finer tick, prices shifted, times shifted by whole weeks.
//!
//! Everything is decided by comparing integers, or an integer with a multiple of an average true range. Times a power
//! of two both scale without rounding, so every decision is the same. Times another factor the average rounds
//! differently in its last bit, and a comparison that was a tie may fall the other way; where no setting asks for such a
//! comparison to be close, any factor gives the same. The edges of an optimal entry are parts of a range rounded outwards
//! to ticks: in a finer tick they lie closer in.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod smc_common;

use proptest::prelude::*;
use smc_common::{hourly, run, small, timeframe, walk};
use smc_core::features::COLUMNS;
use smc_core::market::{Bar, Instrument, MAX_PRICE};
use smc_core::smc::config::{PeriodConfig, WindowConfig};
use smc_core::smc::{Analyzer, DetectorConfig, Event, EventKind, PivotRule, Scope};

/// Concepts whose edges are rounded to ticks.
const ROUNDED: [EventKind; 3] = [EventKind::OptimalEntry, EventKind::VolumeProfile, EventKind::PointOfControl];

const WEEK: i64 = 7 * 24 * 60 * smc_common::MINUTE;

fn mapped(bars: &[Bar], price: impl Fn(i64) -> i64) -> Vec<Bar> {
    let map = |bar: &Bar| Bar {
        open: price(bar.open),
        high: price(bar.high),
        low: price(bar.low),
        close: price(bar.close),
        ..*bar
    };
    bars.iter().map(map).collect()
}

/// Everything an event says but its numbers among the others, which rounded concepts shift.
type Fact = (EventKind, i8, i8, Scope, i64, i64, i64, i64, bool);

fn exact_facts(events: &[Event], price: impl Fn(i64) -> i64) -> Vec<Fact> {
    let exact = events.iter().filter(|event| !ROUNDED.contains(&event.kind.concept()));
    let fact = |e: &Event| {
        let (low, high) = (price(e.low), price(e.high));
        (e.kind, e.direction, e.side, e.scope, e.formed_at, e.confirmed_at, low, high, e.ambiguous)
    };
    exact.map(fact).collect()
}

fn both_rules(bars: &[Bar]) -> [(PivotRule, Vec<Bar>); 2] {
    [(PivotRule::Leg, bars.to_vec()), (PivotRule::Fractal, hourly(bars))]
}

/// No comparison with an average true range, or with a part that is no power of two, is close.
fn far_from_ties(rule: PivotRule) -> DetectorConfig {
    let mut config = small(rule);
    config.order_block.volatility_filter = None;
    config.fair_value_gap.min_size_atr = 0.0;
    config.opening_gap.min_size_atr = 0.0;
    config.volume_imbalance.min_size_atr = 1e-9;
    config.equal_levels.tolerance = 1e-9;
    config.rejection_block.wick_share = 0.5;
    (config.displacement.body_atr, config.displacement.range_atr) = (1e-9, 1e9);
    config
}

/// Whether a column measures a concept whose edges are rounded, or counts one among its factors.
fn is_rounded(column: &str) -> bool {
    ["optimal_entry", "confluence"].iter().any(|part| column.contains(part))
}

fn features(bars: &[Bar]) -> Vec<Vec<u64>> {
    let instrument = Instrument::new("test", "WALK", "0.01", "0.001", "0").unwrap();
    let (base, contexts) = (timeframe("1m"), [timeframe("3m"), timeframe("15m")]);
    let mut analyzer = Analyzer::new(instrument, base, base, &contexts, small(PivotRule::Leg)).unwrap();
    let (mut rows, mut start) = (Vec::new(), 0);
    while start < bars.len() {
        let step = analyzer.advance(bars, start).unwrap();
        start = step.end;
        if step.decision_bar.is_some() {
            let named = COLUMNS.iter().map(|column| column.name).zip(analyzer.features());
            rows.push(named.filter(|(name, _)| !is_rounded(name)).map(|(_, value)| value.to_bits()).collect());
        }
    }
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_tick_finer_by_a_power_of_two_changes_no_decision(bars in walk(60..300), power in 1u32..34) {
        let times = |price: i64| price << power;
        for (rule, bars) in both_rules(&bars) {
            let (coarse, fine) = (run(small(rule), &bars).1, run(small(rule), &mapped(&bars, times)).1);
            prop_assert_eq!(exact_facts(&coarse, times), exact_facts(&fine, |price| price));
        }
        prop_assert_eq!(features(&bars), features(&mapped(&bars, times)));
    }

    #[test]
    fn any_finer_tick_changes_no_decision_that_is_not_close(bars in walk(60..300), factor in 2i64..100_000) {
        let times = |price: i64| price * factor;
        for (rule, bars) in both_rules(&bars) {
            let config = far_from_ties(rule);
            let (coarse, fine) = (run(config, &bars).1, run(config, &mapped(&bars, times)).1);
            prop_assert_eq!(exact_facts(&coarse, times), exact_facts(&fine, |price| price));
        }
    }

    #[test]
    fn rounded_edges_come_closer_by_less_than_a_tick(bars in walk(100..300), power in 1u32..20) {
        for (rule, bars) in both_rules(&bars) {
            let fine = run(small(rule), &mapped(&bars, |price| price << power)).1;
            let coarse = run(small(rule), &bars).1;
            let entries = |events: &[Event]| -> Vec<Event> {
                events.iter().filter(|event| event.kind == EventKind::OptimalEntry).copied().collect()
            };
            let (coarse, fine) = (entries(&coarse), entries(&fine));
            prop_assert_eq!(coarse.len(), fine.len());
            for (wide, narrow) in coarse.iter().zip(&fine) {
                prop_assert_eq!((wide.direction, wide.confirmed_at), (narrow.direction, narrow.confirmed_at));
                let (below, above) = (narrow.low - (wide.low << power), (wide.high << power) - narrow.high);
                prop_assert!((0..1 << power).contains(&below) && (0..1 << power).contains(&above));
            }
        }
    }

    #[test]
    fn shifted_prices_shift_every_event(bars in walk(60..300), shift in -MAX_PRICE / 2..MAX_PRICE / 2) {
        for (rule, bars) in both_rules(&bars) {
            let here = run(small(rule), &bars).1;
            let there = run(small(rule), &mapped(&bars, |price| price + shift)).1;
            let moved: Vec<Event> =
                here.iter().map(|event| Event { low: event.low + shift, high: event.high + shift, ..*event }).collect();
            prop_assert_eq!(moved, there);
        }
    }

    /// Without daylight saving; months are the one length that weeks do not divide.
    #[test]
    fn shifted_weeks_shift_every_event_but_those_of_months(bars in walk(60..300), weeks in -200i64..400) {
        let shift = weeks * WEEK;
        let bars = hourly(&bars);
        let mut config = small(PivotRule::Leg);
        config.periods = PeriodConfig { zone: chrono_tz::Tz::UTC, ..PeriodConfig::default() };
        for window in [
            &mut config.sessions.asian_kill_zone,
            &mut config.sessions.london_kill_zone,
            &mut config.sessions.new_york_kill_zone,
            &mut config.sessions.london_close_kill_zone,
            &mut config.sessions.new_york_index_kill_zone,
            &mut config.sessions.london_silver_bullet,
            &mut config.sessions.morning_silver_bullet,
            &mut config.sessions.afternoon_silver_bullet,
            &mut config.reference_open.new_york_midnight,
            &mut config.reference_open.new_york_morning,
            &mut config.sessions.tokyo_session,
            &mut config.sessions.london_session,
            &mut config.sessions.new_york_session,
        ] {
            *window = window.map(|window| WindowConfig { zone: chrono_tz::Tz::UTC, ..window });
        }
        let later: Vec<Bar> = bars
            .iter()
            .map(|bar| Bar { open_time: bar.open_time + shift, close_time: bar.close_time + shift, ..*bar })
            .collect();
        let facts = |bars: &[Bar], shift: i64| -> Vec<Fact> {
            let mut facts = exact_facts(&run(config, bars).1, |price| price);
            facts.retain(|fact| fact.3 != Scope::Month);
            facts.iter_mut().for_each(|fact| (fact.4, fact.5) = (fact.4 - shift, fact.5 - shift));
            facts
        };
        // Month levels are swept like any other: what rejection blocks, shifts and the rest make of that goes with them.
        let of_month = |kind: EventKind| matches!(kind.concept(), EventKind::RejectionBlock | EventKind::Mss);
        let (mut here, mut there) = (facts(&bars, 0), facts(&later, shift));
        here.retain(|fact| !of_month(fact.0));
        there.retain(|fact| !of_month(fact.0));
        prop_assert_eq!(here, there);
    }
}
