//! Obizhaeva and Wang (2013), "Optimal trading strategy and supply/demand dynamics": impact that decays.

use super::{apportion, not_negative, parent, positive, ScheduleError};

/// Trades at equal steps against a book whose displacement decays as `exp(-resilience * t)`.
///
/// With `a = exp(-resilience * step)` and N + 1 trades, the two ends are `X / ((N - 1)(1 - a) + 2)` and each trade
/// between is `1 - a` times as much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ObizhaevaWang {
    decay: f64,
    trades: usize,
}

impl ObizhaevaWang {
    /// `resilience` per second, `step` in seconds, and the number of trades, both ends included.
    ///
    /// # Errors
    /// [`ScheduleError`] where resilience is negative, or step or trades aren't positive.
    pub fn new(resilience: f64, step: f64, trades: usize) -> Result<Self, ScheduleError> {
        not_negative("resilience", resilience)?;
        positive("step", step)?;
        positive("trades", trades as f64)?;
        Ok(Self { decay: (-resilience * step).exp(), trades })
    }

    /// Shares of the parent: `trades` numbers that sum to 1.
    #[must_use]
    pub fn weights(&self) -> Vec<f64> {
        if self.trades == 1 {
            return vec![1.0];
        }
        let end = 1.0 / ((self.trades - 2) as f64 * (1.0 - self.decay) + 2.0);
        let share = |k: usize| if k == 0 || k + 1 == self.trades { end } else { end * (1.0 - self.decay) };
        (0..self.trades).map(share).collect()
    }

    /// The slices in whole lots: rounded cumulatively, then single lots moved from one trade to another for as long as
    /// that lowers [`Self::cost`].
    ///
    /// # Errors
    /// [`ScheduleError`] where total isn't positive.
    pub fn lots(&self, total: i64) -> Result<Vec<i64>, ScheduleError> {
        parent(total, self.trades)?;
        let mut lots = apportion(total, &self.weights())?;
        let powers: Vec<f64> = (0..self.trades as i32).map(|k| self.decay.powi(k)).collect();
        while let Some((giver, taker)) = self.best_move(&lots, &powers) {
            lots[giver] -= 1;
            lots[taker] += 1;
        }
        Ok(lots)
    }

    /// The move of one lot that lowers the cost most.
    fn best_move(&self, lots: &[i64], powers: &[f64]) -> Option<(usize, usize)> {
        let reach = |k: usize| -> f64 {
            lots.iter().enumerate().map(|(other, &quantity)| powers[k.abs_diff(other)] * quantity as f64).sum()
        };
        let slopes: Vec<f64> = (0..lots.len()).map(reach).collect();
        let scale = slopes.iter().fold(1.0, |most: f64, slope| most.max(slope.abs()));
        let (mut best, mut gain) = (None, -8.0 * f64::EPSILON * scale * lots.len() as f64);
        for giver in (0..lots.len()).filter(|&k| lots[k] > 0) {
            for taker in (0..lots.len()).filter(|&k| k != giver) {
                let change = slopes[taker] - slopes[giver] + 1.0 - powers[giver.abs_diff(taker)];
                if change < gain {
                    (best, gain) = (Some((giver, taker)), change);
                }
            }
        }
        best
    }

    /// Cost of `trades` in units of the impact of one lot on the next, whatever the decay cannot undo:
    /// `sum n_i (n_i / 2 + sum_{j < i} a^(i - j) n_j)`.
    #[must_use]
    pub fn cost(&self, trades: &[f64]) -> f64 {
        let mut displaced = 0.0;
        let cost_of = |&lots: &f64| {
            let cost = lots * (displaced + lots / 2.0);
            displaced = (displaced + lots) * self.decay;
            cost
        };
        trades.iter().map(cost_of).sum()
    }
}

/// The continuous optimum as (block at each end, rate per second between), shares of the parent:
/// `1 / (rho T + 2)` and `rho / (rho T + 2)`.
///
/// # Errors
/// [`ScheduleError`] where resilience is negative or the horizon not positive.
pub fn continuous_obizhaeva_wang(resilience: f64, horizon: f64) -> Result<(f64, f64), ScheduleError> {
    not_negative("resilience", resilience)?;
    positive("horizon", horizon)?;
    let block = 1.0 / (resilience * horizon + 2.0);
    Ok((block, resilience * block))
}
