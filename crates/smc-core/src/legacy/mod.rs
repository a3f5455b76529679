//! The readings of the Python library `smartmoneyconcepts` 0.0.27, as pure batch functions, and the same without hindsight.
//!
//! **Hindsight.** What the library gives looks ahead: a value on row `i` may rest on bars after `i`, and may vanish when
//! more bars come. Each file says by how much. Use it to compare with the library, never to trade, train or score.
//! Beside each function stands its `_causal` twin: the same concept, every value on the bar that made it knowable, so
//! that rows once given never change. Both were written from descriptions of behaviour.
//!
//! Columns are 0-based and as long as the input; an absent event is NaN; row numbers are given as floats.
//! `side` is +1 for a swing high, -1 for a swing low, NaN elsewhere.

mod fvg;
mod liquidity;
mod next_reach;
mod order_blocks;
mod previous_high_low;
mod retracements;
mod sessions;
mod structure;
mod swings;
mod value_tree;

pub use fvg::{fvg, fvg_causal};
pub use liquidity::{liquidity, liquidity_causal};
pub use order_blocks::{order_blocks, order_blocks_causal};
pub use previous_high_low::{previous_high_low, Period};
pub use retracements::{retracements, retracements_causal};
pub use sessions::{sessions, sessions_causal, Window};
pub use structure::{structure, structure_causal, Breaking};
pub use swings::{swings, swings_causal};

use std::cmp::Ordering;

/// One output column.
pub type Column = Vec<f64>;

/// Price columns of equal length, oldest bar first.
#[derive(Clone, Copy, Debug)]
pub struct Candles<'a> {
    /// Opening prices.
    pub open: &'a [f64],
    /// Highest prices.
    pub high: &'a [f64],
    /// Lowest prices.
    pub low: &'a [f64],
    /// Closing prices.
    pub close: &'a [f64],
}

/// A swing placed on the row that made it knowable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KnownSwing {
    /// The row that made it knowable.
    pub row: usize,
    /// The row of its extreme, before `row`.
    pub anchor: usize,
    /// +1 a high, -1 a low.
    pub side: f64,
    /// The price of its extreme.
    pub level: f64,
}

/// What is wrong with the columns.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LegacyError {
    /// A causal swing must speak of a bar before its row.
    #[error(
        "AnchorIndex on row {row} is {value}; it must be the number of an earlier row, as the causal swings give it"
    )]
    Anchor {
        /// Where it stands.
        row: usize,
        /// What it is.
        value: f64,
    },
    /// Periods must follow one another.
    #[error("the time on row {row} lies in a period before that of the row above it; sort the rows by time, in UTC")]
    Unsorted {
        /// The first row that goes back.
        row: usize,
    },
    /// No such period.
    #[error("time_frame {name:?} is not a period; use a number and s, min, h or D (15min, 4h, 1D), or W, W-FRI, ME")]
    Period {
        /// What was asked for.
        name: String,
    },
}

/// Reads swings out of their columns: rows where `side` is +1 or -1.
///
/// # Errors
/// `LegacyError::Anchor` where an anchor is not the number of an earlier row.
pub fn known_swings(side: &[f64], level: &[f64], anchor: &[f64]) -> Result<Vec<KnownSwing>, LegacyError> {
    let mut swings = Vec::new();
    for (row, ((&side, &level), &value)) in side.iter().zip(level).zip(anchor).enumerate() {
        if side.abs() == 1.0 {
            if !(value >= 0.0 && value < row as f64 && value.fract() == 0.0) {
                return Err(LegacyError::Anchor { row, value });
            }
            swings.push(KnownSwing { row, anchor: value as usize, side, level });
        }
    }
    Ok(swings)
}

/// `count` columns of `rows` absent values.
fn absent<const COUNT: usize>(rows: usize) -> [Column; COUNT] {
    std::array::from_fn(|_| vec![f64::NAN; rows])
}

/// `value` through single precision, where the library keeps it so.
fn single(value: f64) -> f64 {
    f64::from(value as f32)
}

/// `value` times +1 or -1: turns lows into highs, so that one rule serves both sides.
fn facing(side: f64, values: &[f64]) -> Vec<f64> {
    values.iter().map(|value| side * value).collect()
}

/// A price as a key of a heap or a tree.
#[derive(Clone, Copy, Debug)]
struct Key(f64);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}
