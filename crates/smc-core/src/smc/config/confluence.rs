//! Confluence of timeframes.

use serde::{Deserialize, Serialize};

use super::documented::documented;
use super::{factor, window, ConfigError};

documented! {
    /// Confluence; see [`super::super::confluence`].
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct ConfluenceConfig {
        /// A zone this many ATR away is near.
        pub near_atr: f64,
        /// A sweep counts for this many bars.
        pub sweep_window: u32,
        /// A shift of market structure counts for this many bars.
        pub shift_window: u32,
        /// A higher timeframe counts for this many of its bars after its last close.
        pub stale_bars: u32,
    }
}

impl Default for ConfluenceConfig {
    fn default() -> Self {
        Self { near_atr: 1.0, sweep_window: 10, shift_window: 20, stale_bars: 3 }
    }
}

impl ConfluenceConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        factor("confluence.near_atr", self.near_atr)?;
        window("confluence.sweep_window", self.sweep_window)?;
        window("confluence.shift_window", self.shift_window)?;
        window("confluence.stale_bars", self.stale_bars)
    }
}
