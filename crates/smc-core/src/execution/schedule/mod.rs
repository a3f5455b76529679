//! Schedules: how one parent order becomes slices in time, exact in lots.
//!
//! Every schedule sums to its parent, and none of its slices is negative. Where a formula gives real numbers, lots
//! follow from cumulative rounding ([`apportion`]) or are the optimum in whole lots itself
//! ([`AlmgrenChriss`], [`AdaptiveShortfall`]).

mod adaptive;
mod allocation;
mod almgren_chriss;
mod chain;
mod iceberg;
mod impact;
mod obizhaeva_wang;
mod pacer;
mod plan;
mod pov;
mod volume_curve;
mod vwap;

pub use adaptive::{AdaptiveShortfall, AdaptiveSlice, LiveMarket, SliceBound};
pub use allocation::{apportion, twap};
pub use almgren_chriss::AlmgrenChriss;
pub use iceberg::Iceberg;
pub use impact::{square_root_impact, LinearImpact};
pub use obizhaeva_wang::{continuous_obizhaeva_wang, ObizhaevaWang};
pub use pacer::{CatchUp, Pacer};
pub use plan::{least_lots, Jitter, Schedule, Slice};
pub use pov::{Pov, PovDue, PovLimit, PovSettings};
pub use volume_curve::{VolumeCurve, HOURS_OF_WEEK};
pub use vwap::vwap_next;

/// An argument that describes no schedule.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{name} is {value}; it must be {range}")]
pub struct ScheduleError {
    /// The argument.
    pub name: &'static str,
    /// The value given.
    pub value: f64,
    /// What it must be.
    pub range: &'static str,
}

/// Refuses what is not positive.
fn positive(name: &'static str, value: f64) -> Result<(), ScheduleError> {
    within(name, value, value > 0.0 && value.is_finite(), "positive and finite")
}

/// Refuses what is negative.
fn not_negative(name: &'static str, value: f64) -> Result<(), ScheduleError> {
    within(name, value, value >= 0.0 && value.is_finite(), "zero or more, and finite")
}

fn within(name: &'static str, value: f64, holds: bool, range: &'static str) -> Result<(), ScheduleError> {
    if holds {
        Ok(())
    } else {
        Err(ScheduleError { name, value, range })
    }
}

/// Refuses a parent of no lots and a schedule of no slices.
fn parent(total: i64, slices: usize) -> Result<(), ScheduleError> {
    positive("total", total as f64)?;
    positive("slices", slices as f64)
}
