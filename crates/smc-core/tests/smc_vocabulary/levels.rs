//! Equal highs and lows, inducement.

use proptest::prelude::*;
use smc_core::smc::{EventKind, PivotRule, Scope};

use super::smc_common::plain::{averages, breaks, check_level, closed, first, legs, of_kind, reach, unbounded};
use super::smc_common::{run, walk};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pivots_at_one_level(bars in walk(20..300)) {
        let (detector, events) = run(unbounded(PivotRule::Leg, None), &bars);
        let atr = averages(&bars, 8);
        let (mut made, mut grown) = (Vec::new(), Vec::new());
        for side in [1i8, -1] {
            // (level seen from its side, bar that confirmed it, pivots)
            let mut levels: Vec<(i64, usize, u32)> = Vec::new();
            let pivots: Vec<_> = legs(&bars, 2).into_iter().filter(|pivot| pivot.2 == side).collect();
            for (number, &(p, t, _)) in pivots.iter().enumerate() {
                let Some(tolerance) = atr[t - 1].map(|atr| 0.3 * atr) else { continue };
                let price = reach(&bars[p], side);
                let near = |other: i64| (other - price).abs() as f64 <= tolerance;
                let rests = |level: i64, born: usize| first(&bars, born, t, |bar| reach(bar, side) > level).is_none();
                let fits = levels.iter_mut().rev().find(|(level, born, _)| near(*level) && rests(*level, *born));
                if let Some(level) = fits {
                    level.2 += 1;
                    grown.push((bars[t].close_time, side, i64::from(side) * level.0));
                } else if let Some(&(q, ..)) = number.checked_sub(1).map(|before| &pivots[before]) {
                    let level = price.max(reach(&bars[q], side));
                    if near(reach(&bars[q], side)) && bars[q + 1..=t].iter().all(|bar| reach(bar, side) <= level) {
                        levels.push((level, t, 2));
                        made.push((bars[p].open_time, bars[t].close_time, side, i64::from(side) * level));
                    }
                }
            }
            let mut resting: Vec<(i64, u32)> = levels
                .iter()
                .filter(|(level, born, _)| first(&bars, *born, usize::MAX, |bar| reach(bar, side) > *level).is_none())
                .map(|&(level, _, touches)| (i64::from(side) * level, touches))
                .collect();
            let zones = detector.zones();
            let mut live: Vec<_> = zones
                .iter()
                .filter(|zone| zone.kind.name() == "equal_levels" && zone.side == side)
                .map(|zone| (zone.low, zone.touches))
                .collect();
            resting.sort_unstable();
            live.sort_unstable();
            prop_assert_eq!(live, resting);
        }
        made.sort_by_key(|level| (level.1, -level.2));
        grown.sort_by_key(|level| (level.0, -level.1));
        let levels = of_kind(&events, EventKind::EqualLevels);
        prop_assert_eq!(levels.iter().map(|e| (e.formed_at, e.confirmed_at, e.side, e.low)).collect::<Vec<_>>(), made);
        let growth = of_kind(&events, EventKind::EqualLevelsGrown);
        prop_assert_eq!(growth.iter().map(|e| (e.confirmed_at, e.side, e.low)).collect::<Vec<_>>(), grown);
        for level in levels {
            prop_assert_eq!(level.low, level.high);
            check_level(&bars, &events, level, EventKind::EqualLevelsSwept, Some(EventKind::EqualLevelsRun));
        }
    }

    #[test]
    fn the_first_internal_pivot_against_a_break(bars in walk(20..300)) {
        let events = run(unbounded(PivotRule::Leg, None), &bars).1;
        let internal = legs(&bars, 2);
        for (scope, size) in [(Scope::Internal, 2), (Scope::Swing, 5)] {
            let found = breaks(&bars, &legs(&bars, size));
            let mut expected = Vec::new();
            for (number, &(t, direction, ..)) in found.iter().enumerate() {
                let next = found.get(number + 1).map_or(usize::MAX, |other| other.0);
                let pivot = internal.iter().find(|&&(p, known, side)| side == -direction && p > t && known <= next);
                expected.extend(pivot.map(|&(p, known, side)| (p, known, side, t)));
            }
            let levels: Vec<_> =
                of_kind(&events, EventKind::Inducement).into_iter().filter(|e| e.scope == scope).collect();
            prop_assert_eq!(levels.len(), expected.len());
            for (level, (p, known, side, t)) in levels.into_iter().zip(expected) {
                let price = i64::from(side) * reach(&bars[p], side);
                let made = (level.formed_at, level.confirmed_at, level.side, level.low, level.high, level.direction);
                prop_assert_eq!(made, (bars[p].open_time, bars[known].close_time, side, price, price, 0));
                let cause = events.iter().find(|e| e.id == level.source_id).unwrap();
                prop_assert!(matches!(cause.kind, EventKind::Bos | EventKind::Choch) && cause.scope == scope);
                prop_assert_eq!((closed(&bars, cause.confirmed_at), cause.direction), (t, -side));
                check_level(&bars, &events, level, EventKind::InducementTaken, None);
                let taken = events.iter().filter(|e| e.kind == EventKind::InducementTaken && e.zone_id == level.id);
                prop_assert!(taken.into_iter().all(|e| e.direction == -side));
            }
        }
    }
}
