//! What trading does to the price: the linear model of Almgren and Chriss, and the square-root law.

use super::{not_negative, positive, ScheduleError};

/// Linear impact, after Almgren and Chriss (2000), "Optimal execution of portfolio transactions".
///
/// Any units that agree will do; here ticks, lots and seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinearImpact {
    /// Standard deviation of the price over one second, in ticks.
    pub volatility: f64,
    /// Permanent impact gamma, in ticks per lot.
    pub permanent: f64,
    /// Temporary impact eta, in ticks per (lot per second).
    pub temporary: f64,
    /// Fixed cost epsilon of a lot, in ticks: half the spread and the fee.
    pub fixed: f64,
}

impl LinearImpact {
    pub(super) fn validate(&self) -> Result<(), ScheduleError> {
        not_negative("volatility", self.volatility)?;
        not_negative("permanent", self.permanent)?;
        positive("temporary", self.temporary)?;
        not_negative("fixed", self.fixed)
    }
}

/// Expected cost a lot of a metaorder, in ticks: `coefficient * volatility * sqrt(quantity / volume)`.
///
/// `volatility` (ticks) and `volume` (lots) are those of the same period, such as a day; the coefficient is about 1.
/// Source: Donier and Bonart (2015), arXiv 1412.4503, for Bitcoin.
///
/// # Errors
/// [`ScheduleError`] where the volume isn't positive or another value is negative.
pub fn square_root_impact(coefficient: f64, volatility: f64, quantity: f64, volume: f64) -> Result<f64, ScheduleError> {
    not_negative("coefficient", coefficient)?;
    not_negative("volatility", volatility)?;
    not_negative("quantity", quantity)?;
    positive("volume", volume)?;
    Ok(coefficient * volatility * (quantity / volume).sqrt())
}
