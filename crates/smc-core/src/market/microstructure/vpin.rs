//! VPIN, after Easley, Lopez de Prado and O'Hara (2012); for display only.
//!
//! With true signs it does not forecast what it was built to forecast (Andersen and Bondarenko 2014), so nothing in the
//! agent decides by it.

use super::{taker_side, within, MicrostructureError};
use std::collections::VecDeque;

/// Mean of `|bought - sold| / bucket` over the last volume buckets.
#[derive(Clone, Debug)]
pub struct Vpin {
    bucket: i64,
    buckets: usize,
    bought: i64,
    filled: i64,
    imbalances: VecDeque<i64>,
    sum: i128,
}

impl Vpin {
    /// Buckets of `bucket` lots, the last `buckets` of them counted.
    ///
    /// # Errors
    /// [`MicrostructureError`] where one of them isn't positive.
    pub fn new(bucket: i64, buckets: usize) -> Result<Self, MicrostructureError> {
        within("bucket", bucket as f64, bucket > 0, "positive")?;
        within("buckets", buckets as f64, buckets > 0, "positive")?;
        Ok(Self { bucket, buckets, bought: 0, filled: 0, imbalances: VecDeque::with_capacity(buckets), sum: 0 })
    }

    fn close(&mut self, imbalance: i64) {
        if self.imbalances.len() == self.buckets {
            self.sum -= i128::from(self.imbalances.pop_front().unwrap_or(0));
        }
        self.imbalances.push_back(imbalance);
        self.sum += i128::from(imbalance);
    }

    /// Books a trade; one larger than what is left of a bucket goes on in the next.
    ///
    /// # Errors
    /// [`MicrostructureError`] where the side is none or the lots aren't positive.
    pub fn on_trade(&mut self, side: i8, lots: i64) -> Result<(), MicrostructureError> {
        taker_side(side)?;
        within("lots", lots as f64, lots > 0, "positive")?;
        let mut left = lots;
        let part = left.min(self.bucket - self.filled);
        self.filled += part;
        self.bought += if side > 0 { part } else { 0 };
        left -= part;
        if self.filled < self.bucket {
            return Ok(());
        }
        self.close((2 * self.bought - self.bucket).abs());
        // Whole buckets of one trade are all its own; more than are counted change nothing.
        for _ in 0..(left / self.bucket).min(self.buckets as i64) {
            self.close(self.bucket);
        }
        self.filled = left % self.bucket;
        self.bought = if side > 0 { self.filled } else { 0 };
        Ok(())
    }

    /// The mean, in [0, 1]; None before as many buckets are full.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        let full = self.imbalances.len() == self.buckets;
        full.then(|| self.sum as f64 / (self.bucket as f64 * self.buckets as f64))
    }
}
