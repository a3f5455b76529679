//! A tape played to an agent: the venue at the venue's time, and the book as the agent sees it, later.

use super::{BookTape, BookVenue, TapeKind};
use crate::market::OrderBook;
use crate::sim::order::{OrderRequest, VenueEvent};
use crate::sim::venue::VenueError;
use std::collections::VecDeque;
use std::sync::Arc;

/// What the venue said, and when the agent knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Local time in nanoseconds.
    pub at: i64,
    /// What happened.
    pub event: VenueEvent,
}

/// A call that the replay cannot take; nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The agent's clock went backwards.
    #[error("the replay is at {now}; it cannot go back to {until}")]
    TimeWentBack {
        /// Where it is.
        now: i64,
        /// The time asked for.
        until: i64,
    },
    /// The venue refused the call.
    #[error(transparent)]
    Venue(#[from] VenueError),
}

/// One agent, one venue, one tape.
#[derive(Clone, Debug)]
pub struct BookReplay {
    tape: Arc<BookTape>,
    venue: BookVenue,
    local: OrderBook,
    happened: usize,
    received: usize,
    now: i64,
    deliveries: VecDeque<Delivery>,
    events: Vec<VenueEvent>,
}

impl BookReplay {
    /// A replay before the first message; `venue` must not have seen a market.
    #[must_use]
    pub fn new(tape: Arc<BookTape>, venue: BookVenue) -> Self {
        let first = tape.received(0).map_or(0, |(message, _)| message.local_time);
        let first = tape.happened(0).map_or(first, |(message, _)| message.exchange_time.min(first));
        Self {
            tape,
            venue,
            local: OrderBook::new(),
            happened: 0,
            received: 0,
            now: first.saturating_sub(1),
            deliveries: VecDeque::new(),
            events: Vec::new(),
        }
    }

    /// Lets the agent's clock pass to `until`, and returns what became known by then.
    ///
    /// # Errors
    /// [`ReplayError::TimeWentBack`].
    pub fn advance(&mut self, until: i64) -> Result<Vec<Delivery>, ReplayError> {
        if until < self.now {
            return Err(ReplayError::TimeWentBack { now: self.now, until });
        }
        while let Some((message, rows)) = self.tape.happened(self.happened) {
            if message.exchange_time > until {
                break;
            }
            self.venue.on_message(message, rows, &mut self.events)?;
            self.happened += 1;
        }
        self.venue.advance(until, &mut self.events)?;
        for event in self.events.drain(..) {
            let at = self.venue.answer_time(event.time);
            self.deliveries.push_back(Delivery { at, event });
        }
        while let Some((message, rows)) = self.tape.received(self.received) {
            if message.local_time > until {
                break;
            }
            match message.kind {
                TapeKind::Depth => self.local.set_keys(rows),
                TapeKind::Snapshot => {
                    self.local.clear();
                    self.local.set_keys(rows);
                }
                TapeKind::Trade | TapeKind::Funding => {}
            }
            self.received += 1;
        }
        self.now = until;
        let known = self.deliveries.partition_point(|delivery| delivery.at <= until);
        Ok(self.deliveries.drain(..known).collect())
    }

    /// Sends an order now; its answer comes with the deliveries.
    ///
    /// # Errors
    /// [`ReplayError::Venue`].
    pub fn submit(&mut self, request: OrderRequest) -> Result<(), ReplayError> {
        let event = self.venue.submit(request, self.now)?;
        let at = self.venue.answer_time(event.time);
        self.deliveries.push_back(Delivery { at, event });
        Ok(())
    }

    /// Sends a cancel now.
    pub fn cancel(&mut self, client_order_id: &str) {
        self.venue.cancel(client_order_id, self.now);
    }

    /// The agent's time.
    #[must_use]
    pub const fn now(&self) -> i64 {
        self.now
    }

    /// Whether the agent has received the whole tape.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.received == self.tape.len()
    }

    /// The book as the agent sees it.
    #[must_use]
    pub const fn local(&self) -> &OrderBook {
        &self.local
    }

    /// The venue, which is ahead of what the agent knows.
    #[must_use]
    pub const fn venue(&self) -> &BookVenue {
        &self.venue
    }
}
