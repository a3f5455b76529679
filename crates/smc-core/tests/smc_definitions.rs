//! The detector against its definitions, written out plainly over whole arrays.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod smc_common;

use proptest::prelude::*;
use smc_common::plain::{averages, breaks, first, fractals, legs, reach, record_at, times, unbounded, Found};
use smc_common::{run, walk};
use smc_core::market::Bar;
use smc_core::smc::{Event, EventKind, PivotRule, Scope};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pivots_and_breaks(bars in walk(20..250)) {
        for (rule, expected) in [(PivotRule::Leg, legs as fn(&[Bar], usize) -> Vec<Found>), (PivotRule::Fractal, fractals)] {
            let events = run(unbounded(rule, None), &bars).1;
            for (scope, size) in [(Scope::Internal, 2), (Scope::Swing, 5)] {
                let mut pivots = expected(&bars, size);
                pivots.sort_by_key(|&(_, known, side)| (known, -side));
                prop_assert_eq!(times(&bars, &events, EventKind::Pivot, scope), pivots.clone());
                for (kind, change) in [(EventKind::Bos, false), (EventKind::Choch, true)] {
                    let wanted = breaks(&bars, &pivots).into_iter().filter(|found| found.3 == change);
                    let wanted: Vec<_> = wanted.map(|(t, direction, p, _)| (p, t, direction)).collect();
                    prop_assert_eq!(times(&bars, &events, kind, scope), wanted);
                }
            }
        }
    }

    #[test]
    fn order_blocks_and_their_life(bars in walk(20..250), filter in prop::option::of(1.0f64..2.5)) {
        let events = run(unbounded(PivotRule::Leg, filter), &bars).1;
        let atr = averages(&bars, 5);
        let passed_over = |t: usize| {
            let limit = filter.zip(t.checked_sub(1).and_then(|before| atr[before]));
            limit.is_some_and(|(factor, average)| bars[t].range() as f64 >= factor * average)
        };
        for (scope, size) in [(Scope::Internal, 2), (Scope::Swing, 5)] {
            let mut expected = Vec::new();
            for (t, direction, p, _) in breaks(&bars, &legs(&bars, size)) {
                let eligible = (p..t).filter(|&j| !passed_over(j));
                // max_by_key gives the last of equal maxima.
                if let Some(block) = eligible.max_by_key(|&j| reach(&bars[j], -direction)) {
                    expected.push((block, t, direction));
                }
            }
            let blocks: Vec<&Event> =
                events.iter().filter(|e| e.kind == EventKind::OrderBlock && e.scope == scope).collect();
            prop_assert_eq!(blocks.len(), expected.len());
            for (event, (block, t, direction)) in blocks.into_iter().zip(expected) {
                let (bar, sign) = (&bars[block], i64::from(direction));
                prop_assert_eq!((event.formed_at, event.low, event.high), (bar.open_time, bar.low, bar.high));
                prop_assert_eq!((event.confirmed_at, event.direction), (bars[t].close_time, direction));
                let (near, far) = if direction > 0 { (bar.high, bar.low) } else { (-bar.low, -bar.high) };
                let depth = |bar: &Bar| -reach(bar, -direction);
                let end = first(&bars, t, usize::MAX, |bar| sign * bar.close < far);
                let until = end.unwrap_or(usize::MAX);
                let touched = first(&bars, t, until, |bar| depth(bar) <= near);
                let mitigated = first(&bars, t, until, |bar| 2 * depth(bar) <= near + far);
                let unclear = |at: Option<usize>| at.map(|at| (at, touched == end));
                prop_assert_eq!(record_at(&bars, &events, event.id, EventKind::OrderBlockTouched), unclear(touched));
                prop_assert_eq!(record_at(&bars, &events, event.id, EventKind::OrderBlockMitigated), unclear(mitigated));
                prop_assert_eq!(record_at(&bars, &events, event.id, EventKind::OrderBlockInvalidated), unclear(end));
            }
        }
    }

    #[test]
    fn fair_value_gaps_and_their_life(bars in walk(20..250)) {
        let events = run(unbounded(PivotRule::Leg, None), &bars).1;
        let mut gaps = events.iter().filter(|event| event.kind == EventKind::FairValueGap);
        for t in 2..bars.len() {
            for direction in [1, -1] {
                let sign = i64::from(direction);
                let (near, far) = (-reach(&bars[t], -direction), reach(&bars[t - 2], direction));
                if near <= far {
                    continue;
                }
                let event = gaps.next().unwrap();
                prop_assert_eq!((event.formed_at, event.confirmed_at), (bars[t - 1].open_time, bars[t].close_time));
                prop_assert_eq!((event.low, event.high), ((sign * near).min(sign * far), (sign * near).max(sign * far)));
                let depth = |bar: &Bar| -reach(bar, -direction);
                let end = first(&bars, t, usize::MAX, |bar| sign * bar.close < far);
                let until = end.unwrap_or(usize::MAX);
                let touched = first(&bars, t, until, |bar| depth(bar) < near);
                let half = first(&bars, t, until, |bar| 2 * depth(bar) <= near + far);
                let filled = first(&bars, t, until, |bar| depth(bar) <= far);
                let unclear = |at: Option<usize>| at.map(|at| (at, touched == end));
                for (kind, at) in [
                    (EventKind::FairValueGapTouched, touched),
                    (EventKind::FairValueGapHalfFilled, half),
                    (EventKind::FairValueGapFilled, filled),
                    (EventKind::FairValueGapInverted, end),
                ] {
                    prop_assert_eq!(record_at(&bars, &events, event.id, kind), unclear(at));
                }
            }
        }
        prop_assert!(gaps.next().is_none());
    }

    #[test]
    fn pools_are_swept_or_run(bars in walk(20..250)) {
        let events = run(unbounded(PivotRule::Leg, None), &bars).1;
        let mut expected = fractals(&bars, 2);
        expected.sort_by_key(|&(_, known, side)| (known, -side));
        let pools: Vec<&Event> = events.iter().filter(|event| event.kind == EventKind::LiquidityPool).collect();
        prop_assert_eq!(times(&bars, &events, EventKind::LiquidityPool, Scope::None), expected.clone());
        for (event, (p, known, side)) in pools.into_iter().zip(expected) {
            let level = reach(&bars[p], side);
            let taken = first(&bars, known, usize::MAX, |bar| reach(bar, side) > level);
            let run = taken.filter(|&u| i64::from(side) * bars[u].close > level);
            let swept = taken.filter(|_| run.is_none());
            let plain = |at: Option<usize>| at.map(|at| (at, false));
            prop_assert_eq!(record_at(&bars, &events, event.id, EventKind::LiquidityPoolSwept), plain(swept));
            prop_assert_eq!(record_at(&bars, &events, event.id, EventKind::LiquidityPoolRun), plain(run));
        }
    }

    #[test]
    fn dealing_ranges_follow_the_last_swing_pivots(bars in walk(20..250)) {
        for (rule, pivots) in [(PivotRule::Leg, legs as fn(&[Bar], usize) -> Vec<Found>), (PivotRule::Fractal, fractals)] {
            let (detector, events) = run(unbounded(rule, None), &bars);
            let pivots = pivots(&bars, 5);
            let mut expected = Vec::new();
            for t in 0..bars.len() {
                let last = |side| pivots.iter().rev().find(|&&(_, known, s)| known <= t && s == side);
                let (Some(high), Some(low)) = (last(1), last(-1)) else { continue };
                let (top, bottom) = (bars[high.0].high, bars[low.0].low);
                if (high.1 == t || low.1 == t) && bottom < top {
                    expected.push((bars[t].close_time, bottom, top, (high.0 > low.0) as i8 - (high.0 < low.0) as i8));
                }
            }
            let made = events.iter().filter(|event| event.kind == EventKind::DealingRange);
            let made: Vec<_> = made.map(|event| (event.confirmed_at, event.low, event.high, event.direction)).collect();
            let current = detector.dealing_range().map(|range| (range.low, range.high));
            prop_assert_eq!(current, expected.last().map(|range| (range.1, range.2)));
            prop_assert_eq!(made, expected);
        }
    }
}
