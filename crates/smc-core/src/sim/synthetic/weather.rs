//! What changes slowly: the regime, the variance, the hour of the day.

use super::{chance, SyntheticConfig};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Relative volatility at each full hour UTC (mean square 1 after division by its root mean square):
/// quiet in the small hours, a hump at the European open, the peak at the American one.
const HOURLY: [f64; 24] = [
    0.90, 0.85, 0.80, 0.75, 0.72, 0.72, 0.78, 0.90, 1.05, 1.05, 0.98, 0.95, 1.00, 1.20, 1.45, 1.50, 1.40, 1.25, 1.12,
    1.02, 0.98, 0.95, 0.93, 0.92,
];

/// Volatility of a trending regime, and of a range, relative to the mean.
const TREND_VOLATILITY: f64 = 1.08;
const RANGE_VOLATILITY: f64 = 0.82;

/// Which way the market leans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Regime {
    Up,
    Down,
    Range,
}

impl Regime {
    pub(super) const fn direction(self) -> i8 {
        match self {
            Self::Up => 1,
            Self::Down => -1,
            Self::Range => 0,
        }
    }

    pub(super) const fn volatility(self) -> f64 {
        match self {
            Self::Up | Self::Down => TREND_VOLATILITY,
            Self::Range => RANGE_VOLATILITY,
        }
    }

    /// The regime of the next minute: a Markov chain that leaves for either other one alike.
    pub(super) fn next(self, config: &SyntheticConfig, rng: &mut ChaCha8Rng) -> Self {
        let leaves = chance(rng, 1.0 / (60.0 * config.regime_hours));
        let first = chance(rng, 0.5);
        match (leaves, self, first) {
            (false, ..) => self,
            (true, Self::Up, true) | (true, Self::Range, false) => Self::Down,
            (true, Self::Down, true) | (true, Self::Range, true) => Self::Up,
            (true, Self::Up | Self::Down, false) => Self::Range,
        }
    }
}

/// Relative volatility of the minute `minute` of the day, between the hourly points.
pub(super) fn season(minute: usize, strength: f64) -> f64 {
    let (hour, share) = (minute / 60 % 24, (minute % 60) as f64 / 60.0);
    let square_sum: f64 = HOURLY.iter().map(|value| value * value).sum();
    let level = (HOURLY[hour] * (1.0 - share) + HOURLY[(hour + 1) % 24] * share) / (square_sum / 24.0).sqrt();
    1.0 + strength * (level - 1.0)
}

/// Variance of the next minute's return after a return of `scaled` (free of season, regime and bursts).
pub(super) fn next_variance(variance: f64, scaled: f64, config: &SyntheticConfig) -> f64 {
    let mean = long_run_variance(config);
    let constant = mean * (1.0 - config.variance_reaction - config.variance_memory);
    let next = constant + config.variance_reaction * scaled * scaled + config.variance_memory * variance;
    next.clamp(mean / 16.0, mean * 16.0)
}

/// Variance that the process returns to.
pub(super) fn long_run_variance(config: &SyntheticConfig) -> f64 {
    let deviation = config.minute_volatility_bps * 1e-4;
    deviation * deviation
}
