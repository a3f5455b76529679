//! One order at a time: eligibility, prices, costs, rejections.

use crate::support::{bar, brief, fills, flat, free_venue, order, venue_with, MINUTE};
use smc_core::sim::EventKind::{Canceled, Expired, Filled, Rejected};
use smc_core::sim::OrderKind::{Limit, Market, StopMarket, TakeProfit};
use smc_core::sim::{EventKind, Liquidity, OrderKind, OrderRequest, OrderStatus, Reason, SimVenue, VenueError};

/// What one order of each kind fills at in one bar, if at all.
fn price_in(kind: OrderKind, side: i8, price: i64, resting: bool, ohlc: (i64, i64, i64, i64)) -> Option<i64> {
    let mut venue = free_venue();
    venue.submit(order("a", kind, side, 1, price), 0).unwrap();
    let far = if side > 0 { price + 500 } else { (price - 500).max(1) };
    let far = if kind == StopMarket { 2 * price - far } else { far };
    if resting {
        assert_eq!(venue.on_bars(&[flat(0, far)]).unwrap(), []);
    }
    let (open, high, low, close) = ohlc;
    let events = venue.on_bars(&[bar(1, open, high, low, close)]).unwrap();
    fills(&events).first().map(|&(_, price)| price)
}

#[test]
fn a_resting_limit_needs_a_trade_through() {
    assert_eq!(price_in(Limit, 1, 100, true, (105, 106, 100, 104)), None);
    assert_eq!(price_in(Limit, 1, 100, true, (105, 106, 99, 104)), Some(100));
    assert_eq!(price_in(Limit, 1, 100, true, (95, 96, 94, 95)), Some(100));
    assert_eq!(price_in(Limit, -1, 100, true, (95, 100, 94, 95)), None);
    assert_eq!(price_in(TakeProfit, -1, 100, true, (95, 101, 94, 95)), Some(100));
    assert_eq!(price_in(Limit, -1, 100, true, (105, 106, 104, 105)), Some(100));
}

#[test]
fn a_limit_that_its_first_open_has_passed_crosses_there() {
    assert_eq!(price_in(Limit, 1, 100, false, (95, 96, 94, 95)), Some(95));
    assert_eq!(price_in(Limit, 1, 100, false, (100, 101, 100, 100)), None);
    assert_eq!(price_in(Limit, 1, 100, false, (100, 101, 99, 100)), Some(100));
    assert_eq!(price_in(Limit, -1, 100, false, (103, 103, 102, 103)), Some(103));
}

#[test]
fn a_stop_fills_at_the_worse_of_its_price_and_the_open() {
    assert_eq!(price_in(StopMarket, 1, 110, true, (105, 109, 104, 105)), None);
    assert_eq!(price_in(StopMarket, 1, 110, true, (105, 110, 104, 105)), Some(110));
    assert_eq!(price_in(StopMarket, 1, 110, true, (112, 113, 104, 105)), Some(112));
    assert_eq!(price_in(StopMarket, -1, 90, true, (95, 96, 91, 95)), None);
    assert_eq!(price_in(StopMarket, -1, 90, true, (95, 96, 90, 95)), Some(90));
    assert_eq!(price_in(StopMarket, -1, 90, true, (88, 96, 80, 95)), Some(88));
}

#[test]
fn an_order_works_from_the_bar_it_arrives_in() {
    for (now, latency, works_from) in [(0, 0, 0), (0, 1, 0), (1, 0, 0), (50, 9, 0), (50, 10, 1), (50, 71, 2)] {
        let mut venue = venue_with(0, 0, 0, 0, latency);
        let answer = venue.submit(order("a", Market, 1, 1, 0), now).unwrap();
        assert_eq!(answer.time, now + latency);
        let events = venue.on_bars(&[flat(0, 100), flat(1, 101), flat(2, 102)]).unwrap();
        assert_eq!(brief(&events), [("a", Filled, 100 + works_from, (now + latency).max(works_from * MINUTE))]);
    }
}

#[test]
fn takers_pay_spread_slippage_and_fee_and_makers_their_fee() {
    let mut venue = venue_with(200, 500, 2, 150, 0);
    venue.submit(order("taker", Market, 1, 3, 0), 0).unwrap();
    venue.submit(order("maker", Limit, -1, 2, 10_010), 0).unwrap();
    venue.submit(order("stop", StopMarket, -1, 1, 9_990), 0).unwrap();
    let events = venue.on_bars(&[bar(0, 10_000, 10_011, 9_990, 10_000)]).unwrap();
    let seen: Vec<_> = events.iter().map(|e| (e.client_order_id.as_str(), e.price, e.fee, e.liquidity)).collect();
    // 150 ppm of about 10,000 rounds up to 2 ticks; fees: ceil(30,012 * 500 ppm), ceil(9,986 * ..), ceil(20,020 * 200 ppm).
    let taker = Some(Liquidity::Taker);
    assert_eq!(
        seen,
        [("taker", 10_004, 16, taker), ("stop", 9_986, 5, taker), ("maker", 10_010, 5, Some(Liquidity::Maker))]
    );
}

#[test]
fn a_crossing_limit_is_never_worse_than_its_price() {
    let mut venue = venue_with(0, 0, 4, 0, 0);
    venue.submit(order("near", Limit, 1, 1, 102), 0).unwrap();
    venue.submit(order("wide", Limit, 1, 1, 110), 0).unwrap();
    venue.submit(order("sell", Limit, -1, 1, 97), 0).unwrap();
    assert_eq!(fills(&venue.on_bars(&[flat(0, 100)]).unwrap()), [("near", 102), ("wide", 104), ("sell", 97)]);
}

#[test]
fn an_order_expires_before_a_bar_that_opens_at_its_time() {
    let limit = OrderRequest { expires_at: 2 * MINUTE, ..order("a", Limit, 1, 1, 100) };
    let mut venue = free_venue();
    venue.submit(limit.clone(), 0).unwrap();
    let events = venue.on_bars(&[flat(0, 105), flat(1, 105), flat(2, 90)]).unwrap();
    assert_eq!(brief(&events), [("a", Expired, 0, 2 * MINUTE)]);
    assert_eq!(venue.order_status("a"), Some(OrderStatus::Expired));
    let mut venue = free_venue();
    venue.submit(OrderRequest { expires_at: 2 * MINUTE + 1, ..limit }, 0).unwrap();
    let events = venue.on_bars(&[flat(0, 105), flat(1, 105), flat(2, 90)]).unwrap();
    assert_eq!(brief(&events), [("a", Filled, 100, 3 * MINUTE)]);
}

#[test]
fn reduce_only_is_clipped_or_canceled_and_never_opens() {
    let mut venue = free_venue();
    let reduce = |id, side, quantity| OrderRequest { reduce_only: true, ..order(id, Market, side, quantity, 0) };
    venue.submit(order("in", Market, 1, 5, 0), 0).unwrap();
    venue.on_bars(&[flat(0, 100)]).unwrap();
    venue.submit(reduce("grow", 1, 1), MINUTE).unwrap();
    venue.submit(reduce("most", -1, 4), MINUTE).unwrap();
    venue.submit(reduce("rest", -1, 9), MINUTE).unwrap();
    venue.submit(reduce("none", -1, 1), MINUTE).unwrap();
    let events = venue.on_bars(&[flat(1, 100)]).unwrap();
    let seen: Vec<_> = events.iter().map(|e| (e.client_order_id.as_str(), e.kind, e.quantity, e.reason)).collect();
    let empty = Some(Reason::NothingToReduce);
    assert_eq!(
        seen,
        [
            ("grow", Canceled, 1, empty),
            ("most", Filled, 4, None),
            ("rest", Filled, 1, None),
            ("rest", Canceled, 9, empty),
            ("none", Canceled, 1, empty)
        ]
    );
    assert_eq!(venue.position(), 0);
    let ends = ["most", "rest"].map(|id| venue.order_status(id).unwrap());
    assert_eq!(ends, [OrderStatus::Filled, OrderStatus::Canceled]);
}

fn refusal(venue: &mut SimVenue, request: OrderRequest) -> Option<Reason> {
    let id = request.client_order_id.clone();
    let answer = venue.submit(request, 0).unwrap();
    assert_eq!(answer.kind == Rejected, answer.reason.is_some());
    assert_eq!(venue.order_status(&id) == Some(OrderStatus::Rejected), answer.reason.is_some());
    answer.reason
}

#[test]
fn what_is_refused_says_why() {
    let mut venue = free_venue();
    venue.on_bars(&[flat(0, 10)]).unwrap();
    assert_eq!(refusal(&mut venue, order("q0", Limit, 1, 0, 100)), Some(Reason::NonPositiveQuantity));
    assert_eq!(refusal(&mut venue, order("p0", StopMarket, 1, 1, 0)), Some(Reason::NonPositivePrice));
    assert_eq!(refusal(&mut venue, order("m", Market, 1, 5, -7)), None);
    assert_eq!(refusal(&mut venue, order("n49", Limit, 1, 1, 49)), Some(Reason::BelowMinNotional));
    assert_eq!(refusal(&mut venue, order("n50", Limit, 1, 1, 50)), None);
    assert_eq!(refusal(&mut venue, order("m4", Market, 1, 4, 0)), Some(Reason::BelowMinNotional));
    let small = OrderRequest { reduce_only: true, ..order("r1", Market, 1, 1, 0) };
    assert_eq!(refusal(&mut venue, small), None);
    let orphan = OrderRequest { parent: "nobody".into(), ..order("c", Limit, 1, 1, 60) };
    assert_eq!(refusal(&mut venue, orphan), Some(Reason::UnknownParent));
    let late = OrderRequest { parent: "q0".into(), ..order("d", Limit, 1, 1, 60) };
    assert_eq!(refusal(&mut venue, late), Some(Reason::ParentEnded));
    assert_eq!(venue.open_orders().collect::<Vec<_>>(), ["m", "n50", "r1"]);
}

#[test]
fn misuse_is_an_error_and_changes_nothing() {
    let mut venue = free_venue();
    venue.on_bars(&[flat(3, 100)]).unwrap();
    let before = venue.clone();
    assert_eq!(venue.submit(order("", Market, 1, 1, 0), 0), Err(VenueError::EmptyClientId));
    assert!(matches!(venue.submit(order("a", Market, 2, 1, 0), 0), Err(VenueError::BadSide { side: 2, .. })));
    assert!(matches!(venue.on_bars(&[flat(4, 100), flat(4, 100)]), Err(VenueError::TimeWentBack { what: "bar", .. })));
    assert!(matches!(venue.on_bars(&[flat(3, 100)]), Err(VenueError::TimeWentBack { time: 180, last: 240, .. })));
    assert!(matches!(venue.on_trades(&[(239, 100, 1)]), Err(VenueError::TimeWentBack { what: "trade", .. })));
    assert!(matches!(venue.on_trades(&[(240, 100, 1), (241, 100, 0)]), Err(VenueError::BadTrade { index: 1, .. })));
    assert_eq!(venue, before);
    assert_eq!((venue.last_time(), venue.last_sequence()), (240, 0));
}

#[test]
fn a_cancel_ends_an_order_once() {
    let mut venue = venue_with(0, 0, 0, 0, 7);
    venue.submit(order("a", Limit, 1, 1, 100), 0).unwrap();
    let events = venue.cancel("a", 30);
    assert_eq!(brief(&events), [("a", Canceled, 0, 37)]);
    assert_eq!(events[0].reason, Some(Reason::Requested));
    assert_eq!((venue.cancel("a", 31), venue.cancel("b", 31)), (vec![], vec![]));
    assert_eq!(venue.on_bars(&[flat(1, 50)]).unwrap(), []);
}

#[test]
fn a_repeated_submit_gets_the_first_answer_and_makes_no_order() {
    let mut venue = free_venue();
    let first = venue.submit(order("a", Limit, 1, 1, 100), 5).unwrap();
    assert_eq!(venue.submit(order("a", Market, -1, 9, 0), 99).unwrap(), first);
    assert_eq!(fills(&venue.on_bars(&[flat(1, 110), flat(2, 90)]).unwrap()), [("a", 100)]);
    let before = venue.clone();
    assert_eq!(venue.submit(order("a", Limit, 1, 1, 100), 999).unwrap(), first);
    assert_eq!(venue, before);
}

#[test]
fn trades_match_by_the_same_rules() {
    let mut venue = free_venue();
    venue.submit(order("limit", Limit, 1, 1, 100), 10).unwrap();
    venue.submit(order("stop", StopMarket, 1, 1, 110), 10).unwrap();
    venue.submit(order("market", Market, 1, 1, 0), 10).unwrap();
    let trades = [(9, 80, 1), (10, 105, 1), (11, 100, 1), (12, 109, 1), (13, 99, 1), (14, 111, 1)];
    let events = venue.on_trades(&trades).unwrap();
    let expected: [(&str, EventKind, i64, i64); 3] =
        [("market", Filled, 105, 10), ("limit", Filled, 100, 13), ("stop", Filled, 111, 14)];
    assert_eq!(brief(&events), expected);
    assert_eq!(venue.last_time(), 14);
}
