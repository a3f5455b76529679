//! Value at risk where returns are taken to be normal: a quantile times the book's standard deviation.

/// Delta-normal: variance of the book, and covariance of each instrument with it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct DeltaNormal {
    own: Vec<f64>,
    with_book: Vec<f64>,
    variance: f64,
}

impl DeltaNormal {
    /// From covariances, row by row, and notionals.
    pub fn of(covariance: &[f64], notionals: &[f64]) -> Self {
        let wide = notionals.len();
        let with_book: Vec<f64> =
            (0..wide).map(|i| (0..wide).map(|j| covariance[i * wide + j] * notionals[j]).sum()).collect();
        let variance = with_book.iter().zip(notionals).map(|(with, held)| with * held).sum();
        Self { own: (0..wide).map(|i| covariance[i * wide + i]).collect(), with_book, variance }
    }

    /// Standard deviation with `order` more of an instrument: the change of `q'Sq` in one coordinate.
    pub fn deviation(&self, instrument: usize, order: f64) -> f64 {
        let change = order * (2.0 * self.with_book[instrument] + order * self.own[instrument]);
        (self.variance + change).max(0.0).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_changes_the_variance_as_if_it_were_summed_anew() {
        let covariance = [4e-4, 1e-4, 1e-4, 9e-4];
        let (held, ordered) = ([300.0, -200.0], [300.0, 250.0]);
        let moved = DeltaNormal::of(&covariance, &held).deviation(1, 450.0);
        assert!((moved - DeltaNormal::of(&covariance, &ordered).deviation(0, 0.0)).abs() < 1e-12);
        // 300^2 * 4e-4 + 2 * 300 * 250 * 1e-4 + 250^2 * 9e-4
        assert!((moved - 107.25_f64.sqrt()).abs() < 1e-12);
        assert!(DeltaNormal::of(&covariance, &held).deviation(0, -300.0) > 0.0);
    }
}
