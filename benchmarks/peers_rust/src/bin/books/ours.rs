//! The tape in ours.

use super::{Outcome, Row, INTERVAL, LATENCY};
use smc_core::market::{Instrument, Levels, OrderBook};
use smc_core::sim::{
    BookReplay, BookTape, BookVenue, BookVenueConfig, Costs, EventKind, Latency, OrderKind, OrderRequest, QueueModel,
    TapeKind,
};
use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

/// Level updates that are timed together: a clock costs more than one of them.
const BATCH: usize = 64;

/// The tape, and its rows with local times that are never before the exchange's.
pub fn tape(rows: &[Row]) -> Result<(BookTape, Vec<Row>), Box<dyn Error>> {
    let mut tape = BookTape::new();
    for message in rows.chunk_by(|one, other| one.message == other.message) {
        let Row { kind, exchange, local, .. } = message[0];
        if kind == 2 {
            for row in message {
                let taker = if row.key > 0 { 1 } else { -1 };
                tape.push_trade((exchange, local), taker, row.key.abs(), row.quantity)?;
            }
            continue;
        }
        let side = |bids: bool| -> Levels {
            let ours = message.iter().filter(|row| (row.key > 0) == bids);
            ours.map(|row| (row.key.abs(), row.quantity)).collect()
        };
        let (bids, asks) = (side(true), side(false));
        if kind == 1 {
            tape.push_snapshot(exchange, local, &bids, &asks)?;
        } else {
            tape.push_depth(exchange, local, &bids, &asks)?;
        }
    }
    let shift = tape.correct_local_clock(0);
    Ok((tape, rows.iter().map(|row| Row { local: row.local + shift, ..*row }).collect()))
}

/// Nanoseconds of batches of level updates, of the second half of the tape with the first half in the book.
pub fn updates(tape: &BookTape, runs: usize) -> Result<Vec<u64>, Box<dyn Error>> {
    let messages = (0..tape.len()).filter_map(|index| tape.received(index));
    let levels: Vec<(i8, i64, i64)> = messages
        .filter(|(message, _)| matches!(message.kind, TapeKind::Depth | TapeKind::Snapshot))
        .flat_map(|(_, rows)| rows)
        .map(|&(key, quantity)| (if key > 0 { 1 } else { -1 }, key.abs(), quantity))
        .collect();
    let (before, timed) = levels.split_at(levels.len() / 2);
    let mut took = Vec::new();
    for _ in 0..runs {
        let mut book = OrderBook::new();
        for &(side, price, quantity) in before {
            book.apply(side, price, quantity)?;
        }
        for batch in timed.chunks_exact(BATCH) {
            let began = Instant::now();
            for &(side, price, quantity) in batch {
                black_box(book.apply(side, price, quantity)?);
            }
            took.push(began.elapsed().as_nanos() as u64);
        }
    }
    Ok(took)
}

/// Nanoseconds of one replay, and what it came to.
pub fn replay(
    tape: &Arc<BookTape>,
    instrument: &Instrument,
    start: i64,
    maker: bool,
) -> Result<(u64, Outcome), Box<dyn Error>> {
    let config = BookVenueConfig {
        costs: Costs::new(0, 0, 0, 0)?,
        latency: Latency::new(LATENCY, LATENCY, 0, 0)?,
        queue: QueueModel::RiskAverse,
        impact: None,
    };
    let mut outcome = Outcome::default();
    let mut replay = BookReplay::new(Arc::clone(tape), BookVenue::new(instrument.clone(), config, 0));
    let began = Instant::now();
    let mut now = start;
    loop {
        now += INTERVAL;
        for delivery in replay.advance(now)? {
            if delivery.event.kind == EventKind::Filled {
                let lots = delivery.event.quantity.unsigned_abs();
                *(if delivery.event.side > 0 { &mut outcome.bought } else { &mut outcome.sold }) += lots;
            }
        }
        if replay.ended() {
            break;
        }
        let (Some((bid, _)), Some((ask, _))) = (replay.local().best_bid(), replay.local().best_ask()) else { continue };
        outcome.look(bid, ask);
        if maker {
            for (side, price) in [(1, bid), (-1, ask)] {
                if outcome.orders >= 2 {
                    replay.cancel(&(outcome.orders - 2).to_string());
                }
                replay.submit(limit(outcome.orders, side, price))?;
                outcome.orders += 1;
            }
        }
    }
    Ok((began.elapsed().as_nanos() as u64, outcome))
}

fn limit(number: u64, side: i8, price: i64) -> OrderRequest {
    OrderRequest {
        client_order_id: number.to_string(),
        kind: OrderKind::Limit,
        side,
        quantity: 1,
        price,
        expires_at: 0,
        reduce_only: false,
        parent: String::new(),
    }
}
