//! Confluence: what speaks for a trade in a direction, and what speaks against it, over several timeframes.
//!
//! At each close of the decision timeframe every [`Factor`] leans up, down, to either side, or is silent. A direction is
//! **supported** by the factors that lean its way and **opposed** by those that lean the other way:
//! - **bias**: that of the internal and the swing machine, and the swing bias of each context timeframe;
//! - **range_position**: up in the discount of the dealing range, down in its premium; silent in the band of
//!   .475 to .525 around the middle, and without a range;
//! - **order_block**, **fair_value_gap**, **breaker**: the direction of the nearest live one within `near_atr` ATR of the
//!   close; of one on either side the nearer, silent at equal distance;
//! - **context zone**: the direction of the live order blocks, gaps and breakers of a context timeframe that contain the
//!   close; silent where both directions do;
//! - **sweep**: away from the side of the last level swept within `sweep_window` bars (pools, equal levels, levels of
//!   periods and sessions); silent where both sides were swept by the same bar;
//! - **shift**: the direction of the last shift of market structure within `shift_window` bars;
//! - **kill_zone**: to either side, while the bar belongs to a kill zone;
//! - **optimal_entry**: the direction of the optimal entry that contains the close.
//!
//! A context timeframe counts by its last closed bar, which closed with the decision bar or before. Closed longer ago than
//! `stale_bars` of its own bars, it is **stale** and silent. The first two context timeframes are looked at.
//!
//! The score is the number of supporting less that of opposing factors. It is a feature: no weight was fitted, the
//! factors overlap, and it is **not calibrated**: nothing is known of the odds behind a score.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::detector::Detector;
use super::event::{named_enum, Scope};
use super::zone::{Zone, ZoneKind};
use crate::features::{FeatureView, Happening};

named_enum! {
    /// What may speak for or against a direction; the module has the definitions.
    Factor {
        /// Structure of short legs on the decision timeframe.
        InternalBias => "internal_bias",
        /// Structure of long legs on the decision timeframe.
        SwingBias => "swing_bias",
        /// Structure of long legs on the first context timeframe.
        Context1Bias => "context_1_bias",
        /// Structure of long legs on the second context timeframe.
        Context2Bias => "context_2_bias",
        /// Premium or discount.
        RangePosition => "range_position",
        /// An order block near.
        OrderBlock => "order_block",
        /// A fair value gap near.
        FairValueGap => "fair_value_gap",
        /// A breaker near.
        Breaker => "breaker",
        /// The close inside a zone of the first context timeframe.
        Context1Zone => "context_1_zone",
        /// The close inside a zone of the second context timeframe.
        Context2Zone => "context_2_zone",
        /// A level swept a short while ago.
        Sweep => "sweep",
        /// A shift of market structure a short while ago.
        Shift => "shift",
        /// A kill zone open.
        KillZone => "kill_zone",
        /// The close inside the optimal entry.
        OptimalEntry => "optimal_entry",
    }
}

const KILL_ZONES: [Scope; 4] =
    [Scope::AsianKillZone, Scope::LondonKillZone, Scope::NewYorkKillZone, Scope::LondonCloseKillZone];

/// What one factor says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lean {
    Silent,
    Up,
    Down,
    Either,
}

impl Lean {
    const fn of(direction: i8) -> Self {
        match direction {
            1.. => Self::Up,
            0 => Self::Silent,
            _ => Self::Down,
        }
    }
}

/// What every factor says at one close.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leanings {
    /// Bit n: whether factor n leans up; to either side, it does both.
    up: u32,
    down: u32,
}

/// The factors for and against one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confluence {
    /// +1 a long trade, -1 a short one.
    pub direction: i8,
    /// What speaks for it.
    pub supporting: Vec<Factor>,
    /// What speaks against it.
    pub opposing: Vec<Factor>,
}

impl Confluence {
    /// Supporting less opposing factors; a feature, not calibrated.
    #[must_use]
    pub const fn score(&self) -> i64 {
        self.supporting.len() as i64 - self.opposing.len() as i64
    }
}

impl Leanings {
    pub(crate) fn read(view: &FeatureView<'_>) -> Self {
        let mut read = Self::default();
        for &factor in Factor::ALL {
            let bit = 1 << factor as u32;
            let (up, down) = match lean_of(factor, view) {
                Lean::Silent => (0, 0),
                Lean::Up => (bit, 0),
                Lean::Down => (0, bit),
                Lean::Either => (bit, bit),
            };
            read.up |= up;
            read.down |= down;
        }
        read
    }

    /// The bits of the factors that lean towards a direction, and those of the factors that lean away from it only.
    const fn seen_from(self, direction: i8) -> (u32, u32) {
        match direction {
            1.. => (self.up, self.down & !self.up),
            0 => (0, 0),
            _ => (self.down, self.up & !self.down),
        }
    }

    /// How many factors support a direction.
    pub(crate) const fn supporting(self, direction: i8) -> u32 {
        self.seen_from(direction).0.count_ones()
    }

    /// The factors for and against a direction (+1 or -1).
    #[must_use]
    pub fn confluence(self, direction: i8) -> Confluence {
        let (supporting, opposing) = self.seen_from(direction);
        let named =
            |bits: u32| Factor::ALL.iter().copied().filter(|&factor| bits & (1 << factor as u32) != 0).collect();
        Confluence { direction, supporting: named(supporting), opposing: named(opposing) }
    }
}

fn lean_of(factor: Factor, view: &FeatureView<'_>) -> Lean {
    match factor {
        Factor::InternalBias => Lean::of(view.decision.bias(Scope::Internal)),
        Factor::SwingBias => Lean::of(view.decision.bias(Scope::Swing)),
        Factor::Context1Bias => context_bias(view, 0),
        Factor::Context2Bias => context_bias(view, 1),
        Factor::RangePosition => range_position(view),
        Factor::OrderBlock => nearby(view, ZoneKind::OrderBlock),
        Factor::FairValueGap => nearby(view, ZoneKind::FairValueGap),
        Factor::Breaker => nearby(view, ZoneKind::Breaker),
        Factor::Context1Zone => context_zone(view, 0),
        Factor::Context2Zone => context_zone(view, 1),
        Factor::Sweep => sweep(view),
        Factor::Shift => shift(view),
        Factor::KillZone => kill_zone(view),
        Factor::OptimalEntry => either_way(|direction| {
            let entry = view.nearest(ZoneKind::OptimalEntry, direction);
            entry.is_some_and(|zone| contains(zone, view.bar.close))
        }),
    }
}

/// The direction for which something holds; silent where it holds for both.
fn either_way(holds: impl Fn(i8) -> bool) -> Lean {
    Lean::of(i8::from(holds(1)) - i8::from(holds(-1)))
}

const fn contains(zone: &Zone, price: i64) -> bool {
    zone.low <= price && price <= zone.high
}

/// A context timeframe, unless what it says is stale.
fn context<'a>(view: &FeatureView<'a>, slot: usize) -> Option<&'a Detector> {
    let limit = i64::from(view.decision.config().confluence.stale_bars);
    view.contexts[slot].filter(|context| {
        let age = context.last_close_time().map(|time| view.bar.close_time - time);
        age.is_some_and(|age| age <= limit.saturating_mul(context.timeframe().ns()))
    })
}

fn context_bias(view: &FeatureView<'_>, slot: usize) -> Lean {
    Lean::of(context(view, slot).map_or(0, |context| context.bias(Scope::Swing)))
}

fn context_zone(view: &FeatureView<'_>, slot: usize) -> Lean {
    let Some(context) = context(view, slot) else { return Lean::Silent };
    let close = view.bar.close;
    either_way(|direction| {
        // Nearest first, so that zones whose near edge was not reached end the search of their concept.
        let reached = |zone: &&Zone| zone.distance(direction, close) == 0;
        let inside = |zone: &Zone| contains(zone, close);
        context.internal_order_blocks(direction).take_while(reached).any(inside)
            || context.swing_order_blocks(direction).take_while(reached).any(inside)
            || context.fair_value_gaps(direction).take_while(reached).any(inside)
            || context.breakers(direction).take_while(reached).any(inside)
    })
}

/// The band around the middle is 19/40 to 21/40 of the range: integers, so that premium mirrors discount exactly.
fn range_position(view: &FeatureView<'_>) -> Lean {
    let Some(range) = view.decision.dealing_range() else { return Lean::Silent };
    let size = i128::from(range.high) - i128::from(range.low);
    let height = 40 * (i128::from(view.bar.close) - i128::from(range.low));
    either_way(|direction| if direction > 0 { height < 19 * size } else { height > 21 * size })
}

fn nearby(view: &FeatureView<'_>, kind: ZoneKind) -> Lean {
    let Some(limit) = view.atr.map(|atr| atr * view.decision.config().confluence.near_atr) else { return Lean::Silent };
    let distance = |direction| {
        let ticks = view.nearest(kind, direction)?.distance(direction, view.bar.close);
        (ticks as f64 <= limit).then_some(ticks)
    };
    nearer(distance(1), distance(-1))
}

fn sweep(view: &FeatureView<'_>) -> Lean {
    let window = u64::from(view.decision.config().confluence.sweep_window);
    let bars = |side| view.history.bars_since_any_sweep(side).filter(|&bars| bars <= window);
    nearer(bars(-1), bars(1))
}

/// The side of the smaller number; silent at equal ones.
fn nearer<T: Ord>(up: Option<T>, down: Option<T>) -> Lean {
    match (up, down) {
        (Some(up), Some(down)) => match up.cmp(&down) {
            Ordering::Less => Lean::Up,
            Ordering::Equal => Lean::Silent,
            Ordering::Greater => Lean::Down,
        },
        (up, down) => Lean::of(i8::from(up.is_some()) - i8::from(down.is_some())),
    }
}

fn shift(view: &FeatureView<'_>) -> Lean {
    let window = u64::from(view.decision.config().confluence.shift_window);
    let last = view.history.last(Happening::Shift).filter(|&last| view.history.bars_since(last) <= window);
    Lean::of(last.map_or(0, |last| last.direction))
}

fn kill_zone(view: &FeatureView<'_>) -> Lean {
    if KILL_ZONES.iter().any(|&scope| view.decision.in_session(scope)) {
        return Lean::Either;
    }
    Lean::Silent
}
