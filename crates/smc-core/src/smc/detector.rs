//! All concepts on one timeframe: one closed bar in, the facts it made knowable out.
//!
//! Order inside bar t: (a) the zones and pools that exist live through t; (b) pivots and pools that t
//! confirms; (c) breaks by the close of t; (d) blocks from those breaks; (e) the gap whose third bar is t. What is
//! born at t lives from t+1. Filters read the ATR of t-1. Nothing ever reads a bar after t, so a prefix of
//! bars gives exactly the prefix of events.

use serde::{Deserialize, Serialize};

use super::atr::AverageTrueRange;
use super::config::{ConfigError, DetectorConfig, StructureConfig};
use super::dealing_range::{DealingRange, DealingRanges};
use super::event::{Event, Scope, Sink};
use super::fair_value_gap::FairValueGaps;
use super::liquidity::LiquidityPools;
use super::order_block::OrderBlocks;
use super::structure::{ConfirmedPivot, Structure};
use super::zone::Zone;
use crate::market::{Bar, Timeframe};

/// Why a bar cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DetectorError {
    /// The bar begins before the last one ended.
    #[error(
        "{timeframe} bar at {given} comes after one that ended at {last}; feed closed bars oldest first, each once"
    )]
    OutOfOrder {
        /// Timeframe of the detector.
        timeframe: Timeframe,
        /// Close time of the last bar.
        last: i64,
        /// Open time of the offending bar.
        given: i64,
    },
    /// The bar is of another length.
    #[error("a bar of {given} ns does not belong to timeframe {timeframe}")]
    WrongLength {
        /// Timeframe of the detector.
        timeframe: Timeframe,
        /// Length of the offending bar.
        given: i64,
    },
}

/// A structure machine with its blocks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Machine {
    structure: Structure,
    blocks: OrderBlocks,
}

impl Machine {
    fn new(scope: Scope, structure: StructureConfig, config: &DetectorConfig) -> Self {
        let blocks = OrderBlocks::new(scope, structure.size, &config.order_block);
        Self { structure: Structure::new(scope, structure), blocks }
    }

    fn confirm(&mut self, index: u64, sink: &mut Sink<'_>) -> (Option<ConfirmedPivot>, Option<ConfirmedPivot>) {
        let bar = sink.bar;
        let (high, low) = self.structure.confirm(index, bar, sink);
        for confirmed in [high, low].into_iter().flatten() {
            self.blocks.on_pivot(confirmed.pivot.side);
        }
        (high, low)
    }
}

/// The streaming detector of one timeframe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detector {
    timeframe: Timeframe,
    config: DetectorConfig,
    last_id: u64,
    bars_seen: u64,
    last_close_time: Option<i64>,
    atr: AverageTrueRange,
    internal: Machine,
    swing: Machine,
    gaps: FairValueGaps,
    pools: LiquidityPools,
    ranges: DealingRanges,
}

impl Detector {
    /// A detector that has seen nothing.
    ///
    /// # Errors
    /// [`ConfigError`] naming the parameter outside its range.
    pub fn new(timeframe: Timeframe, config: DetectorConfig) -> Result<Self, ConfigError> {
        config.validate()?;
        Ok(Self {
            timeframe,
            config,
            last_id: 0,
            bars_seen: 0,
            last_close_time: None,
            atr: AverageTrueRange::new(config.atr_period),
            internal: Machine::new(Scope::Internal, config.internal, &config),
            swing: Machine::new(Scope::Swing, config.swing, &config),
            gaps: FairValueGaps::new(&config.fair_value_gap),
            pools: LiquidityPools::new(&config.liquidity),
            ranges: DealingRanges::default(),
        })
    }

    /// Takes a closed bar and appends the events it made knowable to `events`.
    ///
    /// # Errors
    /// [`DetectorError`], with nothing changed.
    pub fn update(&mut self, bar: &Bar, events: &mut Vec<Event>) -> Result<(), DetectorError> {
        self.check(bar)?;
        let index = self.bars_seen;
        let atr = self.atr.value();
        let timeframe = self.timeframe;
        let sink = &mut Sink { events, last_id: &mut self.last_id, timeframe, bar };

        self.internal.blocks.update(index, bar, sink);
        self.swing.blocks.update(index, bar, sink);
        self.gaps.update(index, bar, sink);
        self.pools.update(index, bar, sink);

        self.internal.confirm(index, sink);
        let (high, low) = self.swing.confirm(index, sink);
        self.ranges.on_pivots(high, low, sink);
        self.pools.confirm(index, bar, sink);

        let internal_break = self.internal.structure.breaks(bar, sink);
        let swing_break = self.swing.structure.breaks(bar, sink);
        for (machine, broken) in [(&mut self.internal, internal_break), (&mut self.swing, swing_break)] {
            if let Some(broken) = broken {
                machine.blocks.on_break(index, broken, sink);
            }
            machine.blocks.offer(bar, atr);
        }

        self.gaps.form(index, bar, atr, sink);

        self.atr.update(bar);
        self.bars_seen += 1;
        self.last_close_time = Some(bar.close_time);
        Ok(())
    }

    fn check(&self, bar: &Bar) -> Result<(), DetectorError> {
        let timeframe = self.timeframe;
        let given = bar.close_time.saturating_sub(bar.open_time);
        if given != timeframe.ns() {
            return Err(DetectorError::WrongLength { timeframe, given });
        }
        match self.last_close_time {
            Some(last) if bar.open_time < last => {
                Err(DetectorError::OutOfOrder { timeframe, last, given: bar.open_time })
            }
            _ => Ok(()),
        }
    }

    /// Timeframe of its bars.
    #[must_use]
    pub const fn timeframe(&self) -> Timeframe {
        self.timeframe
    }

    /// Its parameters.
    #[must_use]
    pub const fn config(&self) -> &DetectorConfig {
        &self.config
    }

    /// Number of bars taken.
    #[must_use]
    pub const fn bars_seen(&self) -> u64 {
        self.bars_seen
    }

    /// Average true range of the last bar in ticks, once warm.
    #[must_use]
    pub fn atr(&self) -> Option<f64> {
        self.atr.value()
    }

    /// Direction of the last break in a scope, 0 before any (and for [`Scope::None`]).
    #[must_use]
    pub const fn bias(&self, scope: Scope) -> i8 {
        match scope {
            Scope::Internal => self.internal.structure.bias(),
            Scope::Swing => self.swing.structure.bias(),
            Scope::None => 0,
        }
    }

    /// The dealing range in force.
    #[must_use]
    pub const fn dealing_range(&self) -> Option<DealingRange> {
        self.ranges.current()
    }

    /// Live order blocks of a direction: the internal machine's, then the swing machine's, each nearest first.
    pub fn order_blocks(&self, direction: i8) -> impl Iterator<Item = &Zone> {
        self.internal.blocks.live(direction).chain(self.swing.blocks.live(direction))
    }

    /// The live order block of a direction, of either scope, whose near edge price would meet first.
    #[must_use]
    pub fn nearest_order_block(&self, direction: i8) -> Option<&Zone> {
        let edge = |zone: &&Zone| if direction > 0 { -zone.high } else { zone.low };
        let internal = self.internal.blocks.live(direction).next();
        internal.into_iter().chain(self.swing.blocks.live(direction).next()).min_by_key(edge)
    }

    /// Live fair value gaps of a direction, nearest first.
    pub fn fair_value_gaps(&self, direction: i8) -> impl Iterator<Item = &Zone> {
        self.gaps.live(direction)
    }

    /// Resting pools of a side (+1 buy-side, -1 sell-side), nearest first.
    pub fn pools(&self, side: i8) -> impl Iterator<Item = &Zone> {
        self.pools.resting(side)
    }

    /// Every live zone, oldest first.
    #[must_use]
    pub fn zones(&self) -> Vec<Zone> {
        let mut zones: Vec<Zone> = [1, -1]
            .into_iter()
            .flat_map(|sign| self.order_blocks(sign).chain(self.fair_value_gaps(sign)).chain(self.pools(sign)))
            .copied()
            .collect();
        zones.sort_unstable_by_key(|zone| zone.id);
        zones
    }
}
