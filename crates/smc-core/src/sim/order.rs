//! What a client may ask of the simulated venue, and what the venue says back.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How an order meets the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderKind {
    /// At once, at the market's price and costs.
    Market,
    /// At its price or better.
    Limit,
    /// A market order once the price is reached against the position.
    StopMarket,
    /// A limit that takes the profit of a position.
    TakeProfit,
}

/// A name that is no order kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown order kind {0:?}; use one of market limit stop_market take_profit")]
pub struct UnknownOrderKind(pub String);

impl FromStr for OrderKind {
    type Err = UnknownOrderKind;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "market" => Ok(Self::Market),
            "limit" => Ok(Self::Limit),
            "stop_market" => Ok(Self::StopMarket),
            "take_profit" => Ok(Self::TakeProfit),
            _ => Err(UnknownOrderKind(name.to_owned())),
        }
    }
}

/// One order as the client sends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRequest {
    /// The client's id: the key of idempotency.
    pub client_order_id: String,
    /// How it meets the market.
    pub kind: OrderKind,
    /// +1 buys, -1 sells.
    pub side: i8,
    /// Lots.
    pub quantity: i64,
    /// Limit or stop price in ticks; ignored for market orders.
    pub price: i64,
    /// The order ends before a bar or trade at or after this time; 0 for never.
    pub expires_at: i64,
    /// Only ever brings the position towards flat.
    pub reduce_only: bool,
    /// Client id of the entry that wakes this order; empty for none.
    pub parent: String,
}

/// Where an order stands at the venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderStatus {
    /// A bracket's child whose parent has not filled.
    Held,
    /// Working, or on its way to the book.
    Open,
    /// Filled whole.
    Filled,
    /// Canceled by request or by the venue, a clipped remainder included.
    Canceled,
    /// Ended by its time.
    Expired,
    /// Never worked.
    Rejected,
}

/// The kind of a venue event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    /// The order is known and works, or is held for its parent.
    Accepted,
    /// The order is refused.
    Rejected,
    /// The order filled.
    Filled,
    /// The order was canceled.
    Canceled,
    /// The order's time ran out.
    Expired,
}

/// Who waited and who crossed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Liquidity {
    /// The order rested and was traded through.
    Maker,
    /// The order crossed the spread.
    Taker,
}

/// Why the venue refused or canceled an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// Rejected: the quantity is zero or negative.
    NonPositiveQuantity,
    /// Rejected: a limit or stop price that is zero or negative.
    NonPositivePrice,
    /// Rejected: worth less than the instrument's minimum, and not reduce-only.
    BelowMinNotional,
    /// Rejected: no order of the parent's id is known.
    UnknownParent,
    /// Rejected or canceled: the parent has already ended.
    ParentEnded,
    /// Canceled: the client asked for it.
    Requested,
    /// Canceled: the other child of the bracket filled.
    Oco,
    /// Canceled: reduce-only, and nothing was left to reduce (for its remainder, if it filled in part).
    NothingToReduce,
    /// Canceled: the position would not fit 64 bits of lots.
    PositionOverflow,
    /// Canceled: a market order found no more lots to take.
    NoLiquidity,
}

impl OrderStatus {
    /// The name at the Python boundary.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Open => "open",
            Self::Filled => "filled",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
        }
    }
}

impl EventKind {
    /// The name at the Python boundary.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Filled => "filled",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
        }
    }
}

impl Liquidity {
    /// The name at the Python boundary.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Maker => "maker",
            Self::Taker => "taker",
        }
    }
}

impl Reason {
    /// The word at the Python boundary.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NonPositiveQuantity => "non_positive_quantity",
            Self::NonPositivePrice => "non_positive_price",
            Self::BelowMinNotional => "below_min_notional",
            Self::UnknownParent => "unknown_parent",
            Self::ParentEnded => "parent_ended",
            Self::Requested => "requested",
            Self::Oco => "oco",
            Self::NothingToReduce => "nothing_to_reduce",
            Self::PositionOverflow => "position_overflow",
            Self::NoLiquidity => "no_liquidity",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the venue says of an order, in the order it happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VenueEvent {
    /// 1, 2, 3 ... over the venue's life.
    pub sequence: u64,
    /// When, in nanoseconds. A fill at a bar's open carries its open time; a fill inside a bar carries its
    /// close time, because the bar does not say when it was reached.
    pub time: i64,
    /// What happened.
    pub kind: EventKind,
    /// To which order.
    pub client_order_id: String,
    /// The order's side.
    pub side: i8,
    /// Filled lots for a fill, else the order's.
    pub quantity: i64,
    /// Fill price in ticks, else 0.
    pub price: i64,
    /// Fee in quote units, else 0.
    pub fee: i128,
    /// Set for a fill.
    pub liquidity: Option<Liquidity>,
    /// Why, for a rejection or a cancel.
    pub reason: Option<Reason>,
}

impl VenueEvent {
    /// The venue's id of the trade, unique over its life; empty unless filled.
    #[must_use]
    pub fn trade_id(&self) -> String {
        match self.kind {
            EventKind::Filled => format!("sim-{}", self.sequence),
            _ => String::new(),
        }
    }
}
