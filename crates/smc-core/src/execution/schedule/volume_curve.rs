//! Others' volume by the hour of the week, and how much of a surprise the last hour was.
//!
//! Markets without closing hours still have a shape: funding times, the American open, the weekend. The curve keeps an
//! exponentially weighted mean for each of the 168 hours; a surprise (the log of actual over expected volume) is
//! expected to fade as a first-order autoregression.

use super::{not_negative, positive, within, ScheduleError};

/// Hours in a week; hour 0 begins on Monday, 00:00 UTC.
pub const HOURS_OF_WEEK: usize = 168;

const HOUR: i64 = 3_600_000_000_000;
/// The Unix epoch was a Thursday.
const EPOCH_HOUR: i64 = 72;

/// A learned curve; an hour counts once it is over, so no forecast knows its own hour.
#[derive(Clone, Debug)]
pub struct VolumeCurve {
    means: Vec<f64>,
    weeks: Vec<u32>,
    memory_weeks: u32,
    persistence: f64,
    /// The hour that is forming, as hours since the epoch, and others' lots in it.
    forming: Option<(i64, i64)>,
    /// The last hour that closed, and its surprise.
    surprise: Option<(i64, f64)>,
}

fn hour_of_week(hour: i64) -> usize {
    (hour + EPOCH_HOUR).rem_euclid(HOURS_OF_WEEK as i64) as usize
}

impl VolumeCurve {
    /// An empty curve that remembers about `memory_weeks` and lets a surprise fade by `persistence` an hour.
    ///
    /// # Errors
    /// [`ScheduleError`] where memory is zero or persistence isn't in [0, 1).
    pub fn new(memory_weeks: u32, persistence: f64) -> Result<Self, ScheduleError> {
        positive("memory_weeks", f64::from(memory_weeks))?;
        within("persistence", persistence, (0.0..1.0).contains(&persistence), "in [0, 1)")?;
        let (means, weeks) = (vec![0.0; HOURS_OF_WEEK], vec![0; HOURS_OF_WEEK]);
        Ok(Self { means, weeks, memory_weeks, persistence, forming: None, surprise: None })
    }

    /// Books `market` lots traded at `time`, of which `own` were ours; what we trade is no forecast of what others do.
    ///
    /// # Errors
    /// [`ScheduleError`] where own lots are negative or exceed the market's, or time goes back by an hour.
    pub fn record(&mut self, time: i64, market: i64, own: i64) -> Result<(), ScheduleError> {
        not_negative("own", own as f64)?;
        let others = market.saturating_sub(own);
        within("market", market as f64, others >= 0, "at least own")?;
        let hour = time.div_euclid(HOUR);
        match self.forming {
            Some((open, lots)) if hour == open => self.forming = Some((open, lots.saturating_add(others))),
            Some((open, lots)) => {
                within("time", time as f64, hour > open, "not before the hour that is forming")?;
                self.close(open, lots as f64);
                self.forming = Some((hour, others));
            }
            None => self.forming = Some((hour, others)),
        }
        Ok(())
    }

    fn close(&mut self, hour: i64, lots: f64) {
        let index = hour_of_week(hour);
        if self.weeks[index] > 0 {
            // One lot on both sides, so that an hour without trades is a finite surprise.
            self.surprise = Some((hour, ((lots + 1.0) / (self.means[index] + 1.0)).ln()));
        }
        self.weeks[index] = (self.weeks[index] + 1).min(self.memory_weeks);
        self.means[index] += (lots - self.means[index]) / f64::from(self.weeks[index]);
    }

    /// Mean of others' lots in the hour of the week, None where none of its hours is over.
    #[must_use]
    pub fn mean(&self, hour: usize) -> Option<f64> {
        let known = *self.weeks.get(hour)? > 0;
        known.then(|| self.means[hour])
    }

    /// Others' lots expected in `[from, to)`, the surprise included; None where it touches an hour never seen.
    #[must_use]
    pub fn expected(&self, from: i64, to: i64) -> Option<f64> {
        let (mut at, mut sum) = (from, 0.0);
        while at < to {
            let hour = at.div_euclid(HOUR);
            let until = (hour + 1).saturating_mul(HOUR).min(to);
            let factor = self.surprise.map_or(1.0, |(last, surprise)| {
                let ahead = (hour - last).clamp(0, i64::from(i32::MAX)) as i32;
                (self.persistence.powi(ahead) * surprise).exp()
            });
            sum += self.mean(hour_of_week(hour))? * factor * (until - at) as f64 / HOUR as f64;
            at = until;
        }
        Some(sum)
    }

    /// Expected lots in each of `slices` equal slots of `[start, end)`: the weights of a VWAP schedule.
    ///
    /// None where the curve has not seen every hour of it.
    #[must_use]
    pub fn slots(&self, start: i64, end: i64, slices: usize) -> Option<Vec<f64>> {
        let width = i128::from(end) - i128::from(start);
        let edge = |k: usize| (i128::from(start) + width * k as i128 / slices.max(1) as i128) as i64;
        (0..slices).map(|k| self.expected(edge(k), edge(k + 1))).collect()
    }
}
