//! Trading sessions by the clock of UTC: Active, High, Low.
//!
//! A bar is in the session if the minute it opens in is. High and low run from the session's first bar.
//!
//! No hindsight on either path. **Quirks kept** by the library's reading: both ends are inclusive, and the extremes run on
//! from any active bar to the next row, be there a day between them; rows outside hold 0. With negative prices the library
//! starts its running high from 0; this does not.
//!
//! **Causal**: the session is half-open, each occurrence starts its extremes anew, and rows outside hold NaN.

use super::Column;

const MINUTE: i64 = 60_000_000_000;
const MINUTES_A_DAY: i64 = 1_440;

/// Minutes after midnight, each below 1,440; where the end isn't after the start the session runs past midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first minute.
    pub start: i64,
    /// The minute it ends with.
    pub end: i64,
}

impl Window {
    fn holds(self, minute: i64) -> bool {
        if self.start < self.end {
            self.start <= minute && minute <= self.end
        } else {
            minute >= self.start || minute <= self.end
        }
    }

    /// The number of the occurrence that the half-open window has at a minute since the epoch.
    fn occurrence(self, minute: i64) -> Option<i64> {
        let length = match (self.end - self.start).rem_euclid(MINUTES_A_DAY) {
            0 => MINUTES_A_DAY,
            length => length,
        };
        let since = minute - self.start;
        (since.rem_euclid(MINUTES_A_DAY) < length).then(|| since.div_euclid(MINUTES_A_DAY))
    }
}

/// Active, High, Low of rows that each belong to a run or to none.
fn running(runs: impl Iterator<Item = Option<i64>>, high: &[f64], low: &[f64], outside: f64) -> [Column; 3] {
    let mut columns: [Column; 3] = [vec![0.0; high.len()], vec![outside; high.len()], vec![outside; high.len()]];
    let mut before = None;
    for (row, run) in runs.enumerate() {
        if run.is_some() {
            let held = run == before;
            columns[0][row] = 1.0;
            columns[1][row] = if held { columns[1][row - 1].max(high[row]) } else { high[row] };
            columns[2][row] = if held { columns[2][row - 1].min(low[row]) } else { low[row] };
        }
        before = run;
    }
    columns
}

/// Active, High, Low, as the library gives them, before it rounds to single precision; `time` in ns since the epoch, UTC.
#[must_use]
pub fn sessions(time: &[i64], high: &[f64], low: &[f64], window: Window) -> [Column; 3] {
    let minute = |time: &i64| time.div_euclid(MINUTE).rem_euclid(MINUTES_A_DAY);
    running(time.iter().map(|time| window.holds(minute(time)).then_some(0)), high, low, 0.0)
}

/// Active, High, Low of the half-open session; `time` in ns since the epoch, UTC.
#[must_use]
pub fn sessions_causal(time: &[i64], high: &[f64], low: &[f64], window: Window) -> [Column; 3] {
    running(time.iter().map(|time| window.occurrence(time.div_euclid(MINUTE))), high, low, f64::NAN)
}
