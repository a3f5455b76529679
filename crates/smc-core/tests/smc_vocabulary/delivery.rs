//! Labels of swings, breaks that fail, changes in the state of delivery, voids, and what is taken back.

use proptest::prelude::*;
use smc_core::market::Bar;
use smc_core::smc::{Event, EventKind, PivotRule, Scope};

use super::smc_common::plain::{
    breaks, check_life, closed, first, legs, of_kind, opened, reach, record_at, unbounded, Ends, Found, Records,
};
use super::smc_common::{one_minute_bar, run, small, walk};

const VOID: Records = Records {
    edge_enters: false,
    touched: EventKind::LiquidityVoidTouched,
    half: Some(EventKind::LiquidityVoidHalfFilled),
    ends: Ends::Traded,
    ended: EventKind::LiquidityVoidFilled,
};
const RECLAIMED: Records = Records {
    edge_enters: true,
    touched: EventKind::ReclaimedBlockTouched,
    half: Some(EventKind::ReclaimedBlockMitigated),
    ends: Ends::CloseBeyond,
    ended: EventKind::ReclaimedBlockInvalidated,
};
const LABELS: [EventKind; 4] = [EventKind::HigherHigh, EventKind::LowerHigh, EventKind::HigherLow, EventKind::LowerLow];
/// As set in the small settings.
const MAX_BARS: usize = 4;

/// Bars of one price each way: open, high, low, close.
fn bars_of(prices: &[[i64; 4]]) -> Vec<Bar> {
    prices.iter().enumerate().map(|(minute, &bar)| one_minute_bar(minute as i64, bar)).collect()
}

/// Bars around closes, one tick to either side.
fn closes(closes: &[i64]) -> Vec<Bar> {
    bars_of(&closes.iter().map(|&close| [close, close + 1, close - 1, close]).collect::<Vec<_>>())
}

fn told(events: &[Event], kind: EventKind) -> Vec<(i8, i64, i64)> {
    let minutes = |time: i64| (time - super::smc_common::START) / super::smc_common::MINUTE;
    of_kind(events, kind).iter().map(|e| (e.direction, e.low, minutes(e.confirmed_at) - 1)).collect()
}

#[test]
fn an_equal_high_is_lower_and_an_equal_low_higher() {
    // Legs of two bars: highs of 11, 11, 13, 12 and lows of 4, 4, 3, 6 in turn.
    let bars = closes(&[8, 9, 10, 8, 6, 5, 8, 9, 10, 8, 6, 5, 8, 10, 12, 8, 6, 4, 8, 10, 11, 9, 8, 7, 8, 9]);
    let events = run(small(PivotRule::Leg), &bars).1;
    let labels = events.iter().filter(|e| LABELS.contains(&e.kind) && e.scope == Scope::Internal);
    let made: Vec<_> = labels.map(|e| (e.kind.name(), e.direction, e.side, e.low)).collect();
    let expected = [
        ("lower_high", -1, 1, 11),
        ("higher_low", 1, -1, 4),
        ("higher_high", 1, 1, 13),
        ("lower_low", -1, -1, 3),
        ("lower_high", -1, 1, 12),
        ("higher_low", 1, -1, 6),
    ];
    // The first of each side has none.
    assert_eq!(made, expected);
}

#[test]
fn a_close_on_the_broken_level_fails_the_break() {
    let rise = [110, 115, 120, 110, 105, 100, 110, 115, 122];
    for (after, expected) in [(&[124, 121, 119][..], vec![(-1, 121, 10)]), (&[122, 123, 124, 125, 120], vec![])] {
        let bars = closes(&[&rise[..], after].concat());
        let events = run(small(PivotRule::Leg), &bars).1;
        assert_eq!(told(&events, EventKind::Bos), [(1, 121, 8)]);
        assert_eq!(told(&events, EventKind::FailedBreak), expected);
    }
}

#[test]
fn delivery_changes_beyond_the_open_of_the_first_bar_of_a_run() {
    let bars = bars_of(&[
        [100, 101, 94, 95],   // one bar down: too short a run
        [95, 102, 95, 101],   // closes above its open, which does not count
        [101, 102, 97, 98],   // a run from 101
        [98, 99, 97, 98],     // without a body: passed over
        [98, 99, 93, 94],     // the second bar: the run counts
        [94, 101, 94, 101],   // a close on the level is not beyond
        [101, 104, 100, 103], // beyond
        [103, 110, 103, 109], // once
    ]);
    let events = run(small(PivotRule::Leg), &bars).1;
    assert_eq!(told(&events, EventKind::Cisd), [(1, 101, 6)]);
    let cisd = of_kind(&events, EventKind::Cisd)[0];
    assert_eq!((cisd.formed_at, cisd.high, cisd.side), (bars[2].open_time, 101, 0));
}

#[test]
fn a_run_is_reclaimed_on_the_level_and_within_the_bars() {
    // A pool at 121 from the fractal at bar 2, run at bar 6.
    let start = [110, 115, 120, 110, 105, 110, 122];
    for (after, expected) in [(&[123, 121][..], vec![(-1, 121, 8)]), (&[123, 124, 125, 126, 110], vec![])] {
        let events = run(small(PivotRule::Leg), &closes(&[&start[..], after].concat())).1;
        assert_eq!(told(&events, EventKind::LiquidityPoolRun), [(1, 121, 6)]);
        assert_eq!(told(&events, EventKind::LiquidityPoolReclaimed), expected);
        for reclaim in of_kind(&events, EventKind::LiquidityPoolReclaimed) {
            let run = of_kind(&events, EventKind::LiquidityPoolRun)[0];
            assert_eq!((reclaim.side, reclaim.source_id, reclaim.zone_id), (1, run.id, run.zone_id));
        }
    }
}

/// Rows of bars that deliver: (direction, first, last, low, high, id of the last gap).
fn rows(bars: &[Bar], events: &[Event]) -> Vec<(i8, usize, usize, i64, i64, u64)> {
    let displaced = |m: usize, direction: i8| {
        of_kind(events, EventKind::Displacement)
            .iter()
            .any(|e| e.formed_at == bars[m].open_time && e.direction == direction)
    };
    let mut rows: Vec<(i8, usize, usize, i64, i64, u64)> = Vec::new();
    for gap in of_kind(events, EventKind::FairValueGap) {
        let m = opened(bars, gap.formed_at);
        if !displaced(m, gap.direction) {
            continue;
        }
        match rows.last_mut().filter(|row| row.0 == gap.direction && row.2 + 1 == m) {
            Some(row) => *row = (row.0, row.1, m, row.3.min(gap.low), row.4.max(gap.high), gap.id),
            None => rows.push((gap.direction, m, m, gap.low, gap.high, gap.id)),
        }
    }
    rows
}

#[test]
fn a_void_reaches_over_the_gaps_of_its_row() {
    let mut prices = vec![[100, 101, 99, 100]; 6];
    prices.extend([[100, 111, 100, 110], [110, 121, 110, 120], [120, 122, 118, 121]]);
    prices.extend([[121, 122, 116, 117], [117, 118, 105, 106], [106, 107, 101, 104]]);
    let bars = bars_of(&prices);
    let mut config = small(PivotRule::Leg);
    config.liquidity_void.min_bars = 2;
    let events = run(config, &bars).1;
    let voids = of_kind(&events, EventKind::LiquidityVoid);
    assert_eq!(voids.len(), 1);
    let found = (voids[0].direction, voids[0].low, voids[0].high, voids[0].formed_at, voids[0].confirmed_at);
    assert_eq!(found, (1, 101, 118, bars[6].open_time, bars[8].close_time));
    assert_eq!(told(&events, EventKind::LiquidityVoidTouched), [(1, 101, 9)]);
    assert_eq!(told(&events, EventKind::LiquidityVoidHalfFilled), [(1, 101, 10)]);
    assert_eq!(told(&events, EventKind::LiquidityVoidFilled), [(1, 101, 11)]);
}

fn runs_of(kind: EventKind) -> Option<EventKind> {
    match kind {
        EventKind::LiquidityPoolRun => Some(EventKind::LiquidityPoolReclaimed),
        EventKind::EqualLevelsRun => Some(EventKind::EqualLevelsReclaimed),
        EventKind::PeriodLevelRun => Some(EventKind::PeriodLevelReclaimed),
        EventKind::SessionLevelRun => Some(EventKind::SessionLevelReclaimed),
        _ => None,
    }
}

/// Changes in the state of delivery: (bar, direction, first bar of the run).
fn changes(bars: &[Bar], direction: i8) -> Vec<(usize, i8, usize)> {
    let sign = i64::from(direction);
    let body = |t: usize| (sign * (bars[t].close - bars[t].open)).signum();
    // Runs against the direction that count: (first bar, bar from which they count).
    let mut counted: Vec<(usize, usize)> = Vec::new();
    let mut members: Vec<usize> = Vec::new();
    for t in 0..bars.len() {
        match body(t) {
            -1 => members.push(t),
            1 => members.clear(),
            _ => {}
        }
        if body(t) == -1 && members.len() == 2 {
            counted.push((members[0], t));
        }
    }
    let until = |number: usize| counted.get(number + 1).map_or(bars.len(), |next| next.1);
    let change = |(number, &(start, from)): (usize, &(usize, usize))| {
        let beyond = |&t: &usize| body(t) != -1 && sign * bars[t].close > sign * bars[start].open;
        (from + 1..until(number)).find(beyond).map(|t| (t, direction, start))
    };
    counted.iter().enumerate().filter_map(change).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pivots_are_compared_with_those_before_them(bars in walk(20..250)) {
        let events = run(unbounded(PivotRule::Leg, None), &bars).1;
        for scope in [Scope::Internal, Scope::Swing] {
            for side in [1i8, -1] {
                let of = |e: &&Event| e.scope == scope && e.side == side;
                let pivots: Vec<&Event> = of_kind(&events, EventKind::Pivot).into_iter().filter(of).collect();
                let labels: Vec<&Event> = events.iter().filter(|e| LABELS.contains(&e.kind)).filter(of).collect();
                prop_assert_eq!(labels.len(), pivots.len().saturating_sub(1));
                for (label, pair) in labels.iter().zip(pivots.windows(2)) {
                    let higher = if side > 0 { pair[1].low > pair[0].low } else { pair[1].low >= pair[0].low };
                    let name = format!("{}_{}", if higher { "higher" } else { "lower" }, if side > 0 { "high" } else { "low" });
                    prop_assert_eq!(label.kind.name(), name);
                    prop_assert_eq!(label.direction, if higher { 1 } else { -1 });
                    prop_assert_eq!((label.zone_id, label.source_id), (pair[1].id, pair[0].id));
                    let place = |e: &Event| (e.formed_at, e.confirmed_at, e.low, e.high);
                    prop_assert_eq!(place(label), place(pair[1]));
                }
            }
        }
    }

    #[test]
    fn breaks_fail_by_a_close_back(bars in walk(20..250)) {
        let events = run(unbounded(PivotRule::Leg, None), &bars).1;
        for (scope, size) in [(Scope::Internal, 2), (Scope::Swing, 5)] {
            let pivots: Vec<Found> = legs(&bars, size);
            let mut expected = Vec::new();
            for (t, direction, p, _) in breaks(&bars, &pivots) {
                let (sign, level) = (i64::from(direction), reach(&bars[p], direction));
                if let Some(u) = first(&bars, t, t + MAX_BARS, |bar| sign * bar.close <= level) {
                    expected.push((u, t, -direction, bars[p].open_time, sign * level));
                }
            }
            expected.sort_unstable();
            let failed: Vec<&Event> =
                of_kind(&events, EventKind::FailedBreak).into_iter().filter(|e| e.scope == scope).collect();
            let made: Vec<_> = failed
                .iter()
                .map(|e| {
                    let broken = events.iter().find(|other| other.id == e.source_id).unwrap();
                    assert_eq!((broken.zone_id, broken.direction, broken.side), (e.zone_id, -e.direction, e.side));
                    let (u, t) = (closed(&bars, e.confirmed_at), closed(&bars, broken.confirmed_at));
                    (u, t, e.direction, e.formed_at, e.low)
                })
                .collect();
            prop_assert_eq!(made, expected);
        }
    }

    #[test]
    fn delivery_changes_once_for_each_run(bars in walk(20..250)) {
        let events = run(unbounded(PivotRule::Leg, None), &bars).1;
        let mut expected = [changes(&bars, 1), changes(&bars, -1)].concat();
        expected.sort_by_key(|change| (change.0, -change.1));
        let made: Vec<_> = of_kind(&events, EventKind::Cisd)
            .into_iter()
            .map(|e| (closed(&bars, e.confirmed_at), e.direction, opened(&bars, e.formed_at)))
            .collect();
        prop_assert_eq!(made, expected);
        prop_assert!(of_kind(&events, EventKind::Cisd).iter().all(|e| e.low == bars[opened(&bars, e.formed_at)].open));
    }

    #[test]
    fn rows_of_displacements_with_gaps_leave_voids(bars in walk(40..250)) {
        let mut config = unbounded(PivotRule::Leg, None);
        (config.displacement.body_atr, config.displacement.range_atr) = (0.2, 0.2);
        config.liquidity_void.min_bars = 2;
        let events = run(config, &bars).1;
        let mut expected = Vec::new();
        for (direction, start, last, low, high, gap) in rows(&bars, &events) {
            let goes_on = of_kind(&events, EventKind::Displacement)
                .iter()
                .any(|e| e.formed_at == bars[last + 1].open_time && e.direction == direction);
            let known = last + 1 + usize::from(goes_on);
            if last > start && known < bars.len() {
                expected.push((known, bars[start].open_time, direction, low, high, gap));
            }
        }
        let voids = of_kind(&events, EventKind::LiquidityVoid);
        let made: Vec<_> = voids
            .iter()
            .map(|e| (closed(&bars, e.confirmed_at), e.formed_at, e.direction, e.low, e.high, e.source_id))
            .collect();
        prop_assert_eq!(made, expected);
        voids.into_iter().for_each(|void| check_life(&bars, &events, void, &VOID));
    }

    #[test]
    fn runs_are_taken_back_by_a_close(bars in walk(20..300)) {
        let events = run(unbounded(PivotRule::Leg, None), &bars).1;
        let mut reclaims = 0;
        for run in &events {
            let Some(kind) = runs_of(run.kind) else { continue };
            let (t, sign) = (closed(&bars, run.confirmed_at), i64::from(run.side));
            let back = first(&bars, t, t + MAX_BARS, |bar| sign * bar.close <= sign * run.low);
            prop_assert_eq!(record_at(&bars, &events, run.zone_id, kind), back.map(|bar| (bar, false)));
            let reclaim = events.iter().find(|e| e.kind == kind && e.source_id == run.id);
            prop_assert_eq!(reclaim.map(|e| (e.direction, e.side)), back.map(|_| (-run.side, run.side)));
            reclaims += usize::from(back.is_some());
        }
        let all = events.iter().filter(|e| e.kind.name().ends_with("_reclaimed"));
        prop_assert_eq!(all.count(), reclaims);
    }

    #[test]
    fn breakers_that_fail_are_reclaimed(bars in walk(40..400)) {
        let events = run(unbounded(PivotRule::Leg, None), &bars).1;
        let failures = of_kind(&events, EventKind::BreakerInvalidated);
        let blocks = of_kind(&events, EventKind::ReclaimedBlock);
        prop_assert_eq!(blocks.len(), failures.len());
        for failure in failures {
            let breaker = events.iter().find(|e| e.id == failure.zone_id).unwrap();
            let block = blocks.iter().find(|e| e.source_id == failure.id).unwrap();
            let place = |e: &Event| (e.formed_at, e.low, e.high, e.scope);
            prop_assert_eq!(place(block), place(breaker));
            prop_assert_eq!((block.direction, block.confirmed_at), (-breaker.direction, failure.confirmed_at));
            check_life(&bars, &events, block, &RECLAIMED);
        }
    }
}
