//! What follows a sweep that is answered: displacement away from it, a pullback, then expansion.

use super::SyntheticConfig;
use serde::{Deserialize, Serialize};

/// A stretch of drift: how long, and how many basis points a minute away from the swept level (negative: back).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Length in minutes.
    pub minutes: u32,
    /// Drift at strength 1, in basis points a minute.
    pub bps_per_minute: f64,
}

/// The reaction under way; none when `minute` has passed all phases.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Reaction {
    side: i8,
    minute: u32,
}

impl Reaction {
    pub(super) const NONE: Self = Self { side: 0, minute: 0 };

    /// A reaction in direction `side`, at its first minute.
    pub(super) const fn begin(side: i8) -> Self {
        Self { side, minute: 0 }
    }

    pub(super) const fn is_over(&self) -> bool {
        self.side == 0
    }

    /// Its direction, 0 for none.
    pub(super) const fn side(&self) -> i8 {
        self.side
    }

    /// Drift of the present minute in basis points, signed.
    pub(super) fn drift_bps(&self, config: &SyntheticConfig) -> f64 {
        let mut end = 0;
        for phase in config.phases() {
            end += phase.minutes;
            if self.minute < end {
                return f64::from(self.side) * phase.bps_per_minute;
            }
        }
        0.0
    }

    /// One minute later.
    pub(super) fn advance(&mut self, config: &SyntheticConfig) {
        self.minute += 1;
        if self.minute >= config.phases().iter().map(|phase| phase.minutes).sum() {
            *self = Self::NONE;
        }
    }
}
