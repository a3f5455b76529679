//! The decision bar and the few before it.

use super::super::view::FeatureView;
use super::Column;
use crate::market::Bar;

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

pub(super) const COLUMNS: &[Column] = &[
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
];
