//! How fast a schedule that fell behind may catch up.

use super::{within, Schedule, ScheduleError};

/// The rule for lots that are overdue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CatchUp {
    /// Most lots of one slot, as a multiple of its slice (or of the mean slice, where that is larger); 1 or more.
    pub most_of_slice: f64,
    /// Whether the last slot takes all that is left, above the cap.
    pub finish: bool,
}

/// Says how many lots of a schedule are due, slot by slot.
#[derive(Clone, Debug)]
pub struct Pacer {
    schedule: Schedule,
    rule: CatchUp,
    total: i64,
    /// Slices that have begun, and the lots they planned.
    begun: usize,
    planned: i64,
    committed_before: i64,
}

impl Pacer {
    /// A pacer at the beginning of `schedule`.
    ///
    /// # Errors
    /// [`ScheduleError`] where the cap is below one slice.
    pub fn new(schedule: Schedule, rule: CatchUp) -> Result<Self, ScheduleError> {
        let most = rule.most_of_slice;
        within("most_of_slice", most, most >= 1.0 && most.is_finite(), "1 or more, and finite")?;
        let total = schedule.total();
        Ok(Self { schedule, rule, total, begun: 0, planned: 0, committed_before: 0 })
    }

    /// Lots to send at `now`, of which `committed` have been filled or are working.
    ///
    /// Times don't go back. Ahead of the plan nothing is due; behind it, what is missing, up to the slot's cap; never
    /// more than the parent.
    #[must_use]
    pub fn due(&mut self, now: i64, committed: i64) -> i64 {
        let slices = self.schedule.slices();
        while self.begun < slices.len() && slices[self.begun].at <= now {
            self.planned += slices[self.begun].quantity;
            self.begun += 1;
            self.committed_before = committed;
        }
        if self.begun == 0 {
            return 0;
        }
        let behind = (self.planned - committed).clamp(0, self.total);
        if self.rule.finish && self.begun == slices.len() {
            return behind;
        }
        let mean = self.total / slices.len() as i64 + i64::from(self.total % slices.len() as i64 != 0);
        let slice = slices[self.begun - 1].quantity.max(mean);
        let cap = (slice as f64 * self.rule.most_of_slice).ceil() as i64;
        let taken = (committed - self.committed_before).max(0);
        behind.min((cap - taken).max(0))
    }

    /// The schedule that is followed.
    #[must_use]
    pub const fn schedule(&self) -> &Schedule {
        &self.schedule
    }
}
