//! Inducement (IDM): the first small turn against a fresh break, whose stops price likes to take first.
//!
//! After a break at t, of either scope, the first internal pivot against it (a low after an upward break)
//! whose bar is later than t is the **inducement** of that break, of its scope; a newer break of the same scope
//! before that takes its place. Knowable when the pivot is. Its side is the pivot's, its source the break.
//!
//! Life, from the bar after: **taken**: a bar trades beyond the level, by wick or close, which points in the
//! direction of the break; **expired**. A block beyond an inducement that was not taken is of lower quality.

use serde::{Deserialize, Serialize};

use super::config::InducementConfig;
use super::event::{EventKind, Scope, Sink};
use super::level_life::{LevelLife, LevelPair};
use super::pivot::Pivot;
use super::structure::Break;
use super::zone::{Zone, ZoneDraft, ZoneKind};
use crate::market::Bar;

const LIFE: LevelLife =
    LevelLife { swept: EventKind::InducementTaken, run: None, expired: EventKind::InducementExpired };

/// A break that has no inducement yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Pending {
    id: u64,
    direction: i8,
    open_time: i64,
}

/// The inducements of one timeframe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inducements {
    internal: Option<Pending>,
    swing: Option<Pending>,
    levels: LevelPair,
}

impl Inducements {
    /// None yet.
    #[must_use]
    pub const fn new(config: &InducementConfig) -> Self {
        Self { internal: None, swing: None, levels: LevelPair::new(config.max_age, config.max_count) }
    }

    /// Resting levels of both sides.
    pub fn live(&self) -> impl Iterator<Item = &Zone> {
        self.levels.all()
    }

    /// The nearest resting level of a side.
    pub(crate) fn nearest(&self, side: i8) -> Option<&Zone> {
        self.levels.resting(side).next()
    }

    /// Applies bar `index` to the levels that rest.
    pub(crate) fn update(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>) {
        self.levels.update(&LIFE, index, bar, sink);
    }

    /// Takes an internal pivot that bar `index` confirms.
    pub(crate) fn on_pivot(&mut self, index: u64, pivot: Pivot, sink: &mut Sink<'_>) {
        for (scope, pending) in [(Scope::Internal, &mut self.internal), (Scope::Swing, &mut self.swing)] {
            let fits = |wait: &Pending| wait.direction == -pivot.side && pivot.formed_at > wait.open_time;
            let Some(cause) = pending.take_if(|wait| fits(wait)) else { continue };
            let level = ZoneDraft::level(ZoneKind::Inducement, pivot.side, pivot.formed_at, pivot.price);
            self.levels.add(&LIFE, ZoneDraft { scope, source_id: cause.id, ..level }, index, sink);
        }
    }

    /// Takes a break by the close of `bar`.
    pub(crate) fn on_break(&mut self, scope: Scope, broken: Break, bar: &Bar) {
        let pending = Pending { id: broken.id, direction: broken.direction, open_time: bar.open_time };
        *(if scope == Scope::Swing { &mut self.swing } else { &mut self.internal }) = Some(pending);
    }
}
