//! The standard normal distribution, for the parametric figures.

use std::f64::consts::TAU;

/// Most terms of the series; it has converged long before for the arguments that confidence levels lead to.
const TERMS: usize = 400;

fn density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / TAU.sqrt()
}

/// P(Z <= x), to 1e-14 for |x| < 6.
///
/// Series of Marsaglia (Evaluating the normal distribution, 2004): 1/2 + density * (x + x^3/3 + x^5/(3*5) + ...).
#[must_use]
pub fn normal_cdf(x: f64) -> f64 {
    let (mut sum, mut term) = (x, x);
    for n in 1..TERMS {
        term *= x * x / (2 * n + 1) as f64;
        let before = sum;
        sum += term;
        if sum == before {
            break;
        }
    }
    0.5 + density(x) * sum
}

/// The value that a standard normal stays below with `probability`, which must lie in [0.5, 1 - 1e-6].
///
/// Newton's method on [`normal_cdf`], which is concave above 0: from there each step falls short of the root.
#[must_use]
pub fn normal_quantile(probability: f64) -> f64 {
    let mut x = 0.0;
    for _ in 0..100 {
        let step = (normal_cdf(x) - probability) / density(x);
        x -= step;
        if step.abs() < 1e-15 {
            break;
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Table values: Abramowitz and Stegun 26.1, 26.5; the quantiles to 15 digits as in Wichura's AS 241.
    #[test]
    fn published_values() {
        for (x, wanted) in [(0.0, 0.5), (1.0, 0.841_344_746_068_542_9), (2.5, 0.993_790_334_674_223_8)] {
            assert!((normal_cdf(x) - wanted).abs() < 1e-14, "{x}");
            assert!((normal_cdf(-x) - (1.0 - wanted)).abs() < 1e-14, "{x}");
        }
        for (p, wanted) in
            [(0.95, 1.644_853_626_951_472), (0.975, 1.959_963_984_540_054), (0.99, 2.326_347_874_040_841)]
        {
            assert!((normal_quantile(p) - wanted).abs() < 1e-12, "{p}");
        }
        assert!((normal_quantile(0.999_999) - 4.753_424_308_822_899).abs() < 1e-8);
        assert_eq!(normal_quantile(0.5), 0.0);
    }
}
