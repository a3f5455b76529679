//! An iceberg: a small part is shown, and shown again when it has been filled.

use super::{not_negative, parent, positive, within, ScheduleError};
use crate::sim::uniform;
use rand_chacha::rand_core::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Shown parts of one parent, of a size that varies by the seed.
#[derive(Clone, Debug)]
pub struct Iceberg {
    remaining: i64,
    shown: i64,
    variation: f64,
    least: i64,
    rng: ChaCha8Rng,
}

impl Iceberg {
    /// A parent of `total` lots that shows about `shown` at a time, `shown * (1 +- variation)`, never below `least`.
    ///
    /// # Errors
    /// [`ScheduleError`] where a size isn't positive, `least` is above `shown`, or the variation isn't in [0, 1).
    pub fn new(total: i64, shown: i64, variation: f64, least: i64, seed: u64) -> Result<Self, ScheduleError> {
        parent(total, 1)?;
        positive("shown", shown as f64)?;
        within("least", least as f64, (1..=shown).contains(&least), "between 1 and shown")?;
        within("variation", variation, (0.0..1.0).contains(&variation), "in [0, 1)")?;
        Ok(Self { remaining: total, shown, variation, least, rng: ChaCha8Rng::seed_from_u64(seed) })
    }

    /// The next part to show; 0 when the parent is used up. A rest below `least` joins the part before it.
    #[must_use]
    pub fn refill(&mut self) -> i64 {
        let factor = 1.0 + self.variation * (2.0 * uniform(&mut self.rng) - 1.0);
        let wanted = ((self.shown as f64 * factor).round() as i64).max(self.least).min(self.remaining);
        let part = if self.remaining - wanted < self.least { self.remaining } else { wanted };
        self.remaining -= part;
        part
    }

    /// Lots not yet shown.
    #[must_use]
    pub const fn remaining(&self) -> i64 {
        self.remaining
    }

    /// Expected seconds until all is filled, every part joining the end of a queue of `queue` lots that drains by
    /// `outflow` lots a second: `(total + parts * queue) / outflow`.
    ///
    /// What the hiding costs is the difference from showing all at once, `(parts - 1) * queue / outflow`.
    ///
    /// # Errors
    /// [`ScheduleError`] where the queue is negative or the outflow not positive.
    pub fn expected_seconds(&self, queue: f64, outflow: f64) -> Result<f64, ScheduleError> {
        not_negative("queue", queue)?;
        positive("outflow", outflow)?;
        let parts = (self.remaining as f64 / self.shown as f64).ceil();
        Ok((self.remaining as f64 + parts * queue) / outflow)
    }
}
