//! Swing highs and lows: HighLow, Level.
//!
//! With S = `size`, bar `i` is a raw high if its high is the highest of the 2S bars `i-S+1 ..= i+S` (S-1 before, S after),
//! else a raw low if its low is their lowest; ties all count. Of neighbouring pivots of one side the most extreme is
//! kept, the first of equals.
//!
//! **Hindsight**: a raw pivot is printed S bars early, and vanishes when a more extreme one of its side follows before
//! the other side does, however late. **Quirks kept**: the first and the last row get a made-up swing opposite to the
//! first and the last real one, so the newest bar always carries a false one; rows before `2S-1` are never tested,
//! though `S-1` would do; a NaN blanks every pivot whose window holds it.
//!
//! **Causal**: the row is `i+S`, AnchorIndex is `i`. A pivot is printed when it is of the other side than the one printed
//! before it, or more extreme: the running form of the same rule. Every full window is tested; nothing is made up.

use std::collections::VecDeque;

use super::{absent, facing, Column};

/// For each bar, whether `values` has its window's maximum there; only bars from `first` on, with a window free of NaN.
fn window_maxima(values: &[f64], size: usize, first: usize) -> Vec<bool> {
    let mut found = vec![false; values.len()];
    let mut falling: VecDeque<usize> = VecDeque::new();
    let mut clean_from = 0;
    for (end, &value) in values.iter().enumerate() {
        if value.is_nan() {
            clean_from = end + 1;
            falling.clear();
            continue;
        }
        while falling.back().is_some_and(|&last| values[last] < value) {
            falling.pop_back();
        }
        falling.push_back(end);
        let Some(start) = (end + 1).checked_sub(2 * size) else { continue };
        while falling.front().is_some_and(|&oldest| oldest < start) {
            falling.pop_front();
        }
        let middle = end - size;
        if middle >= first && start >= clean_from {
            found[middle] = falling.front().is_some_and(|&top| values[top] == values[middle]);
        }
    }
    found
}

/// Row, side and price of every raw pivot from `first` on.
fn raw_pivots(high: &[f64], low: &[f64], size: usize, first: usize) -> Vec<(usize, f64, f64)> {
    let highs = window_maxima(high, size, first);
    let lows = window_maxima(&facing(-1.0, low), size, first);
    let pivot = |row: usize| match (highs[row], lows[row]) {
        (true, _) => Some((row, 1.0, high[row])),
        (false, true) => Some((row, -1.0, low[row])),
        (false, false) => None,
    };
    (0..high.len()).filter_map(pivot).collect()
}

/// HighLow, Level, as the library gives them. `size` is at least 1.
#[must_use]
pub fn swings(high: &[f64], low: &[f64], size: usize) -> [Column; 2] {
    let [mut side, mut level] = absent(high.len());
    let mut kept: Vec<(usize, f64, f64)> = Vec::new();
    for pivot in raw_pivots(high, low, size, 2 * size - 1) {
        match kept.last_mut().filter(|last| last.1 == pivot.1) {
            Some(last) if pivot.1 * pivot.2 > last.1 * last.2 => *last = pivot,
            Some(_) => {}
            None => kept.push(pivot),
        }
    }
    for &(row, pivot_side, price) in &kept {
        (side[row], level[row]) = (pivot_side, price);
    }
    if let (Some(first), Some(last)) = (kept.first(), kept.last()) {
        for (row, real) in [(0, first.1), (high.len() - 1, last.1)] {
            (side[row], level[row]) = (-real, if real > 0.0 { low[row] } else { high[row] });
        }
    }
    [side, level]
}

/// HighLow, Level, AnchorIndex, each on the bar that made it knowable. `size` is at least 1.
#[must_use]
pub fn swings_causal(high: &[f64], low: &[f64], size: usize) -> [Column; 3] {
    let [mut side, mut level, mut anchor] = absent(high.len());
    let mut last: Option<(f64, f64)> = None;
    for (pivot, pivot_side, price) in raw_pivots(high, low, size, size - 1) {
        if last.is_some_and(|(side, level)| side == pivot_side && pivot_side * price <= side * level) {
            continue;
        }
        last = Some((pivot_side, price));
        (side[pivot + size], level[pivot + size], anchor[pivot + size]) = (pivot_side, price, pivot as f64);
    }
    [side, level, anchor]
}
