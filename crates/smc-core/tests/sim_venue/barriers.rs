//! Virtual brackets: their rules, and that they end as a bracket at a free venue does.

use crate::scenario::{bars_of, session};
use crate::support::{bar, child, flat, free_venue, order};
use proptest::prelude::*;
use smc_core::market::Bar;
use smc_core::sim::{
    BarrierError, BarrierOutcome, BarrierTracker, EventKind, OrderKind, OrderRequest, Outcome, VirtualBracket,
};

fn bracket(key: &str) -> VirtualBracket {
    VirtualBracket {
        key: key.to_owned(),
        side: 1,
        entry: 100,
        stop: 90,
        target: 120,
        from: 0,
        entry_expires_at: 0,
        time_limit_ns: 0,
    }
}

fn follow(bracket: VirtualBracket, bars: &[Bar]) -> Option<(Outcome, i64, i64, i64)> {
    let mut tracker = BarrierTracker::default();
    tracker.add(bracket).unwrap();
    let ended = tracker.on_bars(bars).unwrap();
    assert_eq!(ended.len() + tracker.open_count(), 1);
    ended.first().map(|e| (e.outcome, e.entered_at, e.exited_at, e.exit_price))
}

#[test]
fn each_barrier_at_its_boundary() {
    let entered = [flat(0, 110), bar(1, 110, 110, 99, 105)];
    let then = |last: Bar| follow(bracket("k"), &[entered[0], entered[1], last]);
    assert_eq!(then(bar(2, 105, 120, 91, 105)), None);
    assert_eq!(then(bar(2, 105, 121, 91, 105)), Some((Outcome::Target, 120, 180, 120)));
    assert_eq!(then(bar(2, 105, 120, 90, 105)), Some((Outcome::Stop, 120, 180, 90)));
    assert_eq!(then(bar(2, 105, 121, 90, 105)), Some((Outcome::Stop, 120, 180, 90)));
    assert_eq!(then(bar(2, 85, 95, 80, 90)), Some((Outcome::Stop, 120, 120, 85)));
}

#[test]
fn the_entry_waits_fills_or_expires() {
    let late = VirtualBracket { from: 120, ..bracket("k") };
    assert_eq!(follow(late, &[flat(0, 50), flat(1, 50), flat(2, 110)]), None);
    let expiring = VirtualBracket { entry_expires_at: 120, ..bracket("k") };
    assert_eq!(
        follow(expiring.clone(), &[flat(0, 110), flat(1, 110), flat(2, 99)]),
        Some((Outcome::Unfilled, 0, 120, 0))
    );
    assert_eq!(follow(expiring, &[flat(0, 110), flat(1, 99), flat(2, 99)]), None);
}

#[test]
fn the_time_limit_counts_from_the_entry_and_closes_at_an_open() {
    let limited = VirtualBracket { time_limit_ns: 120, ..bracket("k") };
    let bars = [flat(0, 110), bar(1, 110, 110, 99, 105), flat(2, 104), flat(3, 103), flat(4, 107)];
    assert_eq!(follow(limited.clone(), &bars[..4]), None);
    assert_eq!(follow(limited.clone(), &bars), Some((Outcome::Timeout, 120, 240, 107)));
    // A stop already passed at that open is a stop.
    let gapped = [bars[0], bars[1], bars[2], bars[3], flat(4, 80)];
    assert_eq!(follow(limited, &gapped), Some((Outcome::Stop, 120, 240, 80)));
}

#[test]
fn what_contradicts_itself_is_refused() {
    let mut tracker = BarrierTracker::default();
    tracker.add(bracket("k")).unwrap();
    assert_eq!(tracker.add(bracket("k")), Err(BarrierError::DuplicateKey("k".into())));
    assert!(matches!(tracker.add(VirtualBracket { side: 0, ..bracket("a") }), Err(BarrierError::BadSide { .. })));
    assert!(matches!(tracker.add(VirtualBracket { side: -1, ..bracket("a") }), Err(BarrierError::BadLevels { .. })));
    assert!(matches!(tracker.add(VirtualBracket { stop: 100, ..bracket("a") }), Err(BarrierError::BadLevels { .. })));
    assert!(matches!(tracker.add(VirtualBracket { stop: 0, ..bracket("a") }), Err(BarrierError::BadLevels { .. })));
    let backwards = VirtualBracket { time_limit_ns: -1, ..bracket("a") };
    assert!(matches!(tracker.add(backwards), Err(BarrierError::BadTimeLimit { value: -1, .. })));
    tracker.on_bars(&[flat(1, 110)]).unwrap();
    assert_eq!(tracker.on_bars(&[flat(1, 110)]), Err(BarrierError::TimeWentBack { time: 60, last: 120 }));
    assert_eq!(tracker.open_count(), 1);
}

/// The same bracket as orders at a venue without costs; the time limit is a market order at its open.
fn at_venue(bracket: &VirtualBracket, bars: &[Bar]) -> Option<BarrierOutcome> {
    let mut venue = free_venue();
    let entry = OrderRequest {
        expires_at: bracket.entry_expires_at,
        ..order("in", OrderKind::Limit, bracket.side, 1, bracket.entry)
    };
    venue.submit(entry, bracket.from).unwrap();
    venue.submit(child("stop", OrderKind::StopMarket, -bracket.side, 1, bracket.stop, "in"), bracket.from).unwrap();
    venue.submit(child("target", OrderKind::TakeProfit, -bracket.side, 1, bracket.target, "in"), bracket.from).unwrap();
    let mut entered_at = 0;
    for bar in bars {
        if venue.position() != 0 && bracket.time_limit_ns > 0 && bar.open_time >= entered_at + bracket.time_limit_ns {
            let exit = OrderRequest { reduce_only: true, ..order("timeout", OrderKind::Market, -bracket.side, 1, 0) };
            venue.submit(exit, bar.open_time).unwrap();
        }
        for event in venue.on_bars(std::slice::from_ref(bar)).unwrap() {
            let outcome = match (event.client_order_id.as_str(), event.kind) {
                ("in", EventKind::Filled) => {
                    entered_at = event.time;
                    continue;
                }
                ("in", EventKind::Expired) => Outcome::Unfilled,
                ("stop", EventKind::Filled) => Outcome::Stop,
                ("target", EventKind::Filled) => Outcome::Target,
                ("timeout", EventKind::Filled) => Outcome::Timeout,
                _ => continue,
            };
            let key = bracket.key.clone();
            return Some(BarrierOutcome { key, outcome, entered_at, exited_at: event.time, exit_price: event.price });
        }
    }
    None
}

proptest! {
    #[test]
    fn a_virtual_bracket_ends_as_at_the_venue(
        session in session(), long in any::<bool>(), offset in -10i64..10, risk in 1i64..15, reward in 1i64..25,
        from in 0i64..200, life in 0i64..600, limit in 0i64..900, cut in 0usize..40,
    ) {
        let bars = bars_of(&session);
        let side = if long { 1 } else { -1 };
        let direction = i64::from(side);
        let entry = 1_000 + offset;
        let bracket = VirtualBracket {
            key: "k".into(), side, entry, stop: entry - direction * risk, target: entry + direction * reward, from,
            entry_expires_at: if life == 0 { 0 } else { from + life }, time_limit_ns: limit,
        };
        let mut tracker = BarrierTracker::default();
        tracker.add(bracket.clone()).unwrap();
        let cut = cut.min(bars.len());
        let mut ended = tracker.on_bars(&bars[..cut]).unwrap();
        let mut tracker: BarrierTracker = postcard::from_bytes(&postcard::to_stdvec(&tracker).unwrap()).unwrap();
        ended.extend(tracker.on_bars(&bars[cut..]).unwrap());
        prop_assert_eq!(ended.first().cloned(), at_venue(&bracket, &bars));
        prop_assert_eq!(ended.len() + tracker.open_count(), 1);
    }
}
