//! How much a venue can be relied on, by what its answers and its data have been like.

use super::take::{within, RouteError};

/// When a venue counts as poor or down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HealthRules {
    /// Weight of the newest answer in the running share of failures, in (0, 1].
    pub weight: f64,
    /// Failures in a row after which the venue is down.
    pub most_failures: u32,
    /// How long it then stays down, in nanoseconds.
    pub rest_ns: i64,
    /// Market data older than this makes it down, in nanoseconds.
    pub stale_ns: i64,
    /// Charge at a share of failures of one, in parts per million of notional; less in proportion.
    pub penalty_ppm: i64,
}

/// What the router may do with a venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthState {
    /// Send, at the charge for its failures in parts per million of notional.
    Up {
        /// The charge.
        penalty_ppm: i64,
    },
    /// Its data is stale, or was never seen.
    Stale,
    /// It failed too often in a row and rests.
    Resting,
}

/// The running health of one venue.
#[derive(Clone, Debug)]
pub struct VenueHealth {
    rules: HealthRules,
    failing: f64,
    in_a_row: u32,
    rests_until: i64,
    last_data: Option<i64>,
}

impl VenueHealth {
    /// A venue that has not been heard of.
    ///
    /// # Errors
    /// [`RouteError::OutOfRange`] naming the rule.
    pub fn new(rules: HealthRules) -> Result<Self, RouteError> {
        within("weight", rules.weight, rules.weight > 0.0 && rules.weight <= 1.0, "in (0, 1]")?;
        within("most_failures", f64::from(rules.most_failures), rules.most_failures > 0, "positive")?;
        within("rest_ns", rules.rest_ns as f64, rules.rest_ns >= 0, "zero or more")?;
        within("stale_ns", rules.stale_ns as f64, rules.stale_ns > 0, "positive")?;
        within("penalty_ppm", rules.penalty_ppm as f64, rules.penalty_ppm >= 0, "zero or more")?;
        Ok(Self { rules, failing: 0.0, in_a_row: 0, rests_until: i64::MIN, last_data: None })
    }

    /// Market data came at `time`; only data counts, a ping proves nothing.
    pub fn on_data(&mut self, time: i64) {
        self.last_data = Some(self.last_data.map_or(time, |last| last.max(time)));
    }

    /// An order or query was answered (`ok`), or was refused for the venue's reasons or timed out.
    pub fn on_answer(&mut self, time: i64, ok: bool) {
        self.failing += self.rules.weight * (f64::from(u8::from(!ok)) - self.failing);
        self.in_a_row = if ok { 0 } else { self.in_a_row.saturating_add(1) };
        if self.in_a_row >= self.rules.most_failures {
            self.rests_until = time.saturating_add(self.rules.rest_ns);
            self.in_a_row = 0;
        }
    }

    /// What may be done with the venue at `now`.
    #[must_use]
    pub fn state(&self, now: i64) -> HealthState {
        if self.last_data.is_none_or(|last| now.saturating_sub(last) > self.rules.stale_ns) {
            return HealthState::Stale;
        }
        if now < self.rests_until {
            return HealthState::Resting;
        }
        HealthState::Up { penalty_ppm: (self.failing * self.rules.penalty_ppm as f64).round() as i64 }
    }
}
