//! An L2 order book: absolute quantities by price level, kept in step with its venue.
//!
//! Asks are kept by negated price, which makes both sides the same structure, and the best of each is one read.

mod checksum;
mod ladder;
mod sync;

pub use checksum::{crc32, okx_checksum};
pub use sync::{DepthDiff, DepthRule, DepthSync, DepthSyncError, DiffOutcome, SnapshotOutcome, SyncCounts};

use ladder::Ladder;
use serde::{Deserialize, Serialize};

/// Why an update does not fit the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// The side is neither +1 nor -1.
    #[error("side {0} is neither +1 (bid) nor -1 (ask)")]
    BadSide(i8),
    /// The price is not positive.
    #[error("price {0} is not a positive number of ticks")]
    BadPrice(i64),
    /// The quantity is negative.
    #[error("quantity {0} is negative; 0 removes a level")]
    BadQuantity(i64),
}

/// Levels as (price, quantity), best first.
pub type Levels = Vec<(i64, i64)>;

/// Bids and asks of one instrument.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "(Levels, Levels)", into = "(Levels, Levels)")]
pub struct OrderBook {
    bids: Ladder,
    asks: Ladder,
}

impl PartialEq for OrderBook {
    /// Equal levels, however they came to be.
    fn eq(&self, other: &Self) -> bool {
        self.bids.iter().eq(other.bids.iter()) && self.asks.iter().eq(other.asks.iter())
    }
}

impl Eq for OrderBook {}

impl From<OrderBook> for (Levels, Levels) {
    fn from(book: OrderBook) -> Self {
        (book.bids().collect(), book.asks().collect())
    }
}

impl From<(Levels, Levels)> for OrderBook {
    fn from((bids, asks): (Levels, Levels)) -> Self {
        let mut book = Self::new();
        // Worst first, so that pages are appended and not inserted.
        for &(price, quantity) in bids.iter().rev() {
            book.bids.set(price, quantity);
        }
        for &(price, quantity) in asks.iter().rev() {
            book.asks.set(-price, quantity);
        }
        book
    }
}

/// Whether a level fits a book.
///
/// # Errors
/// [`BookError`] naming the value that is none.
pub(crate) const fn check_level(side: i8, price: i64, quantity: i64) -> Result<(), BookError> {
    if price <= 0 {
        return Err(BookError::BadPrice(price));
    }
    if quantity < 0 {
        return Err(BookError::BadQuantity(quantity));
    }
    if side != 1 && side != -1 {
        return Err(BookError::BadSide(side));
    }
    Ok(())
}

impl OrderBook {
    /// An empty book.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the quantity resting at a price, 0 to remove the level, and tells what rested there before.
    ///
    /// # Errors
    /// [`BookError`] naming the value that is none, with nothing changed.
    pub fn apply(&mut self, side: i8, price: i64, quantity: i64) -> Result<i64, BookError> {
        check_level(side, price, quantity)?;
        Ok(if side > 0 { self.bids.set(price, quantity) } else { self.asks.set(-price, quantity) })
    }

    /// Sets the quantity of a level by its key, the price with the sign of its side, and tells what was there. The caller
    /// has checked both.
    #[inline]
    pub(crate) fn set_key(&mut self, key: i64, quantity: i64) -> i64 {
        if key > 0 {
            self.bids.set(key, quantity)
        } else {
            self.asks.set(key, quantity)
        }
    }

    /// Sets several levels by key.
    pub(crate) fn set_keys(&mut self, rows: &[(i64, i64)]) {
        for &(key, quantity) in rows {
            self.set_key(key, quantity);
        }
    }

    /// Quantity of the level with a key.
    pub(crate) fn quantity_at_key(&self, key: i64) -> i64 {
        if key > 0 {
            self.bids.quantity(key)
        } else {
            self.asks.quantity(key)
        }
    }

    /// Empties both sides, before a fresh snapshot.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Highest bid as (price, quantity).
    #[must_use]
    pub fn best_bid(&self) -> Option<(i64, i64)> {
        self.bids.best()
    }

    /// Lowest ask as (price, quantity).
    #[must_use]
    pub fn best_ask(&self) -> Option<(i64, i64)> {
        self.asks.best().map(|(key, quantity)| (-key, quantity))
    }

    /// Whether the best bid is at or above the best ask: a sign of a missed update.
    #[must_use]
    pub fn crossed(&self) -> bool {
        self.bids.len() > 0 && self.asks.len() > 0 && self.bids.best_key() >= -self.asks.best_key()
    }

    /// Quantity resting at a price, 0 where there is none (for a side other than +1 and -1 always).
    #[must_use]
    pub fn quantity_at(&self, side: i8, price: i64) -> i64 {
        match side {
            1 => self.bids.quantity(price),
            -1 => self.asks.quantity(-price),
            _ => 0,
        }
    }

    /// All bids as (price, quantity), best first.
    pub fn bids(&self) -> impl Iterator<Item = (i64, i64)> + '_ {
        self.bids.iter()
    }

    /// All asks as (price, quantity), best first.
    pub fn asks(&self) -> impl Iterator<Item = (i64, i64)> + '_ {
        self.asks.iter().map(|(key, quantity)| (-key, quantity))
    }

    /// Number of levels of both sides.
    #[must_use]
    pub const fn level_count(&self) -> usize {
        self.bids.len() + self.asks.len()
    }

    /// The best `depth` levels of a side as (price, quantity), best first.
    ///
    /// # Errors
    /// [`BookError::BadSide`].
    pub fn levels(&self, side: i8, depth: usize) -> Result<Levels, BookError> {
        match side {
            1 => Ok(self.bids().take(depth).collect()),
            -1 => Ok(self.asks().take(depth).collect()),
            _ => Err(BookError::BadSide(side)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn the_best_levels_come_first() {
        let mut book = OrderBook::new();
        for (side, price, quantity) in [(1, 99, 5), (1, 101, 1), (1, 100, 3), (-1, 104, 2), (-1, 103, 7)] {
            book.apply(side, price, quantity).unwrap();
        }
        assert_eq!(book.levels(1, 2), Ok(vec![(101, 1), (100, 3)]));
        assert_eq!(book.levels(-1, 9), Ok(vec![(103, 7), (104, 2)]));
        assert_eq!((book.best_bid(), book.best_ask()), (Some((101, 1)), Some((103, 7))));
        assert!(!book.crossed());
        book.apply(1, 103, 1).unwrap();
        assert!(book.crossed());
        book.apply(1, 103, 0).unwrap();
        assert!(!book.crossed());
        book.clear();
        assert_eq!(book, OrderBook::new());
    }

    #[test]
    fn values_that_fit_no_book_are_refused() {
        let mut book = OrderBook::new();
        assert_eq!(book.apply(0, 100, 1), Err(BookError::BadSide(0)));
        assert_eq!(book.apply(1, 0, 1), Err(BookError::BadPrice(0)));
        assert_eq!(book.apply(1, 100, -1), Err(BookError::BadQuantity(-1)));
        assert_eq!(book.levels(2, 1), Err(BookError::BadSide(2)));
        assert_eq!(book, OrderBook::new());
    }
}
