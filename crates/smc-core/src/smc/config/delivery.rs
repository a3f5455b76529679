//! What follows from breaks, runs, displacements and volume.

use serde::{Deserialize, Serialize};

use super::super::civil_time::PeriodLength;
use super::documented::documented;
use super::{factor, lives, share, window, ConfigError};

documented! {
    /// Failed breaks; see [`super::super::failed_break`].
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct FailedBreakConfig {
        /// Bars after the break within which a close must come back.
        pub max_bars: u32,
    }
}

impl Default for FailedBreakConfig {
    fn default() -> Self {
        Self { max_bars: 3 }
    }
}

impl FailedBreakConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        window("failed_break.max_bars", self.max_bars)
    }
}

documented! {
    /// Reclaimed levels; see [`super::super::reclaimed_level`].
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct ReclaimedLevelConfig {
        /// Bars after the run within which a close must come back.
        pub max_bars: u32,
    }
}

impl Default for ReclaimedLevelConfig {
    fn default() -> Self {
        Self { max_bars: 3 }
    }
}

impl ReclaimedLevelConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        window("reclaimed_level.max_bars", self.max_bars)
    }
}

documented! {
    /// Changes in the state of delivery; see [`super::super::state_of_delivery`].
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct StateOfDeliveryConfig {
        /// Bars from which on a run counts.
        pub min_bars: u32,
    }
}

impl Default for StateOfDeliveryConfig {
    fn default() -> Self {
        Self { min_bars: 2 }
    }
}

impl StateOfDeliveryConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        window("state_of_delivery.min_bars", self.min_bars)
    }
}

documented! {
    /// Liquidity voids; see [`super::super::liquidity_void`].
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct LiquidityVoidConfig {
        /// Least number of displacements in a row.
        pub min_bars: u32,
        /// One expires after this many bars.
        pub max_age: u32,
        /// Live ones kept for each direction.
        pub max_count: u32,
    }
}

impl Default for LiquidityVoidConfig {
    fn default() -> Self {
        Self { min_bars: 2, max_age: 5_000, max_count: 50 }
    }
}

impl LiquidityVoidConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        window("liquidity_void.min_bars", self.min_bars)?;
        lives("liquidity_void.max_age", self.max_age, "liquidity_void.max_count", self.max_count)
    }
}

documented! {
    /// Reclaimed blocks; see [`super::super::reclaimed_block`].
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct ReclaimedBlockConfig {
        /// One expires after this many bars.
        pub max_age: u32,
        /// Live ones kept for each direction.
        pub max_count: u32,
    }
}

impl Default for ReclaimedBlockConfig {
    fn default() -> Self {
        Self { max_age: 5_000, max_count: 50 }
    }
}

impl ReclaimedBlockConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        lives("reclaimed_block.max_age", self.max_age, "reclaimed_block.max_count", self.max_count)
    }
}

documented! {
    /// Volume profiles; see [`super::super::volume_profile`].
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct VolumeProfileConfig {
        /// The period, by the zone and roll of `periods`; null leaves profiles out.
        pub length: Option<PeriodLength>,
        /// Size of a bin in ticks, odd; null goes by the ATR.
        pub bin_ticks: Option<u32>,
        /// Size of a bin in ATR of the bar before the period.
        pub bin_atr: f64,
        /// Bins of one period, at most; three become one before there are more.
        pub max_bins: u32,
        /// Part of the volume that the value area holds.
        pub value_share: f64,
        /// A naked point of control expires after this many bars.
        pub max_age: u32,
        /// Naked points of control kept on each side of price.
        pub max_count: u32,
    }
}

impl Default for VolumeProfileConfig {
    fn default() -> Self {
        Self {
            length: Some(PeriodLength::Day),
            bin_ticks: None,
            bin_atr: 0.1,
            max_bins: 2_000,
            value_share: 0.7,
            max_age: 50_000,
            max_count: 50,
        }
    }
}

impl VolumeProfileConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if let Some(ticks) = self.bin_ticks.filter(|ticks| ticks % 2 == 0) {
            return Err(ConfigError { key: "volume_profile.bin_ticks", value: ticks.into(), wanted: "odd" });
        }
        factor("volume_profile.bin_atr", self.bin_atr)?;
        window("volume_profile.max_bins", self.max_bins)?;
        share("volume_profile.value_share", self.value_share)?;
        lives("volume_profile.max_age", self.max_age, "volume_profile.max_count", self.max_count)
    }
}
