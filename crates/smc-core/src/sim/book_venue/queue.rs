//! Where an order stands in the queue of its price, which a book of level 2 does not say.
//!
//! What is known: all that was displayed when the order arrived is ahead of it; trades at its price take from the front;
//! what joins later is behind. What is not known is whether a canceled order was ahead or behind, and the
//! models differ in that alone. With `f` increasing, a cancel was behind with probability
//! `f(behind) / (f(behind) + f(ahead))`: `f(x) = x^n` is the power law, `f(x) = ln(1 + x)` the logarithm. The
//! risk-averse model takes every cancel to have been behind, until the level shows less than is thought ahead.

use serde::{Deserialize, Serialize};

/// Who is thought to have left when a level shrinks without a trade.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum QueueModel {
    /// Those behind.
    RiskAverse,
    /// By `f(x) = x^exponent`.
    PowerLaw {
        /// Positive; 0.5 to 3 are usual. It is fitted to own fills.
        exponent: f64,
    },
    /// By `f(x) = ln(1 + x)`, x in lots.
    Logarithmic,
}

/// An exponent that is none.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("queue exponent is {0}; it must be positive and finite")]
pub struct QueueModelError(pub f64);

impl QueueModel {
    /// A power law.
    ///
    /// # Errors
    /// [`QueueModelError`].
    pub fn power_law(exponent: f64) -> Result<Self, QueueModelError> {
        if exponent.is_finite() && exponent > 0.0 {
            Ok(Self::PowerLaw { exponent })
        } else {
            Err(QueueModelError(exponent))
        }
    }

    /// Share of the canceled lots that were behind, of `ahead` and `behind` lots.
    fn share_behind(self, ahead: i64, behind: i64) -> f64 {
        let weigh = |lots: i64| match self {
            Self::RiskAverse => 0.0,
            Self::PowerLaw { exponent } => (lots as f64).powf(exponent),
            Self::Logarithmic => (lots as f64).ln_1p(),
        };
        let (front, back) = (weigh(ahead), weigh(behind));
        if back.is_infinite() || front + back <= 0.0 {
            return 1.0;
        }
        back / (front + back)
    }

    /// Lots ahead after a level of `before` lots came to show `now`, `traded` of them gone by trades that are counted already.
    /// Rounded up, against the order.
    #[must_use]
    pub fn after_change(self, ahead: i64, before: i64, now: i64, traded: i64) -> i64 {
        let canceled = before.saturating_sub(now).saturating_sub(traded);
        if canceled <= 0 || self == Self::RiskAverse {
            return ahead.min(now);
        }
        let behind = before.saturating_sub(traded).saturating_sub(ahead).max(0);
        let from_behind = (self.share_behind(ahead, behind) * canceled as f64).floor() as i64;
        // Those behind cannot lose more than they are: the rest was ahead.
        let from_ahead = canceled - from_behind.min(behind).min(canceled);
        (ahead - from_ahead).clamp(0, now.max(0))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn cancels_are_shared_by_the_power_of_what_stands_on_either_side() {
        // 60 ahead, 40 behind, 10 canceled: at exponent 1 four tenths were behind.
        let linear = QueueModel::power_law(1.0).unwrap();
        assert_eq!(linear.after_change(60, 100, 90, 0), 54);
        // Squares: 1600 of 5200 is 30.8 percent, so 3 behind and 7 ahead.
        assert_eq!(QueueModel::power_law(2.0).unwrap().after_change(60, 100, 90, 0), 53);
        // ln 61 = 4.11, ln 41 = 3.71: 47.5 percent behind, so 4.
        assert_eq!(QueueModel::Logarithmic.after_change(60, 100, 90, 0), 54);
        assert_eq!(QueueModel::RiskAverse.after_change(60, 100, 90, 0), 60);
    }

    #[test]
    fn trades_are_not_cancels_and_the_level_bounds_the_queue() {
        let linear = QueueModel::power_law(1.0).unwrap();
        // 10 traded and gone from the front already.
        assert_eq!(linear.after_change(50, 100, 90, 10), 50);
        assert_eq!(QueueModel::RiskAverse.after_change(60, 100, 30, 0), 30);
        assert_eq!(linear.after_change(60, 100, 0, 0), 0);
        assert_eq!(linear.after_change(60, 100, 150, 0), 60);
        // Nobody behind: all cancels were ahead.
        assert_eq!(linear.after_change(100, 100, 80, 0), 80);
    }

    #[test]
    fn an_exponent_that_is_none_is_refused() {
        for exponent in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(QueueModel::power_law(exponent).is_err());
        }
    }
}
