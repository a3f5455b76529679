//! Adaptive shortfall: Almgren and Chriss solved anew before each slice, with the market as it is now.

use super::chain::ChainCost;
use super::{not_negative, positive, twap, within, AlmgrenChriss, LinearImpact, ScheduleError};

/// What the market is like before a slice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LiveMarket {
    /// Volatility and impact now; temporary impact follows the depth.
    pub impact: LinearImpact,
    /// Expected drift against the parent, in ticks a second: positive where waiting makes it dearer.
    pub adverse_drift: f64,
    /// Lots that others are expected to trade during this slice.
    pub others_volume: f64,
}

/// What decided the size of a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SliceBound {
    /// The optimum itself.
    Optimum,
    /// The band: no further behind the baseline than that.
    Band,
    /// The cap on participation, which comes before the band.
    Participation,
}

/// The next slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdaptiveSlice {
    /// Lots.
    pub lots: i64,
    /// What decided them.
    pub bound: SliceBound,
}

/// A parent whose slices follow the market, never further behind its baseline than a band.
#[derive(Clone, Debug)]
pub struct AdaptiveShortfall {
    baseline: Vec<i64>,
    risk_aversion: f64,
    step: f64,
    band: i64,
    most_participation: f64,
}

impl AdaptiveShortfall {
    /// A parent with the given baseline (lots of each slice of `step` seconds), such as an [`AlmgrenChriss`] schedule.
    ///
    /// # Errors
    /// [`ScheduleError`] where the baseline is no schedule, the band is negative, or participation isn't in (0, 1).
    pub fn new(
        baseline: &[i64],
        risk_aversion: f64,
        step: f64,
        band: i64,
        most_participation: f64,
    ) -> Result<Self, ScheduleError> {
        not_negative("risk_aversion", risk_aversion)?;
        positive("step", step)?;
        not_negative("band", band as f64)?;
        let share = most_participation;
        within("most_participation", share, share > 0.0 && share < 1.0, "in (0, 1)")?;
        if let Some(&wrong) = baseline.iter().find(|&&lots| lots < 0) {
            return Err(ScheduleError { name: "slice", value: wrong as f64, range: "zero or more" });
        }
        let total = baseline.iter().try_fold(0i64, |sum, &lots| sum.checked_add(lots)).unwrap_or(-1);
        within("total", total as f64, total > 0, "positive, and within 64 bits")?;
        Ok(Self { baseline: baseline.to_vec(), risk_aversion, step, band, most_participation })
    }

    /// The lots of slice `number` (from 0), `done` lots having been filled before it.
    ///
    /// Minimises `eta~ / tau sum n^2 + lambda sigma^2 tau sum x^2 + drift tau sum x` over the lots and slices that
    /// are left, in whole lots. The fixed cost is the same for every split, so it decides nothing here.
    ///
    /// # Errors
    /// [`ScheduleError`] where there is no such slice, more is done than the parent, or the market is no market.
    pub fn slice(&self, number: usize, done: i64, live: &LiveMarket) -> Result<AdaptiveSlice, ScheduleError> {
        let total: i64 = self.baseline.iter().sum();
        within("number", number as f64, number < self.baseline.len(), "below the number of slices")?;
        within("done", done as f64, (0..=total).contains(&done), "between 0 and the parent")?;
        within("adverse_drift", live.adverse_drift, live.adverse_drift.is_finite(), "finite")?;
        not_negative("others_volume", live.others_volume)?;
        let (left, slices) = (total - done, self.baseline.len() - number);
        // Checks the market, and that the steps are short enough for its permanent impact.
        let model = AlmgrenChriss::new(live.impact, self.risk_aversion, self.step, slices)?;
        if left == 0 {
            return Ok(AdaptiveSlice { lots: 0, bound: SliceBound::Optimum });
        }
        let cost = ChainCost { drift: live.adverse_drift * self.step, ..model.chain_cost() };
        let optimum = cost.minimise(&twap(left, slices)?)[0];
        let share = self.most_participation;
        let cap = (share / (1.0 - share) * live.others_volume).floor() as i64;
        let planned: i64 = self.baseline[..=number].iter().sum();
        let floor = (planned - self.band - done).clamp(0, left);
        let (lots, bound) = if optimum < floor { (floor, SliceBound::Band) } else { (optimum, SliceBound::Optimum) };
        let capped = AdaptiveSlice { lots: cap, bound: SliceBound::Participation };
        Ok(if lots > cap { capped } else { AdaptiveSlice { lots, bound } })
    }
}
