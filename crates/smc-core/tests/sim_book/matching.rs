//! What fills an order, and for how much.

use crate::support::{config, venue, CASH};
use crate::support::{limit, order, seen, Scene};
use smc_core::market::Instrument;
use smc_core::sim::Market as Fed;
use smc_core::sim::{BookVenue, Impact, Liquidity, OrderKind, QueueModel, Venue, VenueError};

#[test]
fn a_taker_walks_the_book_and_what_it_took_is_gone() {
    let mut scene = Scene::new(venue(QueueModel::RiskAverse, 0));
    scene.send(order("a", OrderKind::Market, 1, 14, 0), 20);
    assert_eq!(scene.happened(), [seen("a", "filled", 10, 102, ""), seen("a", "filled", 4, 103, "")]);
    scene.send(limit("b", 1, 20, 103), 21);
    assert_eq!(scene.happened(), [seen("b", "filled", 16, 103, "")]);
    // The rest of b stands at 103 and meets what is shown there anew, as a maker.
    scene.depth(30, &[], &[(103, 25)]);
    assert_eq!(scene.happened(), [seen("b", "filled", 4, 103, "")]);
    scene.send(order("c", OrderKind::Market, 1, 9, 0), 31);
    assert_eq!(scene.happened(), [seen("c", "filled", 1, 103, ""), seen("c", "canceled", 9, 0, "no_liquidity")]);
    assert_eq!(scene.venue.position(), 35);
}

#[test]
fn a_level_that_shrinks_keeps_no_more_than_it_shows_as_taken() {
    let mut scene = Scene::new(venue(QueueModel::RiskAverse, 0));
    scene.send(limit("a", 1, 8, 102), 20);
    scene.depth(21, &[], &[(102, 5)]);
    scene.depth(22, &[], &[(102, 9)]);
    scene.happened();
    scene.send(order("b", OrderKind::Market, 1, 5, 0), 23);
    assert_eq!(scene.happened(), [seen("b", "filled", 4, 102, ""), seen("b", "filled", 1, 103, "")]);
}

#[test]
fn a_resting_order_waits_for_those_ahead_and_fills_in_parts() {
    let mut scene = Scene::new(venue(QueueModel::RiskAverse, 0));
    scene.send(limit("a", 1, 6, 100), 20);
    assert_eq!(scene.venue.queue_ahead("a"), Some(10));
    scene.depth(21, &[(100, 18)], &[]);
    scene.trade(22, -1, 100, 7);
    assert_eq!((scene.happened(), scene.venue.queue_ahead("a")), (vec![], Some(3)));
    scene.trade(23, -1, 100, 5);
    assert_eq!(scene.happened(), [seen("a", "filled", 2, 100, "")]);
    // A buyer's trade at the price serves the other queue.
    scene.trade(24, 1, 100, 50);
    assert_eq!(scene.happened(), []);
    scene.trade(25, -1, 100, 50);
    assert_eq!(scene.happened(), [seen("a", "filled", 4, 100, "")]);
    let ledger = scene.venue.ledger();
    // A rebate of 100 parts per million of 200 and of 400 quote units is less than one, so none.
    assert_eq!((ledger.position().lots(), ledger.fees(), scene.venue.cash()), (6, 0, CASH));
    assert_eq!(ledger.equity(100), CASH);
}

#[test]
fn trades_through_a_price_fill_it_for_their_size_only() {
    let mut scene = Scene::new(venue(QueueModel::RiskAverse, 0));
    scene.send(limit("a", -1, 30, 103), 20);
    scene.send(limit("b", -1, 5, 103), 20);
    scene.trade(21, 1, 104, 32);
    assert_eq!(scene.happened(), [seen("a", "filled", 30, 103, ""), seen("b", "filled", 2, 103, "")]);
}

#[test]
fn own_orders_share_a_trade_by_price_and_then_by_time() {
    let mut scene = Scene::new(venue(QueueModel::RiskAverse, 0));
    scene.send(limit("late", 1, 4, 100), 20);
    scene.send(limit("better", 1, 3, 101), 21);
    scene.send(limit("last", 1, 4, 100), 22);
    scene.trade(30, -1, 100, 15);
    // 3 at 101, then the 10 that are displayed, then 2 of the first at 100.
    assert_eq!(scene.happened(), [seen("better", "filled", 3, 101, ""), seen("late", "filled", 2, 100, "")]);
    scene.trade(31, -1, 100, 3);
    assert_eq!(scene.happened(), [seen("late", "filled", 2, 100, ""), seen("last", "filled", 1, 100, "")]);
}

#[test]
fn quotes_of_the_other_side_fill_for_what_they_show() {
    let mut scene = Scene::new(venue(QueueModel::RiskAverse, 0));
    scene.send(limit("a", 1, 9, 101), 20);
    scene.depth(21, &[], &[(101, 4)]);
    assert_eq!(scene.happened(), [seen("a", "filled", 4, 101, "")]);
    scene.depth(22, &[], &[(101, 4)]);
    assert_eq!(scene.happened(), []);
    scene.depth(23, &[], &[(101, 0), (100, 8)]);
    assert_eq!(scene.happened(), [seen("a", "filled", 5, 101, "")]);
}

#[test]
fn stops_are_triggered_by_trades_and_take_what_is_there() {
    let mut scene = Scene::new(venue(QueueModel::RiskAverse, 0));
    scene.send(order("s", OrderKind::StopMarket, -1, 3, 99), 20);
    scene.trade(21, -1, 100, 1);
    assert_eq!(scene.happened(), []);
    scene.trade(22, -1, 99, 1);
    assert_eq!(scene.happened(), [seen("s", "filled", 3, 100, "")]);
    // Reached before it came.
    scene.send(order("t", OrderKind::StopMarket, -1, 3, 99), 23);
    assert_eq!(scene.happened(), [seen("t", "filled", 3, 100, "")]);
}

#[test]
fn impact_makes_the_second_order_dearer_and_keeps_limits() {
    let instrument = Instrument::new("sim", "X", "1", "1", "0").unwrap();
    let impact = Some(Impact::new(1.0, 0.5, 400.0, 1e9).unwrap());
    let mut scene = Scene::new(BookVenue::new(
        instrument,
        smc_core::sim::BookVenueConfig { impact, ..config(QueueModel::RiskAverse, 0) },
        CASH,
    ));
    scene.send(order("a", OrderKind::Market, 1, 4, 0), 20);
    assert_eq!(scene.happened(), [seen("a", "filled", 4, 102, "")]);
    // Half of the price times sqrt(4 / 400) is 5.1 ticks at 102.
    scene.send(order("b", OrderKind::Market, 1, 1, 0), 20);
    assert_eq!(scene.happened(), [seen("b", "filled", 1, 108, "")]);
    scene.send(limit("c", 1, 1, 107), 20);
    assert_eq!((scene.happened(), scene.venue.queue_ahead("c")), (vec![], Some(0)));
    scene.send(order("d", OrderKind::Market, -1, 1, 0), 20);
    assert_eq!(scene.happened(), [seen("d", "filled", 1, 100, "")]);
}

#[test]
fn funding_is_paid_to_the_other_side_and_rounded_against_the_account() {
    let mut scene = Scene::new(venue(QueueModel::RiskAverse, 0));
    scene.send(order("a", OrderKind::Market, 1, 10, 0), 20);
    let fees = scene.venue.ledger().fees();
    scene.tape.push_funding((30, 30), 10_000, 100).unwrap();
    scene.tape.push_funding((31, 31), -10_000, 100).unwrap();
    scene.depth(32, &[], &[]);
    // A ten-thousandth of 1,000 quote units: 0.1 paid counts as 1, 0.1 received as none.
    assert_eq!((scene.venue.funding(), scene.venue.cash()), (1, CASH - fees - 1));
    assert_eq!(scene.events.first().unwrap().liquidity, Some(Liquidity::Taker));
}

#[test]
fn one_face_for_every_mode_names_the_market_that_does_not_fit() {
    let mut venue = venue(QueueModel::RiskAverse, 0);
    let tape = crate::support::opening();
    assert_eq!(venue.on_market(&Fed::Book(&tape, 0..9)), Ok(vec![]));
    let error = venue.on_market(&Fed::Trades(&[(1, 1, 1)])).unwrap_err();
    assert_eq!(error, VenueError::WrongMarket { venue: "BookVenue", market: "trades" });
}
