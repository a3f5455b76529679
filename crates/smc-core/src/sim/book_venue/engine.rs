//! What each message of the tape, and each message of the agent, does to the orders.

use super::tape::{TapeKind, TapeMessage};
use super::{BookVenue, Live, Message, Place, Watch, NOTHING};
use crate::market::{Instrument, OrderBook};
use crate::sim::order::{EventKind, Liquidity, OrderKind, Reason, VenueEvent};
use crate::sim::venue::VenueError;

const FUNDING_UNIT: i128 = 100_000_000;

const fn side_of(key: i64) -> usize {
    (key < 0) as usize
}

impl BookVenue {
    /// Matches the next message that happened at the venue, after all that the agent sent before it.
    ///
    /// # Errors
    /// [`VenueError::TimeWentBack`], with nothing changed.
    pub fn on_message(
        &mut self,
        message: &TapeMessage,
        rows: &[(i64, i64)],
        out: &mut Vec<VenueEvent>,
    ) -> Result<(), VenueError> {
        let time = message.exchange_time;
        self.advance(time, out)?;
        match message.kind {
            TapeKind::Depth => self.on_depth(rows, time, out),
            TapeKind::Snapshot => self.on_snapshot(rows, time, out),
            TapeKind::Trade => {
                for &(key, quantity) in rows {
                    self.on_trade(if key > 0 { 1 } else { -1 }, key.abs(), quantity, time, out);
                }
            }
            TapeKind::Funding => {
                for &(rate_e8, mark) in rows {
                    self.pay_funding(rate_e8, mark);
                }
            }
        }
        Ok(())
    }

    /// Lets time pass to `time`: what the agent sent arrives, and orders expire.
    ///
    /// # Errors
    /// [`VenueError::TimeWentBack`], with nothing changed.
    pub fn advance(&mut self, time: i64, out: &mut Vec<VenueEvent>) -> Result<(), VenueError> {
        if time < self.last_time {
            return Err(VenueError::TimeWentBack { what: "message", time, last: self.last_time });
        }
        self.last_time = time;
        while self.sent.front().is_some_and(|&(arrival, _)| arrival <= time) {
            if let Some((arrival, message)) = self.sent.pop_front() {
                self.expire(arrival, out);
                self.receive(arrival, message, out);
            }
        }
        self.expire(time, out);
        Ok(())
    }

    fn receive(&mut self, time: i64, message: Message, out: &mut Vec<VenueEvent>) {
        match message {
            Message::Enter(rank) => {
                // Its parent may have ended, or filled, while it was on the way.
                let Some(order) = self.live.get_mut(&rank) else { return };
                order.place = Place::Held;
                let (parent, expires_at) = (order.request.parent.clone(), order.request.expires_at);
                if expires_at > 0 && expires_at <= time {
                    self.end(rank, EventKind::Expired, None, time, out);
                } else if parent.is_empty() || self.has_filled(&parent) {
                    self.enter(rank, time, out);
                } else if self.records.get(&parent).is_some_and(|parent| parent.ended().is_some()) {
                    self.end(rank, EventKind::Canceled, Some(Reason::ParentEnded), time, out);
                }
            }
            Message::Cancel(id) => {
                let found = self.live.iter().find(|(_, order)| order.request.client_order_id == id);
                if let Some((&rank, _)) = found {
                    self.end(rank, EventKind::Canceled, Some(Reason::Requested), time, out);
                }
            }
        }
        self.refresh();
    }

    /// An order begins to work: it takes what it may, and what is left rests or ends.
    pub(super) fn enter(&mut self, rank: u64, time: i64, out: &mut Vec<VenueEvent>) {
        let Some(order) = self.live.get_mut(&rank) else { return };
        let (kind, side, price) = (order.request.kind, order.request.side, order.request.price);
        match kind {
            OrderKind::StopMarket if !reached(side, self.last_price, price) => order.place = Place::Stop,
            OrderKind::StopMarket | OrderKind::Market => {
                self.take(rank, None, time, out);
                if self.live.contains_key(&rank) {
                    self.end(rank, EventKind::Canceled, Some(Reason::NoLiquidity), time, out);
                }
            }
            OrderKind::Limit | OrderKind::TakeProfit => {
                self.take(rank, Some(price), time, out);
                let ahead = self.book.quantity_at(side, price);
                if let Some(order) = self.live.get_mut(&rank) {
                    order.place = Place::Resting { ahead, traded: 0 };
                }
            }
        }
        self.refresh();
    }

    fn expire(&mut self, time: i64, out: &mut Vec<VenueEvent>) {
        if time < self.next_expiry {
            return;
        }
        let due = |order: &Live| order.request.expires_at > 0 && order.request.expires_at <= time;
        let waiting = |order: &Live| order.place != Place::Sent && due(order);
        while let Some((&rank, order)) = self.live.iter().find(|(_, order)| waiting(order)) {
            let at = order.request.expires_at.max(order_time(self.records.get(&order.request.client_order_id)));
            self.end(rank, EventKind::Expired, None, at, out);
        }
        let times = self.live.values().map(|order| order.request.expires_at).filter(|&at| at > 0);
        self.next_expiry = times.min().unwrap_or(i64::MAX);
        self.refresh();
    }

    fn on_depth(&mut self, rows: &[(i64, i64)], time: i64, out: &mut Vec<VenueEvent>) {
        for &(key, quantity) in rows {
            let before = self.book.set_key(key, quantity);
            let Watch { lowest, highest } = self.watch[side_of(key)];
            if key >= lowest && key <= highest {
                self.level_changed(key, before, quantity);
            }
            if !self.taken.is_empty() {
                self.cap_taken(key, quantity);
            }
        }
        self.meet_quotes(time, out);
    }

    fn on_snapshot(&mut self, rows: &[(i64, i64)], time: i64, out: &mut Vec<VenueEvent>) {
        let mut book = OrderBook::new();
        for &(key, quantity) in rows.iter().rev() {
            book.set_key(key, quantity);
        }
        let before = std::mem::replace(&mut self.book, book);
        let resting = self.live.values().filter(|order| matches!(order.place, Place::Resting { .. }));
        let keys: std::collections::BTreeSet<i64> = resting.map(Live::key).collect();
        for key in keys {
            self.level_changed(key, before.quantity_at_key(key), self.book.quantity_at_key(key));
        }
        self.taken.clear();
        self.meet_quotes(time, out);
    }

    fn cap_taken(&mut self, key: i64, quantity: i64) {
        if let Some(taken) = self.taken.get_mut(&key) {
            *taken = (*taken).min(quantity);
            if quantity == 0 {
                self.taken.remove(&key);
            }
        }
    }

    fn level_changed(&mut self, key: i64, before: i64, now: i64) {
        let model = self.config.queue;
        for order in self.live.values_mut().filter(|order| order.key() == key) {
            if let Place::Resting { ahead, traded } = order.place {
                order.place = Place::Resting { ahead: model.after_change(ahead, before, now, traded), traded: 0 };
            }
        }
    }

    /// Quotes of the other side at or through own prices would have met them.
    fn meet_quotes(&mut self, time: i64, out: &mut Vec<VenueEvent>) {
        let bid = self.book.best_bid().map_or(i64::MIN, |level| level.0);
        let ask = self.book.best_ask().map_or(i64::MIN, |level| -level.0);
        // An own bid meets asks at or below it; the keys of asks are negated prices.
        let met = [ask != i64::MIN && self.watch[0].highest >= -ask, bid != i64::MIN && self.watch[1].highest >= -bid];
        for (side, met) in [(1, met[0]), (-1, met[1])] {
            if met {
                self.fill_from_quotes(side, time, out);
            }
        }
    }

    fn on_trade(&mut self, taker: i8, price: i64, quantity: i64, time: i64, out: &mut Vec<VenueEvent>) {
        self.last_price = price;
        let Watch { highest, .. } = self.watch[usize::from(taker > 0)];
        if highest != NOTHING.highest && highest >= i64::from(-taker) * price {
            self.fill_from_trade(-taker, price, quantity, time, out);
        }
        if self.stops > 0 {
            let hit =
                |order: &Live| order.place == Place::Stop && reached(order.request.side, price, order.request.price);
            while let Some((&rank, _)) = self.live.iter().find(|(_, order)| hit(order)) {
                self.enter(rank, time, out);
            }
        }
    }

    /// A payment is rounded against the account.
    fn pay_funding(&mut self, rate_e8: i64, mark: i64) {
        let value = Instrument::notional(mark, self.position());
        // Split, so that no product leaves 128 bits.
        let whole = (value / FUNDING_UNIT) * i128::from(rate_e8);
        let rest = (value % FUNDING_UNIT) * i128::from(rate_e8);
        self.funding = self.funding.saturating_add(whole + -(-rest).div_euclid(FUNDING_UNIT));
    }

    /// What the fast path must know of the orders, after they changed.
    pub(super) fn refresh(&mut self) {
        self.watch = [NOTHING; 2];
        self.stops = 0;
        for order in self.live.values() {
            match order.place {
                Place::Stop => self.stops += 1,
                Place::Resting { .. } => {
                    let watch = &mut self.watch[side_of(order.key())];
                    watch.lowest = watch.lowest.min(order.key());
                    watch.highest = watch.highest.max(order.key());
                }
                Place::Sent | Place::Held => {}
            }
        }
    }

    /// Own resting orders of a side whose key is at least `key`, by price and time.
    pub(super) fn resting_from(&self, side: i8, key: i64) -> Vec<u64> {
        let resting = self.live.iter().filter(|(_, order)| {
            matches!(order.place, Place::Resting { .. }) && order.request.side == side && order.key() >= key
        });
        let mut ranked: Vec<_> = resting.map(|(&rank, order)| (std::cmp::Reverse(order.key()), rank)).collect();
        ranked.sort_unstable();
        ranked.into_iter().map(|(_, rank)| rank).collect()
    }

    fn fill_from_trade(&mut self, side: i8, price: i64, quantity: i64, time: i64, out: &mut Vec<VenueEvent>) {
        let key = i64::from(side) * price;
        let mut left = quantity;
        for rank in self.resting_from(side, key) {
            if left == 0 {
                break;
            }
            let Some(order) = self.live.get_mut(&rank) else { continue };
            let Place::Resting { ahead, traded } = order.place else { continue };
            // A trade through the price has served all who stood ahead.
            let at_price = order.key() == key;
            let mine = if at_price { (left - ahead).max(0) } else { left };
            let (ahead, traded) = if at_price { ((ahead - left).max(0), traded + left) } else { (0, traded) };
            order.place = Place::Resting { ahead, traded };
            if mine > 0 {
                left -= self.fill(rank, order_price(&self.live, rank), mine, Liquidity::Maker, time, out);
            }
        }
        self.refresh();
    }
}

fn order_price(live: &std::collections::BTreeMap<u64, Live>, rank: u64) -> i64 {
    live.get(&rank).map_or(0, |order| order.request.price)
}

fn order_time(record: Option<&crate::sim::venue::Record>) -> i64 {
    record.map_or(0, crate::sim::venue::Record::time)
}

/// Whether a stop of `side` is reached by a trade at `price`; none was seen where it is 0.
const fn reached(side: i8, price: i64, stop: i64) -> bool {
    price > 0 && if side > 0 { price >= stop } else { price <= stop }
}
