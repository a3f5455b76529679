//! What must hold on any tape, for any orders.

use crate::support::{limit, order, venue, CASH};
use proptest::prelude::*;
use smc_core::sim::{BookTape, BookVenue, EventKind, Liquidity, OrderKind, QueueModel, VenueEvent};
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Step {
    Depth(i8, i64, i64),
    Trade(i8, i64, i64),
    Submit(u8, i8, i64, i64),
    Cancel(usize),
}

fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
    let side = || prop_oneof![Just(1i8), Just(-1i8)];
    let step = prop_oneof![
        4 => (side(), 90i64..110, 0i64..20).prop_map(|(side, price, lots)| Step::Depth(side, price, lots)),
        3 => (side(), 90i64..110, 1i64..20).prop_map(|(side, price, lots)| Step::Trade(side, price, lots)),
        2 => (0u8..4, side(), 1i64..25, 90i64..110).prop_map(|(kind, side, lots, price)| Step::Submit(kind, side, lots, price)),
        1 => (0usize..20).prop_map(Step::Cancel),
    ];
    prop::collection::vec((0i64..30, step), 1..120)
}

fn models() -> impl Strategy<Value = QueueModel> {
    prop_oneof![
        Just(QueueModel::RiskAverse),
        Just(QueueModel::Logarithmic),
        (0.3f64..4.0).prop_map(|exponent| QueueModel::power_law(exponent).unwrap()),
    ]
}

const KINDS: [OrderKind; 4] = [OrderKind::Limit, OrderKind::Limit, OrderKind::Market, OrderKind::StopMarket];

struct Run {
    venue: BookVenue,
    events: Vec<VenueEvent>,
    sent: BTreeMap<String, (i8, i64, OrderKind, i64)>,
    /// Lots that the market offered to makers and to takers in all.
    offered: i64,
    /// By order sent before it: when its cancel was at the venue.
    canceled: BTreeMap<String, i64>,
}

const ENTRY_NS: i64 = 40;

/// Plays the steps; at `kept`, the venue is put away and taken out again.
fn play(model: QueueModel, steps: &[(i64, Step)], kept: Option<usize>) -> Run {
    let mut run = Run {
        venue: venue(model, ENTRY_NS),
        events: Vec::new(),
        sent: BTreeMap::new(),
        offered: 0,
        canceled: BTreeMap::new(),
    };
    let mut time = 1_000;
    for (index, (wait, step)) in steps.iter().enumerate() {
        time += wait;
        let mut tape = BookTape::new();
        match *step {
            Step::Depth(side, price, lots) => {
                let level = vec![(price, lots)];
                let (bids, asks) = if side > 0 { (level, vec![]) } else { (vec![], level) };
                tape.push_depth(time, time, &bids, &asks).unwrap();
                run.offered += lots;
            }
            Step::Trade(taker, price, lots) => {
                tape.push_trade((time, time), taker, price, lots).unwrap();
                run.offered += lots;
            }
            Step::Submit(kind, side, lots, price) => {
                let (id, kind) = (format!("o{}", run.sent.len()), KINDS[usize::from(kind)]);
                let request = if kind == OrderKind::Limit {
                    limit(&id, side, lots, price)
                } else {
                    order(&id, kind, side, lots, price)
                };
                run.venue.submit(request, time).unwrap();
                run.sent.insert(id, (side, lots, kind, price));
            }
            Step::Cancel(number) => {
                let id = format!("o{number}");
                run.venue.cancel(&id, time);
                if run.sent.contains_key(&id) {
                    run.canceled.entry(id).or_insert(time + ENTRY_NS);
                }
            }
        }
        if let Some((message, rows)) = tape.happened(0) {
            run.venue.on_message(message, rows, &mut run.events).unwrap();
        }
        if kept == Some(index) {
            run.venue = postcard::from_bytes(&postcard::to_stdvec(&run.venue).unwrap()).unwrap();
        }
    }
    run.venue.advance(time + 1_000, &mut run.events).unwrap();
    run
}

proptest! {
    #[test]
    fn fills_are_never_better_than_the_book_and_money_is_exact(model in models(), steps in steps()) {
        let run = play(model, &steps, None);
        let (mut lots, mut spent, mut fees, mut filled) = (0i64, 0i128, 0i128, BTreeMap::<&str, i64>::new());
        for (index, event) in run.events.iter().enumerate() {
            prop_assert!(index == 0 || event.sequence > run.events[index - 1].sequence);
            if event.kind != EventKind::Filled {
                continue;
            }
            let (side, quantity, kind, price) = run.sent[&event.client_order_id];
            lots += i64::from(side) * event.quantity;
            spent += i128::from(side) * i128::from(event.price) * i128::from(event.quantity);
            fees += event.fee;
            let total = filled.entry(&event.client_order_id).or_insert(0);
            *total += event.quantity;
            prop_assert!(*total <= quantity, "{} filled more than it asked for", event.client_order_id);
            match event.liquidity {
                Some(Liquidity::Maker) => prop_assert_eq!(event.price, price),
                _ if kind == OrderKind::Limit => prop_assert!(i64::from(side) * (price - event.price) >= 0),
                _ => {}
            }
            if let Some(&gone) = run.canceled.get(&event.client_order_id) {
                // An order and its cancel sent at once arrive at once: it may take, but not wait.
                let maker = event.liquidity == Some(Liquidity::Maker);
                prop_assert!(event.time < gone || (event.time == gone && !maker), "filled after its cancel arrived");
            }
        }
        prop_assert_eq!(run.venue.position(), lots);
        let ledger = run.venue.ledger();
        prop_assert_eq!(ledger.equity(101), CASH - spent - fees + i128::from(lots) * 101);
        prop_assert!(filled.values().sum::<i64>() <= run.offered, "more filled than the market offered");
    }

    #[test]
    fn the_same_tape_gives_the_same_events_and_a_kept_venue_goes_on(model in models(), steps in steps(), at: prop::sample::Index) {
        let first = play(model, &steps, None);
        let second = play(model, &steps, Some(at.index(steps.len())));
        prop_assert_eq!(&first.events, &second.events);
        prop_assert_eq!(&first.venue, &second.venue);
    }

    /// The risk-averse queue without cancels is arithmetic: what was traded at the price, less what stood there.
    #[test]
    fn a_queue_without_cancels_is_served_in_order(shown in 0i64..50, mine in 1i64..30, trades in prop::collection::vec(1i64..15, 1..20)) {
        let mut venue = venue(QueueModel::RiskAverse, 0);
        let mut tape = BookTape::new();
        tape.push_snapshot(1, 1, &vec![(100, shown)], &vec![(101, 5)]).unwrap();
        for (index, lots) in trades.iter().enumerate() {
            tape.push_trade((3 + index as i64, 3 + index as i64), -1, 100, *lots).unwrap();
        }
        let mut events = Vec::new();
        let mut traded = 0;
        for index in 0..tape.len() {
            let (message, rows) = tape.happened(index).unwrap();
            venue.on_message(message, rows, &mut events).unwrap();
            if index == 0 {
                venue.submit(limit("a", 1, mine, 100), 2).unwrap();
                continue;
            }
            traded += trades[index - 1];
            prop_assert_eq!(venue.position(), (traded - shown).clamp(0, mine));
        }
    }

    /// What is thought ahead is within what is shown, and no model thinks less of it than cancels allow.
    #[test]
    fn a_queue_is_never_longer_than_its_level(model in models(), ahead in 0i64..100, behind in 0i64..100, now in 0i64..250, traded in 0i64..20) {
        let after = model.after_change(ahead, ahead + behind + traded, now, traded);
        prop_assert!((0..=ahead.min(now)).contains(&after));
        let canceled = (ahead + behind - now).max(0);
        prop_assert!(after >= (ahead - canceled).max(0).min(now));
        prop_assert!(after <= QueueModel::RiskAverse.after_change(ahead, ahead + behind + traded, now, traded));
    }
}
