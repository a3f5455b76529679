//! Kyle's lambda: how far the price moves for a lot of signed volume.

use super::{within, MicrostructureError};

/// A regression of price changes on signed volume, old observations weighing exponentially less.
#[derive(Clone, Debug)]
pub struct KyleLambda {
    keep: f64,
    weight: f64,
    squared_weight: f64,
    mean_x: f64,
    mean_y: f64,
    xx: f64,
    xy: f64,
    yy: f64,
}

/// A slope with its error bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KyleEstimate {
    /// Ticks a lot.
    pub lambda: f64,
    /// Standard error of it, for independent errors of equal variance.
    pub standard_error: f64,
    /// Effective number of observations, `(sum w)^2 / sum w^2`.
    pub observations: f64,
}

impl KyleLambda {
    /// A regression in which an observation counts half after `half_life` later ones.
    ///
    /// # Errors
    /// [`MicrostructureError`] where the half-life isn't positive.
    pub fn new(half_life: f64) -> Result<Self, MicrostructureError> {
        within("half_life", half_life, half_life > 0.0 && half_life.is_finite(), "positive and finite")?;
        let keep = 0.5f64.powf(1.0 / half_life);
        Ok(Self { keep, weight: 0.0, squared_weight: 0.0, mean_x: 0.0, mean_y: 0.0, xx: 0.0, xy: 0.0, yy: 0.0 })
    }

    /// Books an interval in which takers bought `signed_lots` more than they sold and the price moved by `ticks`.
    ///
    /// # Errors
    /// [`MicrostructureError`] where a number isn't finite.
    pub fn observe(&mut self, signed_lots: f64, ticks: f64) -> Result<(), MicrostructureError> {
        within("signed_lots", signed_lots, signed_lots.is_finite(), "finite")?;
        within("ticks", ticks, ticks.is_finite(), "finite")?;
        // Centred sums (West 1979): products of raw sums would lose the digits that matter.
        let before = self.weight * self.keep;
        self.weight = before + 1.0;
        self.squared_weight = self.squared_weight * self.keep * self.keep + 1.0;
        let (dx, dy) = (signed_lots - self.mean_x, ticks - self.mean_y);
        let share = before / self.weight;
        self.mean_x += dx / self.weight;
        self.mean_y += dy / self.weight;
        self.xx = self.xx * self.keep + dx * dx * share;
        self.xy = self.xy * self.keep + dx * dy * share;
        self.yy = self.yy * self.keep + dy * dy * share;
        Ok(())
    }

    /// The slope; None below three effective observations or where volume didn't vary.
    #[must_use]
    pub fn estimate(&self) -> Option<KyleEstimate> {
        if self.weight == 0.0 {
            return None;
        }
        let observations = self.weight * self.weight / self.squared_weight;
        if observations < 3.0 || self.xx <= 0.0 {
            return None;
        }
        let lambda = self.xy / self.xx;
        let residual = (self.yy - lambda * self.xy).max(0.0);
        // The mean square of the residuals, scaled to the effective observations less the two that were fitted.
        let variance = residual / self.weight * observations / (observations - 2.0);
        let standard_error = (variance / (self.xx / self.weight * observations)).sqrt();
        Some(KyleEstimate { lambda, standard_error, observations })
    }
}
