//! Exact grids: every price is a whole number of ticks, every quantity of lots.

use serde::{Deserialize, Serialize};

/// A decimal step `mantissa * 10^-scale`, such as 0.01 or 0.00001.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grid {
    mantissa: i64,
    scale: u32,
}

/// Why a number does not fit a grid.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GridError {
    /// The text is not a positive decimal with at most 12 places.
    #[error("{0:?} is not a positive decimal step with at most 12 places, such as 0.01")]
    BadStep(String),
    /// NaN, infinite, or too large for 64 bits of steps.
    #[error("{0} is not a finite number within range")]
    NotFinite(f64),
    /// A text that is no decimal on the grid.
    #[error("{text:?} is not a decimal multiple of {step} within 64 bits")]
    BadDecimal {
        /// The text given.
        text: String,
        /// The step, as text.
        step: String,
    },
    /// The value lies between two steps.
    #[error("{value} is not a multiple of {step}")]
    OffGrid {
        /// The value given.
        value: f64,
        /// The step, as text.
        step: String,
    },
}

impl Grid {
    /// Parses a step such as `"0.01"`.
    ///
    /// # Errors
    /// [`GridError::BadStep`] when it is no positive decimal.
    pub fn parse(text: &str) -> Result<Self, GridError> {
        let bad = || GridError::BadStep(text.to_owned());
        let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > 12 || whole.is_empty() {
            return Err(bad());
        }
        let mantissa: i64 = format!("{whole}{fraction}").parse().map_err(|_| bad())?;
        if mantissa <= 0 {
            return Err(bad());
        }
        Ok(Self { mantissa, scale: u32::try_from(fraction.len()).map_err(|_| bad())? })
    }

    /// The step as a float.
    #[must_use]
    pub fn step(self) -> f64 {
        self.mantissa as f64 / 10f64.powi(self.scale as i32)
    }

    /// Nearest number of steps.
    ///
    /// # Errors
    /// [`GridError::NotFinite`] for NaN, infinities and overflow.
    pub fn nearest(self, value: f64) -> Result<i64, GridError> {
        let steps = (value * 10f64.powi(self.scale as i32) / self.mantissa as f64).round();
        if !steps.is_finite() || steps.abs() >= 9.0e18 {
            return Err(GridError::NotFinite(value));
        }
        Ok(steps as i64)
    }

    /// Number of steps of a value that lies on the grid (within the rounding of a double).
    ///
    /// # Errors
    /// [`GridError::OffGrid`] when it lies between two steps.
    pub fn exact(self, value: f64) -> Result<i64, GridError> {
        let steps = self.nearest(value)?;
        let error = (self.value(steps) - value).abs();
        if error > self.step() * 1e-4 && error > value.abs() * 1e-12 {
            return Err(GridError::OffGrid { value, step: self.format(1) });
        }
        Ok(steps)
    }

    /// Number of steps of a decimal text, such as a venue sends; no float is in between.
    ///
    /// # Errors
    /// [`GridError::BadDecimal`] when it is no decimal, lies between two steps or does not fit 64 bits.
    pub fn steps_of(self, text: &str) -> Result<i64, GridError> {
        let bad = || GridError::BadDecimal { text: text.to_owned(), step: self.format(1) };
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let fraction = fraction.trim_end_matches('0');
        let shift = (self.scale as usize).checked_sub(fraction.len()).ok_or_else(bad)?;
        if whole.is_empty() || whole.len() + self.scale as usize > 36 {
            return Err(bad());
        }
        let mut scaled: i128 = 0;
        for byte in whole.bytes().chain(fraction.bytes()) {
            let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10).ok_or_else(bad)?;
            scaled = scaled * 10 + i128::from(digit);
        }
        scaled *= 10i128.pow(shift as u32);
        let mantissa = i128::from(self.mantissa);
        if scaled % mantissa != 0 {
            return Err(bad());
        }
        let steps = scaled / mantissa;
        i64::try_from(if negative { -steps } else { steps }).map_err(|_| bad())
    }

    /// Value of `steps` as a float.
    #[must_use]
    pub fn value(self, steps: i64) -> f64 {
        // A product of 64 bits is much cheaper to convert, and is the same number.
        let product = steps.checked_mul(self.mantissa).map(|product| product as f64);
        let product = product.unwrap_or_else(|| (i128::from(steps) * i128::from(self.mantissa)) as f64);
        product / 10f64.powi(self.scale as i32)
    }

    /// Exact decimal text of `steps`.
    #[must_use]
    pub fn format(self, steps: i64) -> String {
        format_decimal(i128::from(steps) * i128::from(self.mantissa), self.scale)
    }
}

/// Exact decimal text of `mantissa * 10^-scale`.
fn format_decimal(mantissa: i128, scale: u32) -> String {
    let sign = if mantissa < 0 { "-" } else { "" };
    let power = 10u128.pow(scale);
    let (whole, rest) = (mantissa.unsigned_abs() / power, mantissa.unsigned_abs() % power);
    if scale == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{rest:0width$}", width = scale as usize)
}

/// A tradable symbol with its grids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instrument {
    /// Venue name, such as `binance`.
    pub venue: String,
    /// Symbol at the venue, such as `BTCUSDT`.
    pub symbol: String,
    /// Price grid.
    pub tick: Grid,
    /// Quantity grid.
    pub lot: Grid,
    /// Smallest order value the venue takes, in quote units.
    pub min_notional: i128,
}

impl Instrument {
    /// Builds an instrument from decimal texts.
    ///
    /// # Errors
    /// [`GridError`] naming the text that is no positive decimal.
    pub fn new(venue: &str, symbol: &str, tick: &str, lot: &str, min_notional: &str) -> Result<Self, GridError> {
        let mut made = Self {
            venue: venue.to_owned(),
            symbol: symbol.to_owned(),
            tick: Grid::parse(tick)?,
            lot: Grid::parse(lot)?,
            min_notional: 0,
        };
        made.min_notional = made.quote_from_str(min_notional)?;
        Ok(made)
    }

    /// `venue:symbol`, the key of logs, topics and shards.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}:{}", self.venue, self.symbol)
    }

    /// Value of `lots` at `ticks`, in quote units (exact).
    #[must_use]
    pub fn notional(ticks: i64, lots: i64) -> i128 {
        i128::from(ticks) * i128::from(lots)
    }

    const fn quote_unit(&self) -> (i128, u32) {
        (self.tick.mantissa as i128 * self.lot.mantissa as i128, self.tick.scale + self.lot.scale)
    }

    /// Decimal text to quote units, rounded towards minus infinity.
    ///
    /// # Errors
    /// [`GridError::BadStep`] when the text is no decimal number.
    pub fn quote_from_str(&self, text: &str) -> Result<i128, GridError> {
        let bad = || GridError::BadStep(text.to_owned());
        let trimmed = text.trim();
        let (negative, digits) = trimmed.strip_prefix('-').map_or((false, trimmed), |rest| (true, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if fraction.len() > 18 || !format!("{whole}{fraction}").bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad());
        }
        let mantissa: i128 = format!("{whole}{fraction}").parse().map_err(|_| bad())?;
        let (unit, scale) = self.quote_unit();
        let signed = if negative { -mantissa } else { mantissa };
        let scaled = signed.checked_mul(10i128.pow(scale)).ok_or_else(bad)?;
        Ok(scaled.div_euclid(unit * 10i128.pow(fraction.len() as u32)))
    }

    /// Exact decimal text of an amount in quote units.
    #[must_use]
    pub fn format_quote(&self, units: i128) -> String {
        let (unit, scale) = self.quote_unit();
        format_decimal(units * unit, scale)
    }

    /// An amount in quote units as a float, for statistics only.
    #[must_use]
    pub fn quote_to_f64(&self, units: i128) -> f64 {
        let (unit, scale) = self.quote_unit();
        (units * unit) as f64 / 10f64.powi(scale as i32)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn btc() -> Instrument {
        Instrument::new("binance", "BTCUSDT", "0.01", "0.00001", "5").expect("valid")
    }

    #[test]
    fn prices_are_exact_on_the_grid() {
        let i = btc();
        assert_eq!(i.tick.exact(16_541.77), Ok(1_654_177));
        assert_eq!(i.tick.format(1_654_177), "16541.77");
        assert!(matches!(i.tick.exact(0.015), Err(GridError::OffGrid { .. })));
        assert!(i.tick.nearest(f64::NAN).is_err());
    }

    #[test]
    fn decimal_texts_are_read_without_a_float() {
        let tick = Grid::parse("0.05").expect("step");
        for (text, steps) in [("28165.45000000", 563_309), ("0.05", 1), ("-3", -60), ("0", 0), ("5000.00", 100_000)] {
            assert_eq!(tick.steps_of(text), Ok(steps), "{text}");
        }
        for text in ["", ".5", "1e5", "0.06", "0.051", "1.0.0", "--1", "99999999999999999999"] {
            assert!(matches!(tick.steps_of(text), Err(GridError::BadDecimal { .. })), "{text}");
        }
    }

    #[test]
    fn quote_amounts_round_trip() {
        let i = btc();
        let units = i.quote_from_str("10000.5").expect("decimal");
        assert_eq!(units, 100_005_000_000);
        assert_eq!(i.format_quote(units), "10000.5000000");
        assert_eq!(i.quote_from_str("-0.00000001"), Ok(-1));
        assert_eq!(Instrument::notional(1_654_177, 100_000), i.quote_from_str("16541.77").expect("decimal"));
    }

    #[test]
    fn steps_that_are_no_decimals_are_refused() {
        for text in ["", "0", "-1", "abc", "0.0000000000001"] {
            assert!(Grid::parse(text).is_err(), "{text}");
        }
    }
}
