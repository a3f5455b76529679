//! Order blocks: OB, Top, Bottom, OBVolume, MitigatedIndex, Percentage.
//!
//! Bullish: bar `t` closes above the high of the last swing high `q < t`, for the first time; the block is the bar with
//! the lowest low of `q+1 .. t-1` (the last of equals), its zone that bar's range. It breaks when price trades (or opens
//! or closes) below its bottom. Bearish mirrors. OBVolume is the volume of `t-2 ..= t`. Percentage compares the volume
//! of `t-1` and `t` with that of `t-2`, the smaller as a share of the larger.
//!
//! **Hindsight**: the row is the block's bar, though it exists only from `t` on; the swings look ahead too. **Quirks
//! kept**: a broken block is erased from its row when price trades beyond its other edge, so hardly any are left;
//! MitigatedIndex is the breaking bar for a bearish block, the bar before it for a bullish one, 0 for none; with no bar
//! between, the block is bar `t-1`, and its zone, if bullish, is upside down; bullish blocks are worked out over all
//! bars before bearish ones, on the same rows, so that a bar that is both keeps the other's break, even if that block was
//! erased; edges, volume and share go through single precision, and edges are compared with prices that didn't.
//!
//! **Causal**: the row is `t`, AnchorIndex the block's bar, and nothing is erased. MitigatedIndex stands on the bar that
//! broke, and names the row of the block broken (the youngest, where there are several).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{absent, single, Candles, Column, Key, KnownSwing};

/// The bars seen from one side: for bearish blocks all prices are negated, and highs and lows change places.
#[derive(Clone, Copy)]
struct Facing<'a> {
    sign: f64,
    open: &'a [f64],
    high: &'a [f64],
    low: &'a [f64],
    close: &'a [f64],
    by_body: bool,
}

impl<'a> Facing<'a> {
    const fn new(candles: &Candles<'a>, sign: f64, by_body: bool) -> Self {
        let &Candles { open, high, low, close } = candles;
        let (high, low) = if sign > 0.0 { (high, low) } else { (low, high) };
        Self { sign, open, high, low, close, by_body }
    }

    fn high(&self, row: usize) -> f64 {
        self.sign * self.high[row]
    }

    fn low(&self, row: usize) -> f64 {
        self.sign * self.low[row]
    }

    fn close(&self, row: usize) -> f64 {
        self.sign * self.close[row]
    }

    /// What breaks a block by trading below its bottom.
    fn breaking(&self, row: usize) -> f64 {
        if self.by_body {
            (self.sign * self.open[row]).min(self.close(row))
        } else {
            self.low(row)
        }
    }

    /// The bar with the lowest low strictly between two, the last of equals.
    fn lowest_between(&self, after: usize, before: usize) -> Option<usize> {
        (after + 1..before).reduce(|best, row| if self.low(row) <= self.low(best) { row } else { best })
    }

    /// The upper and the lower edge of a zone that is seen from this side, as they are; and back.
    fn turned(&self, top: f64, bottom: f64) -> (f64, f64) {
        if self.sign > 0.0 {
            (top, bottom)
        } else {
            (-bottom, -top)
        }
    }
}

/// Volume of the three bars that end at `row`, and the share of the smaller part in the larger, in percent.
fn volumes(volume: &[f64], row: usize, sign: f64) -> (f64, f64) {
    let back = |bars: usize| row.checked_sub(bars).map_or(0.0, |row| volume[row]);
    let (late, early) = (volume[row] + back(1), back(2));
    let (first, second) = if sign > 0.0 { (late as f32, early as f32) } else { (early as f32, late as f32) };
    let (smaller, larger) = (first.min(second), first.max(second));
    let share = if larger == 0.0 { 100.0 } else { smaller / larger * 100.0 };
    (late + early, f64::from(share))
}

/// The rows while they are worked out, absent where there is no block, and which are broken.
struct Rows {
    columns: [Column; 6],
    broken: Vec<bool>,
}

impl Rows {
    fn write(&mut self, row: usize, values: [f64; 6]) {
        for (column, value) in self.columns.iter_mut().zip(values) {
            column[row] = value;
        }
    }

    /// Top and bottom of the block on a row as `bars` see them, NaN where there is none.
    fn zone(&self, bars: &Facing<'_>, row: usize) -> (f64, f64) {
        bars.turned(self.columns[1][row], self.columns[2][row])
    }
}

/// OB, Top, Bottom, OBVolume, MitigatedIndex, Percentage, as the library gives them; a block breaks by body, else by wick.
#[must_use]
pub fn order_blocks(candles: &Candles<'_>, volume: &[f64], side: &[f64], by_body: bool) -> [Column; 6] {
    let mut rows = Rows { columns: absent(side.len()), broken: vec![false; side.len()] };
    for sign in [1.0, -1.0] {
        one_side(&Facing::new(candles, sign, by_body), volume, side, &mut rows);
    }
    rows.columns
}

/// A block may come to stand on a row again, with other edges: what the heaps hold of the one before is passed over.
fn one_side(bars: &Facing<'_>, volume: &[f64], side: &[f64], rows: &mut Rows) {
    // Whole blocks by falling bottom, broken ones by rising top, both as this side sees them.
    let mut whole: BinaryHeap<(Key, usize)> = BinaryHeap::new();
    let mut broken: BinaryHeap<(Reverse<Key>, usize)> = BinaryHeap::new();
    let mut swing: Option<usize> = None;
    for (row, &side) in side.iter().enumerate() {
        let (high, breaking) = (bars.high(row), bars.breaking(row));
        while let Some(&(Reverse(Key(top)), block)) = broken.peek().filter(|(top, _)| top.0 .0 < high) {
            broken.pop();
            if rows.zone(bars, block).0 == top {
                rows.write(block, [f64::NAN; 6]);
            }
        }
        while let Some(&(Key(bottom), block)) = whole.peek().filter(|(bottom, _)| bottom.0 > breaking) {
            whole.pop();
            let (top, now) = rows.zone(bars, block);
            if now == bottom && !rows.broken[block] {
                rows.broken[block] = true;
                rows.columns[4][block] = if bars.sign > 0.0 { row as f64 - 1.0 } else { row as f64 };
                broken.push((Reverse(Key(top)), block));
            }
        }
        if let Some(last) = swing.filter(|&last| bars.close(row) > bars.high(last)) {
            swing = None;
            let block = make(bars, volume, last, row, rows);
            let (top, bottom) = rows.zone(bars, block);
            if rows.broken[block] {
                broken.push((Reverse(Key(top)), block));
            } else if !bottom.is_nan() {
                whole.push((Key(bottom), block));
            }
        }
        if side == bars.sign {
            swing = Some(row);
        }
    }
}

/// Writes the block that the break of swing `last` on `row` makes, and gives its row.
fn make(bars: &Facing<'_>, volume: &[f64], last: usize, row: usize, rows: &mut Rows) -> usize {
    let between = bars.lowest_between(last, row);
    let block = between.unwrap_or(row - 1);
    let (mut top, mut bottom) = (single(bars.high(block)), single(bars.low(block)));
    if between.is_none() && bars.sign > 0.0 {
        (top, bottom) = (bottom, top);
    }
    let (sum, share) = volumes(volume, row, bars.sign);
    let (upper, lower) = bars.turned(top, bottom);
    let mitigated = rows.columns[4][block];
    let mitigated = if mitigated.is_nan() { 0.0 } else { mitigated };
    rows.write(block, [bars.sign, upper, lower, single(sum), mitigated, share]);
    block
}

/// One side of the causal reading.
struct Side<'a> {
    bars: Facing<'a>,
    /// Whole blocks by falling bottom, each with the row that printed it.
    whole: BinaryHeap<(Key, usize)>,
    /// The bar of the last known swing, until it is broken.
    swing: Option<usize>,
}

impl Side<'_> {
    /// Breaks the blocks that trade on `row` goes below, and gives the youngest of their rows.
    fn broken(&mut self, row: usize) -> Option<usize> {
        let (mut youngest, breaking) = (None, self.bars.breaking(row));
        while let Some(&(_, block)) = self.whole.peek().filter(|(bottom, _)| bottom.0 > breaking) {
            self.whole.pop();
            youngest = youngest.max(Some(block));
        }
        youngest
    }

    /// The bar of the block that `close` of `row` makes by breaking the last swing.
    fn made(&mut self, row: usize, close: f64) -> Option<usize> {
        let last = self.swing.filter(|&last| self.bars.sign * close > self.bars.high(last))?;
        self.swing = None;
        let block = self.bars.lowest_between(last, row)?;
        if !self.bars.low(block).is_nan() {
            self.whole.push((Key(self.bars.low(block)), row));
        }
        Some(block)
    }
}

/// OB, Top, Bottom, OBVolume, MitigatedIndex, Percentage, AnchorIndex, each on the bar that made it knowable.
#[must_use]
pub fn order_blocks_causal(candles: &Candles<'_>, volume: &[f64], swings: &[KnownSwing], by_body: bool) -> [Column; 7] {
    let mut columns: [Column; 7] = absent(candles.close.len());
    let mut sides = [1.0, -1.0].map(|sign| Side {
        bars: Facing::new(candles, sign, by_body),
        whole: BinaryHeap::new(),
        swing: None,
    });
    let mut known = swings.iter().peekable();
    for (row, &close) in candles.close.iter().enumerate() {
        while let Some(next) = known.next_if(|next| next.row <= row) {
            sides[usize::from(next.side < 0.0)].swing = Some(next.anchor);
        }
        for side in &mut sides {
            if let Some(block) = side.broken(row) {
                columns[4][row] = columns[4][row].max(block as f64);
            }
            let Some(block) = side.made(row, close) else { continue };
            let (sum, share) = volumes(volume, row, side.bars.sign);
            let values = [side.bars.sign, candles.high[block], candles.low[block], sum, share, block as f64];
            for (column, value) in [0, 1, 2, 3, 5, 6].into_iter().zip(values) {
                columns[column][row] = value;
            }
        }
    }
    columns
}
