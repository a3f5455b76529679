//! Liquidity pools: Liquidity, Level, End, Swept.
//!
//! From each swing not yet in a pool: the pool is it and the later swings of its side within a tolerance of its level,
//! up to the first bar that trades the tolerance beyond that level. Two make a pool. +1 lies above price (highs), -1
//! below. Level is the mean of the members, End the last of them, Swept that first bar. Swept says nothing of closing back.
//!
//! **Hindsight**: the row is the first member, though it takes a second to make a pool; the tolerance is a share of the
//! range of *all* bars, so that a new extreme regroups the whole past. Swept, 0 for none, lies any number of bars ahead.
//!
//! **Causal**: the tolerance is a share of the range up to the bar that made the first member known, and stays. A row is
//! printed when a swing that became known joins: Level is the mean so far, End the joining swing's bar, AnchorIndex the
//! first member's. A swing joins the oldest unswept pool that is near enough. Swept stands on the sweeping bar and names
//! the row that printed the swept pool last (the latest, where there are several). Sweeps come before joins within a bar.

use std::collections::BTreeMap;

use super::next_reach::NextReach;
use super::value_tree::ValueTree;
use super::{absent, facing, Column, Key, KnownSwing};

/// Liquidity, Level, End, Swept, as the library gives them, before it rounds them to single precision.
#[must_use]
pub fn liquidity(high: &[f64], low: &[f64], side: &[f64], level: &[f64], range_percent: f64) -> [Column; 4] {
    let mut columns = absent(side.len());
    let highest = high.iter().copied().fold(f64::NAN, f64::max);
    let lowest = low.iter().copied().fold(f64::NAN, f64::min);
    let tolerance = (highest - lowest) * range_percent;
    for (sign, extreme) in [(1.0, high), (-1.0, low)] {
        let swings: Vec<(usize, f64)> =
            (0..side.len()).filter(|&row| side[row] == sign).map(|row| (row, sign * level[row])).collect();
        one_side(sign, &facing(sign, extreme), &swings, tolerance, &mut columns);
    }
    columns
}

/// `swings` holds row and level, `extreme` the highs, both negated for lows.
fn one_side(sign: f64, extreme: &[f64], swings: &[(usize, f64)], tolerance: f64, columns: &mut [Column; 4]) {
    let mut reach = NextReach::new(extreme);
    let mut sweeps: Vec<Option<usize>> =
        swings.iter().rev().map(|&(row, level)| reach.at_least(row + 1, level + tolerance)).collect();
    sweeps.reverse();
    let mut unused = ValueTree::new(swings.iter().map(|swing| swing.1));
    let mut used = vec![false; swings.len()];
    for (first, (&(row, level), &sweep)) in swings.iter().zip(&sweeps).enumerate() {
        if used[first] {
            continue;
        }
        let stop = sweep.map_or(swings.len(), |bar| swings.partition_point(|swing| swing.0 < bar));
        let (mut sum, mut members, mut end, mut next) = (sign * level, 1.0, row, first + 1);
        while let Some(place) = unused.first_at_least(next, stop, level - tolerance) {
            next = place + 1;
            if swings[place].1 <= level + tolerance {
                sum += sign * swings[place].1;
                members += 1.0;
                end = swings[place].0;
                used[place] = true;
                unused.remove(place);
            }
        }
        if members > 1.0 {
            let values = [sign, sum / members, end as f64, sweep.map_or(0.0, |bar| bar as f64)];
            for (column, value) in columns.iter_mut().zip(values) {
                column[row] = value;
            }
        }
    }
}

/// A first swing and those that joined it; prices are negated for lows.
#[derive(Clone, Copy)]
struct Pool {
    anchor: usize,
    level: f64,
    tolerance: f64,
    sum: f64,
    members: f64,
    /// The row that printed it last.
    printed: Option<usize>,
}

/// Unswept pools of one side by the price that sweeps them, then by age.
type Pools = BTreeMap<(Key, usize), Pool>;

/// Takes the swept pools away; the latest row that printed one of them.
fn sweep(pools: &mut Pools, reached: f64) -> Option<usize> {
    let mut printed = None;
    while let Some(entry) = pools.first_entry().filter(|entry| entry.key().0 .0 <= reached) {
        printed = printed.max(entry.remove().printed);
    }
    printed
}

/// Lets a swing, known since `row`, join the oldest pool that is near enough, or found one.
fn join(pools: &mut Pools, row: usize, anchor: usize, level: f64, tolerance: f64) -> Option<Pool> {
    let near = |pool: &Pool| pool.level - pool.tolerance <= level && level <= pool.level + pool.tolerance;
    // No pool's tolerance exceeds today's, so whatever is near is swept between `level` and twice that above it.
    let (low, high) = (level, level + 2.0 * tolerance);
    let band = (Key(low - low.abs() * 1e-9), 0)..=(Key(high + high.abs() * 1e-9), usize::MAX);
    let oldest = pools.range(band).filter(|(_, pool)| near(pool)).map(|(key, _)| *key).min_by_key(|key| key.1);
    match oldest.and_then(|key| pools.get_mut(&key)) {
        Some(pool) => {
            pool.sum += level;
            pool.members += 1.0;
            pool.printed = Some(row);
            Some(*pool)
        }
        None => {
            let pool = Pool { anchor, level, tolerance, sum: level, members: 1.0, printed: None };
            pools.insert((Key(level + tolerance), row), pool);
            None
        }
    }
}

/// Liquidity, Level, End, Swept, AnchorIndex, each on the bar that made it knowable.
#[must_use]
pub fn liquidity_causal(high: &[f64], low: &[f64], swings: &[KnownSwing], range_percent: f64) -> [Column; 5] {
    let rows = high.len();
    let [mut side, mut price, mut end, mut swept, mut anchor] = absent(rows);
    let mut pools: [Pools; 2] = [BTreeMap::new(), BTreeMap::new()];
    let (mut highest, mut lowest) = (f64::NAN, f64::NAN);
    let mut known = swings.iter().peekable();
    for row in 0..rows {
        (highest, lowest) = (highest.max(high[row]), lowest.min(low[row]));
        let [above, below] = &mut pools;
        if let Some(printed) = sweep(above, high[row]).max(sweep(below, -low[row])) {
            swept[row] = printed as f64;
        }
        while let Some(swing) = known.next_if(|swing| swing.row <= row) {
            let level = swing.side * swing.level;
            let tolerance = (highest - lowest) * range_percent;
            if level.is_nan() || tolerance.is_nan() {
                continue;
            }
            let pools = if swing.side > 0.0 { &mut *above } else { &mut *below };
            if let Some(pool) = join(pools, row, swing.anchor, level, tolerance) {
                (side[row], price[row]) = (swing.side, swing.side * pool.sum / pool.members);
                (end[row], anchor[row]) = (swing.anchor as f64, pool.anchor as f64);
            }
        }
    }
    [side, price, end, swept, anchor]
}
