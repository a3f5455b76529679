//! Almgren and Chriss (2000): the trade-off of impact against the risk of waiting.

use super::chain::ChainCost;
use super::{apportion, not_negative, parent, positive, within, LinearImpact, ScheduleError};

/// An optimal schedule of equal steps under linear impact.
///
/// With `eta~ = eta - gamma tau / 2` and `kappa = arccosh(1 + lambda sigma^2 tau^2 / (2 eta~)) / tau`, the holdings
/// are `x_j = X sinh(kappa (T - t_j)) / sinh(kappa T)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlmgrenChriss {
    impact: LinearImpact,
    risk_aversion: f64,
    step: f64,
    slices: usize,
}

impl AlmgrenChriss {
    /// A schedule of `slices` steps of `step` seconds; `risk_aversion` is lambda, per (tick lot).
    ///
    /// # Errors
    /// [`ScheduleError`] naming the first argument out of range; `eta~` must be positive.
    pub fn new(impact: LinearImpact, risk_aversion: f64, step: f64, slices: usize) -> Result<Self, ScheduleError> {
        impact.validate()?;
        not_negative("risk_aversion", risk_aversion)?;
        positive("step", step)?;
        positive("slices", slices as f64)?;
        let made = Self { impact, risk_aversion, step, slices };
        let net = made.net_temporary();
        within("temporary - permanent * step / 2", net, net > 0.0, "positive: use shorter steps")?;
        Ok(made)
    }

    fn net_temporary(&self) -> f64 {
        self.impact.temporary - self.impact.permanent * self.step / 2.0
    }

    /// The urgency kappa, per second; holdings fall by a factor e in `1 / kappa`.
    #[must_use]
    pub fn urgency(&self) -> f64 {
        let scaled = self.impact.volatility * self.step;
        // arccosh(1 + y) without the loss of digits that 1 + y has for a small y.
        let y = self.risk_aversion * scaled * scaled / (2.0 * self.net_temporary());
        (y + (y * (2.0 + y)).sqrt()).ln_1p() / self.step
    }

    /// Shares of the parent still held at each step, from 1 to 0: `slices + 1` numbers.
    #[must_use]
    pub fn holdings(&self) -> Vec<f64> {
        let rate = self.urgency() * self.step;
        let last = self.slices as f64;
        let held = |j: usize| {
            let (gone, left) = (j as f64, last - j as f64);
            if rate * last < 1e-12 {
                return left / last;
            }
            // sinh(left) / sinh(last) with the growing exponentials divided out, which would overflow.
            (-rate * gone).exp() * (-2.0 * rate * left).exp_m1() / (-2.0 * rate * last).exp_m1()
        };
        (0..=self.slices).map(held).collect()
    }

    /// The optimal slices in whole lots: of all splits into whole lots, none has a lower
    /// `expected_cost + risk_aversion * variance`.
    ///
    /// # Errors
    /// [`ScheduleError`] where total isn't positive.
    pub fn lots(&self, total: i64) -> Result<Vec<i64>, ScheduleError> {
        parent(total, self.slices)?;
        let weights: Vec<f64> = self.holdings().windows(2).map(|pair| (pair[0] - pair[1]).max(0.0)).collect();
        Ok(self.chain_cost().minimise(&apportion(total, &weights)?))
    }

    /// What of the cost depends on the split.
    pub(super) fn chain_cost(&self) -> ChainCost {
        let risk = self.risk_aversion * self.impact.volatility.powi(2) * self.step;
        ChainCost { trade: self.net_temporary() / self.step, risk, drift: 0.0 }
    }

    /// Expected shortfall of `trades` in tick lots:
    /// `gamma X^2 / 2 + epsilon sum |n| + eta~ / tau sum n^2`.
    #[must_use]
    pub fn expected_cost(&self, trades: &[f64]) -> f64 {
        let total: f64 = trades.iter().sum();
        let absolute: f64 = trades.iter().map(|n| n.abs()).sum();
        let squares: f64 = trades.iter().map(|n| n * n).sum();
        let permanent = self.impact.permanent * total * total / 2.0;
        permanent + self.impact.fixed * absolute + self.net_temporary() / self.step * squares
    }

    /// Variance of the shortfall of `trades`: `sigma^2 tau sum x_j^2`, in (tick lots)^2.
    #[must_use]
    pub fn variance(&self, trades: &[f64]) -> f64 {
        let mut held: f64 = trades.iter().sum();
        let squares: f64 = trades
            .iter()
            .map(|n| {
                held -= n;
                held * held
            })
            .sum();
        self.impact.volatility.powi(2) * self.step * squares
    }
}
