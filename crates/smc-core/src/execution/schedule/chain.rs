//! The exact optimum in whole lots of a convex cost along a chain of holdings.
//!
//! Minimises `sum trade * n_k^2 + sum (risk * x_k^2 + drift * x_k)` over whole holdings
//! `x_0 = total >= x_1 >= ... >= x_N = 0` with `n_k = x_{k-1} - x_k`. Each term is convex in one holding or in the
//! difference of two neighbours, so the cost is L-natural convex (Murota, "Discrete convex analysis", 2003): holdings
//! that no common step of a set of them improves are the global optimum. Along a chain the best such step is found by
//! dynamic programming over -1, 0 and +1 for each holding; steps of powers of two come first, so the number of
//! passes hardly grows with the number of lots.

/// Coefficients of the cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChainCost {
    /// Of the square of each trade; positive.
    pub trade: f64,
    /// Of the square of each holding; zero or more.
    pub risk: f64,
    /// Of each holding; any sign.
    pub drift: f64,
}

const MOVES: [i64; 3] = [-1, 0, 1];

impl ChainCost {
    /// What changing a trade of `lots` by `change` adds to the cost.
    fn of_trade(&self, lots: i64, change: i64) -> f64 {
        self.trade * (change as f64) * (2.0 * lots as f64 + change as f64)
    }

    /// What changing a holding of `lots` by `change` adds to the cost.
    fn of_holding(&self, lots: i64, change: i64) -> f64 {
        (change as f64) * (self.risk * (2.0 * lots as f64 + change as f64) + self.drift)
    }

    /// Moves the holdings by the best steps of `step` lots; false where none lowers the cost.
    fn improve(&self, holdings: &mut [i64], step: i64, from: &mut Vec<[u8; 3]>) -> bool {
        let last = holdings.len() - 1;
        let (mut best, mut magnitude) = ([f64::INFINITY, 0.0, f64::INFINITY], 0.0f64);
        from.clear();
        for k in 1..=last {
            let traded = holdings[k - 1] - holdings[k];
            let (mut next, mut came) = ([f64::INFINITY; 3], [1u8; 3]);
            for (here, moved) in MOVES.into_iter().enumerate() {
                if k == last && moved != 0 {
                    continue;
                }
                let own = if k == last { 0.0 } else { self.of_holding(holdings[k], moved * step) };
                for (there, before) in MOVES.into_iter().enumerate() {
                    let change = (before - moved) * step;
                    if traded + change < 0 || best[there].is_infinite() {
                        continue;
                    }
                    let cost = best[there] + self.of_trade(traded, change) + own;
                    magnitude = magnitude.max(cost.abs());
                    if cost < next[here] {
                        (next[here], came[here]) = (cost, there as u8);
                    }
                }
            }
            best = next;
            from.push(came);
        }
        // A gain within the rounding of doubles is none, or passes could go round in circles.
        if best[1] >= -4.0 * f64::EPSILON * magnitude * last as f64 {
            return false;
        }
        let mut state = 1usize;
        for k in (1..=last).rev() {
            holdings[k] += MOVES[state] * step;
            state = usize::from(from[k - 1][state]);
        }
        true
    }

    /// The best trades from `start`, trades that sum to the total and are not negative.
    pub(super) fn minimise(&self, start: &[i64]) -> Vec<i64> {
        let total: i64 = start.iter().sum();
        let mut held = total;
        let mut holdings = vec![total];
        holdings.extend(start.iter().map(|&traded| {
            held -= traded;
            held
        }));
        let mut from = Vec::with_capacity(start.len());
        let mut step = 1i64 << (62 - (total.max(1) as u64).leading_zeros().min(62));
        while step > 0 {
            while self.improve(&mut holdings, step, &mut from) {}
            step /= 2;
        }
        holdings.windows(2).map(|pair| pair[0] - pair[1]).collect()
    }
}
