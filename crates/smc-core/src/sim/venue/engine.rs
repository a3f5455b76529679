//! Matching: what each bar or trade does to the working orders.
//!
//! Within one bar: expiries first; then everything that happens at the open; then what happens inside.
//! In both phases stops come before market orders and those before limits, else in order of submission;
//! after every fill the search starts again, because a fill wakes children and ends siblings.

use super::{SimVenue, VenueError};
use crate::market::Bar;
use crate::sim::matching::{limit_touch, market_touch, stop_touch, Span, Touch};
use crate::sim::order::{EventKind, Liquidity, OrderKind, OrderRequest, OrderStatus, Reason, VenueEvent};
use serde::{Deserialize, Serialize};

/// An order that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Working {
    request: OrderRequest,
    arrival: i64,
    held: bool,
    /// In the book before the current bar. Children rest from the start: a target is never a taker.
    resting: bool,
    /// Woken inside the current bar, where the market stood at this price.
    woken_at: Option<i64>,
}

impl Working {
    pub(super) const fn new(request: OrderRequest, arrival: i64, held: bool) -> Self {
        Self { request, arrival, held, resting: held, woken_at: None }
    }

    pub(super) fn id(&self) -> &str {
        &self.request.client_order_id
    }

    pub(super) const fn held(&self) -> bool {
        self.held
    }

    const fn works_in(&self, span: &Span) -> bool {
        !self.held && span.admits(self.arrival)
    }

    const fn expired_by(&self, time: i64) -> bool {
        self.request.expires_at > 0 && self.request.expires_at <= time
    }

    const fn priority(&self) -> u8 {
        match self.request.kind {
            OrderKind::StopMarket => 0,
            OrderKind::Market => 1,
            OrderKind::Limit | OrderKind::TakeProfit => 2,
        }
    }

    /// An event of this order that fills nothing; the sequence number is set when it is reported.
    fn event(&self, kind: EventKind, reason: Option<Reason>, time: i64) -> VenueEvent {
        VenueEvent {
            sequence: 0,
            time,
            kind,
            client_order_id: self.request.client_order_id.clone(),
            side: self.request.side,
            quantity: self.request.quantity,
            price: 0,
            fee: 0,
            liquidity: None,
            reason,
        }
    }

    fn touch(&self, span: &Span) -> Option<Touch> {
        if !self.works_in(span) {
            return None;
        }
        let OrderRequest { side, price, kind, .. } = self.request;
        match (kind, self.woken_at) {
            (OrderKind::StopMarket, woken_at) => stop_touch(side, price, woken_at, span),
            (OrderKind::Market, _) => Some(market_touch(span)),
            (OrderKind::Limit | OrderKind::TakeProfit, None) => limit_touch(side, price, self.resting, span),
            (OrderKind::Limit | OrderKind::TakeProfit, Some(_)) => None,
        }
    }
}

impl SimVenue {
    /// Matches closed bars, oldest first.
    ///
    /// # Errors
    /// [`VenueError::TimeWentBack`], with nothing matched, when a bar opens before the market's last time.
    pub fn on_bars(&mut self, bars: &[Bar]) -> Result<Vec<VenueEvent>, VenueError> {
        let mut last = self.last_time;
        for bar in bars {
            if bar.open_time < last {
                return Err(VenueError::TimeWentBack { what: "bar", time: bar.open_time, last });
            }
            last = bar.close_time;
        }
        let mut out = Vec::new();
        for bar in bars {
            self.match_span(&Span::of_bar(bar), &mut out);
        }
        Ok(out)
    }

    /// Matches trades `(time, price, quantity)`, oldest first.
    ///
    /// # Errors
    /// [`VenueError::TimeWentBack`] or [`VenueError::BadTrade`], with nothing matched.
    pub fn on_trades(&mut self, trades: &[(i64, i64, i64)]) -> Result<Vec<VenueEvent>, VenueError> {
        let mut last = self.last_time;
        for (index, &(time, price, quantity)) in trades.iter().enumerate() {
            if time < last {
                return Err(VenueError::TimeWentBack { what: "trade", time, last });
            }
            if price <= 0 || quantity <= 0 {
                return Err(VenueError::BadTrade { index, price, quantity });
            }
            last = time;
        }
        let mut out = Vec::new();
        for &(time, price, _) in trades {
            self.match_span(&Span::of_trade(time, price), &mut out);
        }
        Ok(out)
    }

    fn match_span(&mut self, span: &Span, out: &mut Vec<VenueEvent>) {
        (self.last_time, self.last_price) = (span.close_time, span.close);
        if self.working.is_empty() {
            return;
        }
        while let Some(index) = self.working.iter().position(|order| order.expired_by(span.open_time)) {
            let order = &self.working[index];
            let time = order.request.expires_at.max(order.arrival);
            self.end(index, EventKind::Expired, None, time, out);
        }
        for at_open in [true, false] {
            while let Some((index, touch)) = self.next_fill(at_open, span) {
                let time = span.time_of(at_open).max(self.working[index].arrival);
                self.fill(index, touch, time, out);
            }
        }
        for order in &mut self.working {
            order.woken_at = None;
            order.resting |= order.works_in(span);
        }
    }

    fn next_fill(&self, at_open: bool, span: &Span) -> Option<(usize, Touch)> {
        let reached = self.working.iter().enumerate().filter_map(|(index, order)| {
            let touch = order.touch(span).filter(|touch| touch.at_open == at_open)?;
            Some((order.priority(), index, touch))
        });
        reached.min_by_key(|&(priority, index, _)| (priority, index)).map(|(_, index, touch)| (index, touch))
    }

    fn fill(&mut self, index: usize, touch: Touch, time: i64, out: &mut Vec<VenueEvent>) {
        let OrderRequest { side, reduce_only, quantity: asked, .. } = self.working[index].request;
        let quantity = if reduce_only { asked.min(self.reducible(side)) } else { asked };
        if quantity == 0 {
            return self.end(index, EventKind::Canceled, Some(Reason::NothingToReduce), time, out);
        }
        let Some(position) = self.position.checked_add(i64::from(side) * quantity) else {
            return self.end(index, EventKind::Canceled, Some(Reason::PositionOverflow), time, out);
        };
        let price = self.fill_price(&self.working[index].request, touch);
        let order = self.working.remove(index);
        let id = order.request.client_order_id.clone();
        self.position = position;
        let event = VenueEvent {
            price,
            quantity,
            fee: self.costs.fee(touch.liquidity, price, quantity),
            liquidity: Some(touch.liquidity),
            ..order.event(EventKind::Filled, None, time)
        };
        self.report(event, OrderStatus::Filled, out);
        if quantity < asked {
            let remainder = order.event(EventKind::Canceled, Some(Reason::NothingToReduce), time);
            self.report(remainder, OrderStatus::Canceled, out);
        }
        if !order.request.parent.is_empty() {
            self.cancel_children(&order.request.parent, Reason::Oco, time, out);
        }
        for child in self.working.iter_mut().filter(|child| child.request.parent == id) {
            child.held = false;
            child.woken_at = (!touch.at_open).then_some(touch.market);
        }
    }

    fn fill_price(&self, request: &OrderRequest, touch: Touch) -> i64 {
        if touch.liquidity == Liquidity::Maker {
            return touch.reference;
        }
        let costed = self.costs.taker_price(request.side, touch.reference);
        match (request.kind, request.side > 0) {
            (OrderKind::Market | OrderKind::StopMarket, _) => costed,
            (OrderKind::Limit | OrderKind::TakeProfit, true) => costed.min(request.price),
            (OrderKind::Limit | OrderKind::TakeProfit, false) => costed.max(request.price),
        }
    }

    /// Lots that an order of `side` could close.
    const fn reducible(&self, side: i8) -> i64 {
        if side > 0 && self.position < 0 {
            // The most negative position has no positive twin; one lot less can still be closed.
            self.position.saturating_neg()
        } else if side < 0 && self.position > 0 {
            self.position
        } else {
            0
        }
    }

    /// Ends an order unfilled, and the orders that wait for it.
    pub(super) fn end(
        &mut self,
        index: usize,
        kind: EventKind,
        reason: Option<Reason>,
        time: i64,
        out: &mut Vec<VenueEvent>,
    ) {
        let order = self.working.remove(index);
        let status = if kind == EventKind::Expired { OrderStatus::Expired } else { OrderStatus::Canceled };
        self.report(order.event(kind, reason, time), status, out);
        self.cancel_children(order.id(), Reason::ParentEnded, time, out);
    }

    fn cancel_children(&mut self, parent: &str, reason: Reason, time: i64, out: &mut Vec<VenueEvent>) {
        while let Some(index) = self.working.iter().position(|order| order.request.parent == parent) {
            self.end(index, EventKind::Canceled, Some(reason), time, out);
        }
    }

    fn report(&mut self, event: VenueEvent, status: OrderStatus, out: &mut Vec<VenueEvent>) {
        self.sequence += 1;
        if let Some(record) = self.records.get_mut(&event.client_order_id) {
            record.end(status);
        }
        out.push(VenueEvent { sequence: self.sequence, ..event });
    }
}
