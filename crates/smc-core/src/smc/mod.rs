//! Streaming market structure, one file a concept: each states its definition, when it is knowable, its
//! life and its tie rules; a detector joins them on one timeframe, an analyzer joins timeframes.

pub mod analyzer;
pub mod atr;
pub mod audit;
pub mod config;
pub mod dealing_range;
pub mod detector;
pub mod event;
pub mod fair_value_gap;
pub mod liquidity;
pub mod order_block;
pub mod pivot;
pub mod structure;
pub mod zone;
mod zone_index;

pub use analyzer::{Analyzer, AnalyzerError, Step};
pub use config::{ConfigError, DetectorConfig, PivotRule, StructureConfig};
pub use dealing_range::DealingRange;
pub use detector::{Detector, DetectorError};
pub use event::{Event, EventKind, Scope};
pub use zone::{Zone, ZoneKind, ZoneState};
