//! What holds for every series of bars: nothing repaints, nothing depends on how bars arrive, bulls mirror bears.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod smc_common;

use std::collections::HashMap;

use proptest::prelude::*;
use smc_common::{hourly, mirrored, run, small, walk, widening_walk};
use smc_core::market::Bar;
use smc_core::smc::{Detector, DetectorConfig, Event, EventKind, PivotRule, Scope, ZoneKind, ZoneState};

/// Both rules on minutes, and hours over which sessions and days pass.
fn cases(bars: &[Bar]) -> [(PivotRule, Vec<Bar>); 3] {
    [(PivotRule::Leg, bars.to_vec()), (PivotRule::Fractal, bars.to_vec()), (PivotRule::Fractal, hourly(bars))]
}

/// The name that a fact has upside down: the labels of swings say which way they look.
const fn reflected(kind: EventKind) -> EventKind {
    match kind {
        EventKind::HigherHigh => EventKind::LowerLow,
        EventKind::LowerLow => EventKind::HigherHigh,
        EventKind::LowerHigh => EventKind::HigherLow,
        EventKind::HigherLow => EventKind::LowerHigh,
        other => other,
    }
}

type Mirror = (i64, EventKind, i8, i8, Scope, i64, i64, i64, bool);

/// Events without ids, bar by bar in a fixed order, seen with prices multiplied by `sign`.
fn facts(events: &[Event], sign: i8) -> Vec<Mirror> {
    let price = i64::from(sign);
    let mut facts: Vec<Mirror> = events
        .iter()
        .map(|e| {
            let (one, other) = (price * e.low, price * e.high);
            let (low, high) = (one.min(other), one.max(other));
            let (direction, side) = (sign * e.direction, sign * e.side);
            let kind = if sign > 0 { e.kind } else { reflected(e.kind) };
            (e.confirmed_at, kind, direction, side, e.scope, e.formed_at, low, high, e.ambiguous)
        })
        .collect();
    facts.sort_unstable();
    facts
}

fn mirrors(config: DetectorConfig, bars: &[Bar]) -> (Vec<Mirror>, Vec<Mirror>) {
    (facts(&run(config, bars).1, 1), facts(&run(config, &mirrored(bars)).1, -1))
}

/// The kinds that end what they speak of, and those that make something with a life.
const ENDS: [&str; 13] = [
    "_invalidated",
    "_inverted",
    "_expired",
    "_swept",
    "_run",
    "_taken",
    "_traversed",
    "imbalance_filled",
    "opening_gap_filled",
    "void_filled",
    "control_touched",
    "_failed",
    "_reclaimed",
];

fn is_end(kind: EventKind) -> bool {
    ENDS.iter().any(|end| kind.name().ends_with(end))
}

fn is_zone(kind: EventKind) -> bool {
    ZoneKind::ALL.iter().any(|zone| zone.name() == kind.name())
}

/// Most live zones under the small settings.
const MOST_ZONES: usize =
    4 * 3 + 2 * 3 + 2 * 4 + 2 * (3 + 3 + 3 + 2 + 3 + 3 + 3 + 2 + 2 + 2 + 2 + 2 + 2) + 2 * 3 + 2 * 7 + 1;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_prefix_of_bars_gives_the_prefix_of_events(bars in walk(40..160)) {
        for (rule, bars) in cases(&bars) {
            let whole = run(small(rule), &bars).1;
            for end in 0..bars.len() {
                let part = run(small(rule), &bars[..end]).1;
                let last = bars[..end].last().map_or(i64::MIN, |bar| bar.close_time);
                let expected = whole.iter().filter(|event| event.confirmed_at <= last).count();
                prop_assert_eq!(&part[..], &whole[..expected]);
            }
        }
    }

    #[test]
    fn a_restored_snapshot_goes_on_as_if_nothing_happened(bars in walk(40..200), cut in 0.0f64..1.0) {
        for (rule, bars) in cases(&bars) {
            let cut = ((bars.len() as f64 * cut) as usize).max(1);
            let (head, mut events) = run(small(rule), &bars[..cut]);
            let bytes = postcard::to_stdvec(&head).unwrap();
            let mut detector: Detector = postcard::from_bytes(&bytes).unwrap();
            prop_assert_eq!(&detector, &head);
            for bar in &bars[cut..] {
                detector.update(bar, &mut events).unwrap();
            }
            let (whole, expected) = run(small(rule), &bars);
            prop_assert_eq!(events, expected);
            prop_assert_eq!(detector, whole);
        }
    }

    #[test]
    fn negated_prices_swap_bulls_and_bears(bars in widening_walk(40..300)) {
        for (rule, bars) in cases(&bars) {
            let (upright, reflected) = mirrors(small(rule), &bars);
            prop_assert!(upright.iter().any(|fact| fact.1 == EventKind::Pivot));
            prop_assert_eq!(upright, reflected);
        }
    }

    /// The leg rule counts a bar that contains all that follow as a high; the fractal rule has no such tie.
    #[test]
    fn fractal_structure_mirrors_on_any_bars(bars in walk(40..300)) {
        for bars in [hourly(&bars), bars] {
            let (upright, reflected) = mirrors(small(PivotRule::Fractal), &bars);
            prop_assert_eq!(upright, reflected);
        }
    }

    #[test]
    fn every_zone_lives_in_order_and_ends_once(bars in walk(60..400)) {
        for (rule, bars) in cases(&bars) {
            let (detector, events) = run(small(rule), &bars);
            let mut born: HashMap<u64, &Event> = HashMap::new();
            let mut last_kind: HashMap<u64, EventKind> = HashMap::new();
            for (position, event) in events.iter().enumerate() {
                prop_assert_eq!(event.id, position as u64 + 1);
                prop_assert!(event.formed_at < event.confirmed_at && event.low <= event.high);
                prop_assert!(event.source_id < event.id);
                if is_zone(event.kind) {
                    prop_assert_eq!(event.zone_id, event.id);
                    born.insert(event.id, event);
                    last_kind.insert(event.id, event.kind);
                } else if let Some(creation) = born.get(&event.zone_id) {
                    let displaced = event.kind.name().ends_with("_expired");
                    prop_assert!(event.confirmed_at > creation.confirmed_at || displaced);
                    let before = last_kind.insert(event.zone_id, event.kind).unwrap();
                    // What was run may still be reclaimed; nothing else comes after an end.
                    let reclaimed = event.kind.name().ends_with("_reclaimed");
                    prop_assert!(reclaimed == before.name().ends_with("_run"), "{:?} after {:?}", event.kind, before);
                    prop_assert!(reclaimed || !is_end(before), "{:?} after {:?}", event.kind, before);
                    let grows = event.kind == EventKind::EqualLevelsGrown;
                    prop_assert!(before < event.kind || grows, "{:?} after {:?}", event.kind, before);
                    prop_assert_eq!((event.low, event.high), (creation.low, creation.high));
                }
            }
            let open = last_kind.iter().filter(|(_, &kind)| !is_end(kind) && kind != EventKind::FairValueGapFilled);
            let mut open: Vec<u64> = open.map(|(&id, _)| id).collect();
            open.sort_unstable();
            let zones = detector.zones();
            prop_assert!(zones.len() <= MOST_ZONES);
            prop_assert!(zones.iter().all(|zone| zone.state != ZoneState::Filled));
            prop_assert_eq!(zones.iter().map(|zone| zone.id).collect::<Vec<_>>(), open);
        }
    }
}

/// What the properties hold for: nothing that exists is left out of them.
#[test]
fn the_small_settings_make_every_kind_happen() {
    let walk = smc_common::congruential_walk(4_000).into_iter().zip(0i64..).map(|(bar, minute)| {
        // On a coarse grid, with a jump from bar to bar.
        let moved = |price: i64| price / 100 + minute * minute % 11;
        smc_common::one_minute_bar(minute, [bar.open, bar.high, bar.low, bar.close].map(moved))
    });
    let walk: Vec<Bar> = walk.collect();
    let mut seen = std::collections::HashSet::new();
    for (rule, bars) in cases(&walk) {
        seen.extend(run(small(rule), &bars).1.into_iter().map(|event| event.kind));
    }
    // What needs a second instrument has properties of its own: smc_divergence.rs.
    let alone = EventKind::ALL.iter().filter(|kind| !kind.name().starts_with("smt_divergence"));
    let absent = alone.filter(|kind| !seen.contains(kind));
    assert_eq!(absent.collect::<Vec<_>>(), [&EventKind::Pivot; 0]);
}

#[test]
fn bars_out_of_order_or_of_another_length_change_nothing() {
    let bars: Vec<Bar> = (0..30).map(|m| smc_common::one_minute_bar(m, [100, 103, 98, 101 + m % 2])).collect();
    let (mut detector, mut events) = run(small(PivotRule::Leg), &bars);
    let before = (detector.clone(), events.clone());
    for bad in
        [bars[29], bars[3], Bar { close_time: bars[29].close_time + 300, ..smc_common::one_minute_bar(31, [1; 4]) }]
    {
        let error = detector.update(&bad, &mut events).unwrap_err();
        assert!(error.to_string().contains("1m"), "{error}");
        assert_eq!((&detector, &events), (&before.0, &before.1));
    }
}
