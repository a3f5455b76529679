//! The columns: a name, a sentence, and the function that computes it, side by side.

use super::view::{log_age, FeatureView, OLD};
use crate::market::Bar;
use crate::smc::{Scope, Zone};

/// One feature.
pub struct Column {
    /// Its name, stable once models are trained on it.
    pub name: &'static str,
    /// What it measures, its unit, its bounds and its neutral value.
    pub doc: &'static str,
    pub(super) value: fn(&FeatureView<'_>) -> f64,
}

const NANOSECONDS_A_DAY: i64 = 86_400_000_000_000;

fn touches(zone: Option<&Zone>) -> f64 {
    zone.map_or(0.0, |zone| f64::from(zone.touches.min(10)))
}

fn change(view: &FeatureView<'_>, bars: usize) -> f64 {
    view.history.close(bars).map_or(0.0, |before| view.in_atr(view.bar.close - before))
}

fn volume_ratio(view: &FeatureView<'_>) -> f64 {
    let ratio = view.history.volume_ratio().filter(|&ratio| ratio > 0.0);
    ratio.map_or(0.0, |ratio| ratio.ln().clamp(-5.0, 5.0))
}

/// A source without taker data leaves the column 0, which must not read as "everybody sold".
fn taker_imbalance(bar: &Bar) -> f64 {
    if bar.volume == 0 || bar.taker_buy_volume == 0 {
        return 0.0;
    }
    (2.0 * bar.taker_buy_volume as f64 / bar.volume as f64 - 1.0).clamp(-1.0, 1.0)
}

fn day_angle(time: i64) -> f64 {
    std::f64::consts::TAU * time.rem_euclid(NANOSECONDS_A_DAY) as f64 / NANOSECONDS_A_DAY as f64
}

/// Every feature, in the order of the vector.
pub const COLUMNS: &[Column] = &[
    Column {
        name: "bullish_order_block_distance",
        doc: "Close to the near edge of the nearest live bullish order block, in ATR, 0 inside it, clipped at 20; 20 without one.",
        value: |v| v.distance(v.decision.nearest_order_block(1), 1),
    },
    Column {
        name: "bullish_order_block_age",
        doc: "Bars since that block was confirmed, as ln(1 + bars), clipped at 10; 10 without one.",
        value: |v| v.age(v.decision.nearest_order_block(1)),
    },
    Column {
        name: "bullish_order_block_touches",
        doc: "Separate visits of price to that block, clipped at 10; 0 without one.",
        value: |v| touches(v.decision.nearest_order_block(1)),
    },
    Column {
        name: "bearish_order_block_distance",
        doc: "Close to the near edge of the nearest live bearish order block, in ATR, 0 inside it, clipped at 20; 20 without one.",
        value: |v| v.distance(v.decision.nearest_order_block(-1), -1),
    },
    Column {
        name: "bearish_order_block_age",
        doc: "Bars since that block was confirmed, as ln(1 + bars), clipped at 10; 10 without one.",
        value: |v| v.age(v.decision.nearest_order_block(-1)),
    },
    Column {
        name: "bearish_order_block_touches",
        doc: "Separate visits of price to that block, clipped at 10; 0 without one.",
        value: |v| touches(v.decision.nearest_order_block(-1)),
    },
    Column {
        name: "bullish_gap_distance",
        doc: "Close to the near edge of the nearest live bullish fair value gap, in ATR, 0 inside it, clipped at 20; 20 without one.",
        value: |v| v.distance(v.gap(1), 1),
    },
    Column {
        name: "bullish_gap_age",
        doc: "Bars since that gap was confirmed, as ln(1 + bars), clipped at 10; 10 without one.",
        value: |v| v.age(v.gap(1)),
    },
    Column {
        name: "bullish_gap_touches",
        doc: "Separate visits of price to that gap, clipped at 10; 0 without one.",
        value: |v| touches(v.gap(1)),
    },
    Column {
        name: "bearish_gap_distance",
        doc: "Close to the near edge of the nearest live bearish fair value gap, in ATR, 0 inside it, clipped at 20; 20 without one.",
        value: |v| v.distance(v.gap(-1), -1),
    },
    Column {
        name: "bearish_gap_age",
        doc: "Bars since that gap was confirmed, as ln(1 + bars), clipped at 10; 10 without one.",
        value: |v| v.age(v.gap(-1)),
    },
    Column {
        name: "bearish_gap_touches",
        doc: "Separate visits of price to that gap, clipped at 10; 0 without one.",
        value: |v| touches(v.gap(-1)),
    },
    Column {
        name: "buy_side_pool_distance",
        doc: "Close to the nearest resting buy-side pool, in ATR, clipped at 20; 20 without one.",
        value: |v| v.distance(v.pool(1), -1),
    },
    Column {
        name: "buy_side_pool_age",
        doc: "Bars since that pool was confirmed, as ln(1 + bars), clipped at 10; 10 without one.",
        value: |v| v.age(v.pool(1)),
    },
    Column {
        name: "sell_side_pool_distance",
        doc: "Close to the nearest resting sell-side pool, in ATR, clipped at 20; 20 without one.",
        value: |v| v.distance(v.pool(-1), 1),
    },
    Column {
        name: "sell_side_pool_age",
        doc: "Bars since that pool was confirmed, as ln(1 + bars), clipped at 10; 10 without one.",
        value: |v| v.age(v.pool(-1)),
    },
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
    Column {
        name: "context_1_internal_bias",
        doc: "Direction of the last internal break on the first context timeframe: +1, -1, or 0 before any or without it.",
        value: |v| v.context_bias(0, Scope::Internal),
    },
    Column {
        name: "context_1_swing_bias",
        doc: "Direction of the last swing break on the first context timeframe: +1, -1, or 0 before any or without it.",
        value: |v| v.context_bias(0, Scope::Swing),
    },
    Column {
        name: "context_1_range_position",
        doc: "Close within the dealing range of the first context timeframe, clipped to [-1, 2]; 0.5 without one.",
        value: |v| v.position(v.contexts[0]),
    },
    Column {
        name: "context_2_internal_bias",
        doc: "Direction of the last internal break on the second context timeframe: +1, -1, or 0 before any or without it.",
        value: |v| v.context_bias(1, Scope::Internal),
    },
    Column {
        name: "context_2_swing_bias",
        doc: "Direction of the last swing break on the second context timeframe: +1, -1, or 0 before any or without it.",
        value: |v| v.context_bias(1, Scope::Swing),
    },
    Column {
        name: "context_2_range_position",
        doc: "Close within the dealing range of the second context timeframe, clipped to [-1, 2]; 0.5 without one.",
        value: |v| v.position(v.contexts[1]),
    },
    Column {
        name: "context_1_bullish_order_block_distance",
        doc: "Close to the nearest live bullish order block of the first context timeframe, in ATR of the decision timeframe, clipped at 20; 20 without one.",
        value: |v| v.distance(v.contexts[0].and_then(|d| d.nearest_order_block(1)), 1),
    },
    Column {
        name: "context_1_bearish_order_block_distance",
        doc: "Close to the nearest live bearish order block of the first context timeframe, in ATR of the decision timeframe, clipped at 20; 20 without one.",
        value: |v| v.distance(v.contexts[0].and_then(|d| d.nearest_order_block(-1)), -1),
    },
    Column {
        name: "buy_side_sweep_age",
        doc: "Bars since a buy-side pool was swept, as ln(1 + bars), clipped at 10; 10 before any.",
        value: |v| v.history.bars_since_sweep(1).map_or(OLD, log_age),
    },
    Column {
        name: "sell_side_sweep_age",
        doc: "Bars since a sell-side pool was swept, as ln(1 + bars), clipped at 10; 10 before any.",
        value: |v| v.history.bars_since_sweep(-1).map_or(OLD, log_age),
    },
    Column {
        name: "bos_direction",
        doc: "Direction of the last internal BOS: +1, -1, or 0 before any.",
        value: |v| v.history.last_bos().map_or(0.0, |last| f64::from(last.direction)),
    },
    Column {
        name: "bos_age",
        doc: "Bars since the last internal BOS, as ln(1 + bars), clipped at 10; 10 before any.",
        value: |v| v.history.last_bos().map_or(OLD, |last| log_age(v.history.bars_since(last))),
    },
    Column {
        name: "choch_direction",
        doc: "Direction of the last internal CHoCH: +1, -1, or 0 before any.",
        value: |v| v.history.last_choch().map_or(0.0, |last| f64::from(last.direction)),
    },
    Column {
        name: "choch_age",
        doc: "Bars since the last internal CHoCH, as ln(1 + bars), clipped at 10; 10 before any.",
        value: |v| v.history.last_choch().map_or(OLD, |last| log_age(v.history.bars_since(last))),
    },
    Column {
        name: "atr_share",
        doc: "ATR as a share of the close, in percent; 0 before the ATR is warm and at a close of 0.",
        value: |v| v.atr.filter(|_| v.bar.close != 0).map_or(0.0, |atr| 100.0 * atr / v.bar.close as f64),
    },
    Column {
        name: "return_1",
        doc: "Change of the close over 1 bar, in ATR, clipped to [-20, 20]; 0 before both are known.",
        value: |v| change(v, 1),
    },
    Column {
        name: "return_4",
        doc: "Change of the close over 4 bars, in ATR, clipped to [-20, 20]; 0 before both are known.",
        value: |v| change(v, 4),
    },
    Column {
        name: "return_16",
        doc: "Change of the close over 16 bars, in ATR, clipped to [-20, 20]; 0 before both are known.",
        value: |v| change(v, 16),
    },
    Column {
        name: "range_size",
        doc: "Range of the bar, in ATR, clipped at 20; 0 before the ATR is warm.",
        value: |v| v.in_atr(v.bar.range()),
    },
    Column {
        name: "body_share",
        doc: "Close minus open as a share of the range, in [-1, 1]; 0 without range.",
        value: |v| v.of_range(v.bar.close - v.bar.open),
    },
    Column {
        name: "upper_wick_share",
        doc: "Part of the range above the body, in [0, 1]; 0 without range.",
        value: |v| v.of_range(v.bar.high - v.bar.open.max(v.bar.close)),
    },
    Column {
        name: "lower_wick_share",
        doc: "Part of the range below the body, in [0, 1]; 0 without range.",
        value: |v| v.of_range(v.bar.open.min(v.bar.close) - v.bar.low),
    },
    Column {
        name: "volume_ratio",
        doc: "Volume over the mean of up to 20 bars before, as ln(ratio), clipped to [-5, 5]; 0 without volume.",
        value: |v| volume_ratio(v),
    },
    Column {
        name: "taker_imbalance",
        doc: "Taker-buy minus taker-sell volume as a share of volume, in [-1, 1]; 0 without volume or without taker data.",
        value: |v| taker_imbalance(&v.bar),
    },
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
        name: "bullish_confluence",
        doc: "How many of eight signs are bullish: internal and swing bias, both contexts' swing bias, discount, order block and gap within 1 ATR, sell-side sweep within 10 bars.",
        value: |v| v.confluence(1),
    },
    Column {
        name: "bearish_confluence",
        doc: "How many of eight signs are bearish: internal and swing bias, both contexts' swing bias, premium, order block and gap within 1 ATR, buy-side sweep within 10 bars.",
        value: |v| v.confluence(-1),
    },
];
