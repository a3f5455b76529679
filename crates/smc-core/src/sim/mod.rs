//! A simulated venue, virtual brackets and random entries under one set of bar rules, and a synthetic market.

mod barrier;
mod book_venue;
mod costs;
mod interface;
mod matching;
mod order;
mod random_entry;
mod synthetic;
mod venue;

pub use barrier::{BarrierError, BarrierOutcome, BarrierTracker, Outcome, VirtualBracket};
pub use book_venue::{
    BookReplay, BookTape, BookVenue, BookVenueConfig, Delivery, FrictionError, Impact, Latency, QueueModel,
    QueueModelError, ReplayError, TapeError, TapeKind, TapeMessage,
};
pub use costs::{CostError, Costs};
pub use interface::{Market, Venue};
pub use matching::{exit_on, limit_touch, stop_touch, Exit, ExitKind, ExitLevels, Held, Span, Touch};
pub use order::{EventKind, Liquidity, OrderKind, OrderRequest, OrderStatus, Reason, UnknownOrderKind, VenueEvent};
pub(crate) use random_entry::below;
pub use random_entry::{random_entry_returns, RandomEntry, RandomEntryError};
pub(crate) use synthetic::uniform;
pub use synthetic::{Phase, SyntheticConfig, SyntheticError, SyntheticMarket};
pub use venue::{SimVenue, VenueError};
