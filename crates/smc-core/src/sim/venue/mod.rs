//! A simulated venue: orders, brackets and one net position, matched against bars or trades.
//!
//! An order works from the bar that it arrives in, or the first trade at or after its arrival, which is `now`
//! plus the latency. A cancel takes effect at once and is reported with its arrival time. Orders fill whole: sizes
//! are taken to be small against the market. A reduce-only order larger than the position fills what there is
//! to close, and its remainder is canceled. Children of a bracket are held until their parent fills; when
//! one of them fills the others are canceled, and when the parent ends unfilled so are they.
//!
//! What the venue keeps: working orders whole, and for each client id ever used its first answer and its
//! end (about a hundred bytes), so that a repeated submit is recognised over the venue's whole life.

mod engine;
mod record;

use super::costs::{CostError, Costs};
use super::order::{EventKind, OrderRequest, OrderStatus, Reason, VenueEvent};
use crate::market::Instrument;
use engine::Working;
pub(super) use record::Record;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The simulated venue of one instrument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimVenue {
    instrument: Instrument,
    costs: Costs,
    latency_ns: i64,
    sequence: u64,
    position: i64,
    last_time: i64,
    last_price: i64,
    /// In the order of submission.
    working: Vec<Working>,
    records: BTreeMap<String, Record>,
}

/// A call that the venue cannot take; nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VenueError {
    /// A cost outside its range.
    #[error(transparent)]
    Cost(#[from] CostError),
    /// Latency cannot be negative.
    #[error("latency_ns is {0}; it must be zero or more")]
    NegativeLatency(i64),
    /// The side is neither buy nor sell.
    #[error("order {client_order_id:?}: side is {side}; use +1 (buy) or -1 (sell)")]
    BadSide {
        /// The order's id.
        client_order_id: String,
        /// The side given.
        side: i8,
    },
    /// Without an id a repeated submit could not be recognised.
    #[error("the order has an empty client id; derive one from the decision")]
    EmptyClientId,
    /// The market moved backwards.
    #[error("{what} at {time} comes before {last}, which was matched already; feed the market in order")]
    TimeWentBack {
        /// `bar` or `trade`.
        what: &'static str,
        /// Its time.
        time: i64,
        /// The time matched already.
        last: i64,
    },
    /// The venue matches another kind of market.
    #[error("{venue} is not matched against {market}; feed bars or trades to SimVenue and book tapes to BookVenue")]
    WrongMarket {
        /// The venue.
        venue: &'static str,
        /// What it was given.
        market: &'static str,
    },
    /// A trade of nothing, or at no price.
    #[error("trade {index}: price {price} and quantity {quantity} must be positive")]
    BadTrade {
        /// Index within the call.
        index: usize,
        /// Its price.
        price: i64,
        /// Its quantity.
        quantity: i64,
    },
}

impl SimVenue {
    /// A venue that has seen nothing.
    ///
    /// # Errors
    /// [`VenueError::NegativeLatency`].
    pub fn new(instrument: Instrument, costs: Costs, latency_ns: i64) -> Result<Self, VenueError> {
        if latency_ns < 0 {
            return Err(VenueError::NegativeLatency(latency_ns));
        }
        Ok(Self {
            instrument,
            costs,
            latency_ns,
            sequence: 0,
            position: 0,
            last_time: 0,
            last_price: 0,
            working: Vec::new(),
            records: BTreeMap::new(),
        })
    }

    /// Takes an order at `now` and answers it: accepted or rejected.
    ///
    /// A client id seen before is answered by its first answer again, same sequence number, whatever the
    /// request says: never a second order.
    ///
    /// # Errors
    /// [`VenueError::EmptyClientId`], [`VenueError::BadSide`].
    pub fn submit(&mut self, request: OrderRequest, now: i64) -> Result<VenueEvent, VenueError> {
        if request.client_order_id.is_empty() {
            return Err(VenueError::EmptyClientId);
        }
        if let Some(record) = self.records.get(&request.client_order_id) {
            return Ok(record.answer(&request.client_order_id));
        }
        if request.side != 1 && request.side != -1 {
            return Err(VenueError::BadSide { client_order_id: request.client_order_id, side: request.side });
        }
        self.sequence += 1;
        let refused = request.refusal(&self.instrument, self.last_price, self.records.get(&request.parent));
        let record = Record::new(self.sequence, now.saturating_add(self.latency_ns), &request, refused);
        let answer = record.answer(&request.client_order_id);
        self.records.insert(request.client_order_id.clone(), record);
        if refused.is_none() {
            let held = !request.parent.is_empty();
            self.working.push(Working::new(request, answer.time, held));
        }
        Ok(answer)
    }

    /// Cancels an order, and its held children; nothing happens when it is unknown or has ended.
    pub fn cancel(&mut self, client_order_id: &str, now: i64) -> Vec<VenueEvent> {
        let mut out = Vec::new();
        if let Some(index) = self.working.iter().position(|order| order.id() == client_order_id) {
            let time = now.saturating_add(self.latency_ns);
            self.end(index, EventKind::Canceled, Some(Reason::Requested), time, &mut out);
        }
        out
    }

    /// Where an order stands; `None` for an id never used.
    #[must_use]
    pub fn order_status(&self, client_order_id: &str) -> Option<OrderStatus> {
        let record = self.records.get(client_order_id)?;
        record.ended().or_else(|| {
            let order = self.working.iter().find(|order| order.id() == client_order_id)?;
            Some(if order.held() { OrderStatus::Held } else { OrderStatus::Open })
        })
    }

    /// Client ids of all orders that have not ended, held ones included, in the order of submission.
    pub fn open_orders(&self) -> impl Iterator<Item = &str> {
        self.working.iter().map(Working::id)
    }

    /// The net position in signed lots.
    #[must_use]
    pub const fn position(&self) -> i64 {
        self.position
    }

    /// Close time of the last bar matched, or time of the last trade; 0 before the first.
    #[must_use]
    pub const fn last_time(&self) -> i64 {
        self.last_time
    }

    /// Sequence number of the last event; 0 before the first.
    #[must_use]
    pub const fn last_sequence(&self) -> u64 {
        self.sequence
    }

    /// The instrument traded here.
    #[must_use]
    pub const fn instrument(&self) -> &Instrument {
        &self.instrument
    }
}
