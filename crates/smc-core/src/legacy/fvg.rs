//! Fair value gaps: FVG, Top, Bottom, MitigatedIndex.
//!
//! Bullish on the middle bar `i` of three: `high[i-1] < low[i+1]` and `close[i] > open[i]`; the zone is what lies
//! between the two. Bearish mirrors. Mitigated by the first bar that touches the near edge.
//!
//! **Hindsight**: a gap is printed one bar before it is there. With `join`, of a run of neighbouring gaps of one side
//! only the last row is left, holding their union: each gap vanishes when its neighbour forms. MitigatedIndex, 0 for
//! none yet, is an outcome that may lie any number of bars ahead.
//!
//! **Causal**: the row is the third bar; AnchorIndex names the middle one. With `join` each row of a run holds the
//! union so far and takes the place of the row before it. MitigatedIndex stands on the bar that touched, and names
//! the row of the gap touched for the first time (the youngest, where there are several).

use std::collections::BinaryHeap;

use super::next_reach::NextReach;
use super::{absent, facing, Candles, Column, Key};

/// Side, top and bottom of the gap around bar `middle`.
fn gap(candles: &Candles<'_>, middle: usize) -> Option<(f64, f64, f64)> {
    let &Candles { open, high, low, close } = candles;
    let (before, after) = (middle - 1, middle + 1);
    if high[before] < low[after] && close[middle] > open[middle] {
        Some((1.0, low[after], high[before]))
    } else if low[before] > high[after] && close[middle] < open[middle] {
        Some((-1.0, low[before], high[after]))
    } else {
        None
    }
}

/// FVG, Top, Bottom, MitigatedIndex, as the library gives them.
#[must_use]
pub fn fvg(candles: &Candles<'_>, join: bool) -> [Column; 4] {
    let rows = candles.high.len();
    let [mut side, mut top, mut bottom, mut mitigated] = absent(rows);
    for row in 1..rows.saturating_sub(1) {
        let Some((gap_side, mut gap_top, mut gap_bottom)) = gap(candles, row) else { continue };
        if join && side[row - 1] == gap_side {
            gap_top = gap_top.max(top[row - 1]);
            gap_bottom = gap_bottom.min(bottom[row - 1]);
            (side[row - 1], top[row - 1], bottom[row - 1]) = (f64::NAN, f64::NAN, f64::NAN);
        }
        (side[row], top[row], bottom[row]) = (gap_side, gap_top, gap_bottom);
    }
    let falling = facing(-1.0, candles.low);
    let (mut lows, mut highs) = (NextReach::new(&falling), NextReach::new(candles.high));
    for row in (0..rows).rev() {
        let touch = match side[row] {
            1.0 => lows.at_least(row + 2, -top[row]),
            -1.0 => highs.at_least(row + 2, bottom[row]),
            _ => continue,
        };
        mitigated[row] = touch.map_or(0.0, |bar| bar as f64);
    }
    [side, top, bottom, mitigated]
}

/// FVG, Top, Bottom, MitigatedIndex, AnchorIndex, each on the bar that made it knowable.
#[must_use]
pub fn fvg_causal(candles: &Candles<'_>, join: bool) -> [Column; 5] {
    let rows = candles.high.len();
    let [mut side, mut top, mut bottom, mut mitigated, mut anchor] = absent(rows);
    let mut replaced = vec![false; rows];
    // Near edges, nearest to price on top: tops of bullish gaps, negated bottoms of bearish ones.
    let mut resting: [BinaryHeap<(Key, usize)>; 2] = [BinaryHeap::new(), BinaryHeap::new()];
    for row in 0..rows {
        let mut touched = None;
        for (heap, reach) in resting.iter_mut().zip([candles.low[row], -candles.high[row]]) {
            while heap.peek().is_some_and(|(edge, _)| edge.0 >= reach) {
                let gap_row = heap.pop().map(|(_, gap_row)| gap_row);
                touched = touched.max(gap_row.filter(|&gap_row| !replaced[gap_row]));
            }
        }
        if let Some(gap_row) = touched {
            mitigated[row] = gap_row as f64;
        }
        if row < 2 {
            continue;
        }
        let Some((gap_side, mut gap_top, mut gap_bottom)) = gap(candles, row - 1) else { continue };
        if join && side[row - 1] == gap_side {
            gap_top = gap_top.max(top[row - 1]);
            gap_bottom = gap_bottom.min(bottom[row - 1]);
            replaced[row - 1] = true;
        }
        (side[row], top[row], bottom[row], anchor[row]) = (gap_side, gap_top, gap_bottom, (row - 1) as f64);
        let (heap, edge) = if gap_side > 0.0 { (0, gap_top) } else { (1, -gap_bottom) };
        resting[heap].push((Key(edge), row));
    }
    [side, top, bottom, mitigated, anchor]
}
