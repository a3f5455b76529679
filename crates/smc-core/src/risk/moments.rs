//! Covariances of one-bar returns: of the window, equally weighted, and exponentially weighted.

use super::{Scenarios, RETURN_UNIT};
use serde::{Deserialize, Serialize};

/// Units of a squared return in 100 % squared.
const SQUARED_UNIT: f64 = RETURN_UNIT as f64 * RETURN_UNIT as f64;

/// Sums of returns and of their products over a window, as integers: taking the oldest row out leaves no residue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moments {
    rows: usize,
    sums: Vec<i128>,
    products: Vec<i128>,
}

impl Moments {
    /// The sums over the rows that are in the ring.
    #[must_use]
    pub fn of(scenarios: &Scenarios) -> Self {
        let wide = scenarios.instruments().len();
        let mut made = Self { rows: 0, sums: vec![0; wide], products: vec![0; wide * wide] };
        for slot in 0..scenarios.len() {
            made.add(&row(scenarios, slot));
        }
        made
    }

    /// Adds a row.
    pub fn add(&mut self, returns: &[i64]) {
        self.rows += 1;
        self.shift(returns, 1);
    }

    /// Takes out a row that was added.
    pub fn remove(&mut self, returns: &[i64]) {
        self.rows -= 1;
        self.shift(returns, -1);
    }

    fn shift(&mut self, returns: &[i64], sign: i128) {
        let wide = returns.len();
        for (i, &first) in returns.iter().enumerate() {
            self.sums[i] += sign * i128::from(first);
            for (j, &second) in returns.iter().enumerate() {
                self.products[i * wide + j] += sign * i128::from(first) * i128::from(second);
            }
        }
    }

    /// Sample covariances, row by row: sum((a - mean a)(b - mean b)) / (n - 1); 0 before the second row.
    #[must_use]
    pub fn covariance(&self) -> Vec<f64> {
        let (wide, rows) = (self.sums.len(), self.rows as i128);
        if rows < 2 {
            return vec![0.0; wide * wide];
        }
        let scale = (rows * (rows - 1)) as f64 * SQUARED_UNIT;
        let entry = |at: usize| rows * self.products[at] - self.sums[at / wide] * self.sums[at % wide];
        (0..wide * wide).map(|at| entry(at) as f64 / scale).collect()
    }
}

/// The one-bar returns of one row.
pub(super) fn row(scenarios: &Scenarios, slot: usize) -> Vec<i64> {
    (0..scenarios.instruments().len()).map(|instrument| scenarios.steps(instrument)[slot]).collect()
}

/// `S = decay * S + (1 - decay) * r r'`, with means taken as 0; it starts as the first row's product.
///
/// RiskMetrics Technical Document (J.P. Morgan and Reuters, 4th edition, 1996), section 5.2; 0.94 is its daily decay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ewma {
    decay: f64,
    rows: u64,
    covariance: Vec<f64>,
}

impl Ewma {
    /// Before any row.
    #[must_use]
    pub fn new(decay: f64, wide: usize) -> Self {
        Self { decay, rows: 0, covariance: vec![0.0; wide * wide] }
    }

    /// Takes a row.
    pub fn add(&mut self, returns: &[i64]) {
        let wide = returns.len();
        let (old, new) = if self.rows == 0 { (0.0, 1.0) } else { (self.decay, 1.0 - self.decay) };
        for (at, kept) in self.covariance.iter_mut().enumerate() {
            let product = returns[at / wide] as f64 * returns[at % wide] as f64 / SQUARED_UNIT;
            *kept = old * *kept + new * product;
        }
        self.rows += 1;
    }

    /// Covariances, row by row.
    #[must_use]
    pub fn covariance(&self) -> &[f64] {
        &self.covariance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covariances_by_hand() {
        let mut moments = Moments { rows: 0, sums: vec![0; 2], products: vec![0; 4] };
        for row in [[1_000_000, 2_000_000], [5, -7], [3_000_000, -2_000_000], [2_000_000, 0]] {
            moments.add(&row);
        }
        moments.remove(&[5, -7]);
        // Returns of 1, 3 and 2 % beside 2, -2 and 0 %: variances 1 and 4, covariance -2, in %^2.
        assert_eq!(moments.covariance(), vec![1e-4, -2e-4, -2e-4, 4e-4]);
    }

    #[test]
    fn the_weights_are_those_of_the_recursion() {
        let mut ewma = Ewma::new(0.94, 1);
        let wanted = [4e-4, 0.94 * 4e-4 + 0.06 * 1e-4, 0.94 * (0.94 * 4e-4 + 0.06 * 1e-4)];
        for (step, wanted) in [2_000_000, -1_000_000, 0].into_iter().zip(wanted) {
            ewma.add(&[step]);
            assert!((ewma.covariance()[0] - wanted).abs() < 1e-18);
        }
    }
}
