//! What a venue keeps of every client id, so that a repeated submit is recognised.

use crate::market::Instrument;
use crate::sim::order::{EventKind, OrderKind, OrderRequest, OrderStatus, Reason, VenueEvent};
use serde::{Deserialize, Serialize};

/// The first answer to a client id, and how its order ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Record {
    sequence: u64,
    time: i64,
    side: i8,
    quantity: i64,
    refused: Option<Reason>,
    ended: Option<OrderStatus>,
}

impl Record {
    pub(in crate::sim) fn new(sequence: u64, time: i64, request: &OrderRequest, refused: Option<Reason>) -> Self {
        Self {
            sequence,
            time,
            side: request.side,
            quantity: request.quantity,
            refused,
            ended: refused.map(|_| OrderStatus::Rejected),
        }
    }

    pub(in crate::sim) fn end(&mut self, status: OrderStatus) {
        self.ended = Some(status);
    }

    pub(in crate::sim) const fn ended(&self) -> Option<OrderStatus> {
        self.ended
    }

    pub(in crate::sim) const fn time(&self) -> i64 {
        self.time
    }

    pub(in crate::sim) fn answer(&self, client_order_id: &str) -> VenueEvent {
        VenueEvent {
            sequence: self.sequence,
            time: self.time,
            kind: if self.refused.is_some() { EventKind::Rejected } else { EventKind::Accepted },
            client_order_id: client_order_id.to_owned(),
            side: self.side,
            quantity: self.quantity,
            price: 0,
            fee: 0,
            liquidity: None,
            reason: self.refused,
        }
    }
}

impl OrderRequest {
    /// Why a venue takes no such order, if it does not; `parent` is what is known of the order's parent.
    pub(in crate::sim) fn refusal(
        &self,
        instrument: &Instrument,
        last_price: i64,
        parent: Option<&Record>,
    ) -> Option<Reason> {
        if self.quantity <= 0 {
            return Some(Reason::NonPositiveQuantity);
        }
        let priced = self.kind != OrderKind::Market;
        if priced && self.price <= 0 {
            return Some(Reason::NonPositivePrice);
        }
        // A market order is valued at the last price seen; before the first one nothing can be said.
        let price = if priced { self.price } else { last_price };
        let notional = Instrument::notional(price, self.quantity);
        if !self.reduce_only && price > 0 && notional < instrument.min_notional {
            return Some(Reason::BelowMinNotional);
        }
        if self.parent.is_empty() {
            return None;
        }
        match parent {
            None => Some(Reason::UnknownParent),
            Some(parent) => parent.ended.map(|_| Reason::ParentEnded),
        }
    }
}
