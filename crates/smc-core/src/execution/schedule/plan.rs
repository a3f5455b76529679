//! Slices with their times: spreading over a window, seeded jitter, and merging what is too small to send.

use super::{apportion, positive, within, ScheduleError};
use crate::sim::uniform;
use rand_chacha::rand_core::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// One child's worth of a parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// When it may begin to trade, in nanoseconds.
    pub at: i64,
    /// When what still rests of it is to be crossed.
    pub deadline: i64,
    /// Lots.
    pub quantity: i64,
}

/// How far slices stray from the plan, so that it can't be read off the tape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Jitter {
    /// Largest shift of a slice's time, as a share of its slot; below one half, so that the order is kept.
    pub time_share: f64,
    /// Largest change of a slice's size, as a share of it; below one.
    pub size_share: f64,
}

impl Jitter {
    /// 30 % of the slot, 20 % of the size.
    pub const USUAL: Self = Self { time_share: 0.3, size_share: 0.2 };
}

/// Slices in the order of their times; they sum to the parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    slices: Vec<Slice>,
}

impl Schedule {
    /// Slices of the given lots in equal slots of `[start, end)`; a slice's deadline is its slot's end.
    ///
    /// # Errors
    /// [`ScheduleError`] where the window is empty, a slice is negative, or all are zero.
    pub fn spread(start: i64, end: i64, lots: &[i64]) -> Result<Self, ScheduleError> {
        positive("end - start", end as f64 - start as f64)?;
        if let Some(&wrong) = lots.iter().find(|&&quantity| quantity < 0) {
            return Err(ScheduleError { name: "slice", value: wrong as f64, range: "zero or more" });
        }
        let total = lots.iter().try_fold(0i64, |sum, &quantity| sum.checked_add(quantity)).unwrap_or(-1);
        within("total", total as f64, total > 0, "positive, and within 64 bits")?;
        let (width, count) = (i128::from(end) - i128::from(start), lots.len() as i128);
        let edge = |k: usize| (i128::from(start) + width * k as i128 / count) as i64;
        let slice = |(k, &quantity): (usize, &i64)| Slice { at: edge(k), deadline: edge(k + 1), quantity };
        Ok(Self { slices: lots.iter().enumerate().map(slice).collect() })
    }

    /// The slices, earliest first.
    #[must_use]
    pub fn slices(&self) -> &[Slice] {
        &self.slices
    }

    /// Lots of the parent.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.slices.iter().map(|slice| slice.quantity).sum()
    }

    /// Lots that are due at `now`: those of the slices that have begun.
    #[must_use]
    pub fn planned(&self, now: i64) -> i64 {
        self.slices.iter().take_while(|slice| slice.at <= now).map(|slice| slice.quantity).sum()
    }

    /// The same parent with times and sizes moved at random, the same for the same seed.
    ///
    /// Times stay in order, after the start, and before their deadline; sizes still sum to the parent.
    ///
    /// # Errors
    /// [`ScheduleError`] where a share is out of range.
    pub fn jittered(&self, jitter: Jitter, seed: u64) -> Result<Self, ScheduleError> {
        let (time, size) = (jitter.time_share, jitter.size_share);
        within("time_share", time, (0.0..0.5).contains(&time), "in [0, 0.5)")?;
        within("size_share", size, (0.0..1.0).contains(&size), "in [0, 1)")?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut signed = || 2.0 * uniform(&mut rng) - 1.0;
        let mut earliest = self.slices.first().map_or(0, |slice| slice.at);
        let (mut slices, mut weights) = (self.slices.clone(), Vec::with_capacity(self.slices.len()));
        for slice in &mut slices {
            let slot = slice.deadline.saturating_sub(slice.at);
            slice.at = slice.at.saturating_add((slot as f64 * time * signed()) as i64).clamp(earliest, slice.deadline);
            earliest = slice.at;
            weights.push(slice.quantity as f64 * (1.0 + size * signed()));
        }
        for (slice, lots) in slices.iter_mut().zip(apportion(self.total(), &weights)?) {
            slice.quantity = lots;
        }
        Ok(Self { slices })
    }

    /// The same parent without slices below `least` lots: a small one waits for the next, the last joins the one before.
    ///
    /// A parent below `least` stays one slice; whether a venue takes it is for the router to say.
    #[must_use]
    pub fn merged(&self, least: i64) -> Self {
        let (mut slices, mut carried) = (Vec::<Slice>::with_capacity(self.slices.len()), 0i64);
        for slice in &self.slices {
            carried += slice.quantity;
            if carried > 0 && carried >= least {
                slices.push(Slice { quantity: carried, ..*slice });
                carried = 0;
            }
        }
        match (slices.last_mut(), self.slices.last()) {
            (Some(last), _) => last.quantity += carried,
            (None, Some(end)) => slices.push(Slice { quantity: carried, ..*end }),
            (None, None) => {}
        }
        Self { slices }
    }
}

/// The fewest lots that are worth `min_notional` quote units at `price` ticks, in whole `lot`s, at least one.
///
/// # Errors
/// [`ScheduleError`] where price or lot isn't positive, or the answer leaves 64 bits.
pub fn least_lots(min_notional: i128, price: i64, lot: i64) -> Result<i64, ScheduleError> {
    positive("price", price as f64)?;
    positive("lot", lot as f64)?;
    let unit = i128::from(price) * i128::from(lot);
    let units = min_notional.max(1).div_euclid(unit) + i128::from(min_notional.max(1).rem_euclid(unit) != 0);
    let lots = units.checked_mul(i128::from(lot)).and_then(|lots| i64::try_from(lots).ok());
    lots.ok_or(ScheduleError { name: "min_notional", value: min_notional as f64, range: "within 64 bits of lots" })
}
