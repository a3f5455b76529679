//! An L2 order book: absolute quantities by price level.
//!
//! Each side is a sorted vector with its best level at the end, so that the traffic near the top
//! moves few levels and the best price is one read. Asks are kept by negated price, which makes
//! both sides the same structure.

use serde::{Deserialize, Serialize};

/// Levels searched one by one from the top before falling back to bisection.
const NEAR_TOP: usize = 8;

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

/// Levels of one side as (signed price, quantity), ascending, best last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Ladder(Vec<(i64, i64)>);

impl Ladder {
    /// Position of `key`, or where it belongs.
    fn find(&self, key: i64) -> Result<usize, usize> {
        let levels = &self.0;
        let near = levels.len().saturating_sub(NEAR_TOP);
        for position in (near..levels.len()).rev() {
            match levels[position].0.cmp(&key) {
                std::cmp::Ordering::Equal => return Ok(position),
                std::cmp::Ordering::Less => return Err(position + 1),
                std::cmp::Ordering::Greater => {}
            }
        }
        levels[..near].binary_search_by_key(&key, |level| level.0)
    }

    fn set(&mut self, key: i64, quantity: i64) {
        match (self.find(key), quantity) {
            (Ok(position), 0) => {
                self.0.remove(position);
            }
            (Ok(position), _) => self.0[position].1 = quantity,
            (Err(_), 0) => {}
            (Err(position), _) => self.0.insert(position, (key, quantity)),
        }
    }
}

/// Bids and asks of one instrument.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderBook {
    bids: Ladder,
    asks: Ladder,
}

impl OrderBook {
    /// An empty book.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the quantity resting at a price; 0 removes the level.
    ///
    /// # Errors
    /// [`BookError`] naming the value that is none, with nothing changed.
    pub fn apply(&mut self, side: i8, price: i64, quantity: i64) -> Result<(), BookError> {
        if price <= 0 {
            return Err(BookError::BadPrice(price));
        }
        if quantity < 0 {
            return Err(BookError::BadQuantity(quantity));
        }
        match side {
            1 => self.bids.set(price, quantity),
            -1 => self.asks.set(-price, quantity),
            _ => return Err(BookError::BadSide(side)),
        }
        Ok(())
    }

    /// Empties both sides, before a fresh snapshot.
    pub fn clear(&mut self) {
        self.bids.0.clear();
        self.asks.0.clear();
    }

    /// Highest bid as (price, quantity).
    #[must_use]
    pub fn best_bid(&self) -> Option<(i64, i64)> {
        self.bids.0.last().copied()
    }

    /// Lowest ask as (price, quantity).
    #[must_use]
    pub fn best_ask(&self) -> Option<(i64, i64)> {
        self.asks.0.last().map(|&(key, quantity)| (-key, quantity))
    }

    /// Whether the best bid is at or above the best ask: a sign of a missed update.
    #[must_use]
    pub fn crossed(&self) -> bool {
        matches!((self.best_bid(), self.best_ask()), (Some(bid), Some(ask)) if bid.0 >= ask.0)
    }

    /// The best `depth` levels of a side as (price, quantity), best first.
    ///
    /// # Errors
    /// [`BookError::BadSide`].
    pub fn levels(&self, side: i8, depth: usize) -> Result<Vec<(i64, i64)>, BookError> {
        let ladder = match side {
            1 => &self.bids,
            -1 => &self.asks,
            _ => return Err(BookError::BadSide(side)),
        };
        let sign = i64::from(side);
        let best = ladder.0.iter().rev().take(depth);
        Ok(best.map(|&(key, quantity)| (sign * key, quantity)).collect())
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
