//! All concepts on one timeframe: one closed bar in, the facts it made knowable out.
//!
//! [`super::concepts`] has the order of work inside a bar. Nothing ever reads a bar after it, so a prefix of bars
//! gives exactly the prefix of events.

use serde::{Deserialize, Serialize};

use super::concepts::Concepts;
use super::config::{ConfigError, DetectorConfig};
use super::dealing_range::DealingRange;
use super::event::{Event, Scope, Sink};
use super::zone::Zone;
use crate::market::{Bar, BarError, Timeframe};

/// Why a bar cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DetectorError {
    /// It is no bar.
    #[error("{timeframe} bar at {open_time}: {error}")]
    Bar {
        /// Timeframe of the detector.
        timeframe: Timeframe,
        /// Open time of the offending bar.
        open_time: i64,
        /// What is wrong with it.
        error: BarError,
    },
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

/// The streaming detector of one timeframe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detector {
    timeframe: Timeframe,
    config: DetectorConfig,
    last_id: u64,
    bars_seen: u64,
    last_close_time: Option<i64>,
    concepts: Concepts,
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
            concepts: Concepts::new(&config, timeframe),
        })
    }

    /// Takes a closed bar and appends the events it made knowable to `events`.
    ///
    /// # Errors
    /// [`DetectorError`], with nothing changed.
    pub fn update(&mut self, bar: &Bar, events: &mut Vec<Event>) -> Result<(), DetectorError> {
        self.check(bar)?;
        let timeframe = self.timeframe;
        let sink = &mut Sink { events, last_id: &mut self.last_id, timeframe, bar };
        self.concepts.update(self.bars_seen, bar, sink);
        self.bars_seen += 1;
        self.last_close_time = Some(bar.close_time);
        Ok(())
    }

    fn check(&self, bar: &Bar) -> Result<(), DetectorError> {
        let timeframe = self.timeframe;
        bar.validate().map_err(|error| DetectorError::Bar { timeframe, open_time: bar.open_time, error })?;
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
        self.concepts.atr.value()
    }

    /// Direction of the last break in a scope, 0 before any (and for scopes without structure).
    #[must_use]
    pub const fn bias(&self, scope: Scope) -> i8 {
        match scope {
            Scope::Internal => self.concepts.internal.structure.bias(),
            Scope::Swing => self.concepts.swing.structure.bias(),
            _ => 0,
        }
    }

    /// The dealing range in force.
    #[must_use]
    pub const fn dealing_range(&self) -> Option<DealingRange> {
        self.concepts.ranges.current()
    }

    /// Live order blocks of a direction: the internal machine's, then the swing machine's, each nearest first.
    pub fn order_blocks(&self, direction: i8) -> impl Iterator<Item = &Zone> {
        self.concepts.internal.blocks.live(direction).chain(self.concepts.swing.blocks.live(direction))
    }

    /// The live order block of a direction, of either scope, whose near edge price would meet first.
    #[must_use]
    pub fn nearest_order_block(&self, direction: i8) -> Option<&Zone> {
        let edge = |zone: &&Zone| if direction > 0 { -zone.high } else { zone.low };
        let internal = self.concepts.internal.blocks.live(direction).next();
        internal.into_iter().chain(self.concepts.swing.blocks.live(direction).next()).min_by_key(edge)
    }

    /// Live fair value gaps of a direction, nearest first.
    pub fn fair_value_gaps(&self, direction: i8) -> impl Iterator<Item = &Zone> {
        self.concepts.gaps.live(direction)
    }

    /// Resting pools of a side (+1 buy-side, -1 sell-side), nearest first.
    pub fn pools(&self, side: i8) -> impl Iterator<Item = &Zone> {
        self.concepts.pools.resting(side)
    }

    /// Whether the last bar belongs to the session or kill zone named `scope`.
    #[must_use]
    pub fn in_session(&self, scope: Scope) -> bool {
        self.concepts.sessions.is_open(scope)
    }

    /// Every live zone, oldest first.
    #[must_use]
    pub fn zones(&self) -> Vec<Zone> {
        let mut zones: Vec<Zone> = [1, -1]
            .into_iter()
            .flat_map(|sign| self.order_blocks(sign).chain(self.fair_value_gaps(sign)).chain(self.pools(sign)))
            .chain(self.concepts.others())
            .copied()
            .collect();
        zones.sort_unstable_by_key(|zone| zone.id);
        zones
    }
}
