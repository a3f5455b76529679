//! Extremes of the period before: PreviousHigh, PreviousLow, BrokenHigh, BrokenLow.
//!
//! Bars are grouped by period; periods without a bar don't count. Broken flags are 1 from the first bar of a period that
//! trades beyond the level to the period's end.
//!
//! No hindsight on either path. **Quirks kept** by the library's reading: a period is known by its label, and what counts
//! is the last label but one before the bar's time. Periods of fixed length are labelled by their start, so that a bar
//! exactly on a start still gets the period before last; weeks and months are labelled by their last day, so that they
//! are late by a whole period. Levels go through single precision, so that a flag may be raised by rounding alone.
//!
//! **Causal**: the last completed period, exactly.

use super::{single, Column, LegacyError};

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;
const WEEKDAYS: [&str; 7] = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];

/// How bars are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// This many nanoseconds, counted from the midnight before the first bar.
    Step(i64),
    /// A week that ends with this day, Monday being 0.
    Week(i64),
    /// A calendar month.
    Month,
}

impl Period {
    /// Reads `15min`, `4h`, `1D`, `W`, `W-FRI`, `ME`, and the library's own names `15m`, `4H`, `1W`, `1M`.
    ///
    /// # Errors
    /// `LegacyError::Period` for any other name.
    pub fn parse(name: &str) -> Result<Self, LegacyError> {
        let refusal = || LegacyError::Period { name: name.to_owned() };
        let digits = name.len() - name.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let (count, unit) = name.split_at(digits);
        let count: i64 = if count.is_empty() { 1 } else { count.parse().map_err(|_| refusal())? };
        let length = match unit {
            "s" | "S" => SECOND,
            "min" | "m" => 60 * SECOND,
            "h" | "H" => 3_600 * SECOND,
            "D" | "d" => DAY,
            "W" if count == 1 => return Ok(Self::Week(6)),
            "ME" | "M" if count == 1 => return Ok(Self::Month),
            _ => {
                let day = unit.strip_prefix("W-").and_then(|day| WEEKDAYS.iter().position(|name| *name == day));
                return day.filter(|_| count == 1).map(|day| Self::Week(day as i64)).ok_or_else(refusal);
            }
        };
        count.checked_mul(length).filter(|&length| length > 0).map(Self::Step).ok_or_else(refusal)
    }

    /// What names the period of `time`; `midnight` is the one before the first bar.
    fn label(self, time: i64, midnight: i64) -> i64 {
        let day = time.div_euclid(DAY);
        match self {
            Self::Step(length) => midnight + (time - midnight).div_euclid(length) * length,
            // Day 0 of the epoch was a Thursday, 3 counted from Monday.
            Self::Week(last) => (day + (last - day - 3).rem_euclid(7)) * DAY,
            Self::Month => last_day_of_month(day) * DAY,
        }
    }
}

/// The last day of the month that `day` lies in, in days since the epoch (proleptic Gregorian calendar).
fn last_day_of_month(day: i64) -> i64 {
    // Years begin in March, so that the leap day is a year's last; 719,468 days lie between 0000-03-01 and the epoch.
    let since = day + 719_468;
    let in_era = since.rem_euclid(146_097);
    let year = (in_era - in_era / 1_460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year + year / 4 - year / 100);
    let month = (5 * in_year + 2) / 153;
    let next_month = (153 * (month + 1) + 2) / 5;
    let next_year = year + 1;
    let leap = next_year % 4 == 0 && (next_year % 100 != 0 || next_year % 400 == 0);
    let length = 365 + i64::from(leap);
    day - in_year + next_month.min(length) - 1
}

/// The running extremes of a period.
#[derive(Clone, Copy)]
struct Extremes {
    label: i64,
    high: f64,
    low: f64,
}

/// PreviousHigh, PreviousLow, BrokenHigh, BrokenLow; as the library gives them unless `causal`.
///
/// # Errors
/// `LegacyError::Unsorted` where a bar lies in a period before that of the bar above it.
pub fn previous_high_low(
    time: &[i64],
    high: &[f64],
    low: &[f64],
    period: Period,
    causal: bool,
) -> Result<[Column; 4], LegacyError> {
    let rows = time.len();
    let mut columns: [Column; 4] = [vec![f64::NAN; rows], vec![f64::NAN; rows], vec![0.0; rows], vec![0.0; rows]];
    let midnight = time.first().map_or(0, |first| first.div_euclid(DAY) * DAY);
    let mut periods: Vec<Extremes> = Vec::new();
    let mut known_before = None;
    for row in 0..rows {
        let label = period.label(time[row], midnight);
        match periods.last_mut() {
            Some(last) if label < last.label => return Err(LegacyError::Unsorted { row }),
            Some(last) if label == last.label => {
                (last.high, last.low) = (last.high.max(high[row]), last.low.min(low[row]));
            }
            _ => periods.push(Extremes { label, high: high[row], low: low[row] }),
        }
        // How many periods lie behind; the library counts this one as soon as its label does.
        let ended = periods.len() - 1;
        let known = if causal || label < time[row] { ended } else { ended.saturating_sub(1) };
        let held = known_before == Some(known);
        known_before = Some(known);
        if let Some(before) = known.checked_sub(1).map(|index| periods[index]) {
            let exact = |value: f64| if causal { value } else { single(value) };
            (columns[0][row], columns[1][row]) = (exact(before.high), exact(before.low));
        }
        let flags = [high[row] > columns[0][row], low[row] < columns[1][row]];
        for (column, beyond) in columns[2..].iter_mut().zip(flags) {
            column[row] = f64::from(u8::from(beyond || (held && column[row - 1] > 0.0)));
        }
    }
    Ok(columns)
}
