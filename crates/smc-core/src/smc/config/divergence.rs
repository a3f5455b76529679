//! SMT divergence between two instruments.

use serde::{Deserialize, Serialize};

use super::documented::documented;
use super::structure::PivotRule;
use super::{lives, window, ConfigError};

/// How two instruments move together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Correlation {
    /// They rise together: highs are compared with highs.
    Positive,
    /// One rises as the other falls: highs of the first are compared with lows of the second.
    Inverse,
}

documented! {
    /// SMT divergence; see [`super::super::divergence`].
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct DivergenceConfig {
        /// How the two move together.
        pub correlation: Correlation,
        /// Bars between a pivot and its confirmation.
        pub size: u32,
        /// How pivots are found.
        pub rule: PivotRule,
        /// Pivots of the two at most this many bars apart belong together.
        pub window: u32,
        /// Pairs of pivots further apart than this many bars are not compared.
        pub max_distance: u32,
        /// A divergence expires after this many bars.
        pub max_age: u32,
        /// Live divergences kept for each side.
        pub max_count: u32,
    }
}

impl Default for DivergenceConfig {
    fn default() -> Self {
        Self {
            correlation: Correlation::Positive,
            size: 5,
            rule: PivotRule::Fractal,
            window: 3,
            max_distance: 100,
            max_age: 200,
            max_count: 10,
        }
    }
}

impl DivergenceConfig {
    /// Checks every parameter against its range.
    ///
    /// # Errors
    /// [`ConfigError`] naming the first key outside its range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        window("size", self.size)?;
        if self.window != 0 {
            window("window", self.window)?;
        }
        window("max_distance", self.max_distance)?;
        lives("max_age", self.max_age, "max_count", self.max_count)
    }
}
