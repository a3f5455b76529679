//! The one record of market structure: appended, never edited.
//!
//! | kind | formed on | direction | side |
//! |---|---|---|---|
//! | pivot | the pivot bar | against its side: a high begins a fall | of the pivot |
//! | higher_high, lower_high, higher_low, lower_low | the pivot bar | up if higher | of the pivot |
//! | bos, choch | the pivot bar that was broken | of the break | of the pivot |
//! | failed_break | the pivot bar that was broken | against the break | of the pivot |
//! | cisd | the first bar of the run | against the run | 0 |
//! | order_block | the block's bar | of the break | 0 |
//! | fair_value_gap | the middle bar | of the gap | 0 |
//! | liquidity_pool | the pivot bar | 0 while it rests | of the pool |
//! | dealing_range | the bar of the later pivot | from the older to the later pivot | 0 |
//! | displacement | the bar itself | of its body | 0 |
//! | mss, mss_strict | the pivot bar that was broken | of the break | of the pivot |
//! | breaker, mitigation_block | the block's bar | against the block's | 0 |
//! | reclaimed_block | the block's bar | of the block | 0 |
//! | rejection_block | the bar of the wick | away from the wick | 0 |
//! | propulsion_block | the block's bar | of the block | 0 |
//! | inverse_fair_value_gap | the gap's middle bar | against the gap's | 0 |
//! | balanced_price_range | the younger gap's middle bar | of the younger gap | 0 |
//! | volume_imbalance, opening_gap | the later bar | of the jump | 0 |
//! | liquidity_void | the first displacement | of the run | 0 |
//! | equal_levels, inducement | the (later) pivot bar | 0 while it rests | of the pivot |
//! | period_level, session_level | the bar of the extreme | 0 while it rests | of the level |
//! | reference_open | the bar itself | 0 | 0 |
//! | volume_profile | the period's first traded bar | 0 | 0 |
//! | point_of_control | the period's first traded bar | 0 | where it lies of price |
//! | session_range, power_of_three_accumulation | the window's first bar | 0 | 0 |
//! | judas_swing | the bar that left the range | back into the range | the side it left |
//! | power_of_three_manipulation, _distribution | as the swing, as the shift | of the swing | 0 |
//! | optimal_entry | the bar of the later pivot | of the leg | 0 |
//! | smt_divergence | the leader's pivot bar | against its side, for the first instrument | of the first's pivots |
//! | a zone's life (`zone_id` names it) | the bar on which it happened | see below | of the zone |
//!
//! A zone's life keeps the zone's direction, with three exceptions that say what the market did: an inverted gap has
//! flipped polarity, a swept (or taken, or reclaimed) level points away from its side, a run level towards it.
//! Every record is confirmed at the close of the bar that made it knowable.

use serde::{Deserialize, Serialize};

use crate::market::{Bar, Timeframe};

macro_rules! named_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[doc = $doc:literal])+ $variant:ident => $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[doc = $doc])+ $variant,)+ }

        impl $name {
            /// Every value, in order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name used outside the core.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// What it means, in one sentence: its documentation here.
            #[must_use]
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}
pub(crate) use named_enum;

named_enum! {
    /// What an event says.
    EventKind {
        /// A swing point is confirmed.
        Pivot => "pivot",
        /// A pivot high above the one before it.
        HigherHigh => "higher_high",
        /// A pivot high that is not above the one before it.
        LowerHigh => "lower_high",
        /// A pivot low that is not below the one before it.
        HigherLow => "higher_low",
        /// A pivot low below the one before it.
        LowerLow => "lower_low",
        /// A close beyond a pivot, with the bias or as the first break.
        Bos => "bos",
        /// A close beyond a pivot against the bias, which flips.
        Choch => "choch",
        /// A close back inside soon after a break.
        FailedBreak => "failed_break",
        /// A close beyond the open from which a run of opposite bars started.
        Cisd => "cisd",
        /// A break left a block.
        OrderBlock => "order_block",
        /// A later bar overlaps the block for the first time.
        OrderBlockTouched => "order_block_touched",
        /// Half of the block is penetrated.
        OrderBlockMitigated => "order_block_mitigated",
        /// A close beyond the far edge.
        OrderBlockInvalidated => "order_block_invalidated",
        /// Too old, or displaced by younger blocks.
        OrderBlockExpired => "order_block_expired",
        /// Three bars left a gap.
        FairValueGap => "fair_value_gap",
        /// A later bar trades into the gap.
        FairValueGapTouched => "fair_value_gap_touched",
        /// Half of the gap is traded (consequent encroachment).
        FairValueGapHalfFilled => "fair_value_gap_half_filled",
        /// The whole gap is traded.
        FairValueGapFilled => "fair_value_gap_filled",
        /// A close beyond the far edge: polarity flips.
        FairValueGapInverted => "fair_value_gap_inverted",
        /// Too old, or displaced by younger gaps.
        FairValueGapExpired => "fair_value_gap_expired",
        /// Stops rest beyond a confirmed pivot.
        LiquidityPool => "liquidity_pool",
        /// A wick beyond the level and a close back.
        LiquidityPoolSwept => "liquidity_pool_swept",
        /// A close beyond the level.
        LiquidityPoolRun => "liquidity_pool_run",
        /// A close back soon after that close beyond.
        LiquidityPoolReclaimed => "liquidity_pool_reclaimed",
        /// Too old, or displaced by younger pools.
        LiquidityPoolExpired => "liquidity_pool_expired",
        /// The range between the last confirmed swing low and high.
        DealingRange => "dealing_range",
        /// A bar moved price with force.
        Displacement => "displacement",
        /// A change of character whose leg holds a displacement.
        Mss => "mss",
        /// A shift of market structure after a sweep that points its way.
        MssStrict => "mss_strict",
        /// An order block failed after its swing took liquidity: its polarity flips.
        Breaker => "breaker",
        /// A later bar overlaps the breaker for the first time.
        BreakerTouched => "breaker_touched",
        /// Half of the breaker is penetrated.
        BreakerMitigated => "breaker_mitigated",
        /// A close beyond the far edge.
        BreakerInvalidated => "breaker_invalidated",
        /// Too old, or displaced by younger ones.
        BreakerExpired => "breaker_expired",
        /// An order block failed without its swing taking liquidity: its polarity flips.
        MitigationBlock => "mitigation_block",
        /// A later bar overlaps the block for the first time.
        MitigationBlockTouched => "mitigation_block_touched",
        /// Half of the block is penetrated.
        MitigationBlockMitigated => "mitigation_block_mitigated",
        /// A close beyond the far edge.
        MitigationBlockInvalidated => "mitigation_block_invalidated",
        /// Too old, or displaced by younger ones.
        MitigationBlockExpired => "mitigation_block_expired",
        /// A breaker failed: the block acts in its first direction again.
        ReclaimedBlock => "reclaimed_block",
        /// A later bar overlaps the block for the first time.
        ReclaimedBlockTouched => "reclaimed_block_touched",
        /// Half of the block is penetrated.
        ReclaimedBlockMitigated => "reclaimed_block_mitigated",
        /// A close beyond the far edge.
        ReclaimedBlockInvalidated => "reclaimed_block_invalidated",
        /// Too old, or displaced by younger ones.
        ReclaimedBlockExpired => "reclaimed_block_expired",
        /// A turning point left a long wick.
        RejectionBlock => "rejection_block",
        /// A later bar overlaps the wick for the first time.
        RejectionBlockTouched => "rejection_block_touched",
        /// Half of the wick is penetrated.
        RejectionBlockMitigated => "rejection_block_mitigated",
        /// A close beyond the tip of the wick.
        RejectionBlockInvalidated => "rejection_block_invalidated",
        /// Too old, or displaced by younger ones.
        RejectionBlockExpired => "rejection_block_expired",
        /// An order block formed inside an older live one.
        PropulsionBlock => "propulsion_block",
        /// A later bar overlaps the block for the first time.
        PropulsionBlockTouched => "propulsion_block_touched",
        /// A close beyond the middle of the block.
        PropulsionBlockInvalidated => "propulsion_block_invalidated",
        /// Too old, or displaced by younger ones.
        PropulsionBlockExpired => "propulsion_block_expired",
        /// An inverted gap acts the other way.
        InverseFairValueGap => "inverse_fair_value_gap",
        /// A later bar trades into the gap.
        InverseFairValueGapTouched => "inverse_fair_value_gap_touched",
        /// Half of the gap is traded.
        InverseFairValueGapHalfFilled => "inverse_fair_value_gap_half_filled",
        /// A close back beyond the far edge.
        InverseFairValueGapInvalidated => "inverse_fair_value_gap_invalidated",
        /// Too old, or displaced by younger ones.
        InverseFairValueGapExpired => "inverse_fair_value_gap_expired",
        /// Gaps of both directions overlap.
        BalancedPriceRange => "balanced_price_range",
        /// A later bar trades into the range.
        BalancedPriceRangeTouched => "balanced_price_range_touched",
        /// The whole range is traded.
        BalancedPriceRangeTraversed => "balanced_price_range_traversed",
        /// Too old, or displaced by younger ones.
        BalancedPriceRangeExpired => "balanced_price_range_expired",
        /// Two bodies do not meet, over wicks that do.
        VolumeImbalance => "volume_imbalance",
        /// A later bar trades into the imbalance.
        VolumeImbalanceTouched => "volume_imbalance_touched",
        /// The whole imbalance is traded.
        VolumeImbalanceFilled => "volume_imbalance_filled",
        /// Too old, or displaced by younger ones.
        VolumeImbalanceExpired => "volume_imbalance_expired",
        /// Nothing traded between two bars.
        OpeningGap => "opening_gap",
        /// A later bar trades into the gap.
        OpeningGapTouched => "opening_gap_touched",
        /// Half of the gap is traded (consequent encroachment).
        OpeningGapHalfFilled => "opening_gap_half_filled",
        /// The whole gap is traded.
        OpeningGapFilled => "opening_gap_filled",
        /// Too old, or displaced by younger ones.
        OpeningGapExpired => "opening_gap_expired",
        /// Displacement after displacement, each of which left a gap.
        LiquidityVoid => "liquidity_void",
        /// A later bar trades into the void.
        LiquidityVoidTouched => "liquidity_void_touched",
        /// Half of the void is traded.
        LiquidityVoidHalfFilled => "liquidity_void_half_filled",
        /// The whole void is traded.
        LiquidityVoidFilled => "liquidity_void_filled",
        /// Too old, or displaced by younger ones.
        LiquidityVoidExpired => "liquidity_void_expired",
        /// Two pivots of a side at one level.
        EqualLevels => "equal_levels",
        /// Another pivot at that level.
        EqualLevelsGrown => "equal_levels_grown",
        /// A wick beyond the level and a close back.
        EqualLevelsSwept => "equal_levels_swept",
        /// A close beyond the level.
        EqualLevelsRun => "equal_levels_run",
        /// A close back soon after that close beyond.
        EqualLevelsReclaimed => "equal_levels_reclaimed",
        /// Too old, or displaced by younger ones.
        EqualLevelsExpired => "equal_levels_expired",
        /// The first internal pivot against a fresh break.
        Inducement => "inducement",
        /// A bar trades beyond the level.
        InducementTaken => "inducement_taken",
        /// Too old, or displaced by younger ones.
        InducementExpired => "inducement_expired",
        /// The high or low of a period that is over.
        PeriodLevel => "period_level",
        /// A wick beyond the level and a close back.
        PeriodLevelSwept => "period_level_swept",
        /// A close beyond the level.
        PeriodLevelRun => "period_level_run",
        /// A close back soon after that close beyond.
        PeriodLevelReclaimed => "period_level_reclaimed",
        /// The next period is over.
        PeriodLevelExpired => "period_level_expired",
        /// The open of a day, a week or a time of day.
        ReferenceOpen => "reference_open",
        /// The value area of a period that is over.
        VolumeProfile => "volume_profile",
        /// The price at which most was traded in it, and to which price has not come back.
        PointOfControl => "point_of_control",
        /// A later bar reaches the level.
        PointOfControlTouched => "point_of_control_touched",
        /// Too old, or displaced by younger ones.
        PointOfControlExpired => "point_of_control_expired",
        /// The range of a session or kill zone that is over.
        SessionRange => "session_range",
        /// The high or low of that range.
        SessionLevel => "session_level",
        /// A wick beyond the level and a close back.
        SessionLevelSwept => "session_level_swept",
        /// A close beyond the level.
        SessionLevelRun => "session_level_run",
        /// A close back soon after that close beyond.
        SessionLevelReclaimed => "session_level_reclaimed",
        /// The next session of that name is over.
        SessionLevelExpired => "session_level_expired",
        /// A kill zone left the Asian range on one side and came back.
        JudasSwing => "judas_swing",
        /// A shift of market structure followed it.
        JudasSwingConfirmed => "judas_swing_confirmed",
        /// A close beyond its furthest price.
        JudasSwingFailed => "judas_swing_failed",
        /// The next Asian range is known.
        JudasSwingExpired => "judas_swing_expired",
        /// A narrow Asian range.
        PowerOfThreeAccumulation => "power_of_three_accumulation",
        /// A Judas swing out of it.
        PowerOfThreeManipulation => "power_of_three_manipulation",
        /// A shift of market structure away from that swing.
        PowerOfThreeDistribution => "power_of_three_distribution",
        /// One of two instruments made a new extreme, and the other did not follow.
        SmtDivergence => "smt_divergence",
        /// The instrument that failed closes beyond its older pivot.
        SmtDivergenceBroken => "smt_divergence_broken",
        /// Too old, or displaced by younger ones.
        SmtDivergenceExpired => "smt_divergence_expired",
        /// The deep retracement of a leg with the bias.
        OptimalEntry => "optimal_entry",
        /// A later bar reaches the band.
        OptimalEntryTouched => "optimal_entry_touched",
        /// A close beyond the leg's origin.
        OptimalEntryInvalidated => "optimal_entry_invalidated",
        /// The next dealing range.
        OptimalEntryExpired => "optimal_entry_expired",
    }
}

impl EventKind {
    /// The concept it belongs to: the first kind whose name its own is, or begins with.
    #[must_use]
    pub fn concept(self) -> Self {
        let begins = |kind: &&Self| {
            let rest = self.name().strip_prefix(kind.name());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        };
        Self::ALL.iter().find(begins).copied().unwrap_or(self)
    }

    /// Whether a level was swept by one bar: a wick beyond it and a close back. The slower form, a run that is
    /// reclaimed, is none: see [`super::reclaimed_level`].
    #[must_use]
    pub const fn is_sweep(self) -> bool {
        matches!(
            self,
            Self::LiquidityPoolSwept | Self::EqualLevelsSwept | Self::PeriodLevelSwept | Self::SessionLevelSwept
        )
    }
}

named_enum! {
    /// Which of the two independent structure machines speaks, or which period or window of civil time; of an SMT
    /// divergence, which instrument leads.
    Scope {
        /// Neither: gaps, pools, ranges.
        None => "",
        /// Short legs.
        Internal => "internal",
        /// Long legs.
        Swing => "swing",
        /// The first of two instruments.
        FirstInstrument => "first_instrument",
        /// The second of two instruments.
        SecondInstrument => "second_instrument",
        /// The trading day.
        Day => "day",
        /// The trading week.
        Week => "week",
        /// The trading month.
        Month => "month",
        /// Kill zone: the Asian hours.
        AsianKillZone => "asian_kill_zone",
        /// Kill zone: around the London open.
        LondonKillZone => "london_kill_zone",
        /// Kill zone: around the New York open.
        NewYorkKillZone => "new_york_kill_zone",
        /// Kill zone: around the London close.
        LondonCloseKillZone => "london_close_kill_zone",
        /// Kill zone: around the New York open of indices.
        NewYorkIndexKillZone => "new_york_index_kill_zone",
        /// Silver bullet: the hour after the London open.
        LondonSilverBullet => "london_silver_bullet",
        /// Silver bullet: an hour of New York's morning.
        MorningSilverBullet => "morning_silver_bullet",
        /// Silver bullet: an hour of New York's afternoon.
        AfternoonSilverBullet => "afternoon_silver_bullet",
        /// The Tokyo session.
        TokyoSession => "tokyo_session",
        /// The London session.
        LondonSession => "london_session",
        /// The New York session.
        NewYorkSession => "new_york_session",
        /// Midnight in New York.
        NewYorkMidnight => "new_york_midnight",
        /// 08:30 in New York.
        NewYorkMorning => "new_york_morning",
    }
}

/// One fact about market structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Event {
    /// 1, 2, 3 ... within a timeframe.
    pub id: u64,
    /// What happened.
    pub kind: EventKind,
    /// Implied market direction: +1, -1 or 0.
    pub direction: i8,
    /// +1 the upper side (pivot high, buy-side pool), -1 the lower, 0 none.
    pub side: i8,
    /// The structure machine, period or window that speaks, or the instrument that leads.
    pub scope: Scope,
    /// Timeframe of the bars.
    pub timeframe: Timeframe,
    /// Open time of the bar it is anchored on.
    pub formed_at: i64,
    /// Close time of the bar that made it knowable.
    pub confirmed_at: i64,
    /// Lower edge in ticks.
    pub low: i64,
    /// Upper edge in ticks; equal to `low` for a level.
    pub high: i64,
    /// The event that created the zone, pool or pivot spoken of; its own id when it creates one.
    pub zone_id: u64,
    /// The event that caused it, or 0.
    pub source_id: u64,
    /// Touched for the first time and invalidated inside one bar: the order is unknown.
    pub ambiguous: bool,
}

/// What a concept states; the sink adds id, timeframe and time of confirmation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fact {
    pub kind: EventKind,
    pub direction: i8,
    pub side: i8,
    pub scope: Scope,
    pub formed_at: i64,
    pub low: i64,
    pub high: i64,
    /// 0 stands for the event's own id.
    pub zone_id: u64,
    pub source_id: u64,
    pub ambiguous: bool,
}

/// Appends the events of one bar and numbers them.
pub(crate) struct Sink<'a> {
    pub events: &'a mut Vec<Event>,
    pub last_id: &'a mut u64,
    pub timeframe: Timeframe,
    pub bar: &'a Bar,
}

impl Sink<'_> {
    /// Appends one event and gives its id.
    pub fn emit(&mut self, fact: Fact) -> u64 {
        *self.last_id += 1;
        let id = *self.last_id;
        self.events.push(Event {
            id,
            kind: fact.kind,
            direction: fact.direction,
            side: fact.side,
            scope: fact.scope,
            timeframe: self.timeframe,
            formed_at: fact.formed_at,
            confirmed_at: self.bar.close_time,
            low: fact.low,
            high: fact.high,
            zone_id: if fact.zone_id == 0 { id } else { fact.zone_id },
            source_id: fact.source_id,
            ambiguous: fact.ambiguous,
        });
        id
    }
}
