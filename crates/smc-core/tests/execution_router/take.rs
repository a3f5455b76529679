//! Taking: the linear program on ten thousand books, every split on small ones, and what a venue may ask.

use crate::markets::{Dice, Market};
use crate::simplex::least_cost;
use smc_core::execution::router::{Route, RouteError, Router, VenueState, VenueTerms};

fn routed(market: &Market, lots: i64, limit: Option<i64>) -> Route {
    let mut router = Router::new(market.terms.clone(), i64::MAX).unwrap();
    router.route(market.side, lots, limit, &market.views(), &market.states).unwrap()
}

#[test]
fn ten_thousand_books_cost_what_the_linear_program_says() {
    let mut dice = Dice::new(1);
    let mut routed_books = 0;
    while routed_books < 10_000 {
        let mut market = dice.market(5, 4, 40);
        let fades = dice.between(0, 2) == 0;
        if fades {
            market.terms.iter_mut().for_each(|terms| terms.fade_per_second = dice.between(0, 90) as f64 / 10.0);
        }
        let (costs, bounds) = program(&market);
        let depth: f64 = bounds.iter().sum();
        if depth < 1.0 {
            continue;
        }
        routed_books += 1;
        let lots = dice.between(1, depth as i64);
        let reroute = reroute_price(&costs, &bounds, lots);
        let survives = |venue: usize| {
            let terms = &market.terms[venue];
            (-terms.fade_per_second * terms.latency_ns as f64 * 1e-9).exp()
        };
        let all_in: Vec<f64> =
            costs.iter().map(|&(venue, cost)| cost + (1.0 - survives(venue)) * (reroute - cost).max(0.0)).collect();
        let route = routed(&market, lots, None);
        assert_eq!((route.unfilled, route.proven), (0, true));
        assert_eq!(route.legs.iter().map(|leg| leg.lots).sum::<i64>(), lots);
        // A fading level's cost is rounded to a micro-tick a lot.
        let least = least_cost(&all_in, &bounds, lots as f64);
        let tolerance = 0.5 * lots as f64 + 1e-9 * least.abs();
        assert!((route.cost as f64 - least).abs() <= tolerance, "book {routed_books}: {} {least}", route.cost);
    }
}

/// Cost (with its venue) and bound of each level that is expected to be there.
fn program(market: &Market) -> (Vec<(usize, f64)>, Vec<f64>) {
    let (mut costs, mut bounds) = (Vec::new(), Vec::new());
    for (venue, book) in market.books.iter().enumerate() {
        let terms = &market.terms[venue];
        let survives = (-terms.fade_per_second * terms.latency_ns as f64 * 1e-9).exp();
        for &(price, lots) in book {
            costs.push((venue, market.cost(venue, price) as f64));
            bounds.push((lots as f64 * survives).floor());
        }
    }
    (costs, bounds)
}

/// The cost of the lot after the last one wanted, or of the last there is.
fn reroute_price(costs: &[(usize, f64)], bounds: &[f64], lots: i64) -> f64 {
    let mut levels: Vec<(f64, f64)> = costs.iter().map(|cost| cost.1).zip(bounds.iter().copied()).collect();
    levels.retain(|level| level.1 > 0.0);
    levels.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut left = lots as f64;
    for &(cost, bound) in &levels {
        if left <= 0.0 || left < bound {
            return cost;
        }
        left -= bound;
    }
    levels.last().unwrap().0
}

/// Cost and notional of the first `lots` at a venue, None where its book or balance holds fewer.
fn taken(market: &Market, venue: usize, lots: i64, limit: Option<i64>) -> Option<(i128, i128)> {
    let (mut left, mut cost, mut notional, mut spent) = (lots, 0i128, 0i128, 0i128);
    let (side, terms, state) = (market.side, &market.terms[venue], &market.states[venue]);
    for &(price, depth) in &market.books[venue] {
        if limit.is_some_and(|limit| (price - limit) * i64::from(side) > 0) {
            break;
        }
        let part = left.min(depth);
        cost += i128::from(market.cost(venue, price)) * i128::from(part);
        notional += i128::from(price) * i128::from(part);
        spent += if side > 0 {
            i128::from(part) * i128::from(price) * i128::from(1_000_000 + terms.taker_fee_ppm)
        } else {
            i128::from(part) * 1_000_000
        };
        left -= part;
    }
    let paid = state.balance.saturating_mul(1_000_000) >= spent;
    (left == 0 && paid && state.available).then_some((cost, notional))
}

/// Least (unfilled, cost) of every split that the venues take.
fn least_of_all(market: &Market, lots: i64, limit: Option<i64>, venue: usize) -> (i64, i128) {
    if venue == market.terms.len() {
        return (lots, 0);
    }
    let terms = &market.terms[venue];
    let mut best = least_of_all(market, lots, limit, venue + 1);
    for part in (terms.lot..=lots).step_by(terms.lot as usize) {
        let Some((cost, notional)) = taken(market, venue, part, limit) else { break };
        if notional >= terms.min_notional {
            let (unfilled, rest) = least_of_all(market, lots - part, limit, venue + 1);
            best = best.min((unfilled, rest + cost));
        }
    }
    best
}

#[test]
fn no_split_that_the_venues_take_is_cheaper() {
    let mut dice = Dice::new(2);
    for book in 0..3_000 {
        let mut market = dice.market(3, 4, 6);
        let lots_of = [[1, 1, 1], [1, 2, 5], [2, 4, 2], [3, 2, 1]][dice.between(0, 3) as usize];
        for (venue, terms) in market.terms.iter_mut().enumerate() {
            terms.lot = lots_of[venue];
            terms.min_notional = i128::from(dice.between(0, 4) * 10_000);
            let poor = dice.between(0, 3) == 0;
            let worth = if market.side > 0 { 10_000 } else { 1 };
            let state = &mut market.states[venue];
            state.balance =
                if poor { i128::from(dice.between(0, 9) * worth + dice.between(0, worth)) } else { i128::MAX };
            state.available = dice.between(0, 9) > 0;
        }
        let lots = dice.between(1, 14);
        let limit = (dice.between(0, 1) == 0).then(|| 10_000 + i64::from(market.side) * dice.between(0, 20));
        let route = routed(&market, lots, limit);
        assert!(route.proven);
        let best = least_of_all(&market, lots, limit, 0);
        assert_eq!((route.unfilled, route.cost), best, "book {book}: {lots} lots, {route:?}");
        let mut cost = 0;
        for leg in &route.legs {
            let (paid, notional) = taken(&market, leg.venue, leg.lots, limit).expect("the leg is there to take");
            assert!(notional >= market.terms[leg.venue].min_notional);
            assert_eq!(leg.lots % market.terms[leg.venue].lot, 0);
            cost += paid;
        }
        // With lots that share a divisor, a unit's cost is that of its lots.
        assert_eq!(cost, route.cost);
        assert_eq!(route.legs.iter().map(|leg| leg.lots).sum::<i64>() + route.unfilled, lots);
    }
}

fn venue(latency_ms: i64) -> VenueTerms {
    VenueTerms { taker_fee_ppm: 0, latency_ns: latency_ms * 1_000_000, fade_per_second: 0.0, lot: 1, min_notional: 0 }
}

const OPEN: VenueState = VenueState { balance: i128::MAX, latency_cost: 0, penalty_ppm: 0, available: true };

#[test]
fn legs_are_held_back_to_arrive_together_but_no_longer_than_allowed() {
    let mut router = Router::new(vec![venue(2), venue(30), venue(90)], 20_000_000).unwrap();
    let (first, second, far): (&[_], &[_], &[_]) = (&[(100, 5)], &[(100, 5)], &[(200, 5)]);
    let route = router.route(1, 8, None, &[first, second, far], &[OPEN; 3]).unwrap();
    let holds: Vec<_> = route.legs.iter().map(|leg| (leg.venue, leg.lots, leg.hold_ns)).collect();
    assert_eq!(holds, [(0, 5, 20_000_000), (1, 3, 0)]);
}

#[test]
fn the_fee_decides_where_the_price_does_not() {
    let (dear, cheap) = (VenueTerms { taker_fee_ppm: 900, ..venue(1) }, venue(1));
    let mut router = Router::new(vec![dear, cheap], 0).unwrap();
    let books: [&[(i64, i64)]; 2] = [&[(10_000, 5)], &[(10_008, 5)]];
    let route = router.route(1, 5, None, &books, &[OPEN; 2]).unwrap();
    assert_eq!((route.legs[0].venue, route.legs[0].lots), (1, 5));
    // 9 ticks of fee on 10,000: the worse price is the better one.
    assert_eq!(route.cost, 5 * 10_008 * 1_000_000);
}

#[test]
fn depth_that_fades_counts_for_less_and_costs_what_replaces_it() {
    let fading = VenueTerms { fade_per_second: 10.0, ..venue(100) };
    let mut router = Router::new(vec![fading, venue(0)], 0).unwrap();
    // A tenth of a second at a rate of ten leaves exp(-1), 36 of 100.
    let books: [&[(i64, i64)]; 2] = [&[(100, 100)], &[(101, 100)]];
    let route = router.route(1, 100, None, &books, &[OPEN; 2]).unwrap();
    let lots: Vec<_> = route.legs.iter().map(|leg| leg.lots).collect();
    assert_eq!(lots, [36, 64]);
    let faded = (100.0 + (1.0 - (-1.0f64).exp())) * 1e6;
    assert_eq!(route.cost, i128::from(faded.round() as i64) * 36 + 64 * 101_000_000);
}

#[test]
fn what_is_no_order_no_book_and_no_venue_is_named() {
    let mut router = Router::new(vec![venue(1)], 0).unwrap();
    let mut error = |side, lots, book: &[(i64, i64)]| router.route(side, lots, None, &[book], &[OPEN]).unwrap_err();
    assert_eq!(error(0, 1, &[]).to_string(), "side is 0; it must be +1 (buy) or -1 (sell)");
    assert_eq!(error(1, 0, &[]).to_string(), "lots is 0; it must be positive");
    assert_eq!(error(1, 1, &[(9, 1), (8, 1)]), RouteError::UnorderedLevels { price: 8 });
    assert_eq!(error(-1, 1, &[(8, 1), (9, 1)]), RouteError::UnorderedLevels { price: 9 });
    assert_eq!(error(1, 1, &[(i64::MAX / 4, 1)]), RouteError::Overflow { price: i64::MAX / 4 });
    assert!(matches!(router.route(1, 1, None, &[], &[OPEN]), Err(RouteError::UnequalLengths { .. })));
    let bad = VenueTerms { lot: 0, ..venue(1) };
    assert_eq!(Router::new(vec![bad], 0).unwrap_err().to_string(), "lot is 0; it must be positive");
    assert!(Router::new(vec![], 0).is_err());
}
