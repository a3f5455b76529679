//! Closed candles and single trades.

use serde::{Deserialize, Serialize};

/// A closed candle: prices in ticks, volumes in lots, times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bar {
    /// Start of the bar.
    pub open_time: i64,
    /// End of the bar, exclusive.
    pub close_time: i64,
    /// First price.
    pub open: i64,
    /// Highest price.
    pub high: i64,
    /// Lowest price.
    pub low: i64,
    /// Last price.
    pub close: i64,
    /// Traded quantity.
    pub volume: i64,
    /// The part of `volume` whose taker bought.
    pub taker_buy_volume: i64,
    /// Number of trades, 0 where the source does not say.
    pub trades: u32,
}

/// Why four prices and two times are not a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BarError {
    /// The high is below the low.
    #[error("high {high} is below low {low}")]
    HighBelowLow {
        /// Offending high, ticks.
        high: i64,
        /// Offending low, ticks.
        low: i64,
    },
    /// The open or the close lies outside the range.
    #[error("open or close lies outside [low, high]")]
    OutsideRange,
    /// The bar ends before it begins.
    #[error("close_time must be after open_time")]
    EmptyInterval,
}

impl Bar {
    /// Checks the relations that every candle must satisfy.
    ///
    /// # Errors
    /// The first relation that does not hold.
    pub const fn validate(&self) -> Result<(), BarError> {
        if self.high < self.low {
            return Err(BarError::HighBelowLow { high: self.high, low: self.low });
        }
        if self.open < self.low || self.open > self.high || self.close < self.low || self.close > self.high {
            return Err(BarError::OutsideRange);
        }
        if self.close_time <= self.open_time {
            return Err(BarError::EmptyInterval);
        }
        Ok(())
    }

    /// High minus low, in ticks.
    #[must_use]
    pub const fn range(&self) -> i64 {
        self.high - self.low
    }

    /// Absolute distance of close from open, in ticks.
    #[must_use]
    pub const fn body(&self) -> i64 {
        (self.close - self.open).abs()
    }
}

/// One trade: `taker_side` is +1 (taker bought), -1 (taker sold) or 0 where unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trade {
    /// Venue time.
    pub time: i64,
    /// Price in ticks.
    pub price: i64,
    /// Quantity in lots.
    pub quantity: i64,
    /// Side of the taker.
    pub taker_side: i8,
}
