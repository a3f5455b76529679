//! Breakers, mitigation blocks, rejection blocks, propulsion blocks.

use proptest::prelude::*;
use smc_core::smc::{Event, EventKind, PivotRule};

use super::smc_common::plain::{
    check_life, closed, fractals, of_kind, opened, reach, record_at, unbounded, Ends, Records,
};
use super::smc_common::{run, walk};

const BREAKER: Records = Records {
    edge_enters: true,
    touched: EventKind::BreakerTouched,
    half: Some(EventKind::BreakerMitigated),
    ends: Ends::CloseBeyond,
    ended: EventKind::BreakerInvalidated,
};
const MITIGATION: Records = Records {
    edge_enters: true,
    touched: EventKind::MitigationBlockTouched,
    half: Some(EventKind::MitigationBlockMitigated),
    ends: Ends::CloseBeyond,
    ended: EventKind::MitigationBlockInvalidated,
};
const REJECTION: Records = Records {
    edge_enters: true,
    touched: EventKind::RejectionBlockTouched,
    half: Some(EventKind::RejectionBlockMitigated),
    ends: Ends::CloseBeyond,
    ended: EventKind::RejectionBlockInvalidated,
};
const PROPULSION: Records = Records {
    edge_enters: true,
    touched: EventKind::PropulsionBlockTouched,
    half: None,
    ends: Ends::CloseBeyondHalf,
    ended: EventKind::PropulsionBlockInvalidated,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn failed_blocks_flip(bars in walk(20..250)) {
        let events = run(unbounded(PivotRule::Leg, None), &bars).1;
        let mut flipped = 0;
        for failure in of_kind(&events, EventKind::OrderBlockInvalidated) {
            let block = events.iter().find(|e| e.id == failure.zone_id).unwrap();
            let (born, end) = (closed(&bars, block.confirmed_at), closed(&bars, failure.confirmed_at));
            let touched = record_at(&bars, &events, block.id, EventKind::OrderBlockTouched).unwrap().0;
            let beyond = |bar| reach(bar, block.direction);
            let old = bars[born..=touched].iter().map(beyond).max().unwrap();
            let swept = bars[touched + 1..=end.max(touched)].iter().any(|bar| beyond(bar) > old);
            let (kind, life) =
                if swept { (EventKind::Breaker, &BREAKER) } else { (EventKind::MitigationBlock, &MITIGATION) };
            let zone = events.iter().find(|e| e.kind == kind && e.source_id == failure.id).unwrap();
            prop_assert_eq!((zone.direction, zone.scope, zone.confirmed_at), (-block.direction, block.scope, failure.confirmed_at));
            prop_assert_eq!((zone.formed_at, zone.low, zone.high), (block.formed_at, block.low, block.high));
            check_life(&bars, &events, zone, life);
            flipped += 1;
        }
        let zones = events.iter().filter(|e| matches!(e.kind, EventKind::Breaker | EventKind::MitigationBlock));
        prop_assert_eq!(zones.count(), flipped);
    }

    #[test]
    fn long_wicks_reject(bars in walk(20..250)) {
        let events = run(unbounded(PivotRule::Leg, None), &bars).1;
        let mut expected: Vec<(usize, usize, i8)> = Vec::new();
        let long = |p: usize, side: i8| {
            let body = if side > 0 { bars[p].open.max(bars[p].close) } else { -bars[p].open.min(bars[p].close) };
            let wick = reach(&bars[p], side) - body;
            wick > 0 && wick as f64 >= 0.3 * bars[p].range() as f64
        };
        for sweep in events.iter().filter(|e| e.kind.is_sweep()) {
            let t = closed(&bars, sweep.confirmed_at);
            if long(t, sweep.side) && !expected.contains(&(t, t, -sweep.side)) {
                expected.push((t, t, -sweep.side));
            }
        }
        for (p, known, side) in fractals(&bars, 2) {
            if long(p, side) && !expected.contains(&(p, p, -side)) {
                expected.push((p, known, -side));
            }
        }
        expected.sort_unstable();
        let zones = of_kind(&events, EventKind::RejectionBlock);
        let place = |e: &&Event| (opened(&bars, e.formed_at), closed(&bars, e.confirmed_at), e.direction);
        let mut made: Vec<_> = zones.iter().map(place).collect();
        made.sort_unstable();
        prop_assert_eq!(made, expected);
        for zone in zones {
            let bar = &bars[opened(&bars, zone.formed_at)];
            let wick = if zone.direction > 0 {
                (bar.low, bar.open.min(bar.close))
            } else {
                (bar.open.max(bar.close), bar.high)
            };
            prop_assert_eq!((zone.low, zone.high), wick);
            let cause = events.iter().find(|e| e.id == zone.source_id).unwrap();
            prop_assert!(cause.kind.is_sweep() || cause.kind == EventKind::LiquidityPool);
            prop_assert_eq!((cause.side, cause.confirmed_at), (-zone.direction, zone.confirmed_at));
            check_life(&bars, &events, zone, &REJECTION);
        }
    }

    #[test]
    fn blocks_inside_live_blocks_propel(bars in walk(20..400)) {
        let events = run(unbounded(PivotRule::Leg, None), &bars).1;
        let blocks = of_kind(&events, EventKind::OrderBlock);
        let mut expected = Vec::new();
        for block in &blocks {
            let live = |e: &&&Event| {
                let end = record_at(&bars, &events, e.id, EventKind::OrderBlockInvalidated);
                e.id < block.id && end.is_none_or(|(bar, _)| bar > closed(&bars, block.confirmed_at))
            };
            let inside = |e: &&&Event| {
                e.direction == block.direction && e.formed_at < block.formed_at && e.low <= block.low && e.high >= block.high
            };
            if let Some(parent) = blocks.iter().filter(live).filter(inside).map(|e| e.id).max() {
                expected.push((block.formed_at, block.confirmed_at, block.direction, block.low, block.high, parent));
            }
        }
        let zones = of_kind(&events, EventKind::PropulsionBlock);
        let made: Vec<_> =
            zones.iter().map(|e| (e.formed_at, e.confirmed_at, e.direction, e.low, e.high, e.source_id)).collect();
        prop_assert_eq!(made, expected);
        for zone in zones {
            check_life(&bars, &events, zone, &PROPULSION);
        }
    }
}
