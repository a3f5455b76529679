//! Bias, ranges, breaks and shifts, higher timeframes, confluence.

use super::super::history::Happening;
use super::super::view::{log_age, OLD};
use super::Column;
use crate::smc::{Scope, ZoneKind};

macro_rules! happening_columns {
    ($name:literal, $happening:ident, $what:literal) => {
        [
            Column {
                name: concat!($name, "_direction"),
                doc: concat!("Direction of the last ", $what, ": +1, -1, or 0 before any."),
                value: |v| v.history.last(Happening::$happening).map_or(0.0, |last| f64::from(last.direction)),
            },
            Column {
                name: concat!($name, "_age"),
                doc: concat!("Bars since the last ", $what, ", as ln(1 + bars), clipped at 10; 10 before any."),
                value: |v| {
                    v.history.last(Happening::$happening).map_or(OLD, |last| log_age(v.history.bars_since(last)))
                },
            },
        ]
    };
}

const BOS: [Column; 2] = happening_columns!("bos", Bos, "internal BOS");
const CHOCH: [Column; 2] = happening_columns!("choch", Choch, "internal CHoCH");
const SHIFT: [Column; 2] = happening_columns!("mss", Shift, "shift of market structure, internal or swing");
const DISPLACEMENT: [Column; 2] = happening_columns!("displacement", Displacement, "displacement");

/// The decision timeframe.
pub(super) const DECISION: &[Column] = &[
    Column {
        name: "internal_bias",
        doc: "Direction of the last internal break on the decision timeframe: +1, -1, or 0 before any.",
        value: |v| f64::from(v.decision.bias(Scope::Internal)),
    },
    Column {
        name: "swing_bias",
        doc: "Direction of the last swing break on the decision timeframe: +1, -1, or 0 before any.",
        value: |v| f64::from(v.decision.bias(Scope::Swing)),
    },
    Column {
        name: "range_position",
        doc: "Close within the dealing range, 0 at its low and 1 at its high, clipped to [-1, 2]; 0.5 without a range.",
        value: |v| v.position(Some(v.decision)),
    },
    BOS[0],
    BOS[1],
    CHOCH[0],
    CHOCH[1],
    SHIFT[0],
    SHIFT[1],
    DISPLACEMENT[0],
    DISPLACEMENT[1],
];

macro_rules! context_columns {
    ($($name:literal, $slot:literal, $which:literal;)+) => {
        &[$(
            Column {
                name: concat!($name, "_internal_bias"),
                doc: concat!(
                    "Direction of the last internal break on the ", $which,
                    " context timeframe: +1, -1, or 0 before any or without it."
                ),
                value: |v| v.context_bias($slot, Scope::Internal),
            },
            Column {
                name: concat!($name, "_swing_bias"),
                doc: concat!(
                    "Direction of the last swing break on the ", $which,
                    " context timeframe: +1, -1, or 0 before any or without it."
                ),
                value: |v| v.context_bias($slot, Scope::Swing),
            },
            Column {
                name: concat!($name, "_range_position"),
                doc: concat!(
                    "Close within the dealing range of the ", $which,
                    " context timeframe, clipped to [-1, 2]; 0.5 without one."
                ),
                value: |v| v.position(v.contexts[$slot]),
            },
            Column {
                name: concat!($name, "_age"),
                doc: concat!(
                    "Time since the last close of the ", $which,
                    " context timeframe in its bars, as ln(1 + bars), clipped at 10; 10 before any or without it."
                ),
                value: |v| v.context_age($slot),
            },
            context_columns!(distance $name, $slot, $which, "order_block", OrderBlock, "order block", "bullish", 1),
            context_columns!(distance $name, $slot, $which, "order_block", OrderBlock, "order block", "bearish", -1),
            context_columns!(distance $name, $slot, $which, "gap", FairValueGap, "fair value gap", "bullish", 1),
            context_columns!(distance $name, $slot, $which, "gap", FairValueGap, "fair value gap", "bearish", -1),
        )+]
    };
    (distance $name:literal, $slot:literal, $which:literal, $zone:literal, $kind:ident, $what:literal, $side:literal,
     $sign:literal) => {
        Column {
            name: concat!($name, "_", $side, "_", $zone, "_distance"),
            doc: concat!(
                "Close to the nearest live ", $side, " ", $what, " of the ", $which,
                " context timeframe, in ATR of the decision timeframe, clipped at 20; 20 without one."
            ),
            value: |v| v.distance(v.contexts[$slot].and_then(|d| d.nearest(ZoneKind::$kind, $sign)), $sign),
        }
    };
}

/// Up to two higher timeframes.
pub(super) const CONTEXTS: &[Column] = context_columns! {
    "context_1", 0, "first";
    "context_2", 1, "second";
};

/// See [`crate::smc::confluence`].
pub(super) const CONFLUENCE: &[Column] = &[
    Column {
        name: "bullish_confluence",
        doc: "How many of the factors of confluence support a long trade: a count, not calibrated; 0 without one.",
        value: |v| f64::from(v.leanings.supporting(1)),
    },
    Column {
        name: "bearish_confluence",
        doc: "How many of the factors of confluence support a short trade: a count, not calibrated; 0 without one.",
        value: |v| f64::from(v.leanings.supporting(-1)),
    },
];
