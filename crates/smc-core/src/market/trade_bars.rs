//! Bars of one timeframe from single trades.
//!
//! A bar closes when a trade of a later bar arrives, or when the caller says that its end has
//! passed. An interval without trades leaves no bar.

use serde::{Deserialize, Serialize};

use super::{Bar, Timeframe, Trade};

/// Why a trade cannot be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TradeBarError {
    /// The trade is older than the last one, or belongs to a bar that is already closed.
    #[error("trade at {given} is older than {watermark}; feed trades oldest first")]
    BackInTime {
        /// Earliest time still accepted.
        watermark: i64,
        /// Time of the trade.
        given: i64,
    },
    /// The price or the quantity is not positive.
    #[error("trade at {time}: price {price} and quantity {quantity} must both be positive")]
    NotPositive {
        /// Time of the trade.
        time: i64,
        /// Its price in ticks.
        price: i64,
        /// Its quantity in lots.
        quantity: i64,
    },
}

/// Builds bars of one timeframe from trades in time order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeBarBuilder {
    timeframe: Timeframe,
    open: Option<Bar>,
    watermark: i64,
}

impl TradeBarBuilder {
    /// A builder that has seen nothing.
    #[must_use]
    pub const fn new(timeframe: Timeframe) -> Self {
        Self { timeframe, open: None, watermark: i64::MIN }
    }

    /// The timeframe of the bars it makes.
    #[must_use]
    pub const fn timeframe(&self) -> Timeframe {
        self.timeframe
    }

    /// Adds a trade; gives the bar that it closes, if it opens a later one.
    ///
    /// # Errors
    /// [`TradeBarError`], with nothing changed.
    pub fn update(&mut self, trade: &Trade) -> Result<Option<Bar>, TradeBarError> {
        let &Trade { time, price, quantity, taker_side } = trade;
        if time < self.watermark {
            return Err(TradeBarError::BackInTime { watermark: self.watermark, given: time });
        }
        if price <= 0 || quantity <= 0 {
            return Err(TradeBarError::NotPositive { time, price, quantity });
        }
        self.watermark = time;
        let closed = self.open.take_if(|bar| bar.close_time <= time);
        let bought = if taker_side > 0 { quantity } else { 0 };
        let bar = self.open.get_or_insert_with(|| {
            let open_time = self.timeframe.open_of(time);
            Bar {
                open_time,
                close_time: open_time + self.timeframe.ns(),
                open: price,
                high: price,
                low: price,
                close: price,
                volume: 0,
                taker_buy_volume: 0,
                trades: 0,
            }
        });
        bar.high = bar.high.max(price);
        bar.low = bar.low.min(price);
        bar.close = price;
        bar.volume = bar.volume.saturating_add(quantity);
        bar.taker_buy_volume = bar.taker_buy_volume.saturating_add(bought);
        bar.trades = bar.trades.saturating_add(1);
        Ok(closed)
    }

    /// Closes the open bar if its end is at or before `now`; later trades of it are refused.
    pub fn close_until(&mut self, now: i64) -> Option<Bar> {
        let closed = self.open.take_if(|bar| bar.close_time <= now)?;
        self.watermark = self.watermark.max(closed.close_time);
        Some(closed)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn trade(second: i64, price: i64, quantity: i64, taker_side: i8) -> Trade {
        Trade { time: second * SECOND, price, quantity, taker_side }
    }

    #[test]
    fn a_later_trade_closes_the_bar() {
        let mut builder = TradeBarBuilder::new("1m".parse().unwrap());
        for made in [trade(1, 100, 2, 1), trade(2, 103, 1, -1), trade(59, 99, 4, 0)] {
            assert_eq!(builder.update(&made), Ok(None));
        }
        let bar = builder.update(&trade(180, 101, 1, 1)).unwrap().unwrap();
        assert_eq!((bar.open, bar.high, bar.low, bar.close), (100, 103, 99, 99));
        assert_eq!((bar.volume, bar.taker_buy_volume, bar.trades), (7, 2, 3));
        assert_eq!((bar.open_time, bar.close_time), (0, 60 * SECOND));
    }

    #[test]
    fn a_bar_whose_end_has_passed_takes_no_more_trades() {
        let mut builder = TradeBarBuilder::new("1m".parse().unwrap());
        builder.update(&trade(10, 100, 1, 1)).unwrap();
        assert_eq!(builder.close_until(59 * SECOND), None);
        assert!(builder.close_until(60 * SECOND).is_some());
        assert_eq!(builder.close_until(60 * SECOND), None);
        let late = builder.update(&trade(59, 100, 1, 1));
        assert!(matches!(late, Err(TradeBarError::BackInTime { .. })));
    }

    #[test]
    fn trades_that_are_none_are_refused_unchanged() {
        let mut builder = TradeBarBuilder::new("1m".parse().unwrap());
        builder.update(&trade(10, 100, 1, 1)).unwrap();
        let before = builder.clone();
        for bad in [trade(9, 100, 1, 1), trade(11, 0, 1, 1), trade(11, 100, 0, 1)] {
            assert!(builder.update(&bad).is_err());
        }
        assert_eq!(builder, before);
    }
}
