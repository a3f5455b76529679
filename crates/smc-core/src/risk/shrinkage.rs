//! Correlations, shrunk towards their mean.

use serde::{Deserialize, Serialize};

/// Correlations of one-bar returns, and how far they were shrunk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shrunk {
    /// Row by row; 1 on the diagonal.
    pub correlation: Vec<f64>,
    /// Weight of the target, in [0, 1].
    pub intensity: f64,
    /// Mean of the sample correlations: what the target holds everywhere off the diagonal.
    pub mean: f64,
}

/// Sample correlations of columns of equal length, shrunk towards the constant-correlation matrix.
///
/// Ledoit and Wolf, Honey, I shrunk the sample covariance matrix (Journal of Portfolio Management 30, 2004), appendices
/// A and B; their covariances divide by the number of rows T. The shrunk matrix is
/// `(1 - intensity) * sample + intensity * target` with `intensity = max(0, min((pi - rho) / gamma / T, 1))`. Target and
/// sample have the same variances, so correlations shrink with the same weights.
///
/// `None` for fewer than two rows, no column, or a column that never moves: its correlations can't be known.
#[must_use]
pub fn shrunk_correlation(columns: &[Vec<f64>]) -> Option<Shrunk> {
    let (wide, rows) = (columns.len(), columns.first().map_or(0, Vec::len));
    if rows < 2 {
        return None;
    }
    let centred: Vec<Vec<f64>> = columns.iter().map(|column| centre(column)).collect();
    let count = rows as f64;
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / count;
    let sample: Vec<Vec<f64>> = centred.iter().map(|a| centred.iter().map(|b| dot(a, b)).collect()).collect();
    if (0..wide).any(|i| sample[i][i] <= 0.0) {
        return None;
    }
    let deviation: Vec<f64> = (0..wide).map(|i| sample[i][i].sqrt()).collect();
    let of = |i: usize, j: usize| sample[i][j] / (deviation[i] * deviation[j]);
    let pairs: Vec<(usize, usize)> =
        (0..wide).flat_map(|i| (0..wide).filter(move |&j| j != i).map(move |j| (i, j))).collect();
    let mean =
        if pairs.is_empty() { 0.0 } else { pairs.iter().map(|&(i, j)| of(i, j)).sum::<f64>() / pairs.len() as f64 };
    let intensity = intensity(&centred, &sample, &deviation, &pairs, mean);
    let mut correlation = vec![1.0; wide * wide];
    for (i, j) in pairs {
        correlation[i * wide + j] = ((1.0 - intensity) * of(i, j) + intensity * mean).clamp(-1.0, 1.0);
    }
    Some(Shrunk { correlation, intensity, mean })
}

fn centre(column: &[f64]) -> Vec<f64> {
    let mean = column.iter().sum::<f64>() / column.len() as f64;
    column.iter().map(|value| value - mean).collect()
}

/// The weight of the target. On the diagonal target and sample agree: `pi` and `rho` have the same terms there and
/// `gamma` none, so the sums run over pairs.
fn intensity(centred: &[Vec<f64>], sample: &[Vec<f64>], deviation: &[f64], pairs: &[(usize, usize)], mean: f64) -> f64 {
    let rows = centred[0].len();
    let (mut pi, mut rho, mut gamma) = (0.0, 0.0, 0.0);
    for &(i, j) in pairs {
        let (mut product, mut first, mut second) = (0.0, 0.0, 0.0);
        for (a, b) in centred[i].iter().zip(&centred[j]) {
            let off = a * b - sample[i][j];
            product += off * off;
            first += (a * a - sample[i][i]) * off;
            second += (b * b - sample[j][j]) * off;
        }
        let ratio = deviation[j] / deviation[i];
        pi += product / rows as f64;
        rho += mean / 2.0 * (ratio * first + second / ratio) / rows as f64;
        gamma += (mean * deviation[i] * deviation[j] - sample[i][j]).powi(2);
    }
    if gamma <= 0.0 {
        return 1.0;
    }
    ((pi - rho) / gamma / rows as f64).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_pair_is_its_own_mean_and_stays() {
        let shrunk = shrunk_correlation(&[vec![1.0, -1.0, 2.0, 0.5], vec![2.0, -1.0, 1.0, 0.0]]).unwrap();
        assert!((shrunk.correlation[1] - shrunk.mean).abs() < 1e-15);
    }

    #[test]
    fn what_cannot_be_known_is_none() {
        assert_eq!(shrunk_correlation(&[]), None);
        assert_eq!(shrunk_correlation(&[vec![1.0]]), None);
        assert_eq!(shrunk_correlation(&[vec![1.0, 2.0], vec![3.0, 3.0]]), None);
        assert_eq!(shrunk_correlation(&[vec![1.0, 2.0]]).unwrap().correlation, vec![1.0]);
    }
}
