//! What the columns look at: a decision bar, the detectors as of its close, and their measures.

use super::columns::COLUMNS;
use super::history::FeatureHistory;
use crate::market::Bar;
use crate::smc::{Detector, Scope, Zone};

/// Distances and moves are clipped here, in ATR; also the distance of what is absent.
pub(super) const FAR: f64 = 20.0;
/// Ages are `ln(1 + bars)`, clipped here; also the age of what is absent.
pub(super) const OLD: f64 = 10.0;

/// Stands where there is no bar yet.
const NO_BAR: Bar =
    Bar { open_time: 0, close_time: 0, open: 0, high: 0, low: 0, close: 0, volume: 0, taker_buy_volume: 0, trades: 0 };

/// A decision bar and everything known at its close.
pub struct FeatureView<'a> {
    pub(super) bar: Bar,
    pub(super) decision: &'a Detector,
    pub(super) contexts: [Option<&'a Detector>; 2],
    pub(super) history: &'a FeatureHistory,
    /// ATR of the decision timeframe in ticks, if warm and not zero.
    pub(super) atr: Option<f64>,
}

impl<'a> FeatureView<'a> {
    /// The view at the close of the last bar that `history` took, and `decision` with it; before any bar every
    /// column has its neutral value.
    #[must_use]
    pub fn new(decision: &'a Detector, contexts: [Option<&'a Detector>; 2], history: &'a FeatureHistory) -> Self {
        let atr = decision.atr().filter(|&atr| atr > 0.0);
        let bar = history.bar().unwrap_or(NO_BAR);
        Self { bar, decision, contexts, history, atr }
    }

    /// Puts every column's value into `values`, in the order of [`COLUMNS`].
    pub fn write(&self, values: &mut Vec<f64>) {
        values.clear();
        values.extend(COLUMNS.iter().map(|column| (column.value)(self)));
    }

    /// A move of `ticks` in ATR, clipped to ±[`FAR`]; 0 before the ATR is warm.
    pub(super) fn in_atr(&self, ticks: i64) -> f64 {
        self.atr.map_or(0.0, |atr| (ticks as f64 / atr).clamp(-FAR, FAR))
    }

    /// Distance from the close to the near edge of a zone that lies below (`sign` +1) or above (-1).
    pub(super) fn distance(&self, zone: Option<&Zone>, sign: i8) -> f64 {
        let (Some(zone), Some(_)) = (zone, self.atr) else { return FAR };
        let ticks = if sign > 0 { self.bar.close - zone.high } else { zone.low - self.bar.close };
        self.in_atr(ticks.max(0))
    }

    /// Age of a zone of the decision timeframe.
    pub(super) fn age(&self, zone: Option<&Zone>) -> f64 {
        zone.map_or(OLD, |zone| log_age(self.decision.bars_seen().saturating_sub(1 + zone.born)))
    }

    pub(super) fn gap(&self, direction: i8) -> Option<&Zone> {
        self.decision.fair_value_gaps(direction).next()
    }

    pub(super) fn pool(&self, side: i8) -> Option<&Zone> {
        self.decision.pools(side).next()
    }

    /// Position of the close in a detector's dealing range, clipped to [-1, 2]; .5 without one.
    pub(super) fn position(&self, detector: Option<&Detector>) -> f64 {
        let range = detector.and_then(Detector::dealing_range);
        range.map_or(0.5, |range| range.position(self.bar.close).clamp(-1.0, 2.0))
    }

    /// Bias of a context's scope; 0 without that context.
    pub(super) fn context_bias(&self, slot: usize, scope: Scope) -> f64 {
        self.contexts[slot].map_or(0.0, |detector| f64::from(detector.bias(scope)))
    }

    /// A part of the bar's range; 0 where the range is.
    pub(super) fn of_range(&self, ticks: i64) -> f64 {
        if self.bar.range() == 0 {
            return 0.0;
        }
        ticks as f64 / self.bar.range() as f64
    }

    /// How many of eight signs favour `direction`.
    pub(super) fn confluence(&self, direction: i8) -> f64 {
        let wanted = f64::from(direction);
        let position = self.position(Some(self.decision));
        let swept = self.history.bars_since_sweep(-direction);
        let signs = [
            self.decision.bias(Scope::Internal) == direction,
            self.decision.bias(Scope::Swing) == direction,
            self.context_bias(0, Scope::Swing) == wanted,
            self.context_bias(1, Scope::Swing) == wanted,
            (0.5 - position) * wanted > 0.0,
            self.distance(self.decision.nearest_order_block(direction), direction) <= 1.0,
            self.distance(self.gap(direction), direction) <= 1.0,
            swept.is_some_and(|bars| bars <= 10),
        ];
        signs.into_iter().filter(|&sign| sign).count() as f64
    }
}

/// `ln(1 + bars)`, clipped.
pub(super) fn log_age(bars: u64) -> f64 {
    (bars as f64).ln_1p().min(OLD)
}
