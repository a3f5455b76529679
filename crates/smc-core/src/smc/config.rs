//! Every parameter of the detector, with its default; unknown keys are refused.

use serde::{Deserialize, Serialize};

/// How the pivots of a structure machine are found; see [`super::pivot`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PivotRule {
    /// Alternating pivots at changes of leg, judged by the bars after them.
    Leg,
    /// Extremes of a window with `size` bars on either side.
    Fractal,
}

/// One structure machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StructureConfig {
    /// Bars between a pivot and its confirmation.
    pub size: u32,
    /// How pivots are found.
    #[serde(default = "leg")]
    pub rule: PivotRule,
}

const fn leg() -> PivotRule {
    PivotRule::Leg
}

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

impl Default for OrderBlockConfig {
    fn default() -> Self {
        Self { volatility_filter: Some(2.0), max_age: 5_000, max_count: 100 }
    }
}

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

impl Default for FairValueGapConfig {
    fn default() -> Self {
        Self { min_size_atr: 0.1, max_age: 2_000, max_count: 100 }
    }
}

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

impl Default for LiquidityConfig {
    fn default() -> Self {
        Self { left: 5, right: 5, max_age: 2_000, max_count: 200 }
    }
}

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
    /// Checks every parameter against its range.
    ///
    /// # Errors
    /// [`ConfigError`] naming the first key outside its range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let windows = [
            ("atr_period", self.atr_period),
            ("internal.size", self.internal.size),
            ("swing.size", self.swing.size),
            ("liquidity.left", self.liquidity.left),
            ("liquidity.right", self.liquidity.right),
        ];
        for (key, value) in windows {
            if !(1..=MAX_WINDOW).contains(&value) {
                return Err(ConfigError { key, value: value.into(), wanted: "between 1 and 10000" });
            }
        }
        let lives = [
            ("order_block.max_age", self.order_block.max_age),
            ("order_block.max_count", self.order_block.max_count),
            ("fair_value_gap.max_age", self.fair_value_gap.max_age),
            ("fair_value_gap.max_count", self.fair_value_gap.max_count),
            ("liquidity.max_age", self.liquidity.max_age),
            ("liquidity.max_count", self.liquidity.max_count),
        ];
        for (key, value) in lives {
            if !(1..=MAX_LIFE).contains(&value) {
                return Err(ConfigError { key, value: value.into(), wanted: "between 1 and 100000000" });
            }
        }
        let filter = self.order_block.volatility_filter;
        if let Some(value) = filter.filter(|value| !(value.is_finite() && *value > 0.0)) {
            return Err(ConfigError { key: "order_block.volatility_filter", value, wanted: "positive, or null" });
        }
        let value = self.fair_value_gap.min_size_atr;
        if !(value.is_finite() && value >= 0.0) {
            return Err(ConfigError { key: "fair_value_gap.min_size_atr", value, wanted: "0 or positive" });
        }
        Ok(())
    }
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
    fn unknown_keys_and_bad_values_are_named() {
        let error = serde_json::from_str::<DetectorConfig>(r#"{"swings": 5}"#).unwrap_err();
        assert!(error.to_string().contains("swings"), "{error}");
        let error = serde_json::from_str::<DetectorConfig>(r#"{"swing": {"size": 5, "rul": "leg"}}"#).unwrap_err();
        assert!(error.to_string().contains("rul"), "{error}");
        let mut config = DetectorConfig::default();
        config.liquidity.left = 0;
        assert_eq!(config.validate().unwrap_err().key, "liquidity.left");
        let mut config = DetectorConfig::default();
        config.fair_value_gap.min_size_atr = f64::NAN;
        assert_eq!(config.validate().unwrap_err().key, "fair_value_gap.min_size_atr");
    }
}
