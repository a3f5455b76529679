//! The dealing range: between the last confirmed swing low and the last confirmed swing high.
//!
//! Knowable when the later of the two pivots is confirmed. A bar that confirms swing pivots and leaves
//! the high above the low makes a new range, which replaces the older one by a new event; otherwise (a low
//! above the last high, possible with fractal pivots only) the older range stays. Its direction is that of
//! the leg from the older pivot to the later one, 0 where one bar is both.
//!
//! A price's position is `(price - low) / (high - low)`; outside the range it is below 0 or above 1. Its region is
//! **equilibrium** from `equilibrium_low` to `equilibrium_high`, both included, **premium** above and
//! **discount** below.

use serde::{Deserialize, Serialize};

use super::config::DealingRangeConfig;
use super::event::{named_enum, EventKind, Fact, Scope, Sink};
use super::structure::ConfirmedPivot;

named_enum! {
    /// Where in the range a price lies.
    Region {
        /// The lower part: cheap.
        Discount => "discount",
        /// The middle.
        Equilibrium => "equilibrium",
        /// The upper part: dear.
        Premium => "premium",
    }
}

/// A range in ticks, `low < high`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DealingRange {
    /// Id of its event.
    pub id: u64,
    /// The swing low.
    pub low: i64,
    /// The swing high.
    pub high: i64,
    /// Direction of the leg that made it, 0 where one bar is both of its pivots.
    pub direction: i8,
    /// Open time of the later pivot's bar.
    pub formed_at: i64,
}

impl DealingRange {
    /// Where `price` lies: 0 at the low, 1 at the high.
    #[must_use]
    pub fn position(&self, price: i64) -> f64 {
        (price - self.low) as f64 / (self.high - self.low) as f64
    }

    /// The part of the range to which `price` belongs, or would if the range went on.
    #[must_use]
    pub fn region(&self, price: i64, band: &DealingRangeConfig) -> Region {
        let position = self.position(price);
        if position < band.equilibrium_low {
            Region::Discount
        } else if position > band.equilibrium_high {
            Region::Premium
        } else {
            Region::Equilibrium
        }
    }
}

/// Follows the range as swing pivots are confirmed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DealingRanges {
    high: Option<i64>,
    low: Option<i64>,
    current: Option<DealingRange>,
}

impl DealingRanges {
    /// The range in force.
    #[must_use]
    pub const fn current(&self) -> Option<DealingRange> {
        self.current
    }

    /// Takes the swing pivots, a high, a low or both, that one bar confirmed.
    /// Gives the range that they made.
    pub(crate) fn on_pivots(
        &mut self,
        high: Option<ConfirmedPivot>,
        low: Option<ConfirmedPivot>,
        sink: &mut Sink<'_>,
    ) -> Option<DealingRange> {
        self.high = high.map(|confirmed| confirmed.pivot.price).or(self.high);
        self.low = low.map(|confirmed| confirmed.pivot.price).or(self.low);
        let later = low.or(high)?;
        let (low_price, high_price) = (self.low?, self.high?);
        if low_price >= high_price {
            return None;
        }
        let direction = i8::from(high.is_some()) - i8::from(low.is_some());
        let formed_at = later.pivot.formed_at;
        let id = sink.emit(Fact {
            kind: EventKind::DealingRange,
            direction,
            side: 0,
            scope: Scope::Swing,
            formed_at,
            low: low_price,
            high: high_price,
            zone_id: 0,
            source_id: later.id,
            ambiguous: false,
        });
        self.current = Some(DealingRange { id, low: low_price, high: high_price, direction, formed_at });
        self.current
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::market::Bar;
    use crate::smc::pivot::Pivot;

    #[test]
    fn a_new_pivot_replaces_the_range_unless_it_turns_it_over() {
        let bar = Bar {
            open_time: 9,
            close_time: 10,
            open: 1,
            high: 1,
            low: 1,
            close: 1,
            volume: 0,
            taker_buy_volume: 0,
            trades: 0,
        };
        let (mut events, mut last_id) = (Vec::new(), 0);
        let timeframe = "1m".parse().unwrap();
        let mut sink = Sink { events: &mut events, last_id: &mut last_id, timeframe, bar: &bar };
        let mut ranges = DealingRanges::default();
        let pivot = |side, price| Some(ConfirmedPivot { id: 77, pivot: Pivot { side, price, formed_at: 5 } });
        ranges.on_pivots(pivot(1, 200), None, &mut sink);
        ranges.on_pivots(None, pivot(-1, 100), &mut sink);
        ranges.on_pivots(pivot(1, 220), pivot(-1, 90), &mut sink);
        ranges.on_pivots(pivot(1, 180), None, &mut sink);
        ranges.on_pivots(None, pivot(-1, 190), &mut sink);
        let made: Vec<_> = events.iter().map(|event| (event.direction, event.low, event.high)).collect();
        assert_eq!(made, [(-1, 100, 200), (0, 90, 220), (1, 90, 180)]);
        assert_eq!(events[0].source_id, 77);
        let current = ranges.current().unwrap();
        assert!((current.position(135) - 0.5).abs() < 1e-12);
        assert!((current.position(0) + 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_band_of_equilibrium_includes_its_edges() {
        let range = DealingRange { id: 1, low: 0, high: 1_000, direction: 1, formed_at: 0 };
        let band = DealingRangeConfig::default();
        let regions = [-5, 474, 475, 525, 526, 1_200].map(|price| range.region(price, &band).name());
        assert_eq!(regions, ["discount", "discount", "equilibrium", "equilibrium", "premium", "premium"]);
    }
}
