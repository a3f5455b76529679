//! Order blocks in the extreme form: the bar from which a break of structure started.
//!
//! On an upward break at t of a pivot high at p, the **bullish block** is the bar with the lowest low in
//! `[p, t-1]`, the last one on ties; its zone is that bar's full range. Downward breaks mirror (highest high).
//! Bars whose range reaches `volatility_filter` times the ATR of the bar before them are passed over; where
//! none is left there is no block, and before the ATR is warm no bar is passed over.
//! Knowable at the close of t.
//!
//! Life, from the bar after t (the zone is `[low, high]`, bullish side given):
//! - **touched**: the first bar that reaches the zone, `low[u] <= high`;
//! - **mitigated**: `low[u] <= (low + high) / 2`;
//! - **invalidated**: `close[u] < low`; the end;
//! - **expired**: older than `max_age` bars, or the oldest of more than `max_count`; the end.
//!
//! A bar that opens beyond the zone has reached it too: an order resting there would have been filled.
//! First touched and invalidated by the same bar, all its records of that bar are flagged ambiguous:
//! what happened in between is not known.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::config::OrderBlockConfig;
use super::event::{EventKind, Scope, Sink};
use super::structure::Break;
use super::zone::{Zone, ZoneDraft, ZoneKind, ZoneState};
use super::zone_index::{Approach, Fate, ZoneIndex};
use crate::market::Bar;

/// A bar that may become a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Candidate {
    open_time: i64,
    low: i64,
    high: i64,
}

/// The extreme bar since the current pivot of each side, kept up to date bar by bar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct BlockSearch {
    /// As many bars as lie between a pivot and its confirmation; None for those passed over.
    recent: VecDeque<Option<Candidate>>,
    size: usize,
    lowest: Option<Candidate>,
    highest: Option<Candidate>,
}

impl BlockSearch {
    fn consider(&mut self, candidate: Candidate) {
        if self.lowest.is_none_or(|best| candidate.low <= best.low) {
            self.lowest = Some(candidate);
        }
        if self.highest.is_none_or(|best| candidate.high >= best.high) {
            self.highest = Some(candidate);
        }
    }

    /// Starts again from a pivot of `side` that was just confirmed: the bars since it are the recent ones.
    fn restart(&mut self, side: i8) {
        let bars = self.recent.iter().flatten().copied();
        if side > 0 {
            self.lowest = bars.reduce(|best, next| if next.low <= best.low { next } else { best });
        } else {
            self.highest = bars.reduce(|best, next| if next.high >= best.high { next } else { best });
        }
    }

    fn push(&mut self, candidate: Option<Candidate>) {
        if let Some(candidate) = candidate {
            self.consider(candidate);
        }
        if self.recent.len() == self.size {
            self.recent.pop_front();
        }
        self.recent.push_back(candidate);
    }
}

/// The blocks of one structure machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderBlocks {
    scope: Scope,
    volatility_filter: Option<f64>,
    search: BlockSearch,
    bullish: ZoneIndex,
    bearish: ZoneIndex,
}

impl OrderBlocks {
    /// No blocks yet; `size` is the number of bars that confirm a pivot of the machine.
    #[must_use]
    pub const fn new(scope: Scope, size: u32, config: &OrderBlockConfig) -> Self {
        Self {
            scope,
            volatility_filter: config.volatility_filter,
            search: BlockSearch { recent: VecDeque::new(), size: size as usize, lowest: None, highest: None },
            bullish: ZoneIndex::new(1, config.max_age, config.max_count),
            bearish: ZoneIndex::new(-1, config.max_age, config.max_count),
        }
    }

    /// Live blocks of a direction, nearest edge first.
    pub fn live(&self, direction: i8) -> impl Iterator<Item = &Zone> {
        (if direction > 0 { &self.bullish } else { &self.bearish }).nearest_first()
    }

    /// Applies bar `index` to the blocks that exist.
    pub(crate) fn update(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>) {
        for zones in [&mut self.bullish, &mut self.bearish] {
            zones.expire(index, |zone| zone.record(EventKind::OrderBlockExpired, zone.direction, false, sink));
            zones.reach(bar, |zone, edges, approach| live_through(zone, edges, approach, index, sink));
        }
    }

    /// Notes that a pivot of `side` was confirmed.
    pub(crate) fn on_pivot(&mut self, side: i8) {
        self.search.restart(side);
    }

    /// Makes the block of a break on bar `index`.
    pub(crate) fn on_break(&mut self, index: u64, broken: Break, sink: &mut Sink<'_>) {
        let direction = broken.direction;
        let found = if direction > 0 { self.search.lowest } else { self.search.highest };
        let Some(bar) = found else { return };
        let draft = ZoneDraft {
            kind: ZoneKind::OrderBlock,
            direction,
            side: 0,
            scope: self.scope,
            formed_at: bar.open_time,
            low: bar.low,
            high: bar.high,
            source_id: broken.id,
        };
        let zone = Zone::create(draft, index, sink);
        let zones = if direction > 0 { &mut self.bullish } else { &mut self.bearish };
        if let Some(evicted) = zones.insert(zone) {
            evicted.record(EventKind::OrderBlockExpired, evicted.direction, false, sink);
        }
    }

    /// Offers a bar to later breaks; `atr` is that of the bar before it.
    pub(crate) fn offer(&mut self, bar: &Bar, atr: Option<f64>) {
        let limit = self.volatility_filter.zip(atr).map(|(factor, atr)| factor * atr);
        let passed_over = limit.is_some_and(|limit| bar.range() as f64 >= limit);
        let candidate = Candidate { open_time: bar.open_time, low: bar.low, high: bar.high };
        self.search.push((!passed_over).then_some(candidate));
    }
}

fn live_through(zone: &mut Zone, edges: (i64, i64), bar: Approach, index: u64, sink: &mut Sink<'_>) -> Fate {
    let (near, far) = edges;
    let invalidated = bar.close < far;
    let ambiguous = invalidated && zone.state == ZoneState::Fresh;
    zone.touch(index);
    if zone.state == ZoneState::Fresh {
        zone.state = ZoneState::Touched;
        zone.record(EventKind::OrderBlockTouched, zone.direction, ambiguous, sink);
    }
    if zone.state == ZoneState::Touched && 2 * bar.low <= near + far {
        zone.state = ZoneState::Mitigated;
        zone.record(EventKind::OrderBlockMitigated, zone.direction, ambiguous, sink);
    }
    if invalidated {
        zone.record(EventKind::OrderBlockInvalidated, zone.direction, ambiguous, sink);
        return Fate::Remove;
    }
    Fate::Keep
}
