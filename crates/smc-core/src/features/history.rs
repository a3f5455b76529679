//! What the features remember of the decision timeframe beyond the detectors' own state.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::market::Bar;
use crate::smc::{Event, EventKind, Scope, ZoneKind};

/// Closes kept: the present one and sixteen before it.
const CLOSES: usize = 17;
/// Volumes kept: the present one and twenty before it.
const VOLUMES: usize = 21;
/// The kinds of level whose sweeps are remembered.
const SWEPT: [ZoneKind; 4] =
    [ZoneKind::LiquidityPool, ZoneKind::EqualLevels, ZoneKind::PeriodLevel, ZoneKind::SessionLevel];

/// What is remembered with its direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// An internal break with the bias.
    Bos,
    /// An internal break against it.
    Choch,
    /// A shift of market structure, internal or swing.
    Shift,
    /// A displacement.
    Displacement,
}

/// When something happened, and in which direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    bar: u64,
    /// Its direction.
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
    /// By kind of [`SWEPT`], then buy-side and sell-side: number of the bar.
    sweeps: [[Option<u64>; 2]; SWEPT.len()],
    /// By [`Happening`].
    happenings: [Option<Occurrence>; 4],
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
        let happening = match (event.kind, event.scope) {
            (EventKind::Bos, Scope::Internal) => Happening::Bos,
            (EventKind::Choch, Scope::Internal) => Happening::Choch,
            (EventKind::Mss, _) => Happening::Shift,
            (EventKind::Displacement, _) => Happening::Displacement,
            (EventKind::LiquidityPoolSwept, _) => return self.note_sweep(0, event.side),
            (EventKind::EqualLevelsSwept, _) => return self.note_sweep(1, event.side),
            (EventKind::PeriodLevelSwept, _) => return self.note_sweep(2, event.side),
            (EventKind::SessionLevelSwept, _) => return self.note_sweep(3, event.side),
            _ => return,
        };
        self.happenings[happening as usize] = Some(Occurrence { bar: self.bars, direction: event.direction });
    }

    fn note_sweep(&mut self, kind: usize, side: i8) {
        self.sweeps[kind][usize::from(side < 0)] = Some(self.bars);
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

    /// Bars since a level of a kind and side was swept; None for kinds that are not remembered.
    #[must_use]
    pub fn bars_since_sweep(&self, kind: ZoneKind, side: i8) -> Option<u64> {
        let kind = SWEPT.iter().position(|&swept| swept == kind)?;
        self.sweeps[kind][usize::from(side < 0)].map(|bar| self.bars - bar)
    }

    /// Bars since any level of a side was swept.
    #[must_use]
    pub fn bars_since_any_sweep(&self, side: i8) -> Option<u64> {
        let last = self.sweeps.iter().filter_map(|sides| sides[usize::from(side < 0)]).max();
        last.map(|bar| self.bars - bar)
    }

    /// When something last happened.
    #[must_use]
    pub const fn last(&self, happening: Happening) -> Option<Occurrence> {
        self.happenings[happening as usize]
    }

    /// Bars since an occurrence.
    #[must_use]
    pub const fn bars_since(&self, occurrence: Occurrence) -> u64 {
        self.bars - occurrence.bar
    }
}
