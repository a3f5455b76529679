//! Periods, sessions and opening gaps of days over the weeks in which clocks change, against civil time itself.

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Timelike};
use chrono_tz::Tz;
use smc_core::market::Bar;
use smc_core::smc::config::{PeriodConfig, WindowConfig};
use smc_core::smc::{DetectorConfig, Event, EventKind, Scope};

use super::smc_common::plain::{check_replaced_level, closed, of_kind};
use super::smc_common::{congruential_walk, run, MINUTE};

/// Quarter hours of five weeks from `start` that are traded: New York's Sunday 17:00 to Friday 16:00, so that
/// the week's last bar does not reach the day's end.
pub fn weeks(start: &str) -> Vec<Bar> {
    let start = start.parse::<DateTime<chrono::Utc>>().unwrap().timestamp() * 1_000_000_000;
    let length = 15 * MINUTE;
    let timed = congruential_walk(5 * 7 * 96).into_iter().enumerate().map(|(row, bar)| {
        let open_time = start + row as i64 * length;
        Bar { open_time, close_time: open_time + length, ..bar }
    });
    let traded = |bar: &Bar| {
        let civil = civil(Tz::America__New_York, bar.open_time);
        match civil.weekday() {
            chrono::Weekday::Sat => false,
            chrono::Weekday::Sun => civil.hour() >= 17,
            chrono::Weekday::Fri => civil.hour() < 16,
            _ => true,
        }
    };
    timed.filter(traded).collect()
}

/// Five weeks around each change of clocks: London's and New York's differ in between.
pub const CHANGES: [&str; 2] = ["2023-02-27T05:00:00Z", "2023-10-16T04:30:00Z"];

pub fn civil(zone: Tz, time: i64) -> NaiveDateTime {
    DateTime::from_timestamp_nanos(time).with_timezone(&zone).naive_local()
}

/// What a span is called, None outside of it.
type Name = Option<(i32, u32, u32)>;

fn named(date: NaiveDateTime) -> Name {
    Some((date.year(), date.month(), date.day()))
}

fn window_name(window: WindowConfig, time: i64) -> Name {
    let minutes = |text: String| {
        let (hour, minute) = text.split_once(':').unwrap();
        hour.parse::<i64>().unwrap() * 60 + minute.parse::<i64>().unwrap()
    };
    let (start, end) = (minutes(window.start.into()), minutes(window.end.into()));
    let now = civil(window.zone, time);
    let length = (end - start - 1).rem_euclid(1440) + 1;
    let since = (i64::from(now.hour() * 60 + now.minute()) - start).rem_euclid(1440);
    if since < length {
        named(now - TimeDelta::minutes(since))
    } else {
        None
    }
}

/// Ranges of the named groups of bars: (first bar, bar that makes it known, low, high), the first group left out
/// where it began before the bars.
fn groups(bars: &[Bar], name: impl Fn(i64) -> Name) -> Vec<(usize, usize, i64, i64)> {
    let mut found: Vec<(usize, usize, i64, i64)> = Vec::new();
    let mut t = 0;
    while t < bars.len() {
        let here = name(bars[t].open_time);
        let end = (t..bars.len()).find(|&u| name(bars[u].open_time) != here).unwrap_or(bars.len());
        let begun = t == 0 && name(bars[0].open_time - 1) == here;
        let over = if name(bars[end - 1].close_time) == here { end } else { end - 1 };
        if here.is_some() && !begun && over < bars.len() {
            let low = bars[t..end].iter().map(|bar| bar.low).min().unwrap();
            let high = bars[t..end].iter().map(|bar| bar.high).max().unwrap();
            found.push((t, over, low, high));
        }
        t = end;
    }
    found
}

fn of_scope(events: &[Event], kind: EventKind, scope: Scope) -> Vec<&Event> {
    of_kind(events, kind).into_iter().filter(|event| event.scope == scope).collect()
}

/// Checks the levels that ranges left, and how each ends.
fn check_levels(
    bars: &[Bar],
    events: &[Event],
    scope: Scope,
    kinds: [EventKind; 4],
    ranges: &[(usize, usize, i64, i64)],
) {
    let levels = of_scope(events, kinds[0], scope);
    assert_eq!(levels.len(), 2 * ranges.len(), "{scope:?}");
    for (number, &(first, known, low, high)) in ranges.iter().enumerate() {
        let replaced = ranges.get(number + 1).map(|next| next.1);
        for (level, side, price) in [(levels[2 * number], 1, high), (levels[2 * number + 1], -1, low)] {
            assert_eq!((level.side, level.low, level.high, level.direction), (side, price, price, 0));
            assert_eq!(closed(bars, level.confirmed_at), known, "{scope:?}");
            let at = bars[first..].iter().find(|bar| if side > 0 { bar.high == price } else { bar.low == price });
            assert_eq!(level.formed_at, at.unwrap().open_time);
            check_replaced_level(bars, events, level, replaced, [kinds[1], kinds[2], kinds[3]]);
        }
    }
}

#[test]
fn sessions_follow_the_clocks() {
    let config = DetectorConfig::default();
    let kinds = [
        EventKind::SessionLevel,
        EventKind::SessionLevelSwept,
        EventKind::SessionLevelRun,
        EventKind::SessionLevelExpired,
    ];
    for start in CHANGES {
        let bars = weeks(start);
        let events = run(config, &bars).1;
        for (scope, window) in config.sessions.windows().into_iter().filter(|(_, window)| window.is_some()) {
            let ranges = groups(&bars, |time| window_name(window.unwrap(), time));
            assert!(ranges.len() >= 20, "{scope:?}: {}", ranges.len());
            let made: Vec<_> = of_scope(&events, EventKind::SessionRange, scope)
                .iter()
                .map(|e| (e.formed_at, e.confirmed_at, e.low, e.high))
                .collect();
            let place = |&(first, known, low, high): &(usize, usize, i64, i64)| {
                (bars[first].open_time, bars[known].close_time, low, high)
            };
            assert_eq!(made, ranges.iter().map(place).collect::<Vec<_>>(), "{scope:?}");
            let levelled = if scope.name().ends_with("silver_bullet") { &[][..] } else { &ranges[..] };
            check_levels(&bars, &events, scope, kinds, levelled);
        }
    }
}

#[test]
fn days_weeks_and_months_roll_by_the_clock() {
    let kinds =
        [EventKind::PeriodLevel, EventKind::PeriodLevelSwept, EventKind::PeriodLevelRun, EventKind::PeriodLevelExpired];
    let evening = PeriodConfig { zone: Tz::America__New_York, roll: "17:00".to_owned().try_into().unwrap() };
    for (periods, shift) in [(PeriodConfig::default(), 0), (evening, 7)] {
        for start in CHANGES {
            let bars = weeks(start);
            let events = run(DetectorConfig { periods, ..DetectorConfig::default() }, &bars).1;
            let day = |time: i64| civil(periods.zone, time) + TimeDelta::hours(shift);
            let week = |time: i64| day(time) - TimeDelta::days(i64::from(day(time).weekday().num_days_from_monday()));
            let month = |time: i64| day(time).with_day(1).unwrap();
            let by_day = groups(&bars, |time| named(day(time)));
            let by_week = groups(&bars, |time| named(week(time)));
            let by_month = groups(&bars, |time| named(month(time)));
            assert!((by_day.len(), by_week.len(), by_month.len()) >= (20, 3, 1));
            check_levels(&bars, &events, Scope::Day, kinds, &by_day);
            check_levels(&bars, &events, Scope::Week, kinds, &by_week);
            check_levels(&bars, &events, Scope::Month, kinds, &by_month);
        }
    }
}

#[test]
fn days_and_weeks_open_with_a_gap_from_the_last_close() {
    let zone = Tz::America__New_York;
    let periods = PeriodConfig { zone, roll: "17:00".to_owned().try_into().unwrap() };
    let mut config = DetectorConfig { periods, ..DetectorConfig::default() };
    config.opening_gap.min_size_atr = 0.0;
    for start in CHANGES {
        let bars = weeks(start);
        let events = run(config, &bars).1;
        let day = |time: i64| civil(zone, time) + TimeDelta::hours(7);
        let mut expected = Vec::new();
        for t in 1..bars.len() {
            let (old, new) = (day(bars[t - 1].open_time), day(bars[t].open_time));
            let (close, open) = (bars[t - 1].close, bars[t].open);
            if named(old) != named(new) && close != open {
                let scope = if old.iso_week() == new.iso_week() { Scope::Day } else { Scope::Week };
                expected.push((
                    bars[t].open_time,
                    scope,
                    (open - close).signum() as i8,
                    close.min(open),
                    close.max(open),
                ));
            }
        }
        let mut gaps = of_kind(&events, EventKind::OpeningGap);
        gaps.retain(|gap| gap.scope != Scope::None);
        let made: Vec<_> = gaps.iter().map(|e| (e.formed_at, e.scope, e.direction, e.low, e.high)).collect();
        assert_eq!(made, expected);
        assert!(made.iter().filter(|gap| gap.1 == Scope::Week).count() >= 3);
    }
}
