//! Random sessions: bars in a narrow range, orders of every kind around it, cancels in between.

use crate::support::{bar, instrument, order, MINUTE};
use proptest::prelude::*;
use smc_core::execution::Ledger;
use smc_core::market::Bar;
use smc_core::sim::{Costs, EventKind, OrderKind, OrderRequest, SimVenue, VenueEvent};

#[derive(Clone, Debug)]
pub enum Action {
    Submit {
        kind: OrderKind,
        side: i8,
        quantity: i64,
        offset: i64,
        life: i64,
        reduce_only: bool,
        parent: Option<usize>,
    },
    Cancel(usize),
}

#[derive(Clone, Debug)]
pub struct Minute {
    pub gap: i64,
    pub up: i64,
    pub down: i64,
    pub close: i64,
    pub actions: Vec<Action>,
}

fn action() -> impl Strategy<Value = Action> {
    let kind = prop_oneof![
        Just(OrderKind::Market),
        Just(OrderKind::Limit),
        Just(OrderKind::StopMarket),
        Just(OrderKind::TakeProfit)
    ];
    let side = prop_oneof![Just(1i8), Just(-1i8)];
    let parent = prop::option::weighted(0.5, 0usize..4);
    let submit = (kind, side, 0i64..9, -12i64..12, 0i64..6, any::<bool>(), parent);
    prop_oneof![
        9 => submit.prop_map(|(kind, side, quantity, offset, life, reduce_only, parent)| Action::Submit {
            kind, side, quantity, offset, life, reduce_only, parent
        }),
        1 => (0usize..8).prop_map(Action::Cancel),
    ]
}

pub fn session() -> impl Strategy<Value = Vec<Minute>> {
    let minute = (-4i64..5, 0i64..10, 0i64..10, 0i64..100, prop::collection::vec(action(), 0..4));
    let minute = minute.prop_map(|(gap, up, down, close, actions)| Minute { gap, up, down, close, actions });
    prop::collection::vec(minute, 1..40)
}

pub fn costs() -> impl Strategy<Value = [i64; 4]> {
    [0i64..2_000, 0i64..2_000, 0i64..4, 0i64..3_000]
}

pub fn bars_of(session: &[Minute]) -> Vec<Bar> {
    let mut price = 1_000;
    let mut bars = Vec::new();
    for (index, minute) in session.iter().enumerate() {
        let open = (price + minute.gap).max(100);
        let (high, low) = (open + minute.up, open - minute.down);
        price = low + (high - low) * minute.close / 100;
        bars.push(bar(index as i64, open, high, low, price));
    }
    bars
}

/// A session being played: all events in order, all requests made.
pub struct Player {
    pub venue: SimVenue,
    pub events: Vec<VenueEvent>,
    pub requests: Vec<OrderRequest>,
}

impl Player {
    pub fn new([maker, taker, half_spread, slippage]: [i64; 4], latency: i64) -> Self {
        let costs = Costs::new(maker, taker, half_spread, slippage).unwrap();
        let venue = SimVenue::new(instrument(), costs, latency).unwrap();
        Self { venue, events: Vec::new(), requests: Vec::new() }
    }

    pub fn play(&mut self, bars: &[Bar], session: &[Minute], from: usize) {
        for index in from..session.len() {
            let (now, last) = (bars[index].open_time, if index == 0 { 1_000 } else { bars[index - 1].close });
            for action in &session[index].actions {
                self.act(action, now, last);
            }
            self.events.extend(self.venue.on_bars(&bars[index..=index]).unwrap());
        }
    }

    fn act(&mut self, action: &Action, now: i64, last: i64) {
        match *action {
            Action::Submit { kind, side, quantity, offset, life, reduce_only, parent } => {
                let back = |back: usize| self.requests.len().checked_sub(back + 1).map(|i| &self.requests[i]);
                let parent = parent.and_then(back).map_or_else(String::new, |r| r.client_order_id.clone());
                let request = OrderRequest {
                    expires_at: if life == 0 { 0 } else { now + life * MINUTE },
                    reduce_only,
                    parent,
                    ..order(&format!("o{}", self.requests.len()), kind, side, quantity, last + offset)
                };
                self.requests.push(request.clone());
                self.events.push(self.venue.submit(request, now).unwrap());
            }
            Action::Cancel(back) => {
                if let Some(index) = self.requests.len().checked_sub(back + 1) {
                    let id = self.requests[index].client_order_id.clone();
                    self.events.extend(self.venue.cancel(&id, now));
                }
            }
        }
    }

    pub fn ledger(&self) -> Ledger {
        let mut ledger = Ledger::new(instrument(), 0);
        for e in self.events.iter().filter(|e| e.kind == EventKind::Filled) {
            assert_eq!(ledger.apply_fill(&e.trade_id(), e.side, e.quantity, e.price, e.fee), Ok(true));
        }
        ledger
    }
}
