//! Blocks, imbalances and liquidity.

use serde::{Deserialize, Serialize};

use super::documented::documented;
use super::structure::PivotRule;
use super::{factor, lives, not_negative, share, window, ConfigError};

documented! {
    /// Order blocks.
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct OrderBlockConfig {
        /// Bars whose range reaches this many ATR cannot become blocks; null keeps all.
        pub volatility_filter: Option<f64>,
        /// A block expires after this many bars.
        pub max_age: u32,
        /// Live blocks kept for each direction of each scope.
        pub max_count: u32,
    }
}

impl Default for OrderBlockConfig {
    fn default() -> Self {
        Self { volatility_filter: Some(2.0), max_age: 5_000, max_count: 100 }
    }
}

impl OrderBlockConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if let Some(value) = self.volatility_filter {
            factor("order_block.volatility_filter", value)?;
        }
        lives("order_block.max_age", self.max_age, "order_block.max_count", self.max_count)
    }
}

documented! {
    /// Fair value gaps.
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct FairValueGapConfig {
        /// Smallest gap in ATR; 0 keeps all.
        pub min_size_atr: f64,
        /// A gap expires after this many bars.
        pub max_age: u32,
        /// Live gaps kept for each direction.
        pub max_count: u32,
    }
}

impl Default for FairValueGapConfig {
    fn default() -> Self {
        Self { min_size_atr: 0.1, max_age: 2_000, max_count: 100 }
    }
}

impl FairValueGapConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        not_negative("fair_value_gap.min_size_atr", self.min_size_atr)?;
        lives("fair_value_gap.max_age", self.max_age, "fair_value_gap.max_count", self.max_count)
    }
}

documented! {
    /// Liquidity pools.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct LiquidityConfig {
        /// Bars before the pivot that its extreme exceeds.
        pub left: u32,
        /// Bars after it that do not exceed it.
        pub right: u32,
        /// A pool expires after this many bars.
        pub max_age: u32,
        /// Live pools kept for each side.
        pub max_count: u32,
    }
}

impl Default for LiquidityConfig {
    fn default() -> Self {
        Self { left: 5, right: 5, max_age: 2_000, max_count: 200 }
    }
}

impl LiquidityConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        window("liquidity.left", self.left)?;
        window("liquidity.right", self.right)?;
        lives("liquidity.max_age", self.max_age, "liquidity.max_count", self.max_count)
    }
}

documented! {
    /// Breakers and mitigation blocks; see [`super::super::flipped_block`].
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct FlippedBlockConfig {
        /// One expires after this many bars.
        pub max_age: u32,
        /// Live ones kept for each direction or side.
        pub max_count: u32,
    }
}

impl Default for FlippedBlockConfig {
    fn default() -> Self {
        Self { max_age: 5_000, max_count: 50 }
    }
}

impl FlippedBlockConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        lives("flipped_block.max_age", self.max_age, "flipped_block.max_count", self.max_count)
    }
}

documented! {
    /// Rejection blocks; see [`super::super::rejection_block`].
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct RejectionBlockConfig {
        /// Least part of the range that is wick.
        pub wick_share: f64,
        /// One expires after this many bars.
        pub max_age: u32,
        /// Live ones kept for each direction or side.
        pub max_count: u32,
    }
}

impl Default for RejectionBlockConfig {
    fn default() -> Self {
        Self { wick_share: 0.5, max_age: 2_000, max_count: 50 }
    }
}

impl RejectionBlockConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        share("rejection_block.wick_share", self.wick_share)?;
        lives("rejection_block.max_age", self.max_age, "rejection_block.max_count", self.max_count)
    }
}

documented! {
    /// Propulsion blocks; see [`super::super::propulsion_block`].
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct PropulsionBlockConfig {
        /// One expires after this many bars.
        pub max_age: u32,
        /// Live ones kept for each direction or side.
        pub max_count: u32,
    }
}

impl Default for PropulsionBlockConfig {
    fn default() -> Self {
        Self { max_age: 2_000, max_count: 50 }
    }
}

impl PropulsionBlockConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        lives("propulsion_block.max_age", self.max_age, "propulsion_block.max_count", self.max_count)
    }
}

documented! {
    /// Inverse fair value gaps; see [`super::super::inverse_gap`].
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct InverseGapConfig {
        /// One expires after this many bars.
        pub max_age: u32,
        /// Live ones kept for each direction or side.
        pub max_count: u32,
    }
}

impl Default for InverseGapConfig {
    fn default() -> Self {
        Self { max_age: 2_000, max_count: 50 }
    }
}

impl InverseGapConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        lives("inverse_fair_value_gap.max_age", self.max_age, "inverse_fair_value_gap.max_count", self.max_count)
    }
}

documented! {
    /// Balanced price ranges; see [`super::super::balanced_price_range`].
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct BalancedRangeConfig {
        /// Bars between the confirmations of the two gaps, at most.
        pub max_distance: u32,
        /// One expires after this many bars.
        pub max_age: u32,
        /// Live ones kept for each direction or side.
        pub max_count: u32,
    }
}

impl Default for BalancedRangeConfig {
    fn default() -> Self {
        Self { max_distance: 50, max_age: 2_000, max_count: 50 }
    }
}

impl BalancedRangeConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        window("balanced_price_range.max_distance", self.max_distance)?;
        lives("balanced_price_range.max_age", self.max_age, "balanced_price_range.max_count", self.max_count)
    }
}

documented! {
    /// Volume imbalances; see [`super::super::volume_imbalance`].
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct VolumeImbalanceConfig {
        /// Smallest imbalance in ATR.
        pub min_size_atr: f64,
        /// One expires after this many bars.
        pub max_age: u32,
        /// Live ones kept for each direction or side.
        pub max_count: u32,
    }
}

impl Default for VolumeImbalanceConfig {
    fn default() -> Self {
        Self { min_size_atr: 0.1, max_age: 2_000, max_count: 50 }
    }
}

impl VolumeImbalanceConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        factor("volume_imbalance.min_size_atr", self.min_size_atr)?;
        lives("volume_imbalance.max_age", self.max_age, "volume_imbalance.max_count", self.max_count)
    }
}

documented! {
    /// Opening gaps; see [`super::super::opening_gap`].
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct OpeningGapConfig {
        /// Smallest gap in ATR; 0 keeps all.
        pub min_size_atr: f64,
        /// One expires after this many bars.
        pub max_age: u32,
        /// Live ones kept for each direction or side.
        pub max_count: u32,
    }
}

impl Default for OpeningGapConfig {
    fn default() -> Self {
        Self { min_size_atr: 0.1, max_age: 5_000, max_count: 50 }
    }
}

impl OpeningGapConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        not_negative("opening_gap.min_size_atr", self.min_size_atr)?;
        lives("opening_gap.max_age", self.max_age, "opening_gap.max_count", self.max_count)
    }
}

documented! {
    /// Equal highs and lows; see [`super::super::equal_levels`].
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct EqualLevelsConfig {
        /// Bars between a pivot and its confirmation.
        pub size: u32,
        /// How pivots are found.
        pub rule: PivotRule,
        /// Largest distance of two pivots in ATR.
        pub tolerance: f64,
        /// Smoothing length of that ATR.
        pub atr_period: u32,
        /// One expires after this many bars.
        pub max_age: u32,
        /// Live ones kept for each direction or side.
        pub max_count: u32,
    }
}

impl Default for EqualLevelsConfig {
    fn default() -> Self {
        Self { size: 3, rule: PivotRule::Leg, tolerance: 0.1, atr_period: 200, max_age: 2_000, max_count: 50 }
    }
}

impl EqualLevelsConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        window("equal_levels.size", self.size)?;
        factor("equal_levels.tolerance", self.tolerance)?;
        window("equal_levels.atr_period", self.atr_period)?;
        lives("equal_levels.max_age", self.max_age, "equal_levels.max_count", self.max_count)
    }
}

documented! {
    /// Inducement; see [`super::super::inducement`].
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct InducementConfig {
        /// One expires after this many bars.
        pub max_age: u32,
        /// Live ones kept for each direction or side.
        pub max_count: u32,
    }
}

impl Default for InducementConfig {
    fn default() -> Self {
        Self { max_age: 2_000, max_count: 50 }
    }
}

impl InducementConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        lives("inducement.max_age", self.max_age, "inducement.max_count", self.max_count)
    }
}
