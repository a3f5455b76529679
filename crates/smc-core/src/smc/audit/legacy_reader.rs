//! The functions of [`crate::legacy`] as a reader: what the library `smartmoneyconcepts` tells on each prefix, or the
//! same without hindsight. Nothing here is under suspicion; it is the measure of what repainting looks like.

use super::{Page, Reader, Witness};
use crate::legacy::{self, Breaking, Candles, Column, LegacyError, Period, Window};
use crate::market::{Bar, Instrument};

const FUNCTIONS: [(&str, &[&str]); 8] = [
    ("fvg", &["FVG", "Top", "Bottom", "MitigatedIndex"]),
    ("swing_highs_lows", &["HighLow", "Level"]),
    ("bos_choch", &["BOS", "CHOCH", "Level", "BrokenIndex"]),
    ("ob", &["OB", "Top", "Bottom", "OBVolume", "MitigatedIndex", "Percentage"]),
    ("liquidity", &["Liquidity", "Level", "End", "Swept"]),
    ("previous_high_low", &["PreviousHigh", "PreviousLow", "BrokenHigh", "BrokenLow"]),
    ("sessions", &["Active", "High", "Low"]),
    ("retracements", &["Direction", "CurrentRetracement%", "DeepestRetracement%"]),
];
/// Functions whose causal twin has a column more.
const ANCHORED: usize = 5;
const RANGE_PERCENT: f64 = 0.01;
/// London, in minutes after midnight UTC.
const SESSION: Window = Window { start: 7 * 60, end: 16 * 60 };

/// All eight functions with the library's default arguments: days for the previous high and low, London for the session.
#[derive(Clone, Copy, Debug)]
pub struct LegacyReader<'a> {
    /// Where prices in ticks become decimal.
    pub instrument: &'a Instrument,
    /// Bars on either side of a swing, at least 1; the library's default is 50.
    pub swing_length: usize,
    /// Whether every value stands on the bar that made it knowable.
    pub causal: bool,
}

/// Columns of prices and times, as the functions take them.
struct Table {
    time: Vec<i64>,
    open: Column,
    high: Column,
    low: Column,
    close: Column,
    volume: Column,
}

impl LegacyReader<'_> {
    fn table(&self, bars: &[Bar]) -> Table {
        let price = |of: fn(&Bar) -> i64| bars.iter().map(|bar| self.instrument.tick.value(of(bar))).collect();
        Table {
            time: bars.iter().map(|bar| bar.open_time).collect(),
            open: price(|bar| bar.open),
            high: price(|bar| bar.high),
            low: price(|bar| bar.low),
            close: price(|bar| bar.close),
            volume: bars.iter().map(|bar| self.instrument.lot.value(bar.volume)).collect(),
        }
    }

    fn with_hindsight(&self, table: &Table) -> Result<Vec<Column>, LegacyError> {
        let Table { time, open, high, low, close, volume } = table;
        let candles = Candles { open, high, low, close };
        let [side, level] = legacy::swings(high, low, self.swing_length);
        let breaking = Breaking { above: close, below: close };
        let mut columns: Vec<Column> = legacy::fvg(&candles, false).into();
        columns.extend([side.clone(), level.clone()]);
        columns.extend(legacy::structure(breaking, &side, &level));
        columns.extend(legacy::order_blocks(&candles, volume, &side, false));
        columns.extend(legacy::liquidity(high, low, &side, &level, RANGE_PERCENT));
        columns.extend(legacy::previous_high_low(time, high, low, Period::parse("1D")?, false)?);
        columns.extend(legacy::sessions(time, high, low, SESSION));
        columns.extend(legacy::retracements(high, low, &side, &level));
        Ok(columns)
    }

    fn causally(&self, table: &Table) -> Result<Vec<Column>, LegacyError> {
        let Table { time, open, high, low, close, volume } = table;
        let candles = Candles { open, high, low, close };
        let [side, level, anchor] = legacy::swings_causal(high, low, self.swing_length);
        let swings = legacy::known_swings(&side, &level, &anchor)?;
        let breaking = Breaking { above: close, below: close };
        let mut columns: Vec<Column> = legacy::fvg_causal(&candles, false).into();
        columns.extend([side, level, anchor]);
        columns.extend(legacy::structure_causal(breaking, &swings));
        columns.extend(legacy::order_blocks_causal(&candles, volume, &swings, false));
        columns.extend(legacy::liquidity_causal(high, low, &swings, RANGE_PERCENT));
        columns.extend(legacy::previous_high_low(time, high, low, Period::parse("1D")?, true)?);
        columns.extend(legacy::sessions_causal(time, high, low, SESSION));
        columns.extend(legacy::retracements_causal(high, low, &swings));
        Ok(columns)
    }
}

impl Reader for LegacyReader<'_> {
    type Item = Bar;
    type Error = LegacyError;

    /// Function and column, such as `ob.MitigatedIndex`.
    fn columns(&self) -> Vec<String> {
        let mut names = Vec::new();
        for (number, (function, columns)) in FUNCTIONS.iter().enumerate() {
            names.extend(columns.iter().map(|column| format!("{function}.{column}")));
            if self.causal && number < ANCHORED {
                names.push(format!("{function}.AnchorIndex"));
            }
        }
        names
    }

    fn read<W: Witness>(&self, bars: &[Bar], witness: &mut W) -> Result<(), LegacyError> {
        let table = self.table(bars);
        let columns = if self.causal { self.causally(&table)? } else { self.with_hindsight(&table)? };
        let mut values = vec![f64::NAN; columns.len()];
        for bar in 0..bars.len() {
            for (value, column) in values.iter_mut().zip(&columns) {
                *value = column[bar];
            }
            witness.page(Page { bar, events: &[], values: &values }, &Vec::new);
        }
        witness.end(&Vec::new);
        Ok(())
    }
}
