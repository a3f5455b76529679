//! A small market to lay orders into.

use smc_core::market::Instrument;
use smc_core::sim::{
    BookTape, BookVenue, BookVenueConfig, Costs, Latency, OrderKind, OrderRequest, QueueModel, VenueEvent,
};

pub const CASH: i128 = 1_000_000_000;

pub fn config(queue: QueueModel, entry_ns: i64) -> BookVenueConfig {
    let costs = Costs::new(-100, 400, 0, 0).unwrap();
    BookVenueConfig { costs, latency: Latency::new(entry_ns, 0, 0, 1).unwrap(), queue, impact: None }
}

pub fn venue(queue: QueueModel, entry_ns: i64) -> BookVenue {
    BookVenue::new(Instrument::new("sim", "X", "1", "1", "0").unwrap(), config(queue, entry_ns), CASH)
}

pub fn order(id: &str, kind: OrderKind, side: i8, quantity: i64, price: i64) -> OrderRequest {
    OrderRequest {
        client_order_id: id.to_owned(),
        kind,
        side,
        quantity,
        price,
        expires_at: 0,
        reduce_only: false,
        parent: String::new(),
    }
}

pub fn limit(id: &str, side: i8, quantity: i64, price: i64) -> OrderRequest {
    order(id, OrderKind::Limit, side, quantity, price)
}

/// Bids 100 x 10, 99 x 20; asks 102 x 10, 103 x 20, at time 10.
pub fn opening() -> BookTape {
    let mut tape = BookTape::new();
    tape.push_snapshot(10, 10, &vec![(100, 10), (99, 20)], &vec![(102, 10), (103, 20)]).unwrap();
    tape
}

/// A tape under construction and the venue that follows it.
pub struct Scene {
    pub tape: BookTape,
    pub venue: BookVenue,
    pub events: Vec<VenueEvent>,
    fed: usize,
}

impl Scene {
    pub fn new(venue: BookVenue) -> Self {
        let mut scene = Self { tape: opening(), venue, events: Vec::new(), fed: 0 };
        scene.feed();
        scene
    }

    fn feed(&mut self) {
        while let Some((message, rows)) = self.tape.happened(self.fed) {
            self.venue.on_message(message, rows, &mut self.events).unwrap();
            self.fed += 1;
        }
    }

    pub fn depth(&mut self, time: i64, bids: &[(i64, i64)], asks: &[(i64, i64)]) {
        self.tape.push_depth(time, time, &bids.to_vec(), &asks.to_vec()).unwrap();
        self.feed();
    }

    pub fn trade(&mut self, time: i64, taker: i8, price: i64, quantity: i64) {
        self.tape.push_trade((time, time), taker, price, quantity).unwrap();
        self.feed();
    }

    pub fn send(&mut self, request: OrderRequest, now: i64) {
        self.venue.submit(request, now).unwrap();
        self.venue.advance(now, &mut self.events).unwrap();
    }

    /// What happened since the last call, as (id, kind, lots, price, reason).
    pub fn happened(&mut self) -> Vec<(String, &'static str, i64, i64, &'static str)> {
        let read = |event: VenueEvent| {
            let reason = event.reason.map_or("", smc_core::sim::Reason::name);
            (event.client_order_id, event.kind.name(), event.quantity, event.price, reason)
        };
        self.events.drain(..).map(read).collect()
    }
}

pub fn seen(
    id: &str,
    kind: &'static str,
    lots: i64,
    price: i64,
    reason: &'static str,
) -> (String, &'static str, i64, i64, &'static str) {
    (id.to_owned(), kind, lots, price, reason)
}
