//! What blocks, gaps and pools have in common while they act.

use serde::{Deserialize, Serialize};

use super::event::{named_enum, EventKind, Fact, Scope, Sink};

named_enum! {
    /// What a zone is.
    ZoneKind {
        /// See [`super::order_block`].
        OrderBlock => "order_block",
        /// See [`super::fair_value_gap`].
        FairValueGap => "fair_value_gap",
        /// See [`super::liquidity`].
        LiquidityPool => "liquidity_pool",
    }
}

named_enum! {
    /// How much of a zone is used.
    ZoneState {
        /// No later bar came near.
        Fresh => "fresh",
        /// Touched.
        Touched => "touched",
        /// A block that was penetrated by half.
        Mitigated => "mitigated",
        /// A gap that was traded by half.
        HalfFilled => "half_filled",
        /// A gap that was traded whole and waits for its inversion; it is no live zone.
        Filled => "filled",
        /// A pool that was neither swept nor run.
        Resting => "resting",
    }
}

/// An order block, fair value gap or liquidity pool that still acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Id of the event that created it.
    pub id: u64,
    /// What it is.
    pub kind: ZoneKind,
    /// Its direction; 0 for pools.
    pub direction: i8,
    /// +1 a buy-side pool, -1 a sell-side pool, 0 for blocks and gaps.
    pub side: i8,
    /// The structure machine it belongs to.
    pub scope: Scope,
    /// How much of it is used.
    pub state: ZoneState,
    /// Separate visits of price.
    pub touches: u32,
    /// Open time of its anchor bar.
    pub formed_at: i64,
    /// Close time of the bar that confirmed it.
    pub confirmed_at: i64,
    /// Lower edge in ticks.
    pub low: i64,
    /// Upper edge in ticks.
    pub high: i64,
    /// The event that caused it, or 0.
    pub source_id: u64,
    /// Number of the bar that confirmed it.
    pub born: u64,
    /// Number of the last bar that touched it; `born` before any did.
    pub last_touch: u64,
}

/// What a concept knows of a zone it makes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ZoneDraft {
    pub kind: ZoneKind,
    pub direction: i8,
    pub side: i8,
    pub scope: Scope,
    pub formed_at: i64,
    pub low: i64,
    pub high: i64,
    pub source_id: u64,
}

impl Zone {
    /// Makes a zone on bar `index`, with the event that says so.
    pub(crate) fn create(draft: ZoneDraft, index: u64, sink: &mut Sink<'_>) -> Self {
        let ZoneDraft { kind, direction, side, scope, formed_at, low, high, source_id } = draft;
        let (event, state) = match kind {
            ZoneKind::OrderBlock => (EventKind::OrderBlock, ZoneState::Fresh),
            ZoneKind::FairValueGap => (EventKind::FairValueGap, ZoneState::Fresh),
            ZoneKind::LiquidityPool => (EventKind::LiquidityPool, ZoneState::Resting),
        };
        let fact =
            Fact { kind: event, direction, side, scope, formed_at, low, high, zone_id: 0, source_id, ambiguous: false };
        Self {
            id: sink.emit(fact),
            kind,
            direction,
            side,
            scope,
            state,
            touches: 0,
            formed_at,
            confirmed_at: sink.bar.close_time,
            low,
            high,
            source_id,
            born: index,
            last_touch: index,
        }
    }

    /// Records a change of the zone, on the bar that made it.
    pub(crate) fn record(&self, kind: EventKind, direction: i8, ambiguous: bool, sink: &mut Sink<'_>) {
        sink.emit(Fact {
            kind,
            direction,
            side: self.side,
            scope: self.scope,
            formed_at: sink.bar.open_time,
            low: self.low,
            high: self.high,
            zone_id: self.id,
            source_id: self.source_id,
            ambiguous,
        });
    }

    /// Counts a touch by bar `index`: bars in a row are one visit.
    pub(crate) fn touch(&mut self, index: u64) {
        if self.touches == 0 || index > self.last_touch + 1 {
            self.touches += 1;
        }
        self.last_touch = index;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh() -> Zone {
        Zone {
            id: 1,
            kind: ZoneKind::OrderBlock,
            direction: 1,
            side: 0,
            scope: Scope::Swing,
            state: ZoneState::Fresh,
            touches: 0,
            formed_at: 0,
            confirmed_at: 0,
            low: 10,
            high: 20,
            source_id: 0,
            born: 0,
            last_touch: 0,
        }
    }

    #[test]
    fn bars_in_a_row_are_one_visit() {
        let mut visited = fresh();
        for index in [1, 2, 3, 7, 9] {
            visited.touch(index);
        }
        assert_eq!(visited.touches, 3);
    }
}
