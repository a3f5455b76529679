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

/// The wicks of a recent bar, as zones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Wicks {
    open_time: i64,
    /// Edges of the lower wick where it is long enough and not used.
    lower: Option<(i64, i64)>,
    upper: Option<(i64, i64)>,
}

/// The rejection blocks of one timeframe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RejectionBlocks {
    wick_share: f64,
    /// The bars from a pivot to its confirmation.
    recent: VecDeque<Wicks>,
    depth: usize,
    zones: ZonePair,
}

impl RejectionBlocks {
    /// None yet; `right` is the number of bars that confirm a pool.
    #[must_use]
    pub const fn new(config: &RejectionBlockConfig, right: u32) -> Self {
        Self {
            wick_share: config.wick_share,
            recent: VecDeque::new(),
            depth: right as usize + 1,
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

    /// Makes the blocks of bar `index`, whose events so far start at `first` in the sink.
    pub(crate) fn form(&mut self, index: u64, bar: &Bar, first: usize, sink: &mut Sink<'_>) {
        if self.recent.len() == self.depth {
            self.recent.pop_front();
        }
        self.recent.push_back(self.wicks(bar));
        for position in first..sink.events.len() {
            let Event { kind, side, formed_at, id, .. } = sink.events[position];
            if kind.is_sweep() || kind == EventKind::LiquidityPool {
                self.make(-side, formed_at, id, index, sink);
            }
        }
    }

    fn wicks(&self, bar: &Bar) -> Wicks {
        let long = |low: i64, high: i64| {
            let wick = high - low;
            (wick > 0 && wick as f64 >= self.wick_share * bar.range() as f64).then_some((low, high))
        };
        let (bottom, top) = (bar.open.min(bar.close), bar.open.max(bar.close));
        Wicks { open_time: bar.open_time, lower: long(bar.low, bottom), upper: long(top, bar.high) }
    }

    fn make(&mut self, direction: i8, formed_at: i64, source_id: u64, index: u64, sink: &mut Sink<'_>) {
        let place = self.recent.partition_point(|wicks| wicks.open_time < formed_at);
        let Some(wicks) = self.recent.get_mut(place).filter(|wicks| wicks.open_time == formed_at) else { return };
        let wick = if direction > 0 { &mut wicks.lower } else { &mut wicks.upper };
        let Some((low, high)) = wick.take() else { return };
        let kind = ZoneKind::RejectionBlock;
        let draft = ZoneDraft { kind, direction, side: 0, scope: Scope::None, formed_at, low, high, source_id };
        self.zones.add(&LIFE, draft, index, sink);
    }
}
