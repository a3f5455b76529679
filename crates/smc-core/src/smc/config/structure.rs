//! Structure machines, displacement, and shifts of market structure.

use serde::{Deserialize, Serialize};

use super::documented::documented;
use super::{factor, share, window, ConfigError};

/// How the pivots of a structure machine are found; see [`super::pivot`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PivotRule {
    /// Alternating pivots at changes of leg, judged by the bars after them.
    Leg,
    /// Extremes of a window with `size` bars on either side.
    Fractal,
}

documented! {
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
}

const fn leg() -> PivotRule {
    PivotRule::Leg
}

/// What counts as a displacement; see [`super::super::displacement`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisplacementForm {
    /// A long body, or a long range that is mostly body.
    Either,
    /// A long body.
    Body,
    /// A long range that is mostly body.
    Range,
    /// A body above the recent mean, with short wicks.
    Wick,
}

documented! {
    /// Displacement.
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct DisplacementConfig {
        /// Which bars count.
        pub form: DisplacementForm,
        /// Least body in ATR of the bar before.
        pub body_atr: f64,
        /// Least range in ATR of the bar before.
        pub range_atr: f64,
        /// Least part of that range that is body.
        pub body_share: f64,
        /// Bars, the present one included, of the mean body of the wick form.
        pub mean_bars: u32,
        /// Either wick of the wick form is shorter than this part of the body.
        pub max_wick: f64,
    }
}

impl Default for DisplacementConfig {
    fn default() -> Self {
        Self {
            form: DisplacementForm::Either,
            body_atr: 1.5,
            range_atr: 1.5,
            body_share: 0.6,
            mean_bars: 5,
            max_wick: 0.36,
        }
    }
}

impl DisplacementConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        factor("displacement.body_atr", self.body_atr)?;
        factor("displacement.range_atr", self.range_atr)?;
        share("displacement.body_share", self.body_share)?;
        window("displacement.mean_bars", self.mean_bars)?;
        factor("displacement.max_wick", self.max_wick)
    }
}

documented! {
    /// Shifts of market structure.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct ShiftConfig {
        /// The strict form follows a sweep at most this many bars before.
        pub sweep_window: u32,
    }
}

impl Default for ShiftConfig {
    fn default() -> Self {
        Self { sweep_window: 20 }
    }
}

impl ShiftConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        window("market_structure_shift.sweep_window", self.sweep_window)
    }
}

documented! {
    /// Where a dealing range is in balance; see [`super::super::dealing_range`].
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct DealingRangeConfig {
        /// Lowest position that counts as equilibrium.
        pub equilibrium_low: f64,
        /// Highest position that counts as equilibrium.
        pub equilibrium_high: f64,
    }
}

impl Default for DealingRangeConfig {
    fn default() -> Self {
        Self { equilibrium_low: 0.475, equilibrium_high: 0.525 }
    }
}

impl DealingRangeConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        share("dealing_range.equilibrium_low", self.equilibrium_low)?;
        share("dealing_range.equilibrium_high", self.equilibrium_high)?;
        if self.equilibrium_low <= self.equilibrium_high {
            return Ok(());
        }
        let (key, value) = ("dealing_range.equilibrium_high", self.equilibrium_high);
        Err(ConfigError { key, value, wanted: "at least dealing_range.equilibrium_low" })
    }
}
