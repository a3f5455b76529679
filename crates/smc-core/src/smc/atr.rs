//! Average true range after Wilder (New Concepts in Technical Trading Systems, 1978).
//!
//! True range of bar t is the largest of `high - low`, `|high - previous close|` and
//! `|low - previous close|` (the first bar: `high - low`). The average starts as the mean of the
//! first `period` true ranges and goes on as `(previous * (period - 1) + true range) / period`.
//! Knowable at the close of t; nothing before `period` bars.

use serde::{Deserialize, Serialize};

use crate::market::Bar;

/// Streaming average true range, in ticks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AverageTrueRange {
    period: u32,
    seen: u32,
    average: f64,
    previous_close: Option<i64>,
}

impl AverageTrueRange {
    /// An average over `period` bars.
    #[must_use]
    pub const fn new(period: u32) -> Self {
        Self { period, seen: 0, average: 0.0, previous_close: None }
    }

    /// Adds a closed bar.
    pub fn update(&mut self, bar: &Bar) {
        let reference = self.previous_close.unwrap_or(bar.close);
        let true_range = bar.high.max(reference) - bar.low.min(reference);
        self.previous_close = Some(bar.close);
        if self.seen < self.period {
            self.seen += 1;
            self.average += (true_range as f64 - self.average) / f64::from(self.seen);
        } else {
            let period = f64::from(self.period);
            self.average = (self.average * (period - 1.0) + true_range as f64) / period;
        }
    }

    /// The average, once `period` bars have closed.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        (self.seen == self.period).then_some(self.average)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn bar(high: i64, low: i64, close: i64) -> Bar {
        Bar { open_time: 0, close_time: 1, open: close, high, low, close, volume: 0, taker_buy_volume: 0, trades: 0 }
    }

    #[test]
    fn it_starts_as_a_mean_and_goes_on_smoothed() {
        let mut atr = AverageTrueRange::new(3);
        atr.update(&bar(110, 100, 105)); // 10
        atr.update(&bar(112, 106, 110)); // 7: down to the previous close
        assert_eq!(atr.value(), None);
        atr.update(&bar(120, 117, 118)); // 10: up from the previous close
        assert_eq!(atr.value(), Some(9.0));
        atr.update(&bar(121, 118, 120)); // 3
        assert_eq!(atr.value(), Some(7.0));
    }
}
