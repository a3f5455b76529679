//! SMT divergence: hand-made cases, missing bars, and what holds for any two instruments.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod smc_common;

use proptest::prelude::*;
use smc_common::{mirrored, one_minute_bar, timeframe, MINUTE, START};
use smc_core::market::Bar;
use smc_core::smc::config::{Correlation, DivergenceConfig};
use smc_core::smc::{DivergenceDetector, DivergenceError, Event, EventKind, PivotRule, Scope};

fn config() -> DivergenceConfig {
    DivergenceConfig { size: 1, window: 1, max_distance: 20, max_age: 10, max_count: 2, ..DivergenceConfig::default() }
}

/// Bars of range 2 around each close, a minute each; 0 is a missing bar.
fn bars(closes: &[i64]) -> Vec<Bar> {
    let made = closes.iter().enumerate().filter(|(_, &close)| close != 0);
    made.map(|(minute, &close)| one_minute_bar(minute as i64, [close, close + 1, close - 1, close])).collect()
}

fn run(config: DivergenceConfig, first: &[Bar], second: &[Bar]) -> (DivergenceDetector, Vec<Event>) {
    let mut detector = DivergenceDetector::new(timeframe("1m"), config).unwrap();
    let mut events = Vec::new();
    detector.run(first, second, &mut events).unwrap();
    (detector, events)
}

/// (kind, direction, side, leader, minute of the anchor, minute of the confirming bar, low, high)
type Told = (EventKind, i8, i8, Scope, i64, i64, i64, i64);

fn told(events: &[Event]) -> Vec<Told> {
    let minute = |time: i64| (time - START) / MINUTE;
    let tell = |e: &Event| {
        (e.kind, e.direction, e.side, e.scope, minute(e.formed_at), minute(e.confirmed_at) - 1, e.low, e.high)
    };
    events.iter().map(tell).collect()
}

const RISING: [i64; 7] = [10, 12, 10, 11, 14, 11, 11];

#[test]
fn a_high_that_only_one_exceeds_is_bearish_until_the_other_closes_beyond() {
    // Highs 13 then 15 against 23 twice: an equal high does not follow.
    let (detector, events) = run(config(), &bars(&RISING), &bars(&[20, 22, 20, 21, 22, 21, 23]));
    let divergence = (EventKind::SmtDivergence, -1, 1, Scope::FirstInstrument, 4, 5, 23, 23);
    assert_eq!(told(&events), [divergence]);
    assert_eq!(detector.live(), events);
    // A close on the older high is no break; one beyond it is.
    let second = bars(&[20, 22, 20, 21, 22, 21, 23, 24]);
    let (detector, events) = run(config(), &bars(&[10, 12, 10, 11, 14, 11, 11, 11]), &second);
    let broken = (EventKind::SmtDivergenceBroken, 1, 1, Scope::FirstInstrument, 7, 7, 23, 23);
    assert_eq!(told(&events), [divergence, broken]);
    assert_eq!((events[1].zone_id, detector.live()), (events[0].id, vec![]));
}

#[test]
fn the_second_may_lead_and_lows_mirror() {
    let (_, events) = run(config(), &bars(&[20, 22, 20, 20, 21, 20, 20]), &bars(&[10, 12, 10, 11, 14, 11, 11]));
    assert_eq!(told(&events), [(EventKind::SmtDivergence, -1, 1, Scope::SecondInstrument, 4, 5, 22, 23)]);
    let negated = [-20, -22, -20, -20, -21, -20, -20];
    let (_, events) = run(config(), &bars(&negated), &bars(&RISING.map(|close| -close)));
    assert_eq!(told(&events), [(EventKind::SmtDivergence, 1, -1, Scope::SecondInstrument, 4, 5, -23, -22)]);
}

#[test]
fn highs_that_both_exceed_or_neither_does_are_in_step() {
    for second in [[20, 22, 20, 21, 24, 21, 21], [30, 32, 30, 31, 33, 31, 31]] {
        assert_eq!(told(&run(config(), &bars(&RISING), &bars(&second)).1), []);
    }
    let falling = [10, 14, 10, 11, 12, 11, 11];
    assert_eq!(told(&run(config(), &bars(&falling), &bars(&[20, 22, 20, 21, 21, 20, 20])).1), []);
}

#[test]
fn inverse_instruments_compare_highs_with_lows() {
    let inverse = DivergenceConfig { correlation: Correlation::Inverse, ..config() };
    // The second falls to 79 twice while the first makes a higher high.
    let (_, events) = run(inverse, &bars(&RISING), &bars(&[82, 80, 82, 81, 80, 81, 81]));
    assert_eq!(told(&events), [(EventKind::SmtDivergence, -1, 1, Scope::FirstInstrument, 4, 5, 79, 79)]);
}

#[test]
fn pivots_pair_within_the_window_and_the_later_confirmation_counts() {
    let second = [20, 22, 20, 20, 20, 21, 20];
    let (_, events) = run(config(), &bars(&RISING), &bars(&second));
    assert_eq!(told(&events), [(EventKind::SmtDivergence, -1, 1, Scope::FirstInstrument, 4, 6, 22, 23)]);
    let narrow = DivergenceConfig { window: 0, ..config() };
    assert_eq!(told(&run(narrow, &bars(&RISING), &bars(&second)).1), []);
    let near = DivergenceConfig { max_distance: 3, ..config() };
    assert_eq!(told(&run(near, &bars(&RISING), &bars(&second)).1), []);
}

#[test]
fn a_missing_bar_delays_a_pivot_and_a_long_outage_loses_it() {
    let first = bars(&[10, 12, 10, 11, 14, 11, 11, 11, 11]);
    // The second has no bar 5: bar 6 confirms its high of bar 4, which still waits for nothing but that.
    let (_, events) = run(config(), &first, &bars(&[20, 22, 20, 21, 22, 0, 21, 21, 21]));
    assert_eq!(told(&events), [(EventKind::SmtDivergence, -1, 1, Scope::FirstInstrument, 4, 6, 23, 23)]);
    // Without bars 5 and 6 it is confirmed three steps after its bar: the first's high waited two.
    assert_eq!(told(&run(config(), &first, &bars(&[20, 22, 20, 21, 22, 0, 0, 21, 21])).1), []);
    // A bar missing between the pivots leaves the steps of both as they were.
    let (_, events) = run(config(), &first, &bars(&[20, 22, 20, 0, 22, 21, 21, 21, 21]));
    assert_eq!(told(&events), [(EventKind::SmtDivergence, -1, 1, Scope::FirstInstrument, 4, 5, 23, 23)]);
    // A bar of the first alone breaks nothing; the second's own bar does.
    let (_, events) = run(config(), &first, &bars(&[20, 22, 20, 21, 22, 21, 0, 0, 30]));
    assert_eq!(events.last().map(|event| event.confirmed_at), Some(START + 9 * MINUTE));
    assert_eq!(events.last().map(|event| event.kind), Some(EventKind::SmtDivergenceBroken));
}

#[test]
fn one_that_followed_before_the_pair_was_known_did_not_fail() {
    let wide = DivergenceConfig { window: 2, ..config() };
    let first = bars(&[10, 12, 10, 10, 11, 14, 11]);
    assert_eq!(run(wide, &first, &bars(&[20, 22, 20, 21, 20, 20, 20])).1.len(), 1);
    assert_eq!(told(&run(wide, &first, &bars(&[20, 22, 20, 21, 20, 30, 20])).1), []);
}

#[test]
fn age_and_number_are_bounded() {
    let mut closes = RISING.to_vec();
    closes.extend([11; 20]);
    let mut second = vec![20, 22, 20, 21, 22, 21, 21];
    second.extend([21; 20]);
    let (detector, events) = run(config(), &bars(&closes), &bars(&second));
    let expired = (EventKind::SmtDivergenceExpired, -1, 1, Scope::FirstInstrument, 16, 16, 23, 23);
    assert_eq!(told(&events)[1..], [expired]);
    assert_eq!(detector.live(), []);
    // Four higher highs in a row against a falling instrument: two stay.
    let first: Vec<i64> = (0..25).map(|at| 100 + at + 5 * i64::from(at % 4 == 1)).collect();
    let second: Vec<i64> = (0..25).map(|at| 200 - at + 5 * i64::from(at % 4 == 1)).collect();
    let long = DivergenceConfig { max_age: 1_000, ..config() };
    let (detector, events) = run(long, &bars(&first), &bars(&second));
    let made = events.iter().filter(|event| event.kind == EventKind::SmtDivergence && event.side > 0).count();
    assert!(made > 3);
    let live = detector.live();
    assert_eq!(live.iter().filter(|event| event.side > 0).count(), 2);
    assert_eq!(live.iter().map(|event| event.id).max(), events.iter().map(|event| event.zone_id).max());
}

#[test]
fn an_instrument_that_never_comes_back_costs_no_memory() {
    let first: Vec<Bar> = (0..4_000).map(|at| one_minute_bar(at, [100 + at % 5; 4])).collect();
    let size = |length: usize| postcard::to_stdvec(&run(config(), &first[..length], &first[..9]).0).unwrap().len();
    assert!(size(4_000) < size(100) + 32, "{} bytes against {}", size(4_000), size(100));
}

#[test]
fn bars_that_do_not_fit_are_named_and_change_nothing() {
    let (mut detector, mut events) = run(config(), &bars(&RISING), &bars(&[20, 22, 20, 21, 22, 21, 23]));
    let before = (detector.clone(), events.clone());
    let (old, new, newer) = (one_minute_bar(3, [1; 4]), one_minute_bar(7, [11; 4]), one_minute_bar(8, [11; 4]));
    let long = Bar { close_time: new.close_time + MINUTE, ..new };
    for (first, second) in [(Some(old), None), (None, Some(old)), (Some(new), Some(newer)), (None, Some(long))] {
        let error = detector.update(first.as_ref(), second.as_ref(), &mut events).unwrap_err();
        assert!(!error.to_string().is_empty());
        assert_eq!((&detector, &events), (&before.0, &before.1));
    }
    assert_eq!(detector.update(None, None, &mut events), Err(DivergenceError::Empty));
    let misaligned = detector.update(Some(&new), Some(&newer), &mut events).unwrap_err();
    assert!(misaligned.to_string().contains(&newer.open_time.to_string()), "{misaligned}");
    let error = DivergenceDetector::new(timeframe("1m"), DivergenceConfig { max_age: 0, ..config() }).unwrap_err();
    assert_eq!(error.key, "max_age");
}

/// Two walks with much in common, each with missing minutes of its own.
fn instruments(length: std::ops::Range<usize>) -> impl Strategy<Value = (Vec<Bar>, Vec<Bar>)> {
    let step = (-6i64..=6, -3i64..=3, 0i64..3, 0i64..3, 0u8..12);
    prop::collection::vec(step, length).prop_map(|steps| {
        let (mut one, mut other) = (10_000, 5_000);
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for (minute, (change, noise, above, below, missing)) in steps.into_iter().enumerate() {
            let bar = |open: i64, close: i64| {
                one_minute_bar(minute as i64, [open, open.max(close) + above, open.min(close) - below, close])
            };
            if missing != 0 {
                first.push(bar(one, one + change));
            }
            if missing != 1 || minute == 0 {
                second.push(bar(other, other + change + noise));
            }
            one += change;
            other += change + noise;
        }
        (first, second)
    })
}

fn settings() -> impl Strategy<Value = DivergenceConfig> {
    let rule = prop_oneof![Just(PivotRule::Fractal), Just(PivotRule::Leg)];
    let correlation = prop_oneof![Just(Correlation::Positive), Just(Correlation::Inverse)];
    (correlation, 1u32..4, rule, 0u32..4, 5u32..30, 3u32..40, 1u32..4).prop_map(
        |(correlation, size, rule, window, max_distance, max_age, max_count)| DivergenceConfig {
            correlation,
            size,
            rule,
            window,
            max_distance,
            max_age,
            max_count,
        },
    )
}

/// What was told, bar by bar in a fixed order, with the prices of each instrument multiplied by a sign.
fn facts(events: &[Event], signs: [i64; 2]) -> Vec<Told> {
    let mut facts: Vec<Told> = told(events)
        .into_iter()
        .map(|(kind, direction, side, scope, formed, confirmed, low, high)| {
            let failed = usize::from(scope == Scope::FirstInstrument);
            let (one, other) = (signs[failed] * low, signs[failed] * high);
            let side_sign = signs[0] as i8;
            (kind, side_sign * direction, side_sign * side, scope, formed, confirmed, one.min(other), one.max(other))
        })
        .collect();
    facts.sort_unstable_by_key(|fact| (fact.5, *fact));
    facts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_prefix_of_bars_gives_the_prefix_of_events((first, second) in instruments(20..120), config in settings()) {
        let (_, whole) = run(config, &first, &second);
        for minutes in 0..120 {
            let end = START + minutes * MINUTE;
            let part = |bars: &[Bar]| bars.iter().filter(|bar| bar.close_time <= end).copied().collect::<Vec<_>>();
            let seen = run(config, &part(&first), &part(&second)).1;
            let expected = whole.iter().filter(|event| event.confirmed_at <= end).count();
            prop_assert_eq!(&seen[..], &whole[..expected]);
        }
    }

    #[test]
    fn a_restored_snapshot_goes_on((first, second) in instruments(20..200), config in settings(), cut in 0i64..200) {
        let end = START + cut * MINUTE;
        let split = |bars: &[Bar]| bars.iter().copied().partition::<Vec<Bar>, _>(|bar| bar.close_time <= end);
        let ((first_head, first_tail), (second_head, second_tail)) = (split(&first), split(&second));
        let (head, mut events) = run(config, &first_head, &second_head);
        let bytes = postcard::to_stdvec(&head).unwrap();
        let mut detector: DivergenceDetector = postcard::from_bytes(&bytes).unwrap();
        prop_assert_eq!(&detector, &head);
        detector.run(&first_tail, &second_tail, &mut events).unwrap();
        let (whole, expected) = run(config, &first, &second);
        prop_assert_eq!(events, expected);
        prop_assert_eq!(detector, whole);
    }

    /// The leg rule has a tie of sides that does not mirror; the fractal rule has none.
    #[test]
    fn negated_prices_swap_highs_and_lows((first, second) in instruments(20..200), config in settings()) {
        let config = DivergenceConfig { rule: PivotRule::Fractal, ..config };
        let upright = facts(&run(config, &first, &second).1, [1, 1]);
        let reflected = facts(&run(config, &mirrored(&first), &mirrored(&second)).1, [-1, -1]);
        prop_assert_eq!(&upright, &reflected);
        let other = match config.correlation {
            Correlation::Positive => Correlation::Inverse,
            Correlation::Inverse => Correlation::Positive,
        };
        let inverse = run(DivergenceConfig { correlation: other, ..config }, &first, &mirrored(&second)).1;
        prop_assert_eq!(upright, facts(&inverse, [1, -1]));
    }

    #[test]
    fn either_instrument_may_be_the_first((first, second) in instruments(20..200), config in settings()) {
        let config = DivergenceConfig { correlation: Correlation::Positive, ..config };
        let swapped: Vec<Event> = run(config, &second, &first).1.into_iter().map(|event| Event {
            scope: if event.scope == Scope::FirstInstrument { Scope::SecondInstrument } else { Scope::FirstInstrument },
            ..event
        }).collect();
        prop_assert_eq!(run(config, &first, &second).1, swapped);
    }

    #[test]
    fn each_divergence_ends_once_or_is_live((first, second) in instruments(20..300), config in settings()) {
        let (detector, events) = run(config, &first, &second);
        let mut open = Vec::new();
        for event in &events {
            if event.kind == EventKind::SmtDivergence {
                prop_assert!(event.formed_at < event.confirmed_at && event.zone_id == event.id);
                open.push(event.id);
            } else {
                let place = open.iter().position(|&id| id == event.zone_id);
                prop_assert!(place.is_some(), "{:?} speaks of what is not there", event);
                open.remove(place.unwrap());
            }
        }
        prop_assert_eq!(detector.live().iter().map(|event| event.id).collect::<Vec<_>>(), open);
    }
}
