//! The micro-price, after Stoikov (2018), "The micro-price: a high-frequency estimator of future prices".

use super::{quote, within, MicrostructureError};

/// The middle weighted by the other side's quantity, `(Pa Qb + Pb Qa) / (Qa + Qb)`, in ticks.
///
/// # Errors
/// [`MicrostructureError`] where the quote is crossed or has no quantities.
pub fn weighted_mid(bid: (i64, i64), ask: (i64, i64)) -> Result<f64, MicrostructureError> {
    quote(bid, ask)?;
    let (bid_lots, ask_lots) = (bid.1 as f64, ask.1 as f64);
    Ok((ask.0 as f64 * bid_lots + bid.0 as f64 * ask_lots) / (bid_lots + ask_lots))
}

/// Counts transitions between states (bucket of imbalance, spread), each with its mirror image; O(1) a quote.
#[derive(Clone, Debug)]
pub struct MicroPrice {
    buckets: usize,
    spreads: usize,
    /// The last state and doubled middle.
    before: Option<(usize, i64)>,
    /// Transitions that leave the middle, and that move it: from one state (row) to another.
    still: Vec<f64>,
    moving: Vec<f64>,
    /// Sum of the moves from a state, in half ticks.
    moves: Vec<f64>,
}

/// The fitted adjustment of the middle in each state.
#[derive(Clone, Debug, PartialEq)]
pub struct MicroPriceModel {
    buckets: usize,
    spreads: usize,
    adjustment: Vec<f64>,
}

/// Bucket of `bid / (bid + ask)` among `buckets`.
fn bucket_of(bid_lots: i64, ask_lots: i64, buckets: usize) -> usize {
    let (bid, both) = (i128::from(bid_lots), i128::from(bid_lots) + i128::from(ask_lots));
    ((bid * buckets as i128 / both) as usize).min(buckets - 1)
}

fn state_of(buckets: usize, spreads: usize, bid: (i64, i64), ask: (i64, i64)) -> usize {
    let spread = usize::try_from(ask.0 - bid.0).unwrap_or(usize::MAX).min(spreads);
    (spread - 1) * buckets + bucket_of(bid.1, ask.1, buckets)
}

impl MicroPrice {
    /// `buckets` of imbalance, and spreads of 1 to `spreads` ticks; wider ones count as the widest.
    ///
    /// # Errors
    /// [`MicrostructureError`] where one of them is zero or there are more than 400 states.
    pub fn new(buckets: usize, spreads: usize) -> Result<Self, MicrostructureError> {
        within("buckets", buckets as f64, buckets > 0, "positive")?;
        within("spreads", spreads as f64, spreads > 0, "positive")?;
        let states = buckets.saturating_mul(spreads);
        within("buckets * spreads", states as f64, states <= 400, "at most 400")?;
        let square = states * states;
        let (still, moving) = (vec![0.0; square], vec![0.0; square]);
        Ok(Self { buckets, spreads, before: None, still, moving, moves: vec![0.0; states] })
    }

    fn mirrored(&self, state: usize) -> usize {
        let (spread, bucket) = (state / self.buckets, state % self.buckets);
        spread * self.buckets + (self.buckets - 1 - bucket)
    }

    /// Takes the best bid and ask as (price, lots).
    ///
    /// # Errors
    /// [`MicrostructureError`] where the quote is crossed or has no quantities.
    pub fn on_quote(&mut self, bid: (i64, i64), ask: (i64, i64)) -> Result<(), MicrostructureError> {
        quote(bid, ask)?;
        let (state, doubled) = (state_of(self.buckets, self.spreads, bid, ask), bid.0 + ask.0);
        if let Some((before, doubled_before)) = self.before.replace((state, doubled)) {
            let moved = (doubled - doubled_before) as f64;
            let states = self.moves.len();
            for (from, to, change) in [(before, state, moved), (self.mirrored(before), self.mirrored(state), -moved)] {
                let counts = if moved == 0.0 { &mut self.still } else { &mut self.moving };
                counts[from * states + to] += 1.0;
                self.moves[from] += change;
            }
        }
        Ok(())
    }

    /// Fits the adjustment `sum_k B^k G1` with `G1 = (I - Q)^-1 r` and `B = (I - Q)^-1 R`: Q holds the chances of the
    /// transitions that leave the middle, R of those that move it, r the mean move.
    ///
    /// `iterations` moves of the middle are looked ahead; the sum settles, since the mirrored counts make its mean
    /// zero. A state that was never left is adjusted by nothing.
    ///
    /// # Errors
    /// [`MicrostructureError`] where iterations is zero.
    pub fn fit(&self, iterations: usize) -> Result<MicroPriceModel, MicrostructureError> {
        within("iterations", iterations as f64, iterations > 0, "positive")?;
        let states = self.moves.len();
        let left: Vec<f64> = (0..states)
            .map(|from| {
                (from * states..(from + 1) * states).map(|k| self.still[k] + self.moving[k]).sum::<f64>().max(1.0)
            })
            .collect();
        // The rows of (I - Q), then of R and r: one elimination solves for B and G1 together.
        let row = |from: usize| -> Vec<f64> {
            let one = |to: usize| if from == to { 1.0 } else { 0.0 };
            let stay = (0..states).map(|to| one(to) - self.still[from * states + to] / left[from]);
            let leave = (0..states).map(|to| self.moving[from * states + to] / left[from]);
            stay.chain(leave).chain([self.moves[from] / left[from] / 2.0]).collect()
        };
        let mut rows: Vec<Vec<f64>> = (0..states).map(row).collect();
        eliminate(&mut rows);
        let first: Vec<f64> = rows.iter().map(|row| row[2 * states]).collect();
        let (mut term, mut adjustment) = (first.clone(), first);
        for _ in 1..iterations {
            let next = |row: &Vec<f64>| row[states..2 * states].iter().zip(&term).map(|(b, value)| b * value).sum();
            term = rows.iter().map(next).collect::<Vec<f64>>();
            adjustment.iter_mut().zip(&term).for_each(|(sum, more)| *sum += more);
        }
        Ok(MicroPriceModel { buckets: self.buckets, spreads: self.spreads, adjustment })
    }
}

/// Gauss-Jordan with pivoting; a column without a pivot belongs to states that never move the middle and is left out.
fn eliminate(rows: &mut [Vec<f64>]) {
    let states = rows.len();
    for column in 0..states {
        let pivot = (column..states).max_by(|&a, &b| rows[a][column].abs().total_cmp(&rows[b][column].abs()));
        let Some(pivot) = pivot.filter(|&row| rows[row][column].abs() > 1e-12) else {
            rows[column].iter_mut().for_each(|value| *value = 0.0);
            continue;
        };
        rows.swap(column, pivot);
        let factor = rows[column][column];
        rows[column].iter_mut().for_each(|value| *value /= factor);
        let from = rows[column].clone();
        for (_, row) in rows.iter_mut().enumerate().filter(|(index, _)| *index != column) {
            let factor = row[column];
            if factor != 0.0 {
                row.iter_mut().zip(&from).for_each(|(value, above)| *value -= factor * above);
            }
        }
    }
}

impl MicroPriceModel {
    /// The micro-price in ticks: the middle, adjusted for the state of the quote.
    ///
    /// # Errors
    /// [`MicrostructureError`] where the quote is crossed or has no quantities.
    pub fn price(&self, bid: (i64, i64), ask: (i64, i64)) -> Result<f64, MicrostructureError> {
        quote(bid, ask)?;
        let state = state_of(self.buckets, self.spreads, bid, ask);
        Ok((bid.0 + ask.0) as f64 / 2.0 + self.adjustment[state])
    }

    /// The adjustments in ticks, spread by spread, each by bucket of imbalance.
    #[must_use]
    pub fn adjustments(&self) -> &[f64] {
        &self.adjustment
    }
}
