//! Microstructure of the market, O(1) an event: what the book and the tape say between two bars.
//!
//! Sums that are integers are exact; floats appear where a statistic needs them. Middles are given doubled (bid plus
//! ask), so that half a tick stays a whole number.

mod kyle;
mod micro_price;
mod order_flow;
mod resilience;
mod spreads;
mod vpin;

pub use kyle::{KyleEstimate, KyleLambda};
pub use micro_price::{weighted_mid, MicroPrice, MicroPriceModel};
pub use order_flow::OrderFlowImbalance;
pub use resilience::Resilience;
pub use spreads::{effective_spread, Markout, Markouts};
pub use vpin::Vpin;

/// An argument that describes no measurement.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{name} is {value}; it must be {range}")]
pub struct MicrostructureError {
    /// The argument.
    pub name: &'static str,
    /// The value given.
    pub value: f64,
    /// What it must be.
    pub range: &'static str,
}

fn within(name: &'static str, value: f64, holds: bool, range: &'static str) -> Result<(), MicrostructureError> {
    if holds {
        Ok(())
    } else {
        Err(MicrostructureError { name, value, range })
    }
}

fn taker_side(side: i8) -> Result<(), MicrostructureError> {
    within("side", f64::from(side), side == 1 || side == -1, "+1 (the taker bought) or -1")
}

/// Refuses a quote that is none: crossed, or without quantities.
fn quote(bid: (i64, i64), ask: (i64, i64)) -> Result<(), MicrostructureError> {
    within("bid", bid.0 as f64, bid.0 < ask.0, "below the ask")?;
    within("bid quantity", bid.1 as f64, bid.1 > 0, "positive")?;
    within("ask quantity", ask.1 as f64, ask.1 > 0, "positive")
}
