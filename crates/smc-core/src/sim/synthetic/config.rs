//! Settings of the synthetic market, each with its unit, default and range.

use super::reaction::Phase;
use serde::{Deserialize, Serialize};

/// Settings of the synthetic market; unknown keys are refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SyntheticConfig {
    /// First price, in quote currency; at least a thousand ticks.
    pub start_price: f64,
    /// Long-run standard deviation of one-minute returns, in basis points.
    pub minute_volatility_bps: f64,
    /// Weight of the last squared return in the variance of the next minute.
    pub variance_reaction: f64,
    /// Weight of the last variance in the variance of the next minute.
    pub variance_memory: f64,
    /// How strongly volatility follows the hour of the day: 0 not at all, 1 the whole built-in profile.
    pub seasonality: f64,
    /// Mean duration of a regime, in hours.
    pub regime_hours: f64,
    /// Drift of the two trending regimes at strength 1, in basis points a minute.
    pub trend_bps_per_minute: f64,
    /// Autocorrelation of the signed flow from one step to the next.
    pub flow_memory: f64,
    /// Correlation of a step's return with the surprise in its flow.
    pub flow_impact: f64,
    /// Mean traded quantity a minute, in units of the base asset.
    pub minute_volume: f64,
    /// Mean number of trades a minute.
    pub trades_per_minute: f64,
    /// Chance, each minute that a formed extreme is in reach, that a stop run begins.
    pub stop_run_chance: f64,
    /// Scale of everything that is predictable; 0 leaves no edge by construction.
    pub planted_strength: f64,
    /// A local extreme is that of this many minutes.
    pub sweep_lookback_minutes: usize,
    /// And it was set at least this many minutes ago.
    pub sweep_age_minutes: usize,
    /// Price must close back inside within this many minutes, or it was no sweep.
    pub sweep_return_minutes: u32,
    /// Chance that a sweep is answered by the three phases below.
    pub reaction_chance: f64,
    /// First, away from the swept level.
    pub displacement: Phase,
    /// Then, part of the way back.
    pub pullback: Phase,
    /// Then, away again.
    pub expansion: Phase,
}

impl Default for SyntheticConfig {
    fn default() -> Self {
        Self {
            start_price: 30_000.0,
            minute_volatility_bps: 10.0,
            variance_reaction: 0.06,
            variance_memory: 0.92,
            seasonality: 1.0,
            regime_hours: 6.0,
            trend_bps_per_minute: 0.08,
            flow_memory: 0.8,
            flow_impact: 0.6,
            minute_volume: 25.0,
            trades_per_minute: 400.0,
            stop_run_chance: 0.03,
            planted_strength: 1.0,
            sweep_lookback_minutes: 180,
            sweep_age_minutes: 15,
            sweep_return_minutes: 5,
            reaction_chance: 0.9,
            displacement: Phase { minutes: 60, bps_per_minute: 2.0 },
            pullback: Phase { minutes: 60, bps_per_minute: -1.0 },
            expansion: Phase { minutes: 360, bps_per_minute: 1.2 },
        }
    }
}

/// A market that cannot be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SyntheticError {
    /// A setting outside its range.
    #[error("{name} is {value}; it must be {range}")]
    BadSetting {
        /// The key.
        name: &'static str,
        /// The value given.
        value: f64,
        /// What it must be.
        range: &'static str,
    },
    /// Bars of a minute begin on the minute.
    #[error("start_time {0} is not the start of a minute since the epoch; round it down to one")]
    MisalignedStart(i64),
    /// Times are 64-bit nanoseconds.
    #[error("{0} more bars would pass the year 2262; ask for fewer, or start earlier")]
    EndOfTime(usize),
}

impl SyntheticConfig {
    /// The phases of a reaction, in order.
    pub(super) const fn phases(&self) -> [Phase; 3] {
        [self.displacement, self.pullback, self.expansion]
    }

    /// Checks every range; `tick` is the size of a tick in quote currency.
    pub(super) fn validate(&self, tick: f64) -> Result<(), SyntheticError> {
        let within = |value: f64, least: f64, most: f64| value >= least && value <= most;
        let persistence = self.variance_reaction + self.variance_memory;
        let steepest = self.phases().iter().map(|phase| phase.bps_per_minute.abs()).fold(0.0, f64::max);
        let longest = self.phases().iter().map(|phase| f64::from(phase.minutes)).fold(0.0, f64::max);
        let lookback = self.sweep_lookback_minutes as f64;
        let age = self.sweep_age_minutes as f64;
        let checks = [
            ("start_price", self.start_price, within(self.start_price / tick, 1e3, 1e12), "1e3 to 1e12 ticks"),
            (
                "minute_volatility_bps",
                self.minute_volatility_bps,
                within(self.minute_volatility_bps, 0.1, 100.0),
                "in [0.1, 100]",
            ),
            ("variance_reaction", self.variance_reaction, within(self.variance_reaction, 0.0, 1.0), "in [0, 1]"),
            (
                "variance_memory",
                self.variance_memory,
                within(self.variance_memory, 0.0, 1.0) && persistence < 1.0,
                "in [0, 1], and below 1 together with variance_reaction",
            ),
            ("seasonality", self.seasonality, within(self.seasonality, 0.0, 1.0), "in [0, 1]"),
            ("regime_hours", self.regime_hours, within(self.regime_hours, 0.1, 1_000.0), "in [0.1, 1000]"),
            (
                "trend_bps_per_minute",
                self.trend_bps_per_minute,
                within(self.trend_bps_per_minute, 0.0, 5.0),
                "in [0, 5]",
            ),
            ("flow_memory", self.flow_memory, within(self.flow_memory, 0.0, 0.99), "in [0, 0.99]"),
            ("flow_impact", self.flow_impact, within(self.flow_impact, 0.0, 1.0), "in [0, 1]"),
            ("minute_volume", self.minute_volume, within(self.minute_volume, 1e-9, 1e9), "in [1e-9, 1e9]"),
            ("trades_per_minute", self.trades_per_minute, within(self.trades_per_minute, 1.0, 1e6), "in [1, 1e6]"),
            ("stop_run_chance", self.stop_run_chance, within(self.stop_run_chance, 0.0, 1.0), "in [0, 1]"),
            ("planted_strength", self.planted_strength, within(self.planted_strength, 0.0, 5.0), "in [0, 5]"),
            ("sweep_lookback_minutes", lookback, within(lookback, 2.0, 10_080.0), "in [2, 10080]"),
            ("sweep_age_minutes", age, age >= 1.0 && age < lookback, "in [1, sweep_lookback_minutes)"),
            ("reaction_chance", self.reaction_chance, within(self.reaction_chance, 0.0, 1.0), "in [0, 1]"),
            ("phase drift", steepest, within(steepest, 0.0, 20.0), "in [-20, 20] basis points a minute"),
            ("phase minutes", longest, within(longest, 0.0, 10_080.0), "in [0, 10080]"),
        ];
        match checks.into_iter().find(|&(_, _, holds, _)| !holds) {
            Some((name, value, _, range)) => Err(SyntheticError::BadSetting { name, value, range }),
            None => Ok(()),
        }
    }
}
