//! Streaming market structure, one file a concept: each states its definition, when it is knowable, its
//! life and its tie rules; a detector joins them on one timeframe, an analyzer joins timeframes.

pub mod analyzer;
pub mod atr;
pub mod audit;
pub mod balanced_price_range;
pub mod civil_time;
mod concepts;
pub mod config;
pub mod dealing_range;
pub mod detector;
pub mod displacement;
pub mod equal_levels;
pub mod event;
mod extremes_since;
pub mod fair_value_gap;
pub mod flipped_block;
pub mod inducement;
pub mod inverse_gap;
pub mod judas_swing;
mod leg_search;
mod level_life;
pub mod liquidity;
pub mod market_structure_shift;
pub mod opening_gap;
pub mod optimal_entry;
pub mod order_block;
pub mod period_level;
pub mod pivot;
pub mod power_of_three;
pub mod propulsion_block;
pub mod rejection_block;
pub mod session;
mod span_range;
pub mod structure;
pub mod structure_reader;
pub mod volume_imbalance;
pub mod zone;
mod zone_index;
mod zone_life;

pub use analyzer::{Analyzer, AnalyzerError, Step};
pub use config::{ConfigError, DetectorConfig, PivotRule, StructureConfig};
pub use dealing_range::DealingRange;
pub use detector::{Detector, DetectorError};
pub use event::{Event, EventKind, Scope};
pub use zone::{Zone, ZoneKind, ZoneState};
