//! Rejection blocks: the long wick that a turning point left.
//!
//! **Bullish**: the zone from the low of a bar up to the lower end of its body, where that wick is at least
//! `wick_share` of the bar's range, in two cases:
//! - the bar sweeps a sell-side level (a wick beyond and a close back); knowable at its close;
//! - a liquidity pool is made by the bar's low ([`super::liquidity`]); knowable with the pool.
//!
//! A bar that made one by its sweep makes none as a pivot. Highs mirror. The source is the sweep (the first of
//! that bar), or the pool.
//!
//! Life, from the bar after: **touched**, **mitigated** (half penetrated), **invalidated** (a close beyond the
//! tip of the wick), **expired**.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::config::RejectionBlockConfig;
use super::event::{Event, EventKind, Scope, Sink};
use super::recent_bars::RecentBars;
use super::zone::{Zone, ZoneDraft, ZoneKind, ZoneState};
use super::zone_life::{End, Life, ZonePair};
use crate::market::Bar;

const LIFE: Life = Life {
    edge_enters: true,
    touched: EventKind::RejectionBlockTouched,
    half: Some((EventKind::RejectionBlockMitigated, ZoneState::Mitigated)),
    filled: None,
    end: End::CloseBeyond,
    ended: EventKind::RejectionBlockInvalidated,
    reverses: false,
    expired: EventKind::RejectionBlockExpired,
};

/// A wick that made a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Used {
    index: u64,
    direction: i8,
}

/// The rejection blocks of one timeframe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RejectionBlocks {
    wick_share: f64,
    /// Bars from a pivot to its confirmation.
    right: u64,
    /// The wicks of as many bars that made blocks by their sweeps.
    used: VecDeque<Used>,
    zones: ZonePair,
}

impl RejectionBlocks {
    /// None yet; `right` is the number of bars that confirm a pool.
    #[must_use]
    pub const fn new(config: &RejectionBlockConfig, right: u32) -> Self {
        Self {
            wick_share: config.wick_share,
            right: right as u64,
            used: VecDeque::new(),
            zones: ZonePair::new(config.max_age, config.max_count),
        }
    }

    /// Live blocks of both directions.
    pub fn live(&self) -> impl Iterator<Item = &Zone> {
        self.zones.all()
    }

    /// The live zone of a direction whose near edge price would meet first.
    pub(crate) fn nearest(&self, direction: i8) -> Option<&Zone> {
        self.zones.live(direction).next()
    }

    /// Applies bar `index` to the blocks that exist.
    pub(crate) fn update(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>) {
        self.zones.update(&LIFE, index, bar, sink, |_, _| ());
    }

    /// Makes the blocks of bar `index`, the last of `recent`, whose events so far start at `first` in the sink.
    pub(crate) fn form(&mut self, index: u64, recent: &RecentBars, first: usize, sink: &mut Sink<'_>) {
        for position in first..sink.events.len() {
            let Event { kind, side, id, .. } = sink.events[position];
            if kind.is_sweep() {
                self.make(-side, (index, sink.bar), id, index, sink);
            } else if kind == EventKind::LiquidityPool {
                let Some(bar) = recent.earlier(index, self.right) else { continue };
                self.make(-side, (index - self.right, bar), id, index, sink);
            }
        }
    }

    /// Makes the block of a bar's wick, if that is long enough and made none yet.
    fn make(&mut self, direction: i8, (at, bar): (u64, &Bar), source_id: u64, index: u64, sink: &mut Sink<'_>) {
        let (bottom, top) = (bar.open.min(bar.close), bar.open.max(bar.close));
        let (low, high) = if direction > 0 { (bar.low, bottom) } else { (top, bar.high) };
        let wick = high - low;
        let used = Used { index: at, direction };
        if wick == 0 || (wick as f64) < self.wick_share * bar.range() as f64 || self.used.contains(&used) {
            return;
        }
        while self.used.front().is_some_and(|old| old.index + self.right < index) {
            self.used.pop_front();
        }
        self.used.push_back(used);
        let (kind, formed_at) = (ZoneKind::RejectionBlock, bar.open_time);
        let draft = ZoneDraft { kind, direction, side: 0, scope: Scope::None, formed_at, low, high, source_id };
        self.zones.add(&LIFE, draft, index, sink);
    }
}
