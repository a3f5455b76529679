//! Volume-weighted: in the proportions of the volume that others are expected to trade.

use super::{apportion, positive, within, ScheduleError};

/// The next slice of a dynamic VWAP schedule: `round(remaining * u_k / (u_k + ... + u_N))`.
///
/// `expected` holds others' expected volume in this slice and each later one; forecasts may have changed since the
/// last call, which is what makes it dynamic. The last slice takes what is left.
///
/// # Errors
/// [`ScheduleError`] where `remaining` is negative, or a volume is negative, not finite, or all are zero.
pub fn vwap_next(remaining: i64, expected: &[f64]) -> Result<i64, ScheduleError> {
    within("remaining", remaining as f64, remaining >= 0, "zero or more")?;
    positive("slices", expected.len() as f64)?;
    if remaining == 0 {
        return Ok(0);
    }
    let rest: f64 = expected[1..].iter().sum();
    Ok(apportion(remaining, &[expected[0], rest])?[0])
}
