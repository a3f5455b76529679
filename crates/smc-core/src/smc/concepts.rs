//! Every concept of one timeframe, and the order of their work inside a bar.
//!
//! Inside bar t: (a) the zones and levels that exist live through t; (b) pivots, and what they make, that t confirms;
//! (c) displacement, and breaks by the close of t; (d) shifts and blocks from those breaks, and what failed
//! blocks and gaps become; (e) the imbalances and periods that t completes; (f)
//! rejections, then the windows that t completes and the sequences that go by them. What is born at t lives from t+1.
//! Filters read the ATR of t-1.

use serde::{Deserialize, Serialize};

use super::atr::AverageTrueRange;
use super::balanced_price_range::BalancedRanges;
use super::config::{DetectorConfig, StructureConfig};
use super::dealing_range::DealingRanges;
use super::displacement::Displacements;
use super::equal_levels::EqualLevels;
use super::event::{Scope, Sink};
use super::extremes_since::ExtremesSince;
use super::fair_value_gap::FairValueGaps;
use super::flipped_block::FlippedBlocks;
use super::inducement::Inducements;
use super::inverse_gap::InverseGaps;
use super::judas_swing::JudasSwings;
use super::liquidity::LiquidityPools;
use super::market_structure_shift::{Shifts, Sweeps};
use super::opening_gap::OpeningGaps;
use super::optimal_entry::OptimalEntries;
use super::order_block::OrderBlocks;
use super::period_level::PeriodLevels;
use super::power_of_three::PowerOfThree;
use super::propulsion_block::PropulsionBlocks;
use super::rejection_block::RejectionBlocks;
use super::session::Sessions;
use super::structure::{Break, ConfirmedPivot, Structure};
use super::volume_imbalance::VolumeImbalances;
use super::zone::{Zone, ZoneKind};
use crate::market::{Bar, Timeframe};

/// A structure machine with its blocks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Machine {
    pub structure: Structure,
    pub blocks: OrderBlocks,
    shifts: Shifts,
}

impl Machine {
    fn new(scope: Scope, structure: StructureConfig, config: &DetectorConfig) -> Self {
        let blocks = OrderBlocks::new(scope, structure.size, &config.order_block);
        let shifts = Shifts::new(scope, structure.size);
        Self { structure: Structure::new(scope, structure), blocks, shifts }
    }

    fn confirm(&mut self, index: u64, sink: &mut Sink<'_>) -> (Option<ConfirmedPivot>, Option<ConfirmedPivot>) {
        let bar = sink.bar;
        let (high, low) = self.structure.confirm(index, bar, sink);
        for confirmed in [high, low].into_iter().flatten() {
            self.blocks.on_pivot(confirmed.pivot.side);
            self.shifts.on_pivot(confirmed.pivot.side);
        }
        (high, low)
    }
}

/// The state of every concept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Concepts {
    pub atr: AverageTrueRange,
    extremes: ExtremesSince,
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
}

impl Concepts {
    pub fn new(config: &DetectorConfig, timeframe: Timeframe) -> Self {
        let memory = config.order_block.max_age.max(config.equal_levels.max_age);
        Self {
            atr: AverageTrueRange::new(config.atr_period),
            extremes: ExtremesSince::new(memory),
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
        }
    }

    /// Takes bar `index`.
    pub fn update(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>) {
        let first = sink.events.len();
        let atr = self.atr.value();
        self.extremes.push(index, bar);
        let (mut failed, mut inverted) = (Vec::new(), Vec::new());

        self.live(index, bar, sink, &mut failed, &mut inverted);
        self.sweeps.note(index, &sink.events[first..]);
        self.confirm(index, bar, sink);
        self.displacements.update(bar, atr, sink);
        self.breaks(index, bar, atr, sink);
        for (block, cause) in &failed {
            self.flipped.flip(block, *cause, &self.extremes, index, sink);
        }
        for (gap, cause) in &inverted {
            self.inverse_gaps.flip(gap, *cause, index, sink);
        }
        if let Some(gap) = self.gaps.form(index, bar, atr, sink) {
            self.balanced.form(&gap, self.gaps.live(-gap.direction), index, sink);
        }
        self.imbalances.form(index, bar, atr, sink);
        self.periods.form(index, bar, sink);
        self.opening_gaps.form(index, bar, self.periods.began(), atr, sink);
        self.rejections.form(index, bar, first, sink);
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
    ) {
        self.internal.blocks.update(index, bar, sink, |block, id| failed.push((*block, id)));
        self.swing.blocks.update(index, bar, sink, |block, id| failed.push((*block, id)));
        self.gaps.update(index, bar, sink, |gap, id| inverted.push((*gap, id)));
        self.pools.update(index, bar, sink);
        self.flipped.update(index, bar, sink);
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
    }

    fn confirm(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>) {
        let (internal_high, internal_low) = self.internal.confirm(index, sink);
        let (high, low) = self.swing.confirm(index, sink);
        if let Some(range) = self.ranges.on_pivots(high, low, sink) {
            self.entries.on_range(range, self.swing.structure.bias(), index, sink);
        }
        self.pools.confirm(index, bar, sink);
        self.equal_levels.confirm(index, bar, &self.extremes, sink);
        for confirmed in [internal_high, internal_low].into_iter().flatten() {
            self.inducements.on_pivot(index, confirmed.pivot, sink);
        }
    }

    fn breaks(&mut self, index: u64, bar: &Bar, atr: Option<f64>, sink: &mut Sink<'_>) {
        let internal = self.internal.structure.breaks(bar, sink);
        let swing = self.swing.structure.breaks(bar, sink);
        for (scope, broken) in [(Scope::Internal, internal), (Scope::Swing, swing)] {
            if let Some(broken) = broken {
                self.on_break(scope, broken, index, sink);
            }
            let machine = self.machine(scope);
            machine.blocks.offer(bar, atr);
            machine.shifts.push(bar);
        }
    }

    /// Judas swings leave the Asian range that was known before the bar.
    fn by_the_clock(&mut self, index: u64, bar: &Bar, first: usize, sink: &mut Sink<'_>) {
        let asian = self.sessions.form(index, bar, sink);
        let kill_zones = [Scope::LondonKillZone, Scope::NewYorkKillZone];
        let in_kill_zone = kill_zones.iter().any(|&scope| self.sessions.is_open(scope));
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
        blocks.chain(gaps).chain(openings).chain(levels).chain(timed)
    }
}
