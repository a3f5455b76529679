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
        /// See [`super::flipped_block`].
        Breaker => "breaker",
        /// See [`super::flipped_block`].
        MitigationBlock => "mitigation_block",
        /// See [`super::rejection_block`].
        RejectionBlock => "rejection_block",
        /// See [`super::propulsion_block`].
        PropulsionBlock => "propulsion_block",
        /// See [`super::inverse_gap`].
        InverseFairValueGap => "inverse_fair_value_gap",
        /// See [`super::balanced_price_range`].
        BalancedPriceRange => "balanced_price_range",
        /// See [`super::volume_imbalance`].
        VolumeImbalance => "volume_imbalance",
        /// See [`super::opening_gap`].
        OpeningGap => "opening_gap",
        /// See [`super::equal_levels`].
        EqualLevels => "equal_levels",
        /// See [`super::inducement`].
        Inducement => "inducement",
        /// See [`super::period_level`].
        PeriodLevel => "period_level",
        /// See [`super::session`].
        SessionLevel => "session_level",
        /// See [`super::optimal_entry`].
        OptimalEntry => "optimal_entry",
        /// See [`super::reclaimed_block`].
        ReclaimedBlock => "reclaimed_block",
        /// See [`super::liquidity_void`].
        LiquidityVoid => "liquidity_void",
        /// See [`super::volume_profile`].
        PointOfControl => "point_of_control",
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    /// Number of the first bar that touched it; `born` before any did.
    pub first_touch: u64,
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

impl ZoneDraft {
    /// What a zone that comes from another one takes over.
    pub const fn of(zone: &Zone) -> Self {
        let Zone { kind, direction, side, scope, formed_at, low, high, source_id, .. } = *zone;
        Self { kind, direction, side, scope, formed_at, low, high, source_id }
    }

    /// A level of a side without scope or cause.
    pub const fn level(kind: ZoneKind, side: i8, formed_at: i64, price: i64) -> Self {
        Self { kind, direction: 0, side, scope: Scope::None, formed_at, low: price, high: price, source_id: 0 }
    }
}

impl ZoneKind {
    /// The event that says that such a zone exists.
    #[must_use]
    pub const fn creation(self) -> EventKind {
        match self {
            Self::OrderBlock => EventKind::OrderBlock,
            Self::FairValueGap => EventKind::FairValueGap,
            Self::LiquidityPool => EventKind::LiquidityPool,
            Self::Breaker => EventKind::Breaker,
            Self::MitigationBlock => EventKind::MitigationBlock,
            Self::RejectionBlock => EventKind::RejectionBlock,
            Self::PropulsionBlock => EventKind::PropulsionBlock,
            Self::InverseFairValueGap => EventKind::InverseFairValueGap,
            Self::BalancedPriceRange => EventKind::BalancedPriceRange,
            Self::VolumeImbalance => EventKind::VolumeImbalance,
            Self::OpeningGap => EventKind::OpeningGap,
            Self::EqualLevels => EventKind::EqualLevels,
            Self::Inducement => EventKind::Inducement,
            Self::PeriodLevel => EventKind::PeriodLevel,
            Self::SessionLevel => EventKind::SessionLevel,
            Self::OptimalEntry => EventKind::OptimalEntry,
            Self::ReclaimedBlock => EventKind::ReclaimedBlock,
            Self::LiquidityVoid => EventKind::LiquidityVoid,
            Self::PointOfControl => EventKind::PointOfControl,
        }
    }

    /// Whether it is one price, at which stops rest or to which price is drawn, rather than a zone of orders.
    #[must_use]
    pub const fn is_level(self) -> bool {
        matches!(
            self,
            Self::LiquidityPool
                | Self::EqualLevels
                | Self::Inducement
                | Self::PeriodLevel
                | Self::SessionLevel
                | Self::PointOfControl
        )
    }
}

impl Zone {
    /// Makes a zone on bar `index`, with the event that says so.
    pub(crate) fn create(draft: ZoneDraft, index: u64, sink: &mut Sink<'_>) -> Self {
        let ZoneDraft { kind, direction, side, scope, formed_at, low, high, source_id } = draft;
        let state = if kind.is_level() { ZoneState::Resting } else { ZoneState::Fresh };
        let fact = Fact {
            kind: kind.creation(),
            direction,
            side,
            scope,
            formed_at,
            low,
            high,
            zone_id: 0,
            source_id,
            ambiguous: false,
        };
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
            first_touch: index,
            last_touch: index,
        }
    }

    /// Records a change of the zone, on the bar that made it; gives the record's id.
    pub(crate) fn record(&self, kind: EventKind, direction: i8, ambiguous: bool, sink: &mut Sink<'_>) -> u64 {
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
        })
    }

    /// Ticks from `price` to the near edge, 0 inside or beyond it; the zone lies below price (`sign` +1) or above (-1).
    #[must_use]
    pub fn distance(&self, sign: i8, price: i64) -> i64 {
        (if sign > 0 { price - self.high } else { self.low - price }).max(0)
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
            first_touch: 0,
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
