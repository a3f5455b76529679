//! Breaks of structure: BOS and CHoCH by close, with a running bias.
//!
//! The machine holds the last confirmed pivot high and low. Bar t **breaks** the high if
//! `close[t] > level` and `close[t-1] <= level` (lows mirror), once for each pivot. The break is a
//! **CHoCH** if the bias was opposite, which flips it, else a **BOS**; the first break is a BOS.
//! Knowable at the close of t. A pivot confirmed at t replaces the older one of its side before the
//! close of t is compared, broken or not. The two machines (internal, swing) know nothing of each other.
//!
//! A bar cannot break both sides: the high lies above the low, or the previous close would have had to
//! lie on two sides at once.

use serde::{Deserialize, Serialize};

use super::config::StructureConfig;
use super::event::{EventKind, Fact, Scope, Sink};
use super::pivot::{Pivot, StructurePivots};
use super::recent_bars::RecentBars;
use crate::market::Bar;

/// The current pivot of one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Level {
    id: u64,
    price: i64,
    formed_at: i64,
    broken: bool,
}

/// A close beyond a pivot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Break {
    /// Id of its event.
    pub id: u64,
    /// +1 upwards, -1 downwards.
    pub direction: i8,
    /// Whether it is a change of character.
    pub change: bool,
    /// The event of the pivot that broke.
    pub pivot_id: u64,
    /// Level of that pivot.
    pub price: i64,
    /// Open time of that pivot's bar.
    pub formed_at: i64,
}

/// A pivot with the id of its event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConfirmedPivot {
    pub id: u64,
    pub pivot: Pivot,
}

/// One structure machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Structure {
    scope: Scope,
    pivots: StructurePivots,
    high: Option<Level>,
    low: Option<Level>,
    bias: i8,
    previous_close: Option<i64>,
}

impl Structure {
    /// A machine that has seen nothing.
    #[must_use]
    pub fn new(scope: Scope, config: StructureConfig) -> Self {
        Self {
            scope,
            pivots: StructurePivots::new(config.rule, config.size),
            high: None,
            low: None,
            bias: 0,
            previous_close: None,
        }
    }

    /// Direction of the last break, 0 before any.
    #[must_use]
    pub const fn bias(&self) -> i8 {
        self.bias
    }

    /// The unbroken pivot of a side (+1 high, -1 low) in ticks, if there is one.
    #[must_use]
    pub fn level(&self, side: i8) -> Option<i64> {
        let level = if side > 0 { self.high } else { self.low };
        level.filter(|level| !level.broken).map(|level| level.price)
    }

    /// Close of the last bar, in ticks.
    pub(crate) const fn last_close(&self) -> Option<i64> {
        self.previous_close
    }

    /// Confirms the pivots that bar `index` makes knowable: a high, a low, both or none.
    pub(crate) fn confirm(
        &mut self,
        index: u64,
        recent: &RecentBars,
        sink: &mut Sink<'_>,
    ) -> (Option<ConfirmedPivot>, Option<ConfirmedPivot>) {
        let (high, low) = self.pivots.confirm(index, sink.bar, recent);
        let mut record = |pivot: Pivot| {
            let id = sink.emit(Fact {
                kind: EventKind::Pivot,
                direction: -pivot.side,
                side: pivot.side,
                scope: self.scope,
                formed_at: pivot.formed_at,
                low: pivot.price,
                high: pivot.price,
                zone_id: 0,
                source_id: 0,
                ambiguous: false,
            });
            let level = Level { id, price: pivot.price, formed_at: pivot.formed_at, broken: false };
            *(if pivot.side > 0 { &mut self.high } else { &mut self.low }) = Some(level);
            ConfirmedPivot { id, pivot }
        };
        (high.map(&mut record), low.map(&mut record))
    }

    /// Compares the close with the current pivots.
    pub(crate) fn breaks(&mut self, bar: &Bar, sink: &mut Sink<'_>) -> Option<Break> {
        let previous = self.previous_close.replace(bar.close)?;
        [1, -1].into_iter().find_map(|side| self.break_of(side, previous, bar.close, sink))
    }

    fn break_of(&mut self, side: i8, previous: i64, close: i64, sink: &mut Sink<'_>) -> Option<Break> {
        let level = (if side > 0 { &mut self.high } else { &mut self.low }).as_mut()?;
        let sign = i64::from(side);
        let crossed = sign * close > sign * level.price && sign * previous <= sign * level.price;
        if level.broken || !crossed {
            return None;
        }
        level.broken = true;
        let change = self.bias == -side;
        let kind = if change { EventKind::Choch } else { EventKind::Bos };
        self.bias = side;
        let id = sink.emit(Fact {
            kind,
            direction: side,
            side,
            scope: self.scope,
            formed_at: level.formed_at,
            low: level.price,
            high: level.price,
            zone_id: level.id,
            source_id: level.id,
            ambiguous: false,
        });
        let Level { id: pivot_id, price, formed_at, .. } = *level;
        Some(Break { id, direction: side, change, pivot_id, price, formed_at })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::smc::config::PivotRule;
    use crate::smc::event::Event;

    fn bars(closes: &[i64]) -> Vec<Bar> {
        let make = |(index, &close): (usize, &i64)| Bar {
            open_time: index as i64,
            close_time: index as i64 + 1,
            open: close,
            high: close + 1,
            low: close - 1,
            close,
            volume: 0,
            taker_buy_volume: 0,
            trades: 0,
        };
        closes.iter().enumerate().map(make).collect()
    }

    fn run(closes: &[i64]) -> (Structure, Vec<Event>) {
        let mut structure = Structure::new(Scope::Internal, StructureConfig { size: 2, rule: PivotRule::Leg });
        let (mut events, mut last_id, mut recent) = (Vec::new(), 0, RecentBars::new(2, 2));
        for (index, bar) in bars(closes).iter().enumerate() {
            let timeframe = "1m".parse().unwrap();
            let mut sink = Sink { events: &mut events, last_id: &mut last_id, timeframe, bar };
            recent.push(index as u64, bar, false);
            structure.confirm(index as u64, &recent, &mut sink);
            structure.breaks(bar, &mut sink);
        }
        (structure, events)
    }

    #[test]
    fn the_first_break_is_a_bos_and_breaks_against_the_bias_are_chochs() {
        let closes = [110, 115, 120, 110, 105, 100, 110, 115, 122, 125, 115, 105, 95, 90, 100, 105, 95, 88];
        let (structure, events) = run(&closes);
        let breaks: Vec<_> = events
            .iter()
            .filter(|event| event.kind != EventKind::Pivot)
            .map(|event| (event.kind, event.direction, event.low, event.formed_at, event.confirmed_at))
            .collect();
        let expected =
            [(EventKind::Bos, 1, 121, 2, 9), (EventKind::Choch, -1, 99, 5, 13), (EventKind::Bos, -1, 89, 13, 18)];
        assert_eq!(breaks, expected);
        assert_eq!(structure.bias(), -1);
        assert_eq!(structure.level(-1), None);
    }

    #[test]
    fn a_pivot_is_broken_once() {
        let (_, events) = run(&[100, 105, 110, 120, 110, 105, 122, 119, 123, 119, 124]);
        let of_first = events.iter().filter(|event| event.kind == EventKind::Bos && event.low == 121);
        assert_eq!(of_first.count(), 1);
    }

    #[test]
    fn a_close_on_the_level_is_no_break() {
        let (_, events) = run(&[100, 105, 110, 120, 110, 105, 121, 121]);
        assert!(!events.is_empty() && events.iter().all(|event| event.kind == EventKind::Pivot));
    }
}
