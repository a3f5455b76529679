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

/// Prices lie within this many ticks of zero: a difference of two is exact as a float, and the longest window of
/// them adds up in 64 bits.
pub const MAX_PRICE: i64 = 1 << 48;

/// Times lie within this many nanoseconds of the epoch (1684 to 2255): a period that contains one can be counted.
pub const MAX_TIME: i64 = 9_000_000_000_000_000_000;

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
    /// A price is further from zero than [`MAX_PRICE`].
    #[error("price {price} is more than {MAX_PRICE} ticks from zero; use a coarser tick")]
    PriceBeyondRange {
        /// Offending price, ticks.
        price: i64,
    },
    /// A time is further from the epoch than [`MAX_TIME`].
    #[error("time {time} is not between the years 1684 and 2255; give nanoseconds since the Unix epoch")]
    TimeBeyondRange {
        /// Offending time, ns.
        time: i64,
    },
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
        if self.high > MAX_PRICE || self.low < -MAX_PRICE {
            let price = if self.high > MAX_PRICE { self.high } else { self.low };
            return Err(BarError::PriceBeyondRange { price });
        }
        if self.close_time > MAX_TIME || self.open_time < -MAX_TIME {
            let time = if self.close_time > MAX_TIME { self.close_time } else { self.open_time };
            return Err(BarError::TimeBeyondRange { time });
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
