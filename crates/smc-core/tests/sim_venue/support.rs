//! Short spellings for venues, bars and orders.

use smc_core::market::{Bar, Instrument};
use smc_core::sim::{Costs, EventKind, OrderKind, OrderRequest, SimVenue, VenueEvent};

pub const MINUTE: i64 = 60;

pub fn instrument() -> Instrument {
    Instrument::new("sim", "TEST", "1", "1", "50").unwrap()
}

pub fn venue_with(maker: i64, taker: i64, half_spread: i64, slippage: i64, latency: i64) -> SimVenue {
    SimVenue::new(instrument(), Costs::new(maker, taker, half_spread, slippage).unwrap(), latency).unwrap()
}

pub fn free_venue() -> SimVenue {
    venue_with(0, 0, 0, 0, 0)
}

/// The `index`-th minute.
pub fn bar(index: i64, open: i64, high: i64, low: i64, close: i64) -> Bar {
    let open_time = index * MINUTE;
    let bar = Bar {
        open_time,
        close_time: open_time + MINUTE,
        open,
        high,
        low,
        close,
        volume: 10,
        taker_buy_volume: 5,
        trades: 3,
    };
    bar.validate().unwrap();
    bar
}

pub fn flat(index: i64, price: i64) -> Bar {
    bar(index, price, price, price, price)
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

pub fn child(id: &str, kind: OrderKind, side: i8, quantity: i64, price: i64, parent: &str) -> OrderRequest {
    OrderRequest { reduce_only: true, parent: parent.to_owned(), ..order(id, kind, side, quantity, price) }
}

/// `(id, kind, price, time)` of each event.
pub fn brief(events: &[VenueEvent]) -> Vec<(&str, EventKind, i64, i64)> {
    events.iter().map(|event| (event.client_order_id.as_str(), event.kind, event.price, event.time)).collect()
}

pub fn fills(events: &[VenueEvent]) -> Vec<(&str, i64)> {
    let filled = events.iter().filter(|event| event.kind == EventKind::Filled);
    filled.map(|event| (event.client_order_id.as_str(), event.price)).collect()
}
