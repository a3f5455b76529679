//! Civil time: days, weeks, months and windows of a day by the clocks of a place (IANA zone, daylight saving).
//!
//! A time of day on a date is the earliest instant at which the place's clock shows it; where the clock skips it,
//! the instant of the first time after the skip. So each day has each time once, and spans never go backwards.
//! Spans are half-open: `[start, end)`.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

const MINUTES_A_DAY: u16 = 24 * 60;
const MINUTE: i64 = 60_000_000_000;

/// A time of day to the minute, written `HH:MM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay {
    minutes: u16,
}

/// A text that is no time of day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time of day; write HH:MM between 00:00 and 23:59")]
pub struct TimeOfDayError(pub String);

impl TimeOfDay {
    /// A full hour; hours from 24 on wrap.
    #[must_use]
    pub const fn hour(hour: u16) -> Self {
        Self::at(hour, 0)
    }

    /// An hour and a minute; minutes from 24 hours on wrap.
    #[must_use]
    pub const fn at(hour: u16, minute: u16) -> Self {
        Self { minutes: (hour * 60 + minute) % MINUTES_A_DAY }
    }

    fn time(self) -> NaiveTime {
        let seconds = u32::from(self.minutes) * 60;
        NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0).unwrap_or(NaiveTime::MIN)
    }

    /// Whether a day that starts at this time bears the date of the following midnight.
    const fn is_evening(self) -> bool {
        self.minutes >= MINUTES_A_DAY / 2
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = TimeOfDayError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let part = |text: &str| {
            let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse::<u16>().ok()).flatten()
        };
        let parts = text.split_once(':').and_then(|(hour, minute)| part(hour).zip(part(minute)));
        match parts {
            Some((hour, minute)) if hour < 24 && minute < 60 => Ok(Self { minutes: hour * 60 + minute }),
            _ => Err(TimeOfDayError(text)),
        }
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        format!("{:02}:{:02}", time.minutes / 60, time.minutes % 60)
    }
}

/// A run of time, half-open, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First instant.
    pub start: i64,
    /// First instant after it.
    pub end: i64,
}

/// How a period's days are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodLength {
    /// One trading day.
    Day,
    /// The trading days of Monday to Sunday.
    Week,
    /// The trading days of a calendar month.
    Month,
}

/// A repeating span of civil time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Schedule {
    /// Periods without a break between them. A trading day begins at `roll` and, where that is at noon or later,
    /// bears the date of the day after.
    Period {
        /// Its length.
        length: PeriodLength,
        /// Where the clock hangs.
        zone: Tz,
        /// When a trading day begins.
        roll: TimeOfDay,
    },
    /// A window of each day; one that ends at or before its start ends on the next day.
    Window {
        /// Where the clock hangs.
        zone: Tz,
        /// Its first minute.
        start: TimeOfDay,
        /// The minute after its last.
        end: TimeOfDay,
    },
}

impl Schedule {
    /// The first span that ends after `time`.
    #[must_use]
    pub fn span_at(&self, time: i64) -> Span {
        match *self {
            Self::Period { length, zone, roll } => period_at(length, zone, roll, time),
            Self::Window { zone, start, end } => {
                let mut date = date_of(zone, time) - Days::new(1);
                loop {
                    let last = if end.minutes <= start.minutes { date + Days::new(1) } else { date };
                    let span = Span { start: instant(zone, date, start), end: instant(zone, last, end) };
                    if span.end > time {
                        return span;
                    }
                    date = date + Days::new(1);
                }
            }
        }
    }

    /// Its length in nanoseconds on a day without a change of clocks (the shortest month for months).
    #[must_use]
    pub fn usual_length(&self) -> i64 {
        let day = i64::from(MINUTES_A_DAY);
        let minutes = match *self {
            Self::Period { length: PeriodLength::Day, .. } => day,
            Self::Period { length: PeriodLength::Week, .. } => 7 * day,
            Self::Period { length: PeriodLength::Month, .. } => 28 * day,
            Self::Window { start, end, .. } if end.minutes > start.minutes => i64::from(end.minutes - start.minutes),
            Self::Window { start, end, .. } => day - i64::from(start.minutes - end.minutes),
        };
        minutes * MINUTE
    }
}

fn period_at(length: PeriodLength, zone: Tz, roll: TimeOfDay, time: i64) -> Span {
    let shift = Days::new(u64::from(roll.is_evening()));
    let civil = date_of(zone, time);
    let begun = if instant(zone, civil, roll) <= time { civil } else { civil - Days::new(1) };
    let day = begun + shift;
    let (first, next) = match length {
        PeriodLength::Day => (day, day + Days::new(1)),
        PeriodLength::Week => {
            let monday = day.week(Weekday::Mon).first_day();
            (monday, monday + Days::new(7))
        }
        PeriodLength::Month => {
            let first = day - Days::new(u64::from(day.day0()));
            (first, first + Months::new(1))
        }
    };
    Span { start: instant(zone, first - shift, roll), end: instant(zone, next - shift, roll) }
}

/// The date that the clocks of `zone` show at `time`.
fn date_of(zone: Tz, time: i64) -> NaiveDate {
    DateTime::from_timestamp_nanos(time).with_timezone(&zone).date_naive()
}

fn instant(zone: Tz, date: NaiveDate, time: TimeOfDay) -> i64 {
    let mut civil = NaiveDateTime::new(date, time.time());
    for _ in 0..=MINUTES_A_DAY {
        if let Some(found) = zone.from_local_datetime(&civil).earliest() {
            return found.timestamp() * 1_000_000_000;
        }
        civil += TimeDelta::minutes(1);
    }
    civil.and_utc().timestamp() * 1_000_000_000
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    const HOUR: i64 = 60 * MINUTE;

    fn utc(text: &str) -> i64 {
        text.parse::<DateTime<chrono::Utc>>().unwrap().timestamp() * 1_000_000_000
    }

    fn at(text: &str) -> TimeOfDay {
        text.to_owned().try_into().unwrap()
    }

    fn new_york(start: &str, end: &str) -> Schedule {
        Schedule::Window { zone: chrono_tz::America::New_York, start: at(start), end: at(end) }
    }

    #[test]
    fn times_of_day_are_read_strictly() {
        for text in ["24:00", "7:00", "07:60", "0700", "aa:bb", "+7:00", ""] {
            assert!(TimeOfDay::try_from(text.to_owned()).is_err(), "{text}");
        }
        assert_eq!(String::from(at("07:05")), "07:05");
    }

    #[test]
    fn windows_follow_the_clocks_of_the_place() {
        // Clocks went forward on 2023-03-12 and back on 2023-11-05.
        let london = new_york("02:00", "05:00");
        let winter = london.span_at(utc("2023-03-10T00:00:00Z"));
        assert_eq!(winter, Span { start: utc("2023-03-10T07:00:00Z"), end: utc("2023-03-10T10:00:00Z") });
        let summer = london.span_at(utc("2023-03-13T00:00:00Z"));
        assert_eq!(summer, Span { start: utc("2023-03-13T06:00:00Z"), end: utc("2023-03-13T09:00:00Z") });
        // 02:00 is skipped on the day of the change: the window starts at 03:00, which is the same instant.
        let change = london.span_at(utc("2023-03-12T00:00:00Z"));
        assert_eq!(change, Span { start: utc("2023-03-12T07:00:00Z"), end: utc("2023-03-12T09:00:00Z") });
        // 01:00 to 02:00 happens twice: the window from 01:30 starts at the first.
        let back = new_york("01:30", "03:00").span_at(utc("2023-11-05T04:00:00Z"));
        assert_eq!(back, Span { start: utc("2023-11-05T05:30:00Z"), end: utc("2023-11-05T08:00:00Z") });
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_evening() {
        let asian = new_york("20:00", "00:00");
        let open = utc("2023-06-02T01:00:00Z");
        let span = asian.span_at(open);
        assert_eq!(span, Span { start: utc("2023-06-02T00:00:00Z"), end: utc("2023-06-02T04:00:00Z") });
        assert_eq!(asian.span_at(span.end).start, utc("2023-06-03T00:00:00Z"));
        assert_eq!(asian.usual_length(), 4 * HOUR);
    }

    #[test]
    fn trading_days_roll_in_the_evening_before() {
        let roll = at("17:00");
        let period = |length| Schedule::Period { length, zone: chrono_tz::America::New_York, roll };
        // Sunday 2023-06-04, 18:00 in New York, belongs to Monday the 5th.
        let time = utc("2023-06-04T22:00:00Z");
        let day = period(PeriodLength::Day).span_at(time);
        assert_eq!(day, Span { start: utc("2023-06-04T21:00:00Z"), end: utc("2023-06-05T21:00:00Z") });
        let week = period(PeriodLength::Week).span_at(time);
        assert_eq!(week, Span { start: day.start, end: utc("2023-06-11T21:00:00Z") });
        let month = period(PeriodLength::Month).span_at(time);
        assert_eq!(month, Span { start: utc("2023-05-31T21:00:00Z"), end: utc("2023-06-30T21:00:00Z") });
    }

    #[test]
    fn days_and_weeks_have_an_hour_more_or_less_when_clocks_change() {
        let period = |length| Schedule::Period { length, zone: chrono_tz::America::New_York, roll: at("00:00") };
        let length = |schedule: Schedule, time: &str| {
            let span = schedule.span_at(utc(time));
            (span.end - span.start) / HOUR
        };
        assert_eq!(length(period(PeriodLength::Day), "2023-03-12T12:00:00Z"), 23);
        assert_eq!(length(period(PeriodLength::Day), "2023-11-05T12:00:00Z"), 25);
        assert_eq!(length(period(PeriodLength::Week), "2023-03-08T12:00:00Z"), 7 * 24 - 1);
        assert_eq!(length(period(PeriodLength::Week), "2023-11-01T12:00:00Z"), 7 * 24 + 1);
    }
}
