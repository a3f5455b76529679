//! What the features remember of the decision timeframe beyond the detectors' own state.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::market::Bar;
use crate::smc::{Event, EventKind, Scope};

/// Closes kept: the present one and sixteen before it.
const CLOSES: usize = 17;
/// Volumes kept: the present one and twenty before it.
const VOLUMES: usize = 21;

/// When a break happened, and in which direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    bar: u64,
    /// Direction of the break.
    pub direction: i8,
}

/// Rolling memory of decision bars and their events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureHistory {
    bars: u64,
    last: Option<Bar>,
    closes: VecDeque<i64>,
    volumes: VecDeque<i64>,
    volume_sum: i128,
    buy_side_sweep: Option<u64>,
    sell_side_sweep: Option<u64>,
    bos: Option<Occurrence>,
    choch: Option<Occurrence>,
}

impl FeatureHistory {
    /// Takes a closed decision bar with the events it made knowable.
    pub fn update(&mut self, bar: &Bar, events: &[Event]) {
        self.bars += 1;
        self.last = Some(*bar);
        if self.closes.len() == CLOSES {
            self.closes.pop_front();
        }
        self.closes.push_back(bar.close);
        if self.volumes.len() == VOLUMES {
            self.volume_sum -= i128::from(self.volumes.pop_front().unwrap_or(0));
        }
        self.volumes.push_back(bar.volume);
        self.volume_sum += i128::from(bar.volume);
        for event in events {
            self.note(event);
        }
    }

    fn note(&mut self, event: &Event) {
        let occurrence = Some(Occurrence { bar: self.bars, direction: event.direction });
        match (event.kind, event.scope) {
            (EventKind::LiquidityPoolSwept, _) if event.side > 0 => self.buy_side_sweep = Some(self.bars),
            (EventKind::LiquidityPoolSwept, _) => self.sell_side_sweep = Some(self.bars),
            (EventKind::Bos, Scope::Internal) => self.bos = occurrence,
            (EventKind::Choch, Scope::Internal) => self.choch = occurrence,
            _ => {}
        }
    }

    /// The present bar.
    #[must_use]
    pub const fn bar(&self) -> Option<Bar> {
        self.last
    }

    /// The close `back` bars ago (0 is the present one).
    #[must_use]
    pub fn close(&self, back: usize) -> Option<i64> {
        let position = self.closes.len().checked_sub(back + 1)?;
        self.closes.get(position).copied()
    }

    /// The present volume over the mean of up to twenty before it.
    #[must_use]
    pub fn volume_ratio(&self) -> Option<f64> {
        let present = *self.volumes.back()?;
        let before = self.volume_sum - i128::from(present);
        let number = self.volumes.len() - 1;
        (before > 0).then(|| present as f64 * number as f64 / before as f64)
    }

    /// Bars since a pool of `side` was swept.
    #[must_use]
    pub fn bars_since_sweep(&self, side: i8) -> Option<u64> {
        let swept = if side > 0 { self.buy_side_sweep } else { self.sell_side_sweep };
        swept.map(|bar| self.bars - bar)
    }

    /// The last internal BOS.
    #[must_use]
    pub const fn last_bos(&self) -> Option<Occurrence> {
        self.bos
    }

    /// The last internal CHoCH.
    #[must_use]
    pub const fn last_choch(&self) -> Option<Occurrence> {
        self.choch
    }

    /// Bars since an occurrence.
    #[must_use]
    pub const fn bars_since(&self, occurrence: Occurrence) -> u64 {
        self.bars - occurrence.bar
    }
}
