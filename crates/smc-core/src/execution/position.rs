//! A signed position at average cost, in exact integers.

use serde::{Deserialize, Serialize};

/// Signed lots, and the signed quote units that they cost.
///
/// A reduction releases the share `basis * closed / position` of the basis, truncated towards zero, and
/// what the truncation leaves stays in the basis of the remaining lots. Rounding therefore moves at most
/// one quote unit between realised and unrealised, never in or out of their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    lots: i64,
    basis: i128,
}

impl Position {
    /// Nothing held.
    pub const FLAT: Self = Self { lots: 0, basis: 0 };

    /// Signed lots: positive long, negative short.
    #[must_use]
    pub const fn lots(&self) -> i64 {
        self.lots
    }

    /// Signed cost of the lots held, in quote units: `lots` times average price.
    #[must_use]
    pub const fn basis(&self) -> i128 {
        self.basis
    }

    /// Average price of the lots held, in ticks; `None` when flat.
    #[must_use]
    pub fn average_price(&self) -> Option<f64> {
        (self.lots != 0).then(|| self.basis as f64 / self.lots as f64)
    }

    /// Gain or loss of the lots held if closed at `mark` ticks, in quote units.
    #[must_use]
    pub fn unrealised(&self, mark: i64) -> i128 {
        i128::from(self.lots) * i128::from(mark) - self.basis
    }

    /// The position after trading `lots` (signed) at `price` ticks, and the quote units realised by it.
    ///
    /// `None` when the result does not fit 64 bits of lots.
    #[must_use]
    pub fn traded(self, lots: i64, price: i64) -> Option<(Self, i128)> {
        let after = self.lots.checked_add(lots)?;
        let value = i128::from(lots) * i128::from(price);
        let opposite = (self.lots < 0) != (lots < 0) && self.lots != 0 && lots != 0;
        if !opposite {
            return Some((Self { lots: after, basis: self.basis + value }, 0));
        }
        if lots.unsigned_abs() > self.lots.unsigned_abs() {
            // Through flat: everything held is closed, the rest opens at the trade's price.
            let proceeds = i128::from(self.lots) * i128::from(price);
            let opened = i128::from(after) * i128::from(price);
            return Some((Self { lots: after, basis: opened }, proceeds - self.basis));
        }
        let released = share(self.basis, i128::from(lots).abs(), i128::from(self.lots).abs());
        Some((Self { lots: after, basis: self.basis - released }, -value - released))
    }
}

/// `total * part / whole` truncated towards zero, without a product that could overflow.
const fn share(total: i128, part: i128, whole: i128) -> i128 {
    (total / whole) * part + (total % whole) * part / whole
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn adding_averages_and_reducing_realises() {
        let (long, none) = Position::default().traded(10, 100).unwrap();
        let (long, still_none) = long.traded(10, 110).unwrap();
        assert_eq!((none, still_none, long.lots(), long.basis()), (0, 0, 20, 2_100));
        assert_eq!(long.average_price(), Some(105.0));
        let (half, gain) = long.traded(-10, 120).unwrap();
        assert_eq!((gain, half.lots(), half.basis()), (150, 10, 1_050));
        assert_eq!(half.unrealised(100), -50);
    }

    #[test]
    fn a_flip_closes_at_the_old_cost_and_opens_at_the_new_price() {
        let (short, _) = Position::default().traded(-5, 100).unwrap();
        let (long, gain) = short.traded(8, 90).unwrap();
        assert_eq!((gain, long.lots(), long.basis()), (50, 3, 270));
    }

    #[test]
    fn truncation_leaves_the_remainder_in_the_basis() {
        // Three lots that cost 10 in all: one third is 3, the rest keep 7, and the close releases all of it.
        let (two, _) = Position::default().traded(2, 3).unwrap();
        let (three, _) = two.traded(1, 4).unwrap();
        let (left, first) = three.traded(-1, 5).unwrap();
        assert_eq!((first, left.basis()), (2, 7));
        let (flat, second) = left.traded(-2, 5).unwrap();
        assert_eq!((second, flat), (3, Position::default()));
    }

    #[test]
    fn extremes_do_not_overflow_inside() {
        let (big, _) = Position::default().traded(i64::MAX, i64::MAX).unwrap();
        assert!(big.traded(1, 1).is_none());
        let (_, gain) = big.traded(-(i64::MAX - 1), 1).unwrap();
        assert_eq!(gain, (i128::from(i64::MAX) - 1) * (1 - i128::from(i64::MAX)));
    }
}
