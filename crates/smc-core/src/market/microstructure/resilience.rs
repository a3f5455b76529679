//! Resilience: how fast the spread, or the depth, comes back after it was swept.

use super::{within, MicrostructureError};

/// Half-lives of the excess over a running normal; its rate is what an Obizhaeva-Wang schedule wants.
///
/// One of these watches the spread; another, given how much depth is missing, watches the depth. An excess of at least
/// `trigger` times the normal begins an episode; it ends when half of its largest excess is gone, and how long that
/// took since the largest is one half-life. Until the excess is below the trigger again, the normal stands still and no
/// other episode begins.
#[derive(Clone, Debug)]
pub struct Resilience {
    trigger: f64,
    weight: f64,
    longest_ns: i64,
    normal: Option<f64>,
    phase: Phase,
    episodes: u64,
    unfinished: u64,
    mean_half_life_ns: f64,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Normal,
    /// When the largest excess was seen, and how large it was.
    Swept(i64, f64),
    /// Half of it is gone since then.
    Settling(i64),
}

impl Resilience {
    /// A watch whose normal gives the newest value `weight`, and that gives an episode up after `longest_ns`.
    ///
    /// # Errors
    /// [`MicrostructureError`] where a number is out of range.
    pub fn new(trigger: f64, weight: f64, longest_ns: i64) -> Result<Self, MicrostructureError> {
        within("trigger", trigger, trigger > 0.0 && trigger.is_finite(), "positive and finite")?;
        within("weight", weight, weight > 0.0 && weight <= 1.0, "in (0, 1]")?;
        within("longest_ns", longest_ns as f64, longest_ns > 0, "positive")?;
        Ok(Self {
            trigger,
            weight,
            longest_ns,
            normal: None,
            phase: Phase::Normal,
            episodes: 0,
            unfinished: 0,
            mean_half_life_ns: 0.0,
        })
    }

    /// Takes the value at `time`; the half-life in nanoseconds where an episode ends with it.
    ///
    /// # Errors
    /// [`MicrostructureError`] where the value is negative or not finite.
    pub fn observe(&mut self, time: i64, value: f64) -> Result<Option<f64>, MicrostructureError> {
        within("value", value, value >= 0.0 && value.is_finite(), "zero or more, and finite")?;
        let Some(normal) = self.normal else {
            self.normal = Some(value);
            return Ok(None);
        };
        let excess = value - normal;
        let high = excess > 0.0 && excess >= self.trigger * normal;
        match self.phase {
            Phase::Normal if high => self.phase = Phase::Swept(time, excess),
            Phase::Normal => self.normal = Some(normal + self.weight * excess),
            Phase::Swept(_, largest) if excess >= largest => self.phase = Phase::Swept(time, excess),
            Phase::Swept(since, _) if time.saturating_sub(since) > self.longest_ns => {
                self.unfinished += 1;
                self.restart(value);
            }
            Phase::Swept(since, largest) if excess <= largest / 2.0 => {
                let took = time.saturating_sub(since) as f64;
                self.episodes += 1;
                self.mean_half_life_ns += (took - self.mean_half_life_ns) / self.episodes as f64;
                self.phase = if high { Phase::Settling(time) } else { Phase::Normal };
                return Ok(Some(took));
            }
            Phase::Settling(_) if !high => self.phase = Phase::Normal,
            Phase::Settling(since) if time.saturating_sub(since) > self.longest_ns => self.restart(value),
            Phase::Swept(..) | Phase::Settling(_) => {}
        }
        Ok(None)
    }

    /// What has lasted so long is the new normal.
    const fn restart(&mut self, value: f64) {
        (self.phase, self.normal) = (Phase::Normal, Some(value));
    }

    /// Mean half-life in seconds, None before the first episode has ended.
    #[must_use]
    pub fn half_life(&self) -> Option<f64> {
        (self.episodes > 0).then_some(self.mean_half_life_ns * 1e-9)
    }

    /// The rate of an exponential return, `ln 2 / half-life`, per second.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        self.half_life().filter(|&half_life| half_life > 0.0).map(|half_life| std::f64::consts::LN_2 / half_life)
    }

    /// Episodes that ended, and that were given up.
    #[must_use]
    pub const fn episodes(&self) -> (u64, u64) {
        (self.episodes, self.unfinished)
    }
}
