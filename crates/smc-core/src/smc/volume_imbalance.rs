//! Volume imbalances: two bodies that do not meet, over wicks that do.
//!
//! **Bullish** at t if the body of t lies above that of t-1 while their ranges meet:
//! `min(open, close)[t] > max(open, close)[t-1]` and `low[t] <= high[t-1]`. The zone lies between the bodies and is
//! anchored on t. Bearish mirrors. It must reach `min_size_atr` times the ATR of t-1 (without a least size most
//! are the noise of one tick); while the ATR is not warm none is taken. Knowable at the close of t.
//!
//! Life, from the bar after t (bullish side given): **touched**: `low[u] < top`; **filled**: `low[u] <= bottom`, the
//! end; **expired**.

use serde::{Deserialize, Serialize};

use super::config::VolumeImbalanceConfig;
use super::event::{EventKind, Scope, Sink};
use super::recent_bars::RecentBars;
use super::zone::{Zone, ZoneDraft, ZoneKind};
use super::zone_life::{End, Life, ZonePair};
use crate::market::Bar;

const LIFE: Life = Life {
    edge_enters: false,
    touched: EventKind::VolumeImbalanceTouched,
    half: None,
    filled: None,
    end: End::Traded,
    ended: EventKind::VolumeImbalanceFilled,
    reverses: false,
    expired: EventKind::VolumeImbalanceExpired,
};

/// The volume imbalances of one timeframe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VolumeImbalances {
    min_size_atr: f64,
    zones: ZonePair,
}

impl VolumeImbalances {
    /// None yet.
    #[must_use]
    pub const fn new(config: &VolumeImbalanceConfig) -> Self {
        Self { min_size_atr: config.min_size_atr, zones: ZonePair::new(config.max_age, config.max_count) }
    }

    /// Live zones of both directions.
    pub fn live(&self) -> impl Iterator<Item = &Zone> {
        self.zones.all()
    }

    /// The live zone of a direction whose near edge price would meet first.
    pub(crate) fn nearest(&self, direction: i8) -> Option<&Zone> {
        self.zones.live(direction).next()
    }

    /// Applies bar `index` to the zones that exist.
    pub(crate) fn update(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>) {
        self.zones.update(&LIFE, index, bar, sink, |_, _| ());
    }

    /// Compares bar `index`, the last of `recent`, with the one before; `atr` is that of the bar before.
    pub(crate) fn form(&mut self, index: u64, recent: &RecentBars, atr: Option<f64>, sink: &mut Sink<'_>) {
        let bar = sink.bar;
        let Some(before) = recent.earlier(index, 1) else { return };
        let (old_bottom, old_top) = (before.open.min(before.close), before.open.max(before.close));
        let (bottom, top) = (bar.open.min(bar.close), bar.open.max(bar.close));
        let (direction, low, high) = if bottom > old_top && bar.low <= before.high {
            (1, old_top, bottom)
        } else if top < old_bottom && bar.high >= before.low {
            (-1, top, old_bottom)
        } else {
            return;
        };
        if !atr.is_some_and(|atr| (high - low) as f64 >= self.min_size_atr * atr) {
            return;
        }
        let (kind, formed_at) = (ZoneKind::VolumeImbalance, bar.open_time);
        let draft = ZoneDraft { kind, direction, side: 0, scope: Scope::None, formed_at, low, high, source_id: 0 };
        self.zones.add(&LIFE, draft, index, sink);
    }
}
