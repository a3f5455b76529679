//! Pure core of the SMC trading agent: no Python, no input or output, no clock.
//!
//! Prices are integer ticks, quantities integer lots, quote amounts integer *quote units*
//! (one tick times one lot), times integer nanoseconds since the Unix epoch.

/// Order life cycle, positions and cash, in exact arithmetic.
pub mod execution;
/// The feature vector at a bar's close: one definition for training, backtest and live.
pub mod features;
/// Held positions as a decision process, many at once.
pub mod gym;
/// The readings of the library `smartmoneyconcepts`, and the same without hindsight.
pub mod legacy;
/// Instruments, bars, trades, books, and the gate that raw data passes.
pub mod market;
/// Value at risk, expected shortfall, correlations and stresses of a book, and of one order more.
pub mod risk;
/// A simulated venue, a synthetic market, and virtual brackets.
pub mod sim;
/// Streaming market structure: one file a concept, append-only events.
pub mod smc;
/// State as bytes, and back.
pub mod snapshot;
/// Base rates of what the detector reads, beside those of surrogate markets.
pub mod study;
