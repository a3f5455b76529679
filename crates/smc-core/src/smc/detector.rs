//! All concepts on one timeframe: one closed bar in, the facts it made knowable out.
//!
//! [`super::concepts`] has the order of work inside a bar. Nothing ever reads a bar after it, so a prefix of bars
//! gives exactly the prefix of events.

use serde::{Deserialize, Serialize};

use super::concepts::Concepts;
use super::config::{ConfigError, DetectorConfig};
use super::dealing_range::{DealingRange, Region};
use super::draw_on_liquidity;
use super::event::{Event, Scope, Sink};
use super::reference_open::ReferenceOpen;
use super::trailing_extreme::TrailingExtreme;
use super::volume_profile::VolumeProfile;
use super::zone::{Zone, ZoneKind};
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

/// Whether a bar has the length of a timeframe and begins no earlier than the bar before it ended.
pub(super) fn check_bar(timeframe: Timeframe, last: Option<i64>, bar: &Bar) -> Result<(), DetectorError> {
    bar.validate().map_err(|error| DetectorError::Bar { timeframe, open_time: bar.open_time, error })?;
    let given = bar.close_time.saturating_sub(bar.open_time);
    if given != timeframe.ns() {
        return Err(DetectorError::WrongLength { timeframe, given });
    }
    match last {
        Some(last) if bar.open_time < last => Err(DetectorError::OutOfOrder { timeframe, last, given: bar.open_time }),
        _ => Ok(()),
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
        let timeframe = self.timeframe;
        check_bar(timeframe, self.last_close_time, bar)?;
        let sink = &mut Sink { events, last_id: &mut self.last_id, timeframe, bar };
        self.concepts.update(self.bars_seen, bar, sink);
        self.bars_seen += 1;
        self.last_close_time = Some(bar.close_time);
        Ok(())
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

    /// Close time of the last bar taken.
    #[must_use]
    pub const fn last_close_time(&self) -> Option<i64> {
        self.last_close_time
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

    /// The part of that range to which a price belongs.
    #[must_use]
    pub fn region(&self, price: i64) -> Option<Region> {
        self.dealing_range().map(|range| range.region(price, &self.config.dealing_range))
    }

    /// The extreme of a side (+1 high, -1 low) since the last pivot of that side in a scope.
    #[must_use]
    pub fn trailing_extreme(&self, scope: Scope, side: i8) -> Option<TrailingExtreme> {
        match scope {
            Scope::Internal => self.concepts.internal.extremes.of(side, self.bias(scope)),
            Scope::Swing => self.concepts.swing.extremes.of(side, self.bias(scope)),
            _ => None,
        }
    }

    /// The nearest resting level in the direction of a scope's bias; see [`super::draw_on_liquidity`].
    #[must_use]
    pub fn draw_on_liquidity(&self, scope: Scope) -> Option<&Zone> {
        let close = self.concepts.internal.structure.last_close()?;
        draw_on_liquidity::nearest(self.concepts.targets(), self.bias(scope), close)
    }

    /// The volume profile of the present period up to the last bar; computed anew by each call.
    #[must_use]
    pub fn volume_profile(&self) -> Option<VolumeProfile> {
        self.concepts.profiles.developing()
    }

    /// The last reference open of a scope.
    #[must_use]
    pub fn reference_open(&self, scope: Scope) -> Option<ReferenceOpen> {
        self.concepts.openings.current(scope)
    }

    /// Live order blocks of a direction: the internal machine's, then the swing machine's, each nearest first.
    pub fn order_blocks(&self, direction: i8) -> impl Iterator<Item = &Zone> {
        self.internal_order_blocks(direction).chain(self.swing_order_blocks(direction))
    }

    /// Live order blocks of a direction that the internal machine made, nearest first.
    pub fn internal_order_blocks(&self, direction: i8) -> impl Iterator<Item = &Zone> {
        self.concepts.internal.blocks.live(direction)
    }

    /// Live order blocks of a direction that the swing machine made, nearest first.
    pub fn swing_order_blocks(&self, direction: i8) -> impl Iterator<Item = &Zone> {
        self.concepts.swing.blocks.live(direction)
    }

    /// The live zone of a kind that price would meet first: of a direction, for levels of a side (+1 buy-side).
    #[must_use]
    pub fn nearest(&self, kind: ZoneKind, sign: i8) -> Option<&Zone> {
        self.concepts.nearest(kind, sign)
    }

    /// Live fair value gaps of a direction, nearest first.
    pub fn fair_value_gaps(&self, direction: i8) -> impl Iterator<Item = &Zone> {
        self.concepts.gaps.live(direction)
    }

    /// Resting pools of a side (+1 buy-side, -1 sell-side), nearest first.
    pub fn pools(&self, side: i8) -> impl Iterator<Item = &Zone> {
        self.concepts.pools.resting(side)
    }

    /// Live breakers of a direction, nearest first.
    pub fn breakers(&self, direction: i8) -> impl Iterator<Item = &Zone> {
        self.concepts.flipped.breakers(direction)
    }

    /// The resting level that the last whole period (day, week or month) left on a side (+1 buy-side).
    #[must_use]
    pub fn period_level(&self, period: Scope, side: i8) -> Option<&Zone> {
        self.concepts.periods.of(period, side)
    }

    /// The part of the session or kill zone named `scope` that was over at the close of the last bar, in (0, 1]; None
    /// where that bar does not belong to it.
    #[must_use]
    pub fn session_elapsed(&self, scope: Scope) -> Option<f64> {
        self.concepts.sessions.elapsed(scope, self.last_close_time?)
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
