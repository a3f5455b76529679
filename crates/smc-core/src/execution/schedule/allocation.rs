//! Whole lots by cumulative rounding: the sum is exact, and no running sum is more than half a lot off.

use super::{not_negative, parent, positive, ScheduleError};

/// Whole lots in the proportions of `weights`.
///
/// The running sum up to slice k is `total * (w_1 + ... + w_k) / (w_1 + ... + w_N)`, rounded to the nearest lot. Each
/// running sum is rounded by itself, so no other split in whole lots has a smaller largest deviation.
///
/// # Errors
/// [`ScheduleError`] where the total isn't positive, or a weight is negative, not finite, or all are zero.
pub fn apportion(total: i64, weights: &[f64]) -> Result<Vec<i64>, ScheduleError> {
    parent(total, weights.len())?;
    for &weight in weights {
        not_negative("weight", weight)?;
    }
    let sum: f64 = weights.iter().sum();
    positive("sum of weights", sum)?;
    // After the last weight that isn't zero the running sum is the parent itself, whatever the rounding of doubles.
    let last = weights.iter().rposition(|&weight| weight > 0.0).unwrap_or(weights.len() - 1);
    let (mut running, mut placed) = (0.0, 0);
    let lots = weights.iter().enumerate().map(|(index, &weight)| {
        running += weight;
        let upto = if index >= last { total } else { (total as f64 * (running / sum)).round() as i64 };
        let upto = upto.clamp(placed, total);
        let slice = upto - placed;
        placed = upto;
        slice
    });
    Ok(lots.collect())
}

/// Time-weighted: as many lots in every slice, `q_k = round(total * k / slices)` less what went before.
///
/// Integer arithmetic throughout, halves rounded up.
///
/// # Errors
/// [`ScheduleError`] where total or slices aren't positive.
pub fn twap(total: i64, slices: usize) -> Result<Vec<i64>, ScheduleError> {
    parent(total, slices)?;
    let (whole, count) = (i128::from(total), slices as i128);
    // The quotient of two sums below 2^127 lies between 0 and `total`.
    let upto = |k: usize| ((2 * whole * k as i128 + count) / (2 * count)) as i64;
    Ok((1..=slices).map(|k| upto(k) - upto(k - 1)).collect())
}
