//! The detector against its definitions, written out plainly over whole arrays.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod smc_common;

use proptest::prelude::*;
use smc_common::{run, small, walk, MINUTE};
use smc_core::market::Bar;
use smc_core::smc::{DetectorConfig, Event, EventKind, PivotRule, Scope};

const FOREVER: u32 = 1_000_000;

fn unbounded(rule: PivotRule, volatility_filter: Option<f64>) -> DetectorConfig {
    let mut config = small(rule);
    config.order_block.volatility_filter = volatility_filter;
    config.fair_value_gap.min_size_atr = 0.0;
    for (age, count) in [
        (&mut config.order_block.max_age, &mut config.order_block.max_count),
        (&mut config.fair_value_gap.max_age, &mut config.fair_value_gap.max_count),
        (&mut config.liquidity.max_age, &mut config.liquidity.max_count),
    ] {
        (*age, *count) = (FOREVER, FOREVER);
    }
    config
}

/// (pivot bar, confirming bar, side)
type Found = (usize, usize, i8);

/// A bar's high for side +1, its negated low for side -1: lows are highs upside down.
fn reach(bar: &Bar, side: i8) -> i64 {
    if side > 0 {
        bar.high
    } else {
        -bar.low
    }
}

fn fractals(bars: &[Bar], size: usize) -> Vec<Found> {
    let mut found = Vec::new();
    for p in size..bars.len().saturating_sub(size) {
        for side in [1, -1] {
            let top = reach(&bars[p], side);
            let left = bars[p - size..p].iter().all(|bar| reach(bar, side) < top);
            let right = bars[p + 1..=p + size].iter().all(|bar| reach(bar, side) <= top);
            if left && right {
                found.push((p, p + size, side));
            }
        }
    }
    found
}

fn legs(bars: &[Bar], size: usize) -> Vec<Found> {
    let (mut found, mut leg) = (Vec::new(), 0);
    for t in size..bars.len() {
        let p = t - size;
        let beyond = |side| bars[p + 1..=t].iter().all(|bar| reach(bar, side) < reach(&bars[p], side));
        let turn = if beyond(1) {
            -1
        } else if beyond(-1) {
            1
        } else {
            leg
        };
        if turn != leg {
            if leg != 0 {
                found.push((p, t, -turn));
            }
            leg = turn;
        }
    }
    found
}

/// (break bar, direction, pivot bar, is a change of character)
fn breaks(bars: &[Bar], pivots: &[Found]) -> Vec<(usize, i8, usize, bool)> {
    let (mut found, mut bias, mut used) = (Vec::new(), 0, Vec::new());
    for t in 1..bars.len() {
        for side in [1, -1] {
            let Some(&(p, ..)) = pivots.iter().rev().find(|&&(_, known, s)| known <= t && s == side) else { continue };
            let level = reach(&bars[p], side);
            let close = |bar: &Bar| i64::from(side) * bar.close;
            if close(&bars[t]) > level && close(&bars[t - 1]) <= level && !used.contains(&(p, side)) {
                used.push((p, side));
                found.push((t, side, p, bias == -side));
                bias = side;
            }
        }
    }
    found
}

/// Wilder's average after each bar, from its definition.
fn averages(bars: &[Bar], period: usize) -> Vec<Option<f64>> {
    let range = |t: usize| {
        let previous = if t == 0 { bars[0].close } else { bars[t - 1].close };
        let bar = &bars[t];
        (bar.high - bar.low).max((bar.high - previous).abs()).max((bar.low - previous).abs()) as f64
    };
    let mut out: Vec<Option<f64>> = Vec::new();
    for t in 0..bars.len() {
        out.push(match t + 1 {
            seen if seen < period => None,
            seen if seen == period => Some((0..period).map(range).sum::<f64>() / period as f64),
            _ => out[t - 1].map(|before| (before * (period - 1) as f64 + range(t)) / period as f64),
        });
    }
    out
}

fn times(bars: &[Bar], events: &[Event], kind: EventKind, scope: Scope) -> Vec<(usize, usize, i8)> {
    let at = |time: i64| bars.iter().position(|bar| bar.open_time == time).unwrap();
    let wanted = events.iter().filter(|event| event.kind == kind && event.scope == scope);
    wanted.map(|event| (at(event.formed_at), at(event.confirmed_at - MINUTE), event.side)).collect()
}

/// First bar after `from` that satisfies a condition, up to and including `until`.
fn first(bars: &[Bar], from: usize, until: usize, holds: impl Fn(&Bar) -> bool) -> Option<usize> {
    (from + 1..=until.min(bars.len() - 1)).find(|&u| holds(&bars[u]))
}

fn record_at(bars: &[Bar], events: &[Event], zone: u64, kind: EventKind) -> Option<(usize, bool)> {
    let event = events.iter().find(|event| event.zone_id == zone && event.kind == kind)?;
    let bar = bars.iter().position(|bar| bar.close_time == event.confirmed_at).unwrap();
    Some((bar, event.ambiguous))
}

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
