//! What the market is made of: exact grids, timeframes, bars, trades, books, and the gate that
//! raw candles pass.

mod aggregator;
mod bar;
mod book;
mod instrument;
/// What the book and the tape say between two bars.
pub mod microstructure;
mod quality;
mod timeframe;
mod trade_bars;

pub use aggregator::{aggregate, AggregateError, Aggregator, ClosedBar};
pub use bar::{Bar, BarError, Trade, MAX_PRICE, MAX_TIME};
pub use book::{
    crc32, okx_checksum, BookError, DepthDiff, DepthRule, DepthSync, DepthSyncError, DiffOutcome, Levels, OrderBook,
    SnapshotOutcome, SyncCounts,
};
pub use instrument::{Grid, GridError, Instrument};
pub use quality::{Gap, QualityGate, Quarantined, RawBar, Rejection, DETAIL_LIMIT};
pub use timeframe::{Timeframe, TimeframeError};
pub use trade_bars::{TradeBarBuilder, TradeBarError};
