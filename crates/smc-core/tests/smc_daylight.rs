//! The weeks in which clocks change, in a market that never closes: every day has each window once, half-open, in
//! civil time, and days have 23 and 25 hours.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod smc_common;

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, Timelike};
use chrono_tz::Tz;
use proptest::prelude::*;
use smc_common::{congruential_walk, run, MINUTE};
use smc_core::market::Bar;
use smc_core::smc::civil_time::{PeriodLength, Schedule, TimeOfDay};
use smc_core::smc::config::{PeriodConfig, SessionConfig, WindowConfig};
use smc_core::smc::{DetectorConfig, EventKind, Scope};

const HOUR: i64 = 60 * MINUTE;
const QUARTER: i64 = 15 * MINUTE;

/// New York changes on 12 March and 5 November 2023, London on 26 March and 29 October: four weeks around all of each.
const SPRING: &str = "2023-03-06T00:00:00Z";
const AUTUMN: &str = "2023-10-16T00:00:00Z";

fn utc(text: &str) -> i64 {
    text.parse::<DateTime<chrono::Utc>>().unwrap().timestamp() * 1_000_000_000
}

fn time_of_day(minutes: u32) -> TimeOfDay {
    format!("{:02}:{:02}", minutes / 60 % 24, minutes % 60).try_into().unwrap()
}

/// Four weeks of quarter hours without a pause.
fn unbroken(start: &str) -> Vec<Bar> {
    let start = utc(start);
    let timed = congruential_walk(28 * 96).into_iter().enumerate().map(|(row, bar)| {
        let open_time = start + row as i64 * QUARTER;
        Bar { open_time, close_time: open_time + QUARTER, ..bar }
    });
    timed.collect()
}

/// Civil date and minute of the day.
fn civil(zone: Tz, time: i64) -> (NaiveDate, u32) {
    let there = DateTime::from_timestamp_nanos(time).with_timezone(&zone);
    (there.date_naive(), there.hour() * 60 + there.minute())
}

#[test]
fn every_day_has_its_session_once_and_half_open() {
    for (zone, start) in [
        (Tz::America__New_York, SPRING),
        (Tz::America__New_York, AUTUMN),
        (Tz::Europe__London, SPRING),
        (Tz::Europe__London, AUTUMN),
    ] {
        let bars = unbroken(start);
        let window = Some(WindowConfig { zone, start: time_of_day(8 * 60), end: time_of_day(17 * 60) });
        let sessions = SessionConfig { new_york_session: window, ..SessionConfig::default() };
        let events = run(DetectorConfig { sessions, ..DetectorConfig::default() }, &bars).1;
        let mut days = Vec::new();
        for range in events.iter().filter(|e| (e.kind, e.scope) == (EventKind::SessionRange, Scope::NewYorkSession)) {
            let (date, minute) = civil(zone, range.formed_at);
            assert_eq!(minute, 8 * 60);
            // The bar that makes it known ends with the window: the bar that opens then is no part of it.
            assert_eq!(civil(zone, range.confirmed_at), (date, 17 * 60));
            assert_eq!(range.confirmed_at - range.formed_at, 9 * HOUR);
            let inside = bars.iter().filter(|bar| (range.formed_at..range.confirmed_at).contains(&bar.open_time));
            let (low, high) = inside.fold((i64::MAX, i64::MIN), |(l, h), bar| (l.min(bar.low), h.max(bar.high)));
            assert_eq!((range.low, range.high), (low, high));
            days.push(date);
        }
        let expected: Vec<NaiveDate> = days[0].iter_days().take(days.len()).collect();
        assert_eq!(days, expected, "{zone} {start}");
        assert!(days.len() >= 27, "{zone} {start}: {}", days.len());
    }
}

#[test]
fn days_of_23_and_25_hours_leave_levels_of_all_their_bars() {
    for (zone, start, date, hours) in [
        (Tz::America__New_York, SPRING, (3, 12), 23),
        (Tz::America__New_York, AUTUMN, (11, 5), 25),
        (Tz::Europe__London, SPRING, (3, 26), 23),
        (Tz::Europe__London, AUTUMN, (10, 29), 25),
    ] {
        let bars = unbroken(start);
        let periods = PeriodConfig { zone, roll: time_of_day(0) };
        let events = run(DetectorConfig { periods, ..DetectorConfig::default() }, &bars).1;
        let mut days: BTreeMap<NaiveDate, Vec<&Bar>> = BTreeMap::new();
        for bar in &bars {
            days.entry(civil(zone, bar.open_time).0).or_default().push(bar);
        }
        let changed = NaiveDate::from_ymd_opt(2023, date.0, date.1).unwrap();
        assert_eq!(days[&changed].len(), 4 * hours, "{zone}");
        let levels: Vec<_> =
            events.iter().filter(|e| (e.kind, e.scope) == (EventKind::PeriodLevel, Scope::Day)).collect();
        for (date, bars) in &days {
            let end = bars.last().unwrap().close_time;
            let of_day: Vec<_> = levels.iter().filter(|level| level.confirmed_at == end).collect();
            let whole = civil(zone, bars[0].open_time).1 == 0 && civil(zone, end).1 == 0;
            assert_eq!(of_day.len(), if whole { 2 } else { 0 }, "{zone} {date}");
            let high = bars.iter().map(|bar| bar.high).max().unwrap();
            let low = bars.iter().map(|bar| bar.low).min().unwrap();
            assert!(of_day.iter().all(|level| level.low == if level.side > 0 { high } else { low }));
        }
    }
}

const PLACES: [Tz; 5] =
    [Tz::America__New_York, Tz::Europe__London, Tz::Australia__Lord_Howe, Tz::Asia__Tokyo, Tz::America__Sao_Paulo];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever the window, the place and the year: going from span to span meets every date once, spans do not
    /// overlap, and each begins when the clocks show its start, or the first time after it where they skip it.
    #[test]
    fn windows_come_once_a_date(
        place in 0usize..PLACES.len(),
        (start, end) in (0u32..1440, 0u32..1440),
        days in 0i64..14_000,
    ) {
        let zone = PLACES[place];
        let window = Schedule::Window { zone, start: time_of_day(start), end: time_of_day(end) };
        // From 1990 on.
        let mut span = window.span_at(utc("1990-01-01T00:00:00Z") + days * 24 * HOUR);
        let mut date = civil(zone, span.start).0;
        for _ in 0..380 {
            prop_assert!(span.start <= span.end && span.end - span.start <= 25 * HOUR);
            let (here, minute) = civil(zone, span.start);
            prop_assert_eq!(here, date);
            // The clocks went from before the start to after it; where that is midnight, from the date before.
            let skipped = civil(zone, span.start - MINUTE) < (here, start);
            prop_assert!(minute == start || (minute > start && skipped), "{minute} for {start}");
            if minute == start {
                // The earlier of two instants that show it.
                prop_assert_ne!(civil(zone, span.start - HOUR), (here, start));
            }
            let next = window.span_at(span.end);
            // A span that a change of clocks leaves empty has no instant, and so is passed over.
            prop_assert!(next.start >= span.end);
            let gone = (civil(zone, next.start).0 - date).num_days();
            let short = (end + 1440 - start) % 1440 <= 60;
            prop_assert!(gone == 1 || (gone == 2 && short), "{gone} days on");
            date = civil(zone, next.start).0;
            span = next;
        }
    }

    /// Days, weeks and months leave no instant out: each begins where the one before it ends, and holds what it names.
    #[test]
    fn periods_follow_one_another(place in 0usize..PLACES.len(), roll in 0u32..1440, days in 0i64..14_000) {
        let zone = PLACES[place];
        let time = utc("1990-01-01T00:00:00Z") + days * 24 * HOUR;
        for length in [PeriodLength::Day, PeriodLength::Week, PeriodLength::Month] {
            let period = Schedule::Period { length, zone, roll: time_of_day(roll) };
            let mut span = period.span_at(time);
            prop_assert!(span.start <= time && time < span.end);
            for _ in 0..60 {
                for inside in [span.start, (span.start + span.end) / 2, span.end - 1] {
                    prop_assert_eq!(period.span_at(inside), span);
                }
                let next = period.span_at(span.end);
                prop_assert_eq!(next.start, span.end);
                let hours = (next.end - next.start) as f64 / HOUR as f64;
                let usual = match length {
                    PeriodLength::Day => 24.0..=24.0,
                    PeriodLength::Week => 168.0..=168.0,
                    PeriodLength::Month => 28.0 * 24.0..=31.0 * 24.0,
                };
                prop_assert!(usual.start() - 1.0 <= hours && hours <= usual.end() + 1.0, "{hours} hours");
                span = next;
            }
            let evening = i64::from(roll >= 720);
            let named = civil(zone, span.start).0 + chrono::TimeDelta::days(evening);
            match length {
                PeriodLength::Day => {}
                PeriodLength::Week => prop_assert_eq!(named.weekday(), chrono::Weekday::Mon),
                PeriodLength::Month => prop_assert_eq!(named.day(), 1),
            }
        }
    }
}
