//! What the schedules are compared with: every split there is, and a linear system for the continuous optimum.

/// Every way to split `total` lots over `slices` slices.
pub fn splits(total: i64, slices: usize) -> Vec<Vec<i64>> {
    if slices == 1 {
        return vec![vec![total]];
    }
    let with_first = |first: i64| {
        splits(total - first, slices - 1).into_iter().map(move |rest| {
            let mut whole = vec![first];
            whole.extend(rest);
            whole
        })
    };
    (0..=total).flat_map(with_first).collect()
}

/// The least cost of all splits.
pub fn least(total: i64, slices: usize, cost: impl Fn(&[i64]) -> f64) -> f64 {
    splits(total, slices).iter().map(|split| cost(split)).fold(f64::INFINITY, f64::min)
}

pub fn floats(lots: &[i64]) -> Vec<f64> {
    lots.iter().map(|&lots| lots as f64).collect()
}

/// Minimises `n' H n / 2 + g' n` under `sum n = total`, by its stationary point: elimination with pivoting.
pub fn quadratic_program(hessian: &[Vec<f64>], gradient: &[f64], total: f64) -> Vec<f64> {
    let size = gradient.len();
    let mut rows: Vec<Vec<f64>> =
        hessian.iter().zip(gradient).map(|(row, g)| row.iter().copied().chain([1.0, -g]).collect()).collect();
    rows.push(std::iter::repeat_n(1.0, size).chain([0.0, total]).collect());
    for column in 0..=size {
        let pivot = (column..=size).max_by(|&a, &b| rows[a][column].abs().total_cmp(&rows[b][column].abs())).unwrap();
        rows.swap(column, pivot);
        for other in 0..=size {
            if other != column {
                let factor = rows[other][column] / rows[column][column];
                let from = rows[column].clone();
                rows[other].iter_mut().zip(from).for_each(|(value, above)| *value -= factor * above);
            }
        }
    }
    (0..size).map(|k| rows[k][size + 1] / rows[k][k]).collect()
}
