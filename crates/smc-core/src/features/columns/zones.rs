//! The nearest live zone of each kind and direction.

use super::Column;
use crate::smc::ZoneKind;

macro_rules! zone_columns {
    ($($name:literal, $kind:ident, $what:literal;)+) => {
        &[$(
            zone_columns!(distance "bullish", 1, $name, $kind, $what),
            zone_columns!(age "bullish", 1, $name, $kind, $what),
            zone_columns!(touches "bullish", 1, $name, $kind, $what),
            zone_columns!(state "bullish", 1, $name, $kind, $what),
            zone_columns!(distance "bearish", -1, $name, $kind, $what),
            zone_columns!(age "bearish", -1, $name, $kind, $what),
            zone_columns!(touches "bearish", -1, $name, $kind, $what),
            zone_columns!(state "bearish", -1, $name, $kind, $what),
        )+]
    };
    (distance $side:literal, $sign:literal, $name:literal, $kind:ident, $what:literal) => {
        Column {
            name: concat!($side, "_", $name, "_distance"),
            doc: concat!(
                "Close to the near edge of the nearest live ", $side, " ", $what,
                ", in ATR, 0 inside or beyond it, clipped at 20; 20 without one."
            ),
            value: |v| v.zone_distance(ZoneKind::$kind, $sign),
        }
    };
    (age $side:literal, $sign:literal, $name:literal, $kind:ident, $what:literal) => {
        Column {
            name: concat!($side, "_", $name, "_age"),
            doc: concat!(
                "Bars since that ", $what, " was confirmed, as ln(1 + bars), clipped at 10; 10 without one."
            ),
            value: |v| v.age(ZoneKind::$kind, $sign),
        }
    };
    (touches $side:literal, $sign:literal, $name:literal, $kind:ident, $what:literal) => {
        Column {
            name: concat!($side, "_", $name, "_touches"),
            doc: concat!("Separate visits of price to that ", $what, ", clipped at 10; 0 without one."),
            value: |v| v.touches(ZoneKind::$kind, $sign),
        }
    };
    (state $side:literal, $sign:literal, $name:literal, $kind:ident, $what:literal) => {
        Column {
            name: concat!($side, "_", $name, "_state"),
            doc: concat!(
                "How much of that ", $what, " is used: 0 nothing, 0.5 touched, 1 half or more; 0 without one."
            ),
            value: |v| v.state(ZoneKind::$kind, $sign),
        }
    };
}

pub(super) const COLUMNS: &[Column] = zone_columns! {
    "order_block", OrderBlock, "order block";
    "gap", FairValueGap, "fair value gap";
    "breaker", Breaker, "breaker";
    "mitigation_block", MitigationBlock, "mitigation block";
    "rejection_block", RejectionBlock, "rejection block";
    "propulsion_block", PropulsionBlock, "propulsion block";
    "inverse_gap", InverseFairValueGap, "inverse fair value gap";
    "balanced_range", BalancedPriceRange, "balanced price range";
    "volume_imbalance", VolumeImbalance, "volume imbalance";
    "opening_gap", OpeningGap, "opening gap";
    "optimal_entry", OptimalEntry, "optimal entry";
};
