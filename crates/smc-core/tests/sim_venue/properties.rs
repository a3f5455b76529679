//! What holds in every session.

use crate::scenario::{bars_of, costs, session, Player};
use proptest::prelude::*;
use smc_core::sim::{EventKind, OrderKind, OrderStatus};
use std::collections::BTreeMap;

fn played(session: &[crate::scenario::Minute], costs: [i64; 4], latency: i64) -> Player {
    let mut player = Player::new(costs, latency);
    player.play(&bars_of(session), session, 0);
    player
}

proptest! {
    #[test]
    fn positions_are_the_sum_of_fills_and_no_order_ends_twice(session in session(), costs in costs(), latency in 0i64..130) {
        let player = played(&session, costs, latency);
        prop_assert_eq!(player.ledger().position().lots(), player.venue.position());
        let asked: BTreeMap<&str, i64> =
            player.requests.iter().map(|request| (request.client_order_id.as_str(), request.quantity)).collect();
        let (mut ended, mut accepted, mut filled) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for (index, event) in player.events.iter().enumerate() {
            prop_assert_eq!(event.sequence, index as u64 + 1);
            let id = event.client_order_id.as_str();
            if event.kind == EventKind::Accepted {
                accepted.insert(id, event.time);
                continue;
            }
            prop_assert!(event.kind == EventKind::Rejected || event.reason.is_some() || event.time >= accepted[id]);
            if event.kind == EventKind::Filled {
                prop_assert_eq!(filled.insert(id, event.quantity), None, "{} filled twice", id);
                if event.quantity < asked[id] {
                    // What a clipped order leaves is canceled at once.
                    let next = &player.events[index + 1];
                    prop_assert_eq!((next.client_order_id.as_str(), next.kind), (id, EventKind::Canceled));
                    continue;
                }
            }
            prop_assert_eq!(ended.insert(id, event.kind), None, "{} ended twice", id);
        }
        for request in &player.requests {
            let id = request.client_order_id.as_str();
            let live = player.venue.open_orders().any(|open| open == id);
            prop_assert_eq!(live, !ended.contains_key(id));
            let expected = ended.get(id).map(|kind| match kind {
                EventKind::Filled => OrderStatus::Filled,
                EventKind::Expired => OrderStatus::Expired,
                EventKind::Rejected => OrderStatus::Rejected,
                EventKind::Accepted | EventKind::Canceled => OrderStatus::Canceled,
            });
            let status = player.venue.order_status(id);
            prop_assert!(expected.map_or(live, |expected| status == Some(expected)));
        }
    }

    #[test]
    fn a_bracket_fills_its_parent_first_and_at_most_one_child(session in session(), costs in costs()) {
        let player = played(&session, costs, 0);
        let filled: BTreeMap<&str, u64> = player.events.iter().filter(|event| event.kind == EventKind::Filled)
            .map(|event| (event.client_order_id.as_str(), event.sequence)).collect();
        let mut by_parent = BTreeMap::new();
        for request in player.requests.iter().filter(|request| !request.parent.is_empty()) {
            if let Some(sequence) = filled.get(request.client_order_id.as_str()) {
                prop_assert!(filled.get(request.parent.as_str()).is_some_and(|parent| parent < sequence));
                prop_assert_eq!(by_parent.insert(&request.parent, &request.client_order_id), None);
            }
        }
    }

    #[test]
    fn reduce_only_shrinks_and_limits_hold_their_price(session in session(), costs in costs(), latency in 0i64..130) {
        let player = played(&session, costs, latency);
        let requests: BTreeMap<&str, _> =
            player.requests.iter().map(|request| (request.client_order_id.as_str(), request)).collect();
        let mut position = 0i64;
        for event in player.events.iter().filter(|event| event.kind == EventKind::Filled) {
            let request = requests[event.client_order_id.as_str()];
            let after = position + i64::from(event.side) * event.quantity;
            if request.reduce_only {
                prop_assert!(position.signum() == -i64::from(event.side));
                prop_assert!(after == 0 || after.signum() == position.signum());
                prop_assert!(event.quantity <= request.quantity);
            } else {
                prop_assert_eq!(event.quantity, request.quantity);
            }
            let worse = i64::from(event.side) * (event.price - request.price);
            match request.kind {
                OrderKind::Limit | OrderKind::TakeProfit => prop_assert!(worse <= 0),
                OrderKind::StopMarket => prop_assert!(worse >= 0 || !request.parent.is_empty()),
                OrderKind::Market => {}
            }
            position = after;
        }
    }

    #[test]
    fn higher_costs_never_pay(session in session(), costs in costs(), more in costs(), latency in 0i64..130) {
        let higher = [0, 1, 2, 3].map(|i| costs[i] + more[i]);
        let (cheap, dear) = (played(&session, costs, latency), played(&session, higher, latency));
        prop_assert_eq!(cheap.events.len(), dear.events.len());
        for mark in [900, 1_000, 1_100] {
            prop_assert!(dear.ledger().equity(mark) <= cheap.ledger().equity(mark));
        }
    }

    #[test]
    fn a_restored_venue_goes_on_the_same(session in session(), costs in costs(), cut in 0usize..40) {
        let bars = bars_of(&session);
        let whole = played(&session, costs, 30);
        let cut = cut.min(session.len());
        let mut parts = Player::new(costs, 30);
        parts.play(&bars, &session[..cut], 0);
        parts.venue = postcard::from_bytes(&postcard::to_stdvec(&parts.venue).unwrap()).unwrap();
        parts.play(&bars, &session, cut);
        prop_assert_eq!(&whole.events, &parts.events);
        prop_assert_eq!(whole.venue, parts.venue);
    }

    #[test]
    fn repeating_every_submit_changes_nothing(session in session(), costs in costs()) {
        let mut player = played(&session, costs, 0);
        let before = player.venue.clone();
        for request in &player.requests {
            let answer = player.venue.submit(request.clone(), i64::MAX).unwrap();
            let first = player.events.iter().find(|event| event.client_order_id == request.client_order_id);
            prop_assert_eq!(Some(&answer), first);
        }
        prop_assert_eq!(player.venue, before);
    }

    #[test]
    fn batches_do_not_matter(session in session(), costs in costs(), cut in 0usize..40) {
        let bars = bars_of(&session);
        let opening = session[0].actions.clone();
        let quiet: Vec<_> = session.iter().enumerate().map(|(index, minute)| {
            let actions = if index == 0 { opening.clone() } else { Vec::new() };
            crate::scenario::Minute { actions, ..minute.clone() }
        }).collect();
        let single = played(&quiet, costs, 0);
        let mut batched = Player::new(costs, 0);
        batched.play(&bars, &quiet[..1], 0);
        let cut = cut.clamp(1, bars.len());
        for part in [&bars[1..cut], &bars[cut..]] {
            batched.events.extend(batched.venue.on_bars(part).unwrap());
        }
        prop_assert_eq!(single.events, batched.events);
    }
}
