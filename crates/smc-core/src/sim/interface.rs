//! One face of every simulated venue, whatever market it is matched against, for backtests and paper alike.

use super::book_venue::{BookTape, BookVenue};
use super::order::{OrderRequest, OrderStatus, VenueEvent};
use super::venue::{SimVenue, VenueError};
use crate::market::{Bar, Instrument};
use std::ops::Range;

/// A stretch of the market, oldest first.
#[derive(Clone, Debug)]
pub enum Market<'a> {
    /// Closed bars.
    Bars(&'a [Bar]),
    /// Trades as (time, price, quantity).
    Trades(&'a [(i64, i64, i64)]),
    /// Messages of a tape, by the order in which they happened.
    Book(&'a BookTape, Range<usize>),
}

impl Market<'_> {
    const fn name(&self) -> &'static str {
        match self {
            Self::Bars(_) => "bars",
            Self::Trades(_) => "trades",
            Self::Book(..) => "a book tape",
        }
    }
}

/// A venue that orders are sent to and the market is fed to.
pub trait Venue {
    /// Takes an order sent at `now` and answers it: accepted or rejected, once for each client id.
    ///
    /// # Errors
    /// [`VenueError`], with nothing changed.
    fn submit(&mut self, request: OrderRequest, now: i64) -> Result<VenueEvent, VenueError>;

    /// Cancels an order, and returns what happened at once: bars and trades tell of a cancel here, a book when it arrives.
    fn cancel(&mut self, client_order_id: &str, now: i64) -> Vec<VenueEvent>;

    /// Matches what the market did next.
    ///
    /// # Errors
    /// [`VenueError::WrongMarket`] where the venue cannot be matched against it, or another [`VenueError`].
    fn on_market(&mut self, market: &Market<'_>) -> Result<Vec<VenueEvent>, VenueError>;

    /// Where an order stands; `None` for an id never used.
    fn order_status(&self, client_order_id: &str) -> Option<OrderStatus>;

    /// Client ids of all orders that have not ended.
    fn open_orders(&self) -> Vec<&str>;

    /// The net position in signed lots.
    fn position(&self) -> i64;

    /// The instrument traded here.
    fn instrument(&self) -> &Instrument;
}

impl Venue for SimVenue {
    fn submit(&mut self, request: OrderRequest, now: i64) -> Result<VenueEvent, VenueError> {
        Self::submit(self, request, now)
    }

    fn cancel(&mut self, client_order_id: &str, now: i64) -> Vec<VenueEvent> {
        Self::cancel(self, client_order_id, now)
    }

    fn on_market(&mut self, market: &Market<'_>) -> Result<Vec<VenueEvent>, VenueError> {
        match market {
            Market::Bars(bars) => self.on_bars(bars),
            Market::Trades(trades) => self.on_trades(trades),
            Market::Book(..) => Err(VenueError::WrongMarket { venue: "SimVenue", market: market.name() }),
        }
    }

    fn order_status(&self, client_order_id: &str) -> Option<OrderStatus> {
        Self::order_status(self, client_order_id)
    }

    fn open_orders(&self) -> Vec<&str> {
        Self::open_orders(self).collect()
    }

    fn position(&self) -> i64 {
        Self::position(self)
    }

    fn instrument(&self) -> &Instrument {
        Self::instrument(self)
    }
}

impl Venue for BookVenue {
    fn submit(&mut self, request: OrderRequest, now: i64) -> Result<VenueEvent, VenueError> {
        Self::submit(self, request, now)
    }

    fn cancel(&mut self, client_order_id: &str, now: i64) -> Vec<VenueEvent> {
        Self::cancel(self, client_order_id, now);
        Vec::new()
    }

    fn on_market(&mut self, market: &Market<'_>) -> Result<Vec<VenueEvent>, VenueError> {
        let Market::Book(tape, range) = market else {
            return Err(VenueError::WrongMarket { venue: "BookVenue", market: market.name() });
        };
        let mut out = Vec::new();
        for (message, rows) in range.clone().map_while(|index| tape.happened(index)) {
            self.on_message(message, rows, &mut out)?;
        }
        Ok(out)
    }

    fn order_status(&self, client_order_id: &str) -> Option<OrderStatus> {
        Self::order_status(self, client_order_id)
    }

    fn open_orders(&self) -> Vec<&str> {
        Self::open_orders(self).collect()
    }

    fn position(&self) -> i64 {
        Self::position(self)
    }

    fn instrument(&self) -> &Instrument {
        Self::instrument(self)
    }
}
