//! A textbook simplex (dense tableau, Bland's rule) for the linear program that routing is.

/// The least `sum cost * x` under `sum x = total` and `0 <= x <= bound`; `total` must not exceed the bounds' sum.
pub fn least_cost(costs: &[f64], bounds: &[f64], total: f64) -> f64 {
    let (vars, rows) = (costs.len(), costs.len() + 1);
    // What every unit costs at least is the same for every split; without it, doubles keep more of the rest.
    let base = costs.iter().copied().fold(f64::INFINITY, f64::min);
    let costs: Vec<f64> = costs.iter().map(|cost| cost - base).collect();
    // Columns: variables, slacks of the bounds, one artificial variable for the equality, right-hand side.
    let width = 2 * vars + 2;
    let mut tableau = vec![vec![0.0; width]; rows];
    for k in 0..vars {
        tableau[k][k] = 1.0;
        tableau[k][vars + k] = 1.0;
        tableau[k][width - 1] = bounds[k];
        tableau[vars][k] = 1.0;
    }
    tableau[vars][width - 2] = 1.0;
    tableau[vars][width - 1] = total;
    let mut basis: Vec<usize> = (vars..2 * vars).chain([width - 2]).collect();
    let dearest = costs.iter().fold(1.0f64, |most, cost| most.max(cost.abs()));
    let price = |column: usize| match column {
        k if k < vars => costs[k],
        k if k == width - 2 => 1e4 * dearest,
        _ => 0.0,
    };
    loop {
        let reduced =
            |column: usize| price(column) - (0..rows).map(|row| price(basis[row]) * tableau[row][column]).sum::<f64>();
        let Some(enters) = (0..width - 1).find(|&column| reduced(column) < -1e-10 * dearest) else { break };
        let ratios = (0..rows).filter(|&row| tableau[row][enters] > 1e-9);
        let leaves = ratios
            .min_by(|&a, &b| {
                let ratio = |row: usize| tableau[row][width - 1] / tableau[row][enters];
                ratio(a).total_cmp(&ratio(b)).then(basis[a].cmp(&basis[b]))
            })
            .expect("the program is bounded");
        let pivot = tableau[leaves][enters];
        tableau[leaves].iter_mut().for_each(|value| *value /= pivot);
        for row in (0..rows).filter(|&row| row != leaves) {
            let factor = tableau[row][enters];
            if factor != 0.0 {
                let from = tableau[leaves].clone();
                tableau[row].iter_mut().zip(from).for_each(|(value, above)| *value -= factor * above);
            }
        }
        basis[leaves] = enters;
    }
    base * total + (0..rows).map(|row| price(basis[row]) * tableau[row][width - 1]).sum::<f64>()
}

#[test]
fn a_program_solved_by_hand() {
    // Two units at 1, then one of the two at 3.
    assert!((least_cost(&[3.0, 1.0, 5.0], &[2.0, 2.0, 9.0], 3.0) - 5.0).abs() < 1e-9);
}
