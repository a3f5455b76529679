//! Fills: what an order takes, what it is given, and what follows for its bracket.

use super::{BookVenue, Live, Place};
use crate::sim::order::{EventKind, Liquidity, OrderStatus, Reason, VenueEvent};

impl BookVenue {
    /// Takes displayed lots of the other side, best first, at most to `limit`.
    pub(super) fn take(&mut self, rank: u64, limit: Option<i64>, time: i64, out: &mut Vec<VenueEvent>) {
        let Some(order) = self.live.get(&rank) else { return };
        let (side, mut wanted) = (order.request.side, order.left);
        let mut parts = Vec::new();
        let mut visit = |(price, shown): (i64, i64)| {
            let key = -i64::from(side) * price;
            let there = shown - self.taken.get(&key).copied().unwrap_or(0);
            let moved = self.config.impact.as_ref().map_or(0, |impact| impact.ticks(side, price, time));
            let price = price.saturating_add(i64::from(side) * moved).max(1);
            if wanted == 0 || limit.is_some_and(|limit| i64::from(side) * (price - limit) > 0) {
                return false;
            }
            if there > 0 {
                parts.push((key, price, there.min(wanted)));
                wanted -= there.min(wanted);
            }
            true
        };
        if side > 0 {
            self.book.asks().all(&mut visit);
        } else {
            self.book.bids().all(&mut visit);
        }
        for (key, price, lots) in parts {
            let filled = self.fill(rank, price, lots, Liquidity::Taker, time, out);
            if filled > 0 {
                *self.taken.entry(key).or_insert(0) += filled;
                if let Some(impact) = self.config.impact.as_mut() {
                    impact.took(side, filled, time);
                }
            }
            if filled < lots {
                break;
            }
        }
    }

    /// Gives the other side's quotes at or through own prices to own orders of `side`, by price and time.
    pub(super) fn fill_from_quotes(&mut self, side: i8, time: i64, out: &mut Vec<VenueEvent>) {
        for rank in self.resting_from(side, i64::MIN) {
            let Some(order) = self.live.get(&rank) else { continue };
            let (price, left) = (order.request.price, order.left);
            let touches = |&(quote, _): &(i64, i64)| i64::from(side) * (price - quote) >= 0;
            let quotes: Vec<(i64, i64)> = if side > 0 {
                self.book.asks().take_while(touches).collect()
            } else {
                self.book.bids().take_while(touches).collect()
            };
            let mut wanted = left;
            for (quote, shown) in quotes {
                let key = -i64::from(side) * quote;
                let lots = (shown - self.taken.get(&key).copied().unwrap_or(0)).min(wanted);
                if lots > 0 {
                    let filled = self.fill(rank, price, lots, Liquidity::Maker, time, out);
                    if filled > 0 {
                        *self.taken.entry(key).or_insert(0) += filled;
                    }
                    wanted -= filled;
                }
            }
        }
        self.refresh();
    }

    /// Fills at most `lots` of an order and returns how many; fewer where there is less to reduce.
    pub(super) fn fill(
        &mut self,
        rank: u64,
        price: i64,
        lots: i64,
        liquidity: Liquidity,
        time: i64,
        out: &mut Vec<VenueEvent>,
    ) -> i64 {
        let Some(order) = self.live.get(&rank) else { return 0 };
        let side = order.request.side;
        let asked = lots.min(order.left);
        let lots = if order.request.reduce_only { asked.min(self.reducible(side)) } else { asked };
        if lots <= 0 {
            self.end(rank, EventKind::Canceled, Some(Reason::NothingToReduce), time, out);
            return 0;
        }
        let fee = self.config.costs.fee(liquidity, price, lots);
        let id = format!("sim-{}", self.sequence + 1);
        if self.ledger.apply_fill(&id, side, lots, price, fee).is_err() {
            // Quantity, price, side and id are what a fill must have, so only the sums can be too large.
            self.end(rank, EventKind::Canceled, Some(Reason::PositionOverflow), time, out);
            return 0;
        }
        let Some(order) = self.live.get_mut(&rank) else { return 0 };
        (order.left, order.filled) = (order.left - lots, order.filled + lots);
        let (left, request) = (order.left, order.request.clone());
        if left == 0 {
            self.live.remove(&rank);
        }
        let event = VenueEvent {
            quantity: lots,
            price,
            fee,
            liquidity: Some(liquidity),
            ..event_of(&request, EventKind::Filled, None, time)
        };
        self.report(event, (left == 0).then_some(OrderStatus::Filled), out);
        if !request.parent.is_empty() {
            self.shrink_siblings(&request.parent, &request.client_order_id, lots, time, out);
        }
        self.wake_children(&request.client_order_id, time, out);
        lots
    }

    /// What one child of a bracket fills, the others lose.
    fn shrink_siblings(&mut self, parent: &str, but: &str, lots: i64, time: i64, out: &mut Vec<VenueEvent>) {
        let siblings = self
            .live
            .iter_mut()
            .filter(|(_, order)| order.request.parent == parent && order.request.client_order_id != but);
        let mut over = Vec::new();
        for (&rank, order) in siblings {
            if order.left <= lots {
                over.push(rank);
            } else {
                order.left -= lots;
            }
        }
        for rank in over {
            self.end(rank, EventKind::Canceled, Some(Reason::Oco), time, out);
        }
    }

    fn wake_children(&mut self, parent: &str, time: i64, out: &mut Vec<VenueEvent>) {
        let held = |order: &Live| order.place == Place::Held && order.request.parent == parent;
        let ranks: Vec<u64> = self.live.iter().filter(|(_, order)| held(order)).map(|(&rank, _)| rank).collect();
        for rank in ranks {
            // A rank of now: what came before it stands before it.
            if let Some(order) = self.live.remove(&rank) {
                let rank = self.add(order);
                self.enter(rank, time, out);
            }
        }
    }

    /// Lots that an order of `side` could close.
    const fn reducible(&self, side: i8) -> i64 {
        let position = self.position();
        if side > 0 && position < 0 {
            position.saturating_neg()
        } else if side < 0 && position > 0 {
            position
        } else {
            0
        }
    }

    /// Ends an order, and the children that wait for its first fill.
    pub(super) fn end(
        &mut self,
        rank: u64,
        kind: EventKind,
        reason: Option<Reason>,
        time: i64,
        out: &mut Vec<VenueEvent>,
    ) {
        let Some(order) = self.live.remove(&rank) else { return };
        let status = if kind == EventKind::Expired { OrderStatus::Expired } else { OrderStatus::Canceled };
        self.report(event_of(&order.request, kind, reason, time), Some(status), out);
        if order.filled > 0 {
            self.cut_short.insert(order.request.client_order_id);
            return;
        }
        let waits = |child: &Live| child.place == Place::Held && child.request.parent == order.request.client_order_id;
        while let Some((&rank, _)) = self.live.iter().find(|(_, child)| waits(child)) {
            self.end(rank, EventKind::Canceled, Some(Reason::ParentEnded), time, out);
        }
    }

    fn report(&mut self, event: VenueEvent, ended: Option<OrderStatus>, out: &mut Vec<VenueEvent>) {
        self.sequence += 1;
        if let Some((record, status)) = self.records.get_mut(&event.client_order_id).zip(ended) {
            record.end(status);
        }
        out.push(VenueEvent { sequence: self.sequence, ..event });
    }
}

fn event_of(
    request: &crate::sim::order::OrderRequest,
    kind: EventKind,
    reason: Option<Reason>,
    time: i64,
) -> VenueEvent {
    VenueEvent {
        sequence: 0,
        time,
        kind,
        client_order_id: request.client_order_id.clone(),
        side: request.side,
        quantity: request.quantity,
        price: 0,
        fee: 0,
        liquidity: None,
        reason,
    }
}
