//! A simulated venue of level 2: orders matched against a recorded book by price and time.
//!
//! The recorded market goes on as it did; own orders are laid into it. A message takes its latency to arrive; at the venue
//! time decides, so a fill that happens before a cancel arrives stands. On arrival an order takes what is displayed
//! on the other side, at the displayed prices or worse; what own orders have taken of a level is gone until the
//! level shows less. The rest of a limit order stands behind all that is displayed at its price, and is filled,
//! at its price, only
//! * by trades at its price once those ahead are served, and no more than the trade is left with;
//! * by trades through its price, for at most their size;
//! * by the other side's quotes at or through its price, for at most their size.
//!
//! Own orders share each of these by price and time, so together they never fill more than was there. Stops become
//! market orders when a trade reaches their price. Children of a bracket wake at their parent's first fill; what
//! one of them fills, the others lose. A reduce-only order never fills more than what there is to close.

mod engine;
mod fills;
mod friction;
mod queue;
mod replay;
mod tape;

pub use friction::{FrictionError, Impact, Latency};
pub use queue::{QueueModel, QueueModelError};
pub use replay::{BookReplay, Delivery, ReplayError};
pub use tape::{BookTape, TapeError, TapeKind, TapeMessage};

use super::costs::Costs;
use super::order::{OrderRequest, OrderStatus, VenueEvent};
use super::venue::{Record, VenueError};
use crate::execution::Ledger;
use crate::market::{Instrument, OrderBook};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How orders meet the recorded market.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BookVenueConfig {
    /// Fees; spread and slippage are the book's own, so those of the costs are not used.
    pub costs: Costs,
    /// The way to the venue and back.
    pub latency: Latency,
    /// Where resting orders stand.
    pub queue: QueueModel,
    /// What own volume does to the price; nothing without one.
    pub impact: Option<Impact>,
}

/// Where an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Place {
    /// On its way to the venue.
    Sent,
    /// A bracket's child whose parent has not filled.
    Held,
    /// A stop whose price was not traded.
    Stop,
    /// In the book: lots ahead of it, and lots traded at its price since the level last changed.
    Resting { ahead: i64, traded: i64 },
}

/// An order that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Live {
    request: OrderRequest,
    place: Place,
    left: i64,
    filled: i64,
}

impl Live {
    /// Its price with the sign of the ladders: a better one is higher.
    const fn key(&self) -> i64 {
        self.request.price * self.request.side as i64
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Message {
    Enter(u64),
    Cancel(String),
}

/// Keys between the worst and the best own resting order of a side; an empty range where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Watch {
    lowest: i64,
    highest: i64,
}

const NOTHING: Watch = Watch { lowest: i64::MAX, highest: i64::MIN };

/// The simulated venue of one instrument, with the book that it matches against and a ledger of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BookVenue {
    config: BookVenueConfig,
    ledger: Ledger,
    funding: i128,
    book: OrderBook,
    /// Lots of displayed levels that own orders took, by key.
    taken: BTreeMap<i64, i64>,
    /// By rank: the order in which they came to the venue.
    live: BTreeMap<u64, Live>,
    ranks: u64,
    sent: VecDeque<(i64, Message)>,
    /// Of bids, then of asks.
    watch: [Watch; 2],
    stops: usize,
    next_expiry: i64,
    records: BTreeMap<String, Record>,
    /// Orders that ended with a part of them filled: their children go on.
    cut_short: BTreeSet<String>,
    sequence: u64,
    last_time: i64,
    last_price: i64,
}

impl BookVenue {
    /// A venue that has seen nothing, with an account of `cash` quote units.
    #[must_use]
    pub fn new(instrument: Instrument, config: BookVenueConfig, cash: i128) -> Self {
        Self {
            config,
            ledger: Ledger::new(instrument, cash),
            funding: 0,
            book: OrderBook::new(),
            taken: BTreeMap::new(),
            live: BTreeMap::new(),
            ranks: 0,
            sent: VecDeque::new(),
            watch: [NOTHING; 2],
            stops: 0,
            next_expiry: i64::MAX,
            records: BTreeMap::new(),
            cut_short: BTreeSet::new(),
            sequence: 0,
            last_time: i64::MIN,
            last_price: 0,
        }
    }

    /// Takes an order sent at `now` and answers it, with the time of its arrival: accepted or rejected.
    ///
    /// A client id seen before is answered by its first answer again: never a second order.
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
        let parent = self.records.get(&request.parent);
        let refused = request.refusal(self.ledger.instrument(), self.last_price, parent);
        let arrival = self.config.latency.arrival(now);
        let record = Record::new(self.sequence, arrival, &request, refused);
        let answer = record.answer(&request.client_order_id);
        self.records.insert(request.client_order_id.clone(), record);
        if refused.is_none() {
            let left = request.quantity;
            let rank = self.add(Live { request, place: Place::Sent, left, filled: 0 });
            self.sent.push_back((arrival, Message::Enter(rank)));
        }
        Ok(answer)
    }

    /// Sends a cancel at `now`; whether it comes before a fill is settled when it arrives.
    pub fn cancel(&mut self, client_order_id: &str, now: i64) {
        let arrival = self.config.latency.arrival(now);
        self.sent.push_back((arrival, Message::Cancel(client_order_id.to_owned())));
    }

    /// Whether any part of an order was filled.
    fn has_filled(&self, client_order_id: &str) -> bool {
        let whole = self.records.get(client_order_id).is_some_and(|record| record.ended() == Some(OrderStatus::Filled));
        let part = |order: &Live| order.request.client_order_id == client_order_id && order.filled > 0;
        whole || self.cut_short.contains(client_order_id) || self.live.values().any(part)
    }

    fn add(&mut self, order: Live) -> u64 {
        self.ranks += 1;
        if order.request.expires_at > 0 {
            self.next_expiry = self.next_expiry.min(order.request.expires_at);
        }
        self.live.insert(self.ranks, order);
        self.ranks
    }

    /// Where an order stands; `None` for an id never used.
    #[must_use]
    pub fn order_status(&self, client_order_id: &str) -> Option<OrderStatus> {
        let record = self.records.get(client_order_id)?;
        record.ended().or_else(|| {
            let order = self.live.values().find(|order| order.request.client_order_id == client_order_id)?;
            Some(if order.place == Place::Held { OrderStatus::Held } else { OrderStatus::Open })
        })
    }

    /// Client ids of all orders that have not ended, held ones included, in the order of arrival.
    pub fn open_orders(&self) -> impl Iterator<Item = &str> {
        self.live.values().map(|order| order.request.client_order_id.as_str())
    }

    /// Lots ahead of a resting order; `None` for any other.
    #[must_use]
    pub fn queue_ahead(&self, client_order_id: &str) -> Option<i64> {
        let order = self.live.values().find(|order| order.request.client_order_id == client_order_id)?;
        match order.place {
            Place::Resting { ahead, .. } => Some(ahead),
            Place::Sent | Place::Held | Place::Stop => None,
        }
    }

    /// The book as the venue shows it now.
    #[must_use]
    pub const fn book(&self) -> &OrderBook {
        &self.book
    }

    /// The account: position, realised result, fees. Funding is apart.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Funding paid less funding received, in quote units.
    #[must_use]
    pub const fn funding(&self) -> i128 {
        self.funding
    }

    /// Cash after fees and funding, in quote units.
    #[must_use]
    pub const fn cash(&self) -> i128 {
        self.ledger.cash().saturating_sub(self.funding)
    }

    /// The net position in signed lots.
    #[must_use]
    pub const fn position(&self) -> i64 {
        self.ledger.position().lots()
    }

    /// Exchange time of the last message matched; 0 before the first.
    #[must_use]
    pub const fn last_time(&self) -> i64 {
        if self.last_time == i64::MIN {
            0
        } else {
            self.last_time
        }
    }

    /// Sequence number of the last event; 0 before the first.
    #[must_use]
    pub const fn last_sequence(&self) -> u64 {
        self.sequence
    }

    /// The instrument traded here.
    #[must_use]
    pub const fn instrument(&self) -> &Instrument {
        self.ledger.instrument()
    }

    /// When what the venue said at `time` is known to the agent.
    pub(super) fn answer_time(&mut self, time: i64) -> i64 {
        self.config.latency.answer(time)
    }
}
