//! A recorded market of level 2: what the venue published, when it happened there and when it came here.

use crate::market::{BookError, Levels};
use serde::{Deserialize, Serialize};

/// What a message of the tape says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TapeKind {
    /// New quantities of levels; 0 removes one.
    Depth,
    /// The whole book.
    Snapshot,
    /// Trades, each by the side of its taker.
    Trade,
    /// Funding is exchanged between longs and shorts.
    Funding,
}

/// One message; its rows lie in the tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TapeMessage {
    /// When it happened at the venue, in nanoseconds.
    pub exchange_time: i64,
    /// When it was received, in nanoseconds.
    pub local_time: i64,
    /// What it says.
    pub kind: TapeKind,
    start: u32,
    end: u32,
}

/// A message that fits no tape; nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TapeError {
    /// A price, quantity or side that is none.
    #[error("message at {time}: {error}")]
    BadLevel {
        /// Exchange time of the message.
        time: i64,
        /// What is wrong.
        error: BookError,
    },
    /// Messages are added in the order in which they were received.
    #[error("a message received at {time} comes before {last}; add messages as they were received")]
    TimeWentBack {
        /// Its local time.
        time: i64,
        /// The last local time.
        last: i64,
    },
    /// The tape is too long for its index.
    #[error("the tape has {0} rows; it holds at most 4294967295, so cut it in parts")]
    TooLong(usize),
}

/// Messages in the order received, and the order in which they happened.
///
/// Rows are (key, quantity): for a level the key is its price, negated for an ask; for a trade the price,
/// negated where the taker sold; for funding the rate in 1e-8 and the mark price.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookTape {
    messages: Vec<TapeMessage>,
    rows: Vec<(i64, i64)>,
    by_exchange: Vec<u32>,
}

impl BookTape {
    /// An empty tape.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds new quantities of levels, in ticks and lots.
    ///
    /// # Errors
    /// [`TapeError`], with nothing changed.
    pub fn push_depth(&mut self, exchange: i64, local: i64, bids: &Levels, asks: &Levels) -> Result<(), TapeError> {
        self.push_levels(TapeKind::Depth, (exchange, local), bids, asks)
    }

    /// Adds a whole book, which replaces the one before.
    ///
    /// # Errors
    /// [`TapeError`], with nothing changed.
    pub fn push_snapshot(&mut self, exchange: i64, local: i64, bids: &Levels, asks: &Levels) -> Result<(), TapeError> {
        self.push_levels(TapeKind::Snapshot, (exchange, local), bids, asks)
    }

    /// Adds a trade of `quantity` lots at `price` whose taker bought (+1) or sold (-1).
    ///
    /// # Errors
    /// [`TapeError`], with nothing changed.
    pub fn push_trade(&mut self, times: (i64, i64), taker: i8, price: i64, quantity: i64) -> Result<(), TapeError> {
        let error = if taker != 1 && taker != -1 {
            Some(BookError::BadSide(taker))
        } else if price <= 0 {
            Some(BookError::BadPrice(price))
        } else {
            (quantity <= 0).then_some(BookError::BadQuantity(quantity))
        };
        match error {
            Some(error) => Err(TapeError::BadLevel { time: times.0, error }),
            None => self.push(TapeKind::Trade, times, [(i64::from(taker) * price, quantity)]),
        }
    }

    /// Adds a payment of funding: a long of one lot pays `rate_e8 / 1e8` of its value at `mark` ticks.
    ///
    /// # Errors
    /// [`TapeError`], with nothing changed.
    pub fn push_funding(&mut self, times: (i64, i64), rate_e8: i64, mark: i64) -> Result<(), TapeError> {
        if mark <= 0 {
            return Err(TapeError::BadLevel { time: times.0, error: BookError::BadPrice(mark) });
        }
        self.push(TapeKind::Funding, times, [(rate_e8, mark)])
    }

    fn push_levels(
        &mut self,
        kind: TapeKind,
        times: (i64, i64),
        bids: &Levels,
        asks: &Levels,
    ) -> Result<(), TapeError> {
        for &(price, quantity) in bids.iter().chain(asks) {
            let error = if price <= 0 {
                BookError::BadPrice(price)
            } else if quantity < 0 {
                BookError::BadQuantity(quantity)
            } else {
                continue;
            };
            return Err(TapeError::BadLevel { time: times.0, error });
        }
        let asks = asks.iter().map(|&(price, quantity)| (-price, quantity));
        self.push(kind, times, bids.iter().copied().chain(asks))
    }

    fn push(
        &mut self,
        kind: TapeKind,
        (exchange_time, local_time): (i64, i64),
        rows: impl IntoIterator<Item = (i64, i64)>,
    ) -> Result<(), TapeError> {
        if let Some(last) = self.messages.last().filter(|last| last.local_time > local_time) {
            return Err(TapeError::TimeWentBack { time: local_time, last: last.local_time });
        }
        let start = self.rows.len();
        self.rows.extend(rows);
        let (Ok(first), Ok(end)) = (u32::try_from(start), u32::try_from(self.rows.len())) else {
            let length = self.rows.len();
            self.rows.truncate(start);
            return Err(TapeError::TooLong(length));
        };
        let index = self.messages.len() as u32;
        self.messages.push(TapeMessage { exchange_time, local_time, kind, start: first, end });
        // Streams come in almost the order in which things happened, so the place is near the end.
        let later = |&&other: &&u32| self.messages[other as usize].exchange_time > exchange_time;
        let place = self.by_exchange.len() - self.by_exchange.iter().rev().take_while(later).count();
        self.by_exchange.insert(place, index);
        Ok(())
    }

    /// Moves all local times by as much as makes the shortest way from the venue `least_ns`, and returns the shift.
    ///
    /// A recorder's clock that is behind the venue's would otherwise show what has not happened yet.
    pub fn correct_local_clock(&mut self, least_ns: i64) -> i64 {
        let shortest = self.messages.iter().map(|message| message.local_time - message.exchange_time).min();
        let shift = shortest.map_or(0, |shortest| (least_ns - shortest).max(0));
        for message in &mut self.messages {
            message.local_time += shift;
        }
        shift
    }

    /// Number of messages.
    #[must_use]
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether nothing is on it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Rows of all messages: level changes, trades and payments.
    #[must_use]
    pub fn row_count(&self) -> usize {
        self.rows.len()
    }

    /// The message received as number `index`, with its rows.
    #[must_use]
    pub fn received(&self, index: usize) -> Option<(&TapeMessage, &[(i64, i64)])> {
        let message = self.messages.get(index)?;
        Some((message, &self.rows[message.start as usize..message.end as usize]))
    }

    /// The message that happened as number `index`, with its rows.
    #[must_use]
    pub fn happened(&self, index: usize) -> Option<(&TapeMessage, &[(i64, i64)])> {
        self.received(*self.by_exchange.get(index)? as usize)
    }
}
