//! The order state machine, checked cell by cell against a list kept by event.
#![allow(clippy::unwrap_used)]

use smc_core::execution::{OrderEvent, OrderState};
use std::collections::{BTreeMap, BTreeSet};

/// For each event, every legal `from>to`; all other pairs are contradictions.
const LEGAL: [(&str, &str); 15] = [
    ("deny", "intent>denied"),
    ("send", "intent>sending"),
    (
        "accept",
        "sending>open open>open partial>partial filled>filled pending_cancel>pending_cancel \
         pending_replace>pending_replace canceled>canceled expired>expired unknown>open",
    ),
    (
        "reject",
        "sending>rejected open>rejected pending_cancel>rejected pending_replace>rejected rejected>rejected \
         unknown>rejected",
    ),
    (
        "timeout",
        "sending>unknown open>open partial>partial filled>filled pending_cancel>unknown pending_replace>unknown \
         canceled>canceled expired>expired rejected>rejected unknown>unknown",
    ),
    (
        "fill_partial",
        "sending>partial open>partial partial>partial pending_cancel>pending_cancel pending_replace>pending_replace \
         canceled>canceled expired>expired unknown>partial",
    ),
    (
        "fill_complete",
        "sending>filled open>filled partial>filled pending_cancel>filled pending_replace>filled canceled>filled \
         expired>filled unknown>filled",
    ),
    (
        "cancel_request",
        "sending>pending_cancel open>pending_cancel partial>pending_cancel pending_cancel>pending_cancel \
         pending_replace>pending_cancel unknown>unknown",
    ),
    (
        "cancel_reject",
        "open>open partial>partial filled>filled pending_cancel>unknown pending_replace>pending_replace \
         canceled>canceled expired>expired rejected>rejected unknown>unknown",
    ),
    (
        "cancel",
        "sending>canceled open>canceled partial>canceled pending_cancel>canceled pending_replace>canceled \
         canceled>canceled unknown>canceled",
    ),
    ("replace_request", "open>pending_replace partial>pending_replace"),
    ("replace_accept", "pending_cancel>pending_cancel pending_replace>open unknown>unknown"),
    (
        "replace_reject",
        "open>open partial>partial filled>filled pending_cancel>pending_cancel pending_replace>unknown \
         canceled>canceled expired>expired rejected>rejected unknown>unknown",
    ),
    (
        "expire",
        "sending>expired open>expired partial>expired pending_cancel>expired pending_replace>expired \
         expired>expired unknown>expired",
    ),
    ("resolve_absent", "unknown>rejected"),
];

#[test]
fn every_pair_is_as_listed() {
    let mut legal = BTreeMap::new();
    for (event, pairs) in LEGAL {
        let event: OrderEvent = event.parse().unwrap();
        for pair in pairs.split_whitespace() {
            let (from, to) = pair.split_once('>').unwrap();
            let known = legal.insert((from.parse::<OrderState>().unwrap(), event), to.parse::<OrderState>().unwrap());
            assert_eq!(known, None, "{event} {pair} is listed twice");
        }
    }
    for state in OrderState::ALL {
        for event in OrderEvent::ALL {
            assert_eq!(state.after(event), legal.get(&(state, event)).copied(), "{state} + {event}");
        }
    }
}

#[test]
fn an_ended_order_stays_ended_but_for_a_late_fill() {
    for state in OrderState::ALL.into_iter().filter(|state| state.is_terminal()) {
        for event in OrderEvent::ALL {
            let late_fill = event == OrderEvent::FillComplete && state != OrderState::Filled;
            let expected = state.after(event).filter(|_| late_fill).map_or(state, |_| OrderState::Filled);
            assert!(state.after(event).is_none_or(|next| next == expected), "{state} + {event}");
        }
    }
}

#[test]
fn unknown_is_left_only_by_evidence() {
    use OrderEvent::{Accept, Cancel, Expire, FillComplete, FillPartial, Reject, ResolveAbsent};
    let evidence = [Accept, Reject, FillPartial, FillComplete, Cancel, Expire, ResolveAbsent];
    for event in OrderEvent::ALL {
        let leaves = OrderState::Unknown.after(event).is_some_and(|next| next != OrderState::Unknown);
        assert_eq!(leaves, evidence.contains(&event), "{event}");
    }
}

#[test]
fn every_state_is_reached_from_intent_and_every_live_one_can_end() {
    let mut reached = BTreeSet::from([OrderState::Intent]);
    for _ in OrderState::ALL {
        let next: Vec<_> = reached.iter().flat_map(|s| OrderEvent::ALL.map(|e| s.after(e))).flatten().collect();
        reached.extend(next);
    }
    assert_eq!(reached.len(), OrderState::ALL.len());
    for state in OrderState::ALL.into_iter().filter(|state| !state.is_terminal()) {
        assert!(OrderEvent::ALL.iter().any(|&e| state.after(e).is_some_and(OrderState::is_terminal)), "{state}");
    }
}

#[test]
fn names_round_trip_and_others_are_refused() {
    for state in OrderState::ALL {
        assert_eq!(state.to_string().parse(), Ok(state));
    }
    for event in OrderEvent::ALL {
        assert_eq!(event.to_string().parse(), Ok(event));
    }
    assert!("Open".parse::<OrderState>().unwrap_err().to_string().contains("unknown order state \"Open\""));
    assert!("fill".parse::<OrderEvent>().unwrap_err().to_string().contains("fill_partial"));
}
