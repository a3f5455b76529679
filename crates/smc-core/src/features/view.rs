//! What the columns look at: a decision bar, the detectors as of its close, and their measures.

use std::sync::LazyLock;

use super::columns::COLUMNS;
use super::history::FeatureHistory;
use crate::market::Bar;
use crate::smc::confluence::Leanings;
use crate::smc::{Detector, Scope, Zone, ZoneKind, ZoneState};

/// Distances and moves are clipped here, in ATR; also the distance of what is absent.
pub(super) const FAR: f64 = 20.0;
/// Ages are `ln(1 + bars)`, clipped here; also the age of what is absent.
pub(super) const OLD: f64 = 10.0;

/// Stands where there is no bar yet; it closes on a Monday at 00:00, where the clock columns are neutral.
const NO_BAR: Bar = Bar {
    open_time: -3 * 86_400_000_000_000,
    close_time: -3 * 86_400_000_000_000,
    open: 0,
    high: 0,
    low: 0,
    close: 0,
    volume: 0,
    taker_buy_volume: 0,
    trades: 0,
};

/// The nearest zone of each kind: [bullish, bearish], for levels [buy-side, sell-side].
type Nearest<'a> = [[Option<&'a Zone>; 2]; ZoneKind::ALL.len()];

/// A decision bar and everything known at its close. Zones are looked up once, when the view is made.
pub struct FeatureView<'a> {
    pub(crate) bar: Bar,
    pub(crate) decision: &'a Detector,
    pub(crate) contexts: [Option<&'a Detector>; 2],
    pub(crate) history: &'a FeatureHistory,
    /// ATR of the decision timeframe in ticks, if warm and not zero.
    pub(crate) atr: Option<f64>,
    nearest: Nearest<'a>,
    pub(super) leanings: Leanings,
}

impl<'a> FeatureView<'a> {
    /// The view at the close of the last bar that `history` took, and `decision` with it; before any bar every
    /// column has its neutral value.
    #[must_use]
    pub fn new(decision: &'a Detector, contexts: [Option<&'a Detector>; 2], history: &'a FeatureHistory) -> Self {
        let mut nearest = [[None; 2]; ZoneKind::ALL.len()];
        for (&kind, sides) in ZoneKind::ALL.iter().zip(&mut nearest) {
            *sides = [1, -1].map(|sign| decision.nearest(kind, sign));
        }
        let atr = decision.atr().filter(|&atr| atr > 0.0);
        let bar = history.bar().unwrap_or(NO_BAR);
        let mut view = Self { bar, decision, contexts, history, atr, nearest, leanings: Leanings::default() };
        view.leanings = Leanings::read(&view);
        view
    }

    /// Puts every column's value into `values`, in the order of [`COLUMNS`].
    pub fn write(&self, values: &mut Vec<f64>) {
        values.clear();
        values.extend(COLUMNS.iter().map(|column| (column.value)(self)));
    }

    /// What the factors of confluence say.
    #[must_use]
    pub const fn leanings(&self) -> Leanings {
        self.leanings
    }

    /// The nearest live zone of a kind on the decision timeframe: of a direction, for levels of a side.
    pub(crate) fn nearest(&self, kind: ZoneKind, sign: i8) -> Option<&'a Zone> {
        self.nearest[kind as usize][usize::from(sign < 0)]
    }

    /// A move of `ticks` in ATR, clipped to ±[`FAR`]; 0 before the ATR is warm.
    pub(super) fn in_atr(&self, ticks: i64) -> f64 {
        self.atr.map_or(0.0, |atr| (ticks as f64 / atr).clamp(-FAR, FAR))
    }

    /// Distance from the close to the near edge of a zone that lies below (`sign` +1) or above (-1).
    pub(super) fn distance(&self, zone: Option<&Zone>, sign: i8) -> f64 {
        let (Some(zone), Some(_)) = (zone, self.atr) else { return FAR };
        self.in_atr(zone.distance(sign, self.bar.close))
    }

    pub(super) fn zone_distance(&self, kind: ZoneKind, direction: i8) -> f64 {
        self.distance(self.nearest(kind, direction), direction)
    }

    /// Distance from the close to a level; the buy-side lies above.
    pub(super) fn level_distance(&self, level: Option<&Zone>, side: i8) -> f64 {
        self.distance(level, -side)
    }

    pub(super) fn age(&self, kind: ZoneKind, sign: i8) -> f64 {
        let age = |zone: &Zone| log_age(self.decision.bars_seen().saturating_sub(1 + zone.born));
        self.nearest(kind, sign).map_or(OLD, age)
    }

    pub(super) fn touches(&self, kind: ZoneKind, sign: i8) -> f64 {
        self.nearest(kind, sign).map_or(0.0, |zone| f64::from(zone.touches.min(10)))
    }

    pub(super) fn state(&self, kind: ZoneKind, sign: i8) -> f64 {
        self.nearest(kind, sign).map_or(0.0, |zone| match zone.state {
            ZoneState::Fresh | ZoneState::Resting => 0.0,
            ZoneState::Touched => 0.5,
            ZoneState::Mitigated | ZoneState::HalfFilled | ZoneState::Filled => 1.0,
        })
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

    /// Age of what a context says, in its own bars.
    pub(super) fn context_age(&self, slot: usize) -> f64 {
        let closed = self.contexts[slot].and_then(|context| Some((context.last_close_time()?, context.timeframe())));
        closed.map_or(OLD, |(time, timeframe)| {
            let bars = (self.bar.close_time - time) as f64 / timeframe.ns() as f64;
            bars.ln_1p().min(OLD)
        })
    }

    /// A part of the bar's range; 0 where the range is.
    pub(super) fn of_range(&self, ticks: i64) -> f64 {
        if self.bar.range() == 0 {
            return 0.0;
        }
        ticks as f64 / self.bar.range() as f64
    }
}

/// Most ages are young: their logarithms are looked up, which takes a quarter off the cost of the vector.
static LOG_AGES: LazyLock<[f64; 1024]> = LazyLock::new(|| std::array::from_fn(|bars| (1.0 + bars as f64).ln()));

/// `ln(1 + bars)`, clipped.
pub(super) fn log_age(bars: u64) -> f64 {
    let known = usize::try_from(bars).ok().and_then(|bars| LOG_AGES.get(bars));
    known.map_or_else(|| (1.0 + bars as f64).ln().min(OLD), |&age| age)
}
