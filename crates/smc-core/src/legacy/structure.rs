//! Breaks of structure and changes of character: BOS, CHOCH, Level, BrokenIndex.
//!
//! Every four consecutive swings a, b, c, d are a pattern or none. Low, high, low, high with `a < c < b < d` is a
//! bullish BOS, with `c < a < b < d` a bullish CHoCH; bearish mirrors. Its level is b; it is broken by the first bar
//! from two after b on that closes (or trades) beyond b.
//!
//! **Hindsight**: the row is the bar of b, two swings before the pattern is complete and before b is broken; the swings
//! look ahead as well. A pattern that is never broken is left out, and so is one broken no earlier than a later one.
//! **Quirks kept**: BrokenIndex stays on the row of a pattern that was left out for a later one; Level goes through
//! single precision and is compared with prices that didn't.
//!
//! **Causal**: the row is the later of the bar that completed the pattern from known swings and the bar that broke b;
//! AnchorIndex is the bar of b, BrokenIndex the bar that broke it (this row or an earlier one). A pattern still unbroken
//! lapses when one with a later b is printed.

use super::next_reach::NextReach;
use super::{absent, facing, single, Column, KnownSwing};

#[derive(Clone, Copy)]
struct Pattern {
    /// The row that completed it.
    row: usize,
    /// The bar of b.
    anchor: usize,
    sign: f64,
    is_bos: bool,
    level: f64,
}

/// Sign and kind (true for a BOS) of the pattern of four swings, oldest first, each with its side and level.
fn pattern(swings: [(f64, f64); 4]) -> Option<(f64, bool)> {
    let [(first, a), (second, b), (third, c), (fourth, d)] = swings;
    let sign = second;
    if first != -sign || third != -sign || fourth != sign {
        return None;
    }
    let [a, b, c, d] = [a, b, c, d].map(|level| sign * level);
    if a < c && c < b && b < d {
        Some((sign, true))
    } else if c < a && a < b && b < d {
        Some((sign, false))
    } else {
        None
    }
}

/// Prices that break a level: closes, or highs above and lows below.
#[derive(Clone, Copy, Debug)]
pub struct Breaking<'a> {
    /// What breaks upwards.
    pub above: &'a [f64],
    /// What breaks downwards.
    pub below: &'a [f64],
}

/// Finds the first break of patterns that come in falling order of their anchors.
struct Breaks<'a> {
    up: NextReach<'a>,
    down: NextReach<'a>,
}

impl Breaks<'_> {
    fn first(&mut self, pattern: &Pattern) -> Option<usize> {
        let from = pattern.anchor + 2;
        if pattern.sign > 0.0 {
            self.up.above(from, pattern.level)
        } else {
            self.down.above(from, -pattern.level)
        }
    }
}

/// BOS, CHOCH, Level, BrokenIndex, as the library gives them.
#[must_use]
pub fn structure(prices: Breaking<'_>, side: &[f64], level: &[f64]) -> [Column; 4] {
    let [mut bos, mut choch, mut shown, mut broken] = absent(side.len());
    let rows: Vec<usize> = (0..side.len()).filter(|&row| !side[row].is_nan()).collect();
    let falling = facing(-1.0, prices.below);
    let mut breaks = Breaks { up: NextReach::new(prices.above), down: NextReach::new(&falling) };
    let mut earliest_later_break = usize::MAX;
    for four in rows.windows(4).rev() {
        let &[a, b, c, d] = four else { continue };
        let Some((sign, is_bos)) = pattern([a, b, c, d].map(|row| (side[row], level[row]))) else { continue };
        let pattern = Pattern { row: d, anchor: b, sign, is_bos, level: single(level[b]) };
        let Some(bar) = breaks.first(&pattern) else { continue };
        broken[b] = bar as f64;
        if bar < earliest_later_break {
            earliest_later_break = bar;
            shown[b] = pattern.level;
            *(if is_bos { &mut bos[b] } else { &mut choch[b] }) = sign;
        }
    }
    [bos, choch, shown, broken]
}

/// The patterns in known swings, each when it is first complete.
fn patterns(swings: &[KnownSwing]) -> Vec<Pattern> {
    let mut alternating: Vec<KnownSwing> = Vec::new();
    let mut found: Vec<Pattern> = Vec::new();
    for swing in swings {
        if alternating.last().is_some_and(|last| last.side == swing.side) {
            alternating.pop();
        }
        alternating.push(*swing);
        let &[.., a, b, c, d] = alternating.as_slice() else { continue };
        if found.last().is_some_and(|last| last.anchor >= b.anchor) {
            continue;
        }
        if let Some((sign, is_bos)) = pattern([a, b, c, d].map(|swing| (swing.side, swing.level))) {
            found.push(Pattern { row: swing.row, anchor: b.anchor, sign, is_bos, level: b.level });
        }
    }
    found
}

/// BOS, CHOCH, Level, BrokenIndex, AnchorIndex, each on the bar that made it knowable.
#[must_use]
pub fn structure_causal(prices: Breaking<'_>, swings: &[KnownSwing]) -> [Column; 5] {
    let [mut bos, mut choch, mut shown, mut broken, mut anchor] = absent(prices.above.len());
    let falling = facing(-1.0, prices.below);
    let mut breaks = Breaks { up: NextReach::new(prices.above), down: NextReach::new(&falling) };
    let mut earliest_later_row = usize::MAX;
    for pattern in patterns(swings).iter().rev() {
        let Some(bar) = breaks.first(pattern) else { continue };
        let row = bar.max(pattern.row);
        if row < earliest_later_row {
            earliest_later_row = row;
            (shown[row], broken[row], anchor[row]) = (pattern.level, bar as f64, pattern.anchor as f64);
            *(if pattern.is_bos { &mut bos[row] } else { &mut choch[row] }) = pattern.sign;
        }
    }
    [bos, choch, shown, broken, anchor]
}
