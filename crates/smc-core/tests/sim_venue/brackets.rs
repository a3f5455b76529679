//! Entries with their stops and targets: who wakes, who wins, who is canceled.

use crate::support::{bar, brief, child, fills, flat, free_venue, order};
use smc_core::market::Bar;
use smc_core::sim::EventKind::{Canceled, Expired, Filled};
use smc_core::sim::OrderKind::{Limit, Market, StopMarket, TakeProfit};
use smc_core::sim::{OrderKind, OrderRequest, OrderStatus, Reason, SimVenue};

/// A long of one lot: entry of `kind` at 100, stop at `stop`, target at `target`.
fn long(kind: OrderKind, stop: i64, target: i64) -> SimVenue {
    let mut venue = free_venue();
    venue.submit(order("in", kind, 1, 1, 100), 0).unwrap();
    venue.submit(child("stop", StopMarket, -1, 1, stop, "in"), 0).unwrap();
    venue.submit(child("target", TakeProfit, -1, 1, target, "in"), 0).unwrap();
    assert_eq!(venue.order_status("stop"), Some(OrderStatus::Held));
    assert_eq!(venue.open_orders().count(), 3);
    venue
}

fn filled(venue: &mut SimVenue, bars: &[Bar]) -> Vec<(String, i64)> {
    let events = venue.on_bars(bars).unwrap();
    fills(&events).into_iter().map(|(id, price)| (id.to_owned(), price)).collect()
}

fn named(pairs: &[(&str, i64)]) -> Vec<(String, i64)> {
    pairs.iter().map(|&(id, price)| (id.to_owned(), price)).collect()
}

#[test]
fn children_sleep_until_the_parent_fills() {
    let mut venue = long(Limit, 90, 120);
    assert_eq!(filled(&mut venue, &[bar(0, 110, 125, 105, 110)]), []);
    assert_eq!(venue.order_status("target"), Some(OrderStatus::Held));
    assert_eq!(filled(&mut venue, &[bar(1, 110, 110, 99, 105)]), named(&[("in", 100)]));
    assert_eq!(venue.order_status("target"), Some(OrderStatus::Open));
}

#[test]
fn a_target_fills_and_cancels_the_stop() {
    let mut venue = long(Market, 90, 120);
    let events = venue.on_bars(&[bar(0, 100, 121, 91, 120)]).unwrap();
    assert_eq!(brief(&events), [("in", Filled, 100, 0), ("target", Filled, 120, 60), ("stop", Canceled, 0, 60)]);
    assert_eq!(events[2].reason, Some(Reason::Oco));
    assert_eq!((venue.position(), venue.open_orders().count()), (0, 0));
}

#[test]
fn of_stop_and_target_in_one_bar_the_stop_is_taken() {
    assert_eq!(filled(&mut long(Market, 90, 120), &[bar(0, 100, 121, 90, 120)]), named(&[("in", 100), ("stop", 90)]));
    // Even when the open lies beyond the target.
    let bars = [bar(0, 100, 101, 99, 100), bar(1, 125, 126, 90, 95)];
    assert_eq!(filled(&mut long(Market, 90, 120), &bars), named(&[("in", 100), ("stop", 90)]));
}

#[test]
fn a_target_gets_its_price_when_the_open_gaps_beyond_it() {
    let bars = [flat(0, 100), flat(1, 130)];
    assert_eq!(filled(&mut long(Market, 90, 120), &bars), named(&[("in", 100), ("target", 120)]));
}

#[test]
fn entered_inside_a_bar_the_stop_works_there_and_the_target_waits() {
    let mut venue = long(Limit, 90, 120);
    assert_eq!(filled(&mut venue, &[flat(0, 110), bar(1, 110, 130, 91, 115)]), named(&[("in", 100)]));
    assert_eq!(filled(&mut venue, &[bar(2, 115, 121, 91, 115)]), named(&[("target", 120)]));
    let mut venue = long(Limit, 90, 120);
    let events = venue.on_bars(&[flat(0, 110), bar(1, 110, 130, 90, 115)]).unwrap();
    assert_eq!(brief(&events), [("in", Filled, 100, 120), ("stop", Filled, 90, 120), ("target", Canceled, 0, 120)]);
}

#[test]
fn a_gap_through_entry_and_stop_stops_at_the_open() {
    let bars = [flat(0, 110), bar(1, 85, 105, 80, 100)];
    assert_eq!(filled(&mut long(Limit, 90, 120), &bars), named(&[("in", 100), ("stop", 85)]));
}

#[test]
fn an_entry_at_the_open_frees_both_children_in_its_bar() {
    let bars = [bar(0, 98, 121, 95, 110)];
    assert_eq!(filled(&mut long(Limit, 90, 120), &bars), named(&[("in", 98), ("target", 120)]));
}

#[test]
fn a_stop_entry_can_be_stopped_in_its_bar() {
    let mut venue = long(StopMarket, 90, 120);
    assert_eq!(filled(&mut venue, &[bar(0, 95, 125, 91, 110)]), named(&[("in", 100)]));
    assert_eq!(
        filled(&mut long(StopMarket, 90, 120), &[bar(0, 95, 125, 90, 110)]),
        named(&[("in", 100), ("stop", 90)])
    );
}

#[test]
fn children_end_with_a_parent_that_never_fills() {
    let mut venue = long(Limit, 90, 120);
    let events = venue.cancel("in", 10);
    assert_eq!(brief(&events), [("in", Canceled, 0, 10), ("stop", Canceled, 0, 10), ("target", Canceled, 0, 10)]);
    assert_eq!(events[1].reason, Some(Reason::ParentEnded));

    let mut venue = free_venue();
    venue.submit(OrderRequest { expires_at: 60, ..order("in", Limit, 1, 1, 100) }, 0).unwrap();
    venue.submit(child("stop", StopMarket, -1, 1, 90, "in"), 0).unwrap();
    venue.submit(child("below", StopMarket, -1, 1, 80, "stop"), 0).unwrap();
    let events = venue.on_bars(&[flat(0, 110), flat(1, 50)]).unwrap();
    assert_eq!(brief(&events), [("in", Expired, 0, 60), ("stop", Canceled, 0, 60), ("below", Canceled, 0, 60)]);
}

#[test]
fn a_child_that_arrives_within_its_parents_bar_guards_that_bar() {
    let mut venue = free_venue();
    venue.submit(order("in", Market, 1, 1, 0), 0).unwrap();
    venue.submit(child("stop", StopMarket, -1, 1, 90, "in"), 30).unwrap();
    assert_eq!(filled(&mut venue, &[bar(0, 100, 100, 80, 95)]), named(&[("in", 100), ("stop", 90)]));
}

#[test]
fn one_child_canceled_by_request_leaves_the_other() {
    let mut venue = long(Market, 90, 120);
    filled(&mut venue, &[flat(0, 100)]);
    assert_eq!(venue.cancel("stop", 60).len(), 1);
    assert_eq!(filled(&mut venue, &[flat(1, 121)]), named(&[("target", 120)]));
}
