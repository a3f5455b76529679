//! The time of day and week, and the sessions and kill zones that are open.

use std::f64::consts::TAU;

use super::Column;
use crate::smc::Scope;

const DAY: i64 = 86_400_000_000_000;
const WEEK: i64 = 7 * DAY;
/// The count of nanoseconds began on a Thursday.
const FIRST_MONDAY: i64 = -3 * DAY;

fn day_angle(time: i64) -> f64 {
    TAU * time.rem_euclid(DAY) as f64 / DAY as f64
}

fn week_angle(time: i64) -> f64 {
    TAU * time.saturating_sub(FIRST_MONDAY).rem_euclid(WEEK) as f64 / WEEK as f64
}

pub(super) const COLUMNS: &[Column] = &[
    Column {
        name: "hour_sin",
        doc: "Sine of the UTC time of day of the close, one turn a day.",
        value: |v| day_angle(v.bar.close_time).sin(),
    },
    Column {
        name: "hour_cos",
        doc: "Cosine of the UTC time of day of the close, one turn a day.",
        value: |v| day_angle(v.bar.close_time).cos(),
    },
    Column {
        name: "weekday_sin",
        doc: "Sine of the UTC time of week of the close, one turn a week from Monday 00:00.",
        value: |v| week_angle(v.bar.close_time).sin(),
    },
    Column {
        name: "weekday_cos",
        doc: "Cosine of the UTC time of week of the close, one turn a week from Monday 00:00.",
        value: |v| week_angle(v.bar.close_time).cos(),
    },
];

macro_rules! window_columns {
    ($($name:literal, $scope:ident, $what:literal;)+) => {
        &[$(
            Column {
                name: concat!($name, "_elapsed"),
                doc: concat!(
                    "Part of the ", $what, " that is over at the close, above 0, 1 at its end; 0 where the bar is not in it."
                ),
                value: |v| v.decision.session_elapsed(Scope::$scope).unwrap_or(0.0),
            },
        )+]
    };
}

/// The windows that a bar may belong to, by its open time.
pub(super) const WINDOWS: &[Column] = window_columns! {
    "asian_kill_zone", AsianKillZone, "Asian kill zone";
    "london_kill_zone", LondonKillZone, "London kill zone";
    "new_york_kill_zone", NewYorkKillZone, "New York kill zone";
    "london_close_kill_zone", LondonCloseKillZone, "London close kill zone";
    "tokyo_session", TokyoSession, "Tokyo session";
    "london_session", LondonSession, "London session";
    "new_york_session", NewYorkSession, "New York session";
};
