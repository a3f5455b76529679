//! How risk is measured.

use super::RiskError;
use serde::{Deserialize, Serialize};

/// How risk is measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RiskBookSettings {
    /// Scenarios kept, from 1 to 100,000.
    pub window: usize,
    /// Scenarios without which no figure is given, from 1 to the window.
    pub min_scenarios: usize,
    /// Bars that a scenario lasts, from 1 to 1,000; scenarios overlap where it is more than 1.
    pub horizon: usize,
    /// Confidence of value at risk, from 0.5 to 0.999999.
    pub confidence: f64,
    /// Confidence of expected shortfall, likewise.
    pub shortfall_confidence: f64,
    /// Decay of the exponential weights, between 0 and 1.
    pub decay: f64,
    /// Largest age of the newest close of an instrument that is held or ordered, ns.
    pub max_age_ns: i64,
    /// Share of its notional that an instrument without a return in every scenario is taken to lose, above 0, at most 1.
    pub unknown_loss: f64,
}

impl RiskBookSettings {
    pub(super) fn check(&self) -> Result<(), RiskError> {
        let quantile = 0.5..=0.999_999;
        let refused = |name, value: String, wanted| Err(RiskError::Setting { name, value, wanted });
        if !(1..=100_000).contains(&self.window) {
            return refused("window", self.window.to_string(), "from 1 to 100,000 scenarios");
        }
        if !(1..=self.window).contains(&self.min_scenarios) {
            return refused("min_scenarios", self.min_scenarios.to_string(), "from 1 to the window");
        }
        if !(1..=1_000).contains(&self.horizon) {
            return refused("horizon", self.horizon.to_string(), "from 1 to 1,000 bars");
        }
        if !quantile.contains(&self.confidence) {
            return refused("confidence", self.confidence.to_string(), "from 0.5 to 0.999999");
        }
        if !quantile.contains(&self.shortfall_confidence) {
            return refused("shortfall_confidence", self.shortfall_confidence.to_string(), "from 0.5 to 0.999999");
        }
        if !(self.decay > 0.0 && self.decay < 1.0) {
            return refused("decay", self.decay.to_string(), "between 0 and 1, neither included");
        }
        if self.max_age_ns < 1 {
            return refused("max_age_ns", self.max_age_ns.to_string(), "1 or more");
        }
        if !(self.unknown_loss > 0.0 && self.unknown_loss <= 1.0) {
            return refused("unknown_loss", self.unknown_loss.to_string(), "above 0 and at most 1");
        }
        Ok(())
    }
}
