//! What the market is made of: exact grids, timeframes, bars, trades, books.

mod bar;
mod instrument;
mod timeframe;

pub use bar::{Bar, BarError, Trade};
pub use instrument::{Grid, GridError, Instrument};
pub use timeframe::{Timeframe, TimeframeError};
