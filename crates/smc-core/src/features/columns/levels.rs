//! The levels at which stops rest, and when they were last swept.

use super::super::view::{log_age, OLD};
use super::Column;
use crate::smc::{Scope, ZoneKind};

macro_rules! level_columns {
    ($($name:literal, $kind:ident, $what:literal;)+) => {
        &[$(
            level_columns!(distance "buy_side", "buy-side", 1, $name, $kind, $what),
            level_columns!(age "buy_side", "buy-side", 1, $name, $kind, $what),
            level_columns!(distance "sell_side", "sell-side", -1, $name, $kind, $what),
            level_columns!(age "sell_side", "sell-side", -1, $name, $kind, $what),
        )+]
    };
    (distance $prefix:literal, $side:literal, $sign:literal, $name:literal, $kind:ident, $what:literal) => {
        Column {
            name: concat!($prefix, "_", $name, "_distance"),
            doc: concat!("Close to the nearest resting ", $side, " ", $what, ", in ATR, clipped at 20; 20 without one."),
            value: |v| v.level_distance(v.nearest(ZoneKind::$kind, $sign), $sign),
        }
    };
    (age $prefix:literal, $side:literal, $sign:literal, $name:literal, $kind:ident, $what:literal) => {
        Column {
            name: concat!($prefix, "_", $name, "_age"),
            doc: concat!("Bars since that ", $what, " was confirmed, as ln(1 + bars), clipped at 10; 10 without one."),
            value: |v| v.age(ZoneKind::$kind, $sign),
        }
    };
}

/// The nearest resting level of each kind.
pub(super) const LEVELS: &[Column] = level_columns! {
    "pool", LiquidityPool, "pool";
    "equal_levels", EqualLevels, "level of equal pivots";
    "session_level", SessionLevel, "level of a session or kill zone";
    "inducement", Inducement, "inducement";
};

/// How often equal levels turned price.
pub(super) const EQUAL_LEVELS: &[Column] = &[
    Column {
        name: "buy_side_equal_levels_touches",
        doc: "Pivots at the nearest resting equal highs, 2 or more, clipped at 10; 0 without one.",
        value: |v| v.touches(ZoneKind::EqualLevels, 1),
    },
    Column {
        name: "sell_side_equal_levels_touches",
        doc: "Pivots at the nearest resting equal lows, 2 or more, clipped at 10; 0 without one.",
        value: |v| v.touches(ZoneKind::EqualLevels, -1),
    },
];

macro_rules! period_columns {
    ($($name:literal, $period:ident;)+) => {
        &[$(
            Column {
                name: concat!("buy_side_previous_", $name, "_distance"),
                doc: concat!(
                    "Close to the high of the last whole ", $name,
                    " while it rests, in ATR, clipped at 20; 20 once it is taken, or without one."
                ),
                value: |v| v.level_distance(v.decision.period_level(Scope::$period, 1), 1),
            },
            Column {
                name: concat!("sell_side_previous_", $name, "_distance"),
                doc: concat!(
                    "Close to the low of the last whole ", $name,
                    " while it rests, in ATR, clipped at 20; 20 once it is taken, or without one."
                ),
                value: |v| v.level_distance(v.decision.period_level(Scope::$period, -1), -1),
            },
        )+]
    };
}

/// The levels of completed periods.
pub(super) const PERIODS: &[Column] = period_columns! {
    "day", Day;
    "week", Week;
    "month", Month;
};

macro_rules! sweep_columns {
    ($($name:literal, $kind:ident, $what:literal;)+) => {
        &[$(
            Column {
                name: concat!("buy_side_", $name, "_age"),
                doc: concat!("Bars since a buy-side ", $what, " was swept, as ln(1 + bars), clipped at 10; 10 before any."),
                value: |v| v.history.bars_since_sweep(ZoneKind::$kind, 1).map_or(OLD, log_age),
            },
            Column {
                name: concat!("sell_side_", $name, "_age"),
                doc: concat!("Bars since a sell-side ", $what, " was swept, as ln(1 + bars), clipped at 10; 10 before any."),
                value: |v| v.history.bars_since_sweep(ZoneKind::$kind, -1).map_or(OLD, log_age),
            },
        )+]
    };
}

/// How long ago levels of each kind were swept.
pub(super) const SWEEPS: &[Column] = sweep_columns! {
    "sweep", LiquidityPool, "pool";
    "equal_levels_sweep", EqualLevels, "level of equal pivots";
    "period_level_sweep", PeriodLevel, "level of a day, week or month";
    "session_level_sweep", SessionLevel, "level of a session or kill zone";
};
