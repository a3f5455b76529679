//! The bar rules: what a candle proves about an order, read pessimistically.
//!
//! A candle tells its open, its extremes and nothing of their order, so:
//! * a **stop** triggers when its price is traded; its reference is the worse of its price and the price
//!   at which it began to work (the bar's open, or where its entry filled inside the bar);
//! * a **limit** that the open of its first bar has already passed crosses as a taker at that open, never
//!   worse than its price; a resting limit needs a trade strictly *through* its price and gets exactly it;
//! * of a stop and a target reached in one bar the stop is taken;
//! * a position entered inside a bar can be stopped in that bar, but not reach its target there.
//!
//! A single trade is a bar whose four prices are equal. The venue, the barrier tracker and the random
//! entries all read bars through these functions.

use super::order::Liquidity;
use crate::market::Bar;

/// A stretch of the market that orders are matched against: a bar, or a single trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First instant.
    pub open_time: i64,
    /// End of the stretch.
    pub close_time: i64,
    /// First price.
    pub open: i64,
    /// Highest price.
    pub high: i64,
    /// Lowest price.
    pub low: i64,
    /// Last price.
    pub close: i64,
}

impl Span {
    /// A bar.
    #[must_use]
    pub const fn of_bar(bar: &Bar) -> Self {
        Self {
            open_time: bar.open_time,
            close_time: bar.close_time,
            open: bar.open,
            high: bar.high,
            low: bar.low,
            close: bar.close,
        }
    }

    /// One trade.
    #[must_use]
    pub const fn of_trade(time: i64, price: i64) -> Self {
        Self { open_time: time, close_time: time, open: price, high: price, low: price, close: price }
    }

    /// Whether what arrived at `arrival` works in this stretch. A bar cannot tell when inside it a price was
    /// traded, so an order works in the whole bar that it arrives in: a delay shorter than a bar is what
    /// the slippage stands for.
    #[must_use]
    pub const fn admits(&self, arrival: i64) -> bool {
        arrival <= self.open_time || arrival < self.close_time
    }

    /// The time a touch is known to have happened by.
    #[must_use]
    pub const fn time_of(&self, at_open: bool) -> i64 {
        if at_open {
            self.open_time
        } else {
            self.close_time
        }
    }
}

/// An order is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touch {
    /// Price before costs.
    pub reference: i64,
    /// Where the market stood then: the start of what follows inside the same bar.
    pub market: i64,
    /// Whether it happened at the first price of the bar.
    pub at_open: bool,
    /// Whether costs of a taker apply.
    pub liquidity: Liquidity,
}

/// Whether `a` is at least as far as `b` in the direction of `side`.
const fn reaches(side: i8, a: i64, b: i64) -> bool {
    if side > 0 {
        a >= b
    } else {
        a <= b
    }
}

/// The farthest price of the span in the direction of `side`.
const fn extreme(side: i8, span: &Span) -> i64 {
    if side > 0 {
        span.high
    } else {
        span.low
    }
}

/// A market order of the first price.
#[must_use]
pub const fn market_touch(span: &Span) -> Touch {
    Touch { reference: span.open, market: span.open, at_open: true, liquidity: Liquidity::Taker }
}

/// A stop order of `side` at `stop` that works from the span's open, or, with `entered`, from that price.
#[must_use]
pub const fn stop_touch(side: i8, stop: i64, entered: Option<i64>, span: &Span) -> Option<Touch> {
    let (start, at_open) = match entered {
        Some(price) => (price, false),
        None => (span.open, true),
    };
    if reaches(side, start, stop) {
        return Some(Touch { reference: start, market: start, at_open, liquidity: Liquidity::Taker });
    }
    if reaches(side, extreme(side, span), stop) {
        return Some(Touch { reference: stop, market: stop, at_open: false, liquidity: Liquidity::Taker });
    }
    None
}

/// A limit order of `side` at `limit`; `resting` when it was in the book before this span.
#[must_use]
pub const fn limit_touch(side: i8, limit: i64, resting: bool, span: &Span) -> Option<Touch> {
    let open_passed = !reaches(side, span.open, limit);
    if open_passed && !resting {
        return Some(Touch { reference: span.open, market: span.open, at_open: true, liquidity: Liquidity::Taker });
    }
    if !reaches(side, extreme(-side, span), limit) {
        let market = if open_passed { span.open } else { limit };
        return Some(Touch { reference: limit, market, at_open: false, liquidity: Liquidity::Maker });
    }
    None
}

/// The barriers of a position: `side` is the position's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExitLevels {
    /// +1 long, -1 short.
    pub side: i8,
    /// Stop price in ticks.
    pub stop: i64,
    /// Target price in ticks.
    pub target: i64,
    /// The position is closed at the first open at or after this time.
    pub deadline: i64,
}

/// Since when a position is held, seen from one bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// From the bar's open, or from before.
    FromOpen,
    /// From inside the bar, where the market stood at this price.
    FromWithin(i64),
}

/// Which barrier ended a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitKind {
    /// The target was traded through.
    Target,
    /// The stop was traded.
    Stop,
    /// The deadline came first.
    Timeout,
}

/// The end of a position, before costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Which barrier.
    pub kind: ExitKind,
    /// Price in ticks.
    pub price: i64,
    /// When, by the rule of [`Span::time_of`].
    pub time: i64,
}

/// What one bar does to a position with two barriers and a deadline.
#[must_use]
pub const fn exit_on(levels: &ExitLevels, held: Held, span: &Span) -> Option<Exit> {
    let entered = match held {
        Held::FromOpen => None,
        Held::FromWithin(price) => Some(price),
    };
    let stopped = stop_touch(-levels.side, levels.stop, entered, span);
    if let Some(touch) = stopped {
        if touch.at_open {
            return Some(Exit { kind: ExitKind::Stop, price: touch.reference, time: span.open_time });
        }
    }
    if entered.is_none() && span.open_time >= levels.deadline {
        return Some(Exit { kind: ExitKind::Timeout, price: span.open, time: span.open_time });
    }
    if let Some(touch) = stopped {
        return Some(Exit { kind: ExitKind::Stop, price: touch.reference, time: span.close_time });
    }
    if entered.is_some() {
        return None;
    }
    match limit_touch(-levels.side, levels.target, true, span) {
        Some(touch) => Some(Exit { kind: ExitKind::Target, price: touch.reference, time: span.close_time }),
        None => None,
    }
}
