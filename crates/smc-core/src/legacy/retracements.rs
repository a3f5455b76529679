//! How far price has come back from the last swing: Direction, CurrentRetracement%, DeepestRetracement%.
//!
//! Direction is the side of the last swing. After a high, the current retracement is 100 at the last low and 0 at that
//! high, by the bar's low; after a low it mirrors, by the bar's high. One decimal. The deepest is the largest so far
//! while the direction holds.
//!
//! **Hindsight**: direction turns on the swing's own bar, before the swing is known, and the swings may vanish.
//! **Quirks kept**: the bar of a high after a low counts 0; levels before the first swing of a side are 0; a leg of no
//! height counts 0; all three columns are moved down by one row, the last row's values to the first, and then the rows
//! of the first three directions are zeroed, how many they are depending on the newest bar.
//!
//! **Causal**: direction turns on the bar that made the swing known; the retracement is that of the last known high and
//! low, absent until there are both; the deepest is the largest on the bars after the last known swing (those since
//! its own bar included). Nothing is moved or zeroed.

use super::{absent, Column, KnownSwing};

/// `value` to one decimal, ties to even.
fn tenths(value: f64) -> f64 {
    (value * 10.0).round_ties_even() / 10.0
}

/// 100 minus `part` in percent of `whole`; 0 where the whole is 0.
fn retraced(part: f64, whole: f64) -> f64 {
    if whole == 0.0 {
        0.0
    } else {
        tenths(100.0 - part / whole * 100.0)
    }
}

/// Direction, CurrentRetracement%, DeepestRetracement%, as the library gives them.
#[must_use]
pub fn retracements(high: &[f64], low: &[f64], side: &[f64], level: &[f64]) -> [Column; 3] {
    let rows = side.len();
    let mut columns: [Column; 3] = std::array::from_fn(|_| vec![0.0; rows]);
    let (mut top, mut bottom, mut before, mut deepest) = (0.0, 0.0, 0.0, 0.0);
    for row in 0..rows {
        let mut direction = before;
        if side[row] == 1.0 {
            (direction, top) = (1.0, level[row]);
        } else if side[row] == -1.0 {
            (direction, bottom) = (-1.0, level[row]);
        }
        let current = if direction == -1.0 {
            retraced(high[row] - top, bottom - top)
        } else if before == 1.0 {
            retraced(low[row] - bottom, top - bottom)
        } else {
            0.0
        };
        let held = row > 0 && before == direction;
        deepest = current.max(if held { deepest } else { 0.0 });
        for (column, value) in columns.iter_mut().zip([direction, current, deepest]) {
            column[row] = value;
        }
        before = direction;
    }
    for column in &mut columns {
        column.rotate_right(rows.min(1));
    }
    let turns = columns[0].windows(2).enumerate().filter(|(_, pair)| pair[0] != pair[1]);
    let third = turns.map(|(row, _)| row + 2).nth(2);
    let zeroed = third.unwrap_or_else(|| rows.saturating_sub(1));
    for column in &mut columns {
        column[..zeroed].fill(0.0);
    }
    columns
}

/// Direction (0 before the first swing), CurrentRetracement%, DeepestRetracement%, on the bar that made them knowable.
#[must_use]
pub fn retracements_causal(high: &[f64], low: &[f64], swings: &[KnownSwing]) -> [Column; 3] {
    let rows = high.len();
    let [mut direction, mut current, mut deepest] = absent(rows);
    let mut known = swings.iter().peekable();
    let mut last: Option<&KnownSwing> = None;
    let (mut top, mut bottom) = (f64::NAN, f64::NAN);
    for row in 0..rows {
        let mut since = row;
        while let Some(swing) = known.next_if(|swing| swing.row <= row) {
            *(if swing.side > 0.0 { &mut top } else { &mut bottom }) = swing.level;
            (last, since) = (Some(swing), swing.anchor + 1);
        }
        let Some(swing) = last else {
            direction[row] = 0.0;
            continue;
        };
        let at = |bar: usize| {
            if swing.side > 0.0 {
                retraced(low[bar] - bottom, top - bottom)
            } else {
                retraced(high[bar] - top, bottom - top)
            }
        };
        direction[row] = swing.side;
        current[row] = at(row);
        let earlier = if since == row && swing.row < row { deepest[row - 1] } else { f64::NAN };
        deepest[row] = (since..=row).map(at).fold(earlier, f64::max);
    }
    [direction, current, deepest]
}
