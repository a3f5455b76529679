//! Every concept of one timeframe, and the order of their work inside a bar.
//!
//! Inside bar t: (a) the zones and levels that exist live through t; (b) pivots, and what they make, that t confirms;
//! (c) displacement, changes of delivery, breaks that fail and breaks by the close of t; (d) shifts and blocks from
//! those breaks, and what failed blocks and gaps become; (e) the imbalances and periods that t completes; (f) rejections,
//! then the windows that t completes and the sequences that go by them. What is born at t lives from t+1. Filters read
//! the ATR of t-1.

use serde::{Deserialize, Serialize};

use super::atr::AverageTrueRange;
use super::balanced_price_range::BalancedRanges;
use super::config::{DetectorConfig, StructureConfig};
use super::dealing_range::DealingRanges;
use super::displacement::Displacements;
use super::equal_levels::EqualLevels;
use super::event::{Scope, Sink};
use super::failed_break::FailedBreaks;
use super::fair_value_gap::FairValueGaps;
use super::flipped_block::FlippedBlocks;
use super::inducement::Inducements;
use super::inverse_gap::InverseGaps;
use super::judas_swing::{self, JudasSwings};
use super::liquidity::LiquidityPools;
use super::liquidity_void::LiquidityVoids;
use super::market_structure_shift::{Shifts, Sweeps};
use super::opening_gap::OpeningGaps;
use super::optimal_entry::OptimalEntries;
use super::order_block::OrderBlocks;
use super::period_level::PeriodLevels;
use super::power_of_three::PowerOfThree;
use super::propulsion_block::PropulsionBlocks;
use super::recent_bars::RecentBars;
use super::reclaimed_block::ReclaimedBlocks;
use super::reclaimed_level::ReclaimedLevels;
use super::reference_open::ReferenceOpens;
use super::rejection_block::RejectionBlocks;
use super::session::Sessions;
use super::state_of_delivery::StateOfDelivery;
use super::structure::{Break, ConfirmedPivot, Structure};
use super::swing_label::SwingLabels;
use super::trailing_extreme::TrailingExtremes;
use super::volume_imbalance::VolumeImbalances;
use super::volume_profile::VolumeProfiles;
use super::zone::{Zone, ZoneKind};
use crate::market::{Bar, Timeframe};

/// A structure machine with its blocks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Machine {
    pub structure: Structure,
    pub blocks: OrderBlocks,
    pub extremes: TrailingExtremes,
    labels: SwingLabels,
    shifts: Shifts,
    failures: FailedBreaks,
    size: u64,
}

impl Machine {
    fn new(scope: Scope, structure: StructureConfig, config: &DetectorConfig) -> Self {
        Self {
            structure: Structure::new(scope, structure),
            blocks: OrderBlocks::new(scope, &config.order_block),
            extremes: TrailingExtremes::default(),
            labels: SwingLabels::new(scope),
            shifts: Shifts::new(scope),
            failures: FailedBreaks::new(scope, config.failed_break.max_bars),
            size: structure.size.into(),
        }
    }

    fn confirm(
        &mut self,
        index: u64,
        recent: &RecentBars,
        sink: &mut Sink<'_>,
    ) -> (Option<ConfirmedPivot>, Option<ConfirmedPivot>) {
        self.extremes.push(sink.bar);
        let (high, low) = self.structure.confirm(index, recent, sink);
        for confirmed in [high, low].into_iter().flatten() {
            self.blocks.on_pivot(confirmed.pivot.side, recent.before(index, self.size));
            self.shifts.on_pivot(confirmed.pivot.side, recent.before(index, self.size));
            self.extremes.on_pivot(confirmed.pivot);
            self.labels.on_pivot(confirmed, sink);
        }
        (high, low)
    }
}

/// The state of every concept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Concepts {
    pub atr: AverageTrueRange,
    /// Bars whose range reaches this many ATR are passed over as blocks.
    volatility_filter: Option<f64>,
    recent: RecentBars,
    pub internal: Machine,
    pub swing: Machine,
    pub gaps: FairValueGaps,
    pub pools: LiquidityPools,
    pub ranges: DealingRanges,
    displacements: Displacements,
    sweeps: Sweeps,
    pub flipped: FlippedBlocks,
    rejections: RejectionBlocks,
    propulsions: PropulsionBlocks,
    inverse_gaps: InverseGaps,
    balanced: BalancedRanges,
    imbalances: VolumeImbalances,
    opening_gaps: OpeningGaps,
    equal_levels: EqualLevels,
    inducements: Inducements,
    pub periods: PeriodLevels,
    pub sessions: Sessions,
    judas: JudasSwings,
    power_of_three: PowerOfThree,
    entries: OptimalEntries,
    reclaimed_levels: ReclaimedLevels,
    reclaimed_blocks: ReclaimedBlocks,
    delivery: StateOfDelivery,
    voids: LiquidityVoids,
    pub profiles: VolumeProfiles,
    pub openings: ReferenceOpens,
}

impl Concepts {
    pub fn new(config: &DetectorConfig, timeframe: Timeframe) -> Self {
        let depths = [config.internal.size, config.swing.size, config.equal_levels.size, config.liquidity.right];
        let depth = depths.into_iter().fold(config.liquidity.left.max(2), u32::max);
        let memory = config.order_block.max_age.max(config.equal_levels.max_age);
        Self {
            atr: AverageTrueRange::new(config.atr_period),
            volatility_filter: config.order_block.volatility_filter,
            recent: RecentBars::new(depth, memory),
            internal: Machine::new(Scope::Internal, config.internal, config),
            swing: Machine::new(Scope::Swing, config.swing, config),
            gaps: FairValueGaps::new(&config.fair_value_gap),
            pools: LiquidityPools::new(&config.liquidity),
            ranges: DealingRanges::default(),
            displacements: Displacements::new(config.displacement),
            sweeps: Sweeps::new(config.market_structure_shift.sweep_window),
            flipped: FlippedBlocks::new(&config.flipped_block),
            rejections: RejectionBlocks::new(&config.rejection_block, config.liquidity.right),
            propulsions: PropulsionBlocks::new(&config.propulsion_block),
            inverse_gaps: InverseGaps::new(&config.inverse_fair_value_gap),
            balanced: BalancedRanges::new(&config.balanced_price_range),
            imbalances: VolumeImbalances::new(&config.volume_imbalance),
            opening_gaps: OpeningGaps::new(&config.opening_gap),
            equal_levels: EqualLevels::new(config.equal_levels),
            inducements: Inducements::new(&config.inducement),
            periods: PeriodLevels::new(&config.periods, timeframe),
            sessions: Sessions::new(&config.sessions, timeframe),
            judas: JudasSwings::new(&config.judas_swing),
            power_of_three: PowerOfThree::new(config.power_of_three),
            entries: OptimalEntries::new(config.optimal_entry),
            reclaimed_levels: ReclaimedLevels::new(config.reclaimed_level.max_bars),
            reclaimed_blocks: ReclaimedBlocks::new(&config.reclaimed_block),
            delivery: StateOfDelivery::new(config.state_of_delivery.min_bars),
            voids: LiquidityVoids::new(&config.liquidity_void),
            profiles: VolumeProfiles::new(&config.volume_profile, &config.periods, timeframe),
            openings: ReferenceOpens::new(&config.reference_open, &config.periods, timeframe),
        }
    }

    /// Takes bar `index`.
    pub fn update(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>) {
        let first = sink.events.len();
        let atr = self.atr.value();
        let limit = self.volatility_filter.zip(atr).map(|(factor, atr)| factor * atr);
        let passed_over = limit.is_some_and(|limit| bar.range() as f64 >= limit);
        self.recent.push(index, bar, passed_over);
        let (mut failed, mut inverted, mut lost) = (Vec::new(), Vec::new(), Vec::new());

        self.live(index, bar, sink, &mut failed, &mut inverted, &mut lost);
        self.sweeps.note(index, &sink.events[first..]);
        self.reclaimed_levels.update(index, first, sink);
        self.confirm(index, bar, sink);
        let displaced = self.displacements.update(bar, atr, sink);
        self.delivery.update(bar, sink);
        self.breaks(index, bar, passed_over, sink);
        for (block, cause) in &failed {
            self.flipped.flip(block, *cause, &self.recent, index, sink);
        }
        for (gap, cause) in &inverted {
            self.inverse_gaps.flip(gap, *cause, index, sink);
        }
        for (breaker, cause) in &lost {
            self.reclaimed_blocks.form(breaker, *cause, index, sink);
        }
        let gap = self.gaps.form(index, &self.recent, atr, sink);
        if let Some(gap) = &gap {
            self.balanced.form(gap, self.gaps.live(-gap.direction), index, sink);
        }
        self.voids.form(index, gap.as_ref(), displaced, sink);
        self.imbalances.form(index, &self.recent, atr, sink);
        self.periods.form(index, bar, sink);
        self.openings.form(bar, sink);
        self.profiles.form(index, bar, atr, sink);
        self.opening_gaps.form(index, &self.recent, self.periods.began(), atr, sink);
        self.rejections.form(index, &self.recent, first, sink);
        self.by_the_clock(index, bar, first, sink);
        self.atr.update(bar);
    }

    /// Zones and levels live through the bar; what ends may become something else.
    fn live(
        &mut self,
        index: u64,
        bar: &Bar,
        sink: &mut Sink<'_>,
        failed: &mut Vec<(Zone, u64)>,
        inverted: &mut Vec<(Zone, u64)>,
        lost: &mut Vec<(Zone, u64)>,
    ) {
        self.internal.blocks.update(index, bar, sink, |block, id| failed.push((*block, id)));
        self.swing.blocks.update(index, bar, sink, |block, id| failed.push((*block, id)));
        self.gaps.update(index, bar, sink, |gap, id| inverted.push((*gap, id)));
        self.pools.update(index, bar, sink);
        self.flipped.update(index, bar, sink, |breaker, id| lost.push((*breaker, id)));
        self.rejections.update(index, bar, sink);
        self.propulsions.update(index, bar, sink);
        self.inverse_gaps.update(index, bar, sink);
        self.balanced.update(index, bar, sink);
        self.imbalances.update(index, bar, sink);
        self.opening_gaps.update(index, bar, sink);
        self.equal_levels.update(index, bar, sink);
        self.inducements.update(index, bar, sink);
        self.periods.update(index, bar, sink);
        self.sessions.update(index, bar, sink);
        self.entries.update(index, bar, sink);
        self.reclaimed_blocks.update(index, bar, sink);
        self.voids.update(index, bar, sink);
        self.profiles.update(index, bar, sink);
    }

    fn confirm(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>) {
        let (internal_high, internal_low) = self.internal.confirm(index, &self.recent, sink);
        let (high, low) = self.swing.confirm(index, &self.recent, sink);
        if let Some(range) = self.ranges.on_pivots(high, low, sink) {
            self.entries.on_range(range, self.swing.structure.bias(), index, sink);
        }
        self.pools.confirm(index, bar, sink);
        self.equal_levels.confirm(index, bar, &self.recent, sink);
        for confirmed in [internal_high, internal_low].into_iter().flatten() {
            self.inducements.on_pivot(index, confirmed.pivot, sink);
        }
    }

    fn breaks(&mut self, index: u64, bar: &Bar, passed_over: bool, sink: &mut Sink<'_>) {
        self.internal.failures.update(index, sink);
        self.swing.failures.update(index, sink);
        let internal = self.internal.structure.breaks(bar, sink);
        let swing = self.swing.structure.breaks(bar, sink);
        for (scope, broken) in [(Scope::Internal, internal), (Scope::Swing, swing)] {
            if let Some(broken) = broken {
                self.on_break(scope, broken, index, sink);
            }
            let machine = self.machine(scope);
            machine.blocks.offer(bar, passed_over);
            machine.shifts.push(bar);
        }
    }

    /// Judas swings leave the Asian range that was known before the bar.
    fn by_the_clock(&mut self, index: u64, bar: &Bar, first: usize, sink: &mut Sink<'_>) {
        let asian = self.sessions.form(index, bar, sink);
        let in_kill_zone = self.sessions.is_any_open(judas_swing::is_kill_zone);
        let news = self.judas.update(index, in_kill_zone, first, sink);
        self.power_of_three.update(news, first, sink);
        if let Some(asian) = asian {
            self.judas.restart(asian, sink);
            self.power_of_three.restart(asian, sink);
        }
    }

    fn machine(&mut self, scope: Scope) -> &mut Machine {
        if scope == Scope::Swing {
            &mut self.swing
        } else {
            &mut self.internal
        }
    }

    fn on_break(&mut self, scope: Scope, broken: Break, index: u64, sink: &mut Sink<'_>) {
        let machine = if scope == Scope::Swing { &mut self.swing } else { &mut self.internal };
        machine.failures.on_break(index, broken);
        machine.shifts.on_break(index, broken, &self.displacements, &self.sweeps, sink);
        let made = machine.blocks.on_break(index, broken, sink);
        self.inducements.on_break(scope, broken, sink.bar);
        if let Some(block) = made {
            let machines = [&self.internal, &self.swing].map(|machine| machine.blocks.live(block.direction));
            self.propulsions.form(&block, machines, index, sink);
        }
    }

    /// The live zone of a kind that price would meet first: of a direction, for levels of a side.
    pub fn nearest(&self, kind: ZoneKind, sign: i8) -> Option<&Zone> {
        match kind {
            ZoneKind::OrderBlock => self.nearest_order_block(sign),
            ZoneKind::FairValueGap => self.gaps.live(sign).next(),
            ZoneKind::LiquidityPool => self.pools.resting(sign).next(),
            ZoneKind::Breaker => self.flipped.breakers(sign).next(),
            ZoneKind::MitigationBlock => self.flipped.mitigations(sign).next(),
            ZoneKind::RejectionBlock => self.rejections.nearest(sign),
            ZoneKind::PropulsionBlock => self.propulsions.nearest(sign),
            ZoneKind::InverseFairValueGap => self.inverse_gaps.nearest(sign),
            ZoneKind::BalancedPriceRange => self.balanced.nearest(sign),
            ZoneKind::VolumeImbalance => self.imbalances.nearest(sign),
            ZoneKind::OpeningGap => self.opening_gaps.nearest(sign),
            ZoneKind::EqualLevels => self.equal_levels.nearest(sign),
            ZoneKind::Inducement => self.inducements.nearest(sign),
            ZoneKind::PeriodLevel => self.periods.nearest(sign),
            ZoneKind::SessionLevel => self.sessions.nearest(sign),
            ZoneKind::OptimalEntry => self.entries.nearest(sign),
            ZoneKind::ReclaimedBlock => self.reclaimed_blocks.nearest(sign),
            ZoneKind::LiquidityVoid => self.voids.nearest(sign),
            ZoneKind::PointOfControl => self.profiles.nearest(sign),
        }
    }

    fn nearest_order_block(&self, direction: i8) -> Option<&Zone> {
        let edge = |zone: &&Zone| if direction > 0 { -zone.high } else { zone.low };
        let internal = self.internal.blocks.live(direction).next();
        internal.into_iter().chain(self.swing.blocks.live(direction).next()).min_by_key(edge)
    }

    /// Every live zone of the concepts whose zones have no order of their own.
    pub fn others(&self) -> impl Iterator<Item = &Zone> {
        let blocks = self.flipped.live().chain(self.rejections.live()).chain(self.propulsions.live());
        let gaps = self.inverse_gaps.live().chain(self.balanced.live());
        let openings = self.imbalances.live().chain(self.opening_gaps.live());
        let levels = self.equal_levels.live().chain(self.inducements.live());
        let timed = self.periods.live().chain(self.sessions.live()).chain(self.entries.live());
        let later = self.reclaimed_blocks.live().chain(self.voids.live()).chain(self.profiles.live());
        blocks.chain(gaps).chain(openings).chain(levels).chain(timed).chain(later)
    }

    /// Every level at which stops rest, of both sides, but inducements.
    pub fn targets(&self) -> impl Iterator<Item = &Zone> {
        let pools = self.pools.resting(1).chain(self.pools.resting(-1));
        pools.chain(self.equal_levels.live()).chain(self.periods.live()).chain(self.sessions.live())
    }
}
