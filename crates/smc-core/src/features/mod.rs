//! The feature vector as of a decision bar's close: one definition for training, backtest and live.
//!
//! Only closed bars enter. Every value is finite: what is absent or not yet warm has the neutral value that
//! the column's sentence names. Distances are measured in the decision timeframe's ATR and clipped.

mod columns;
mod detector;
mod history;
mod rows;
mod view;

pub use columns::{Column, COLUMNS};
pub use detector::FeatureDetector;
pub use history::{FeatureHistory, Happening};
pub use rows::{largest, RowMirror, RowScaler};
pub use view::FeatureView;
