//! Every parameter of the detector, with its default; unknown keys are refused.

mod confluence;
mod delivery;
mod divergence;
mod documented;
mod structure;
mod time;
mod zones;

use serde::{Deserialize, Serialize};

use documented::{documented, Documented};

pub use confluence::ConfluenceConfig;
pub use delivery::{
    FailedBreakConfig, LiquidityVoidConfig, ReclaimedBlockConfig, ReclaimedLevelConfig, StateOfDeliveryConfig,
    VolumeProfileConfig,
};
pub use divergence::{Correlation, DivergenceConfig};
pub use documented::Parameter;
pub use structure::{
    DealingRangeConfig, DisplacementConfig, DisplacementForm, PivotRule, ShiftConfig, StructureConfig,
};
pub use time::{
    JudasConfig, OptimalEntryConfig, PeriodConfig, PowerOfThreeConfig, ReferenceOpenConfig, SessionConfig, WindowConfig,
};
pub use zones::{
    BalancedRangeConfig, EqualLevelsConfig, FairValueGapConfig, FlippedBlockConfig, InducementConfig, InverseGapConfig,
    LiquidityConfig, OpeningGapConfig, OrderBlockConfig, PropulsionBlockConfig, RejectionBlockConfig,
    VolumeImbalanceConfig,
};

documented! {
    /// The detector of one timeframe.
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct DetectorConfig {
        /// Smoothing length of Wilder's average true range.
        pub atr_period: u32,
        /// Structure of short legs.
        pub internal: StructureConfig,
        /// Structure of long legs.
        pub swing: StructureConfig,
        /// Order blocks.
        pub order_block: OrderBlockConfig,
        /// Fair value gaps.
        pub fair_value_gap: FairValueGapConfig,
        /// Liquidity pools.
        pub liquidity: LiquidityConfig,
        /// Displacement.
        pub displacement: DisplacementConfig,
        /// Shifts of market structure.
        pub market_structure_shift: ShiftConfig,
        /// Breakers and mitigation blocks.
        pub flipped_block: FlippedBlockConfig,
        /// Rejection blocks.
        pub rejection_block: RejectionBlockConfig,
        /// Propulsion blocks.
        pub propulsion_block: PropulsionBlockConfig,
        /// Inverse fair value gaps.
        pub inverse_fair_value_gap: InverseGapConfig,
        /// Balanced price ranges.
        pub balanced_price_range: BalancedRangeConfig,
        /// Volume imbalances.
        pub volume_imbalance: VolumeImbalanceConfig,
        /// Opening gaps.
        pub opening_gap: OpeningGapConfig,
        /// Equal highs and lows.
        pub equal_levels: EqualLevelsConfig,
        /// Inducement.
        pub inducement: InducementConfig,
        /// Trading days, weeks and months.
        pub periods: PeriodConfig,
        /// Sessions and kill zones.
        pub sessions: SessionConfig,
        /// Judas swings.
        pub judas_swing: JudasConfig,
        /// Power of three.
        pub power_of_three: PowerOfThreeConfig,
        /// Optimal trade entry.
        pub optimal_entry: OptimalEntryConfig,
        /// Premium, discount and equilibrium.
        pub dealing_range: DealingRangeConfig,
        /// Failed breaks.
        pub failed_break: FailedBreakConfig,
        /// Reclaimed levels.
        pub reclaimed_level: ReclaimedLevelConfig,
        /// Reclaimed blocks.
        pub reclaimed_block: ReclaimedBlockConfig,
        /// Changes in the state of delivery.
        pub state_of_delivery: StateOfDeliveryConfig,
        /// Liquidity voids.
        pub liquidity_void: LiquidityVoidConfig,
        /// Volume profiles.
        pub volume_profile: VolumeProfileConfig,
        /// Reference opens.
        pub reference_open: ReferenceOpenConfig,
        /// Confluence of timeframes.
        pub confluence: ConfluenceConfig,
    }
}

impl Default for DetectorConfig {
    fn default() -> Self {
        Self {
            atr_period: 14,
            internal: StructureConfig { size: 5, rule: PivotRule::Leg },
            swing: StructureConfig { size: 50, rule: PivotRule::Leg },
            order_block: OrderBlockConfig::default(),
            fair_value_gap: FairValueGapConfig::default(),
            liquidity: LiquidityConfig::default(),
            displacement: DisplacementConfig::default(),
            market_structure_shift: ShiftConfig::default(),
            flipped_block: FlippedBlockConfig::default(),
            rejection_block: RejectionBlockConfig::default(),
            propulsion_block: PropulsionBlockConfig::default(),
            inverse_fair_value_gap: InverseGapConfig::default(),
            balanced_price_range: BalancedRangeConfig::default(),
            volume_imbalance: VolumeImbalanceConfig::default(),
            opening_gap: OpeningGapConfig::default(),
            equal_levels: EqualLevelsConfig::default(),
            inducement: InducementConfig::default(),
            periods: PeriodConfig::default(),
            sessions: SessionConfig::default(),
            judas_swing: JudasConfig::default(),
            power_of_three: PowerOfThreeConfig::default(),
            optimal_entry: OptimalEntryConfig::default(),
            dealing_range: DealingRangeConfig::default(),
            failed_break: FailedBreakConfig::default(),
            reclaimed_level: ReclaimedLevelConfig::default(),
            reclaimed_block: ReclaimedBlockConfig::default(),
            state_of_delivery: StateOfDeliveryConfig::default(),
            liquidity_void: LiquidityVoidConfig::default(),
            volume_profile: VolumeProfileConfig::default(),
            reference_open: ReferenceOpenConfig::default(),
            confluence: ConfluenceConfig::default(),
        }
    }
}

/// A parameter outside its range.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{key} is {value}; it must be {wanted}")]
pub struct ConfigError {
    /// The offending key.
    pub key: &'static str,
    /// The value given.
    pub value: f64,
    /// What is accepted.
    pub wanted: &'static str,
}

/// Largest window in bars: bounds memory, and no chart needs more.
const MAX_WINDOW: u32 = 10_000;
/// Largest age and count; an age is compared with bar numbers, so it may be long.
const MAX_LIFE: u32 = 100_000_000;

impl DetectorConfig {
    /// Every section and parameter, in order of declaration.
    #[must_use]
    pub fn parameters() -> Vec<Parameter> {
        let mut found = Vec::new();
        Self::describe("", "The detector of one timeframe.", &mut found);
        found
    }

    /// Checks every parameter against its range.
    ///
    /// # Errors
    /// [`ConfigError`] naming the first key outside its range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        window("atr_period", self.atr_period)?;
        window("internal.size", self.internal.size)?;
        window("swing.size", self.swing.size)?;
        self.order_block.validate()?;
        self.fair_value_gap.validate()?;
        self.liquidity.validate()?;
        self.displacement.validate()?;
        self.market_structure_shift.validate()?;
        self.flipped_block.validate()?;
        self.rejection_block.validate()?;
        self.propulsion_block.validate()?;
        self.inverse_fair_value_gap.validate()?;
        self.balanced_price_range.validate()?;
        self.volume_imbalance.validate()?;
        self.opening_gap.validate()?;
        self.equal_levels.validate()?;
        self.inducement.validate()?;
        self.judas_swing.validate()?;
        self.power_of_three.validate()?;
        self.optimal_entry.validate()?;
        self.dealing_range.validate()?;
        self.failed_break.validate()?;
        self.reclaimed_level.validate()?;
        self.reclaimed_block.validate()?;
        self.state_of_delivery.validate()?;
        self.liquidity_void.validate()?;
        self.volume_profile.validate()?;
        self.confluence.validate()
    }
}

/// A number of bars that are kept or counted.
fn window(key: &'static str, value: u32) -> Result<(), ConfigError> {
    if (1..=MAX_WINDOW).contains(&value) {
        return Ok(());
    }
    Err(ConfigError { key, value: value.into(), wanted: "between 1 and 10000" })
}

/// The age and the number to which zones may grow.
fn lives(age_key: &'static str, age: u32, count_key: &'static str, count: u32) -> Result<(), ConfigError> {
    for (key, value) in [(age_key, age), (count_key, count)] {
        if !(1..=MAX_LIFE).contains(&value) {
            return Err(ConfigError { key, value: value.into(), wanted: "between 1 and 100000000" });
        }
    }
    Ok(())
}

/// A multiple of something.
fn factor(key: &'static str, value: f64) -> Result<(), ConfigError> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(ConfigError { key, value, wanted: "positive" })
}

/// A limit that 0 lifts.
fn not_negative(key: &'static str, value: f64) -> Result<(), ConfigError> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(ConfigError { key, value, wanted: "0 or positive" })
}

/// A part of something.
fn share(key: &'static str, value: f64) -> Result<(), ConfigError> {
    if value > 0.0 && value < 1.0 {
        return Ok(());
    }
    Err(ConfigError { key, value, wanted: "between 0 and 1, exclusive" })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_part_of_the_keys_is_enough() {
        let text = r#"{"swing": {"size": 30}, "order_block": {"volatility_filter": null}}"#;
        let config: DetectorConfig = serde_json::from_str(text).unwrap();
        assert_eq!(config.swing, StructureConfig { size: 30, rule: PivotRule::Leg });
        assert_eq!(config.order_block.volatility_filter, None);
        assert_eq!(config.order_block.max_count, 100);
        assert_eq!(config.internal.size, 5);
        assert_eq!(config.validate(), Ok(()));
    }

    #[test]
    fn every_parameter_is_told_with_its_sentence() {
        let parameters = DetectorConfig::parameters();
        let doc = |key: &str| parameters.iter().find(|parameter| parameter.key == key).unwrap().doc;
        assert_eq!(doc("atr_period"), "Smoothing length of Wilder's average true range.");
        assert_eq!(doc("swing"), "Structure of long legs.");
        assert_eq!(doc("swing.rule"), "How pivots are found.");
        assert_eq!(doc("sessions.london_kill_zone"), "Around the London open.");
        assert!(parameters.iter().all(|parameter| parameter.doc.ends_with('.')), "{parameters:?}");
        let mut keys: Vec<_> = parameters.iter().map(|parameter| &parameter.key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), parameters.len());
    }

    #[test]
    fn unknown_keys_and_bad_values_are_named() {
        let error = serde_json::from_str::<DetectorConfig>(r#"{"swings": 5}"#).unwrap_err();
        assert!(error.to_string().contains("swings"), "{error}");
        let error = serde_json::from_str::<DetectorConfig>(r#"{"swing": {"size": 5, "rul": "leg"}}"#).unwrap_err();
        assert!(error.to_string().contains("rul"), "{error}");
        let mut config = DetectorConfig::default();
        config.liquidity.left = 0;
        assert_eq!(config.validate().unwrap_err().key, "liquidity.left");
        let mut config = DetectorConfig::default();
        config.volume_profile.bin_ticks = Some(4);
        assert_eq!(config.validate().unwrap_err().key, "volume_profile.bin_ticks");
        let mut config = DetectorConfig::default();
        config.dealing_range.equilibrium_high = 0.4;
        assert_eq!(config.validate().unwrap_err().key, "dealing_range.equilibrium_high");
        let mut config = DetectorConfig::default();
        config.fair_value_gap.min_size_atr = f64::NAN;
        assert_eq!(config.validate().unwrap_err().key, "fair_value_gap.min_size_atr");
    }
}
