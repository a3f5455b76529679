//! Judas swing: a kill zone's false start out of the Asian range.
//!
//! The reference is the last range of the Asian kill zone ([`super::session`]). For each of its sides once: the first
//! bar that trades beyond it must belong to the London or a New York kill zone (else that side is spent); if
//! that bar or one of the `max_bars` after it closes back, on or inside the side's level, that is a **Judas swing**,
//! which points back into the range. Its zone reaches from the level to the furthest price outside. Knowable at the
//! close that came back; the source is the Asian range.
//!
//! Life, from that close: **confirmed** by a shift of market structure in its direction, of that bar or later
//! ([`super::market_structure_shift`]), which is the source; **failed** by a later close beyond the furthest price;
//! **expired** when the next Asian range is known. The first of them is the end.

use serde::{Deserialize, Serialize};

use super::config::JudasConfig;
use super::event::{Event, EventKind, Fact, Scope, Sink};
use super::session::SessionRange;
use crate::market::Bar;

/// What price did beyond one side of the Asian range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Excursion {
    Inside,
    Outside { since: u64, formed_at: i64 },
    Swing(Swing),
    Spent,
}

/// A Judas swing that is neither confirmed nor failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Swing {
    id: u64,
    range_id: u64,
}

/// One side of the range, seen as if it were the upper one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Side {
    side: i8,
    level: i64,
    furthest: i64,
    excursion: Excursion,
}

/// What became of a swing on a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JudasNews {
    Made {
        id: u64,
        direction: i8,
        low: i64,
        high: i64,
        formed_at: i64,
    },
    /// The swing that pointed in this direction.
    Failed {
        direction: i8,
    },
}

/// Looks for Judas swings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudasSwings {
    max_bars: u64,
    range_id: u64,
    sides: Option<[Side; 2]>,
}

impl JudasSwings {
    /// None yet.
    #[must_use]
    pub const fn new(config: &JudasConfig) -> Self {
        Self { max_bars: config.max_bars as u64, range_id: 0, sides: None }
    }

    /// Takes bar `index`, with whether it belongs to a kill zone and what it made known since `first`.
    pub(crate) fn update(
        &mut self,
        index: u64,
        in_kill_zone: bool,
        first: usize,
        sink: &mut Sink<'_>,
    ) -> [Option<JudasNews>; 2] {
        let shifts = [1, -1].map(|direction| shift(&sink.events[first..], direction));
        let Some(sides) = &mut self.sides else { return [None, None] };
        let mut news = [None, None];
        for (side, news) in sides.iter_mut().zip(&mut news) {
            let shift = shifts[usize::from(side.side > 0)];
            *news = side.update(index, in_kill_zone, self.max_bars, self.range_id, sink);
            if let Excursion::Swing(swing) = side.excursion {
                if let Some(source) = shift {
                    side.record(EventKind::JudasSwingConfirmed, swing.id, source, sink);
                    side.excursion = Excursion::Spent;
                }
            }
        }
        news
    }

    /// Takes the range of an Asian kill zone that is over.
    pub(crate) fn restart(&mut self, reference: SessionRange, sink: &mut Sink<'_>) {
        for side in self.sides.iter().flatten() {
            if let Excursion::Swing(swing) = side.excursion {
                side.record(EventKind::JudasSwingExpired, swing.id, swing.range_id, sink);
            }
        }
        let side = |side: i8, level: i64| Side { side, level, furthest: level, excursion: Excursion::Inside };
        self.range_id = reference.id;
        self.sides = Some([side(1, reference.range.high), side(-1, -reference.range.low)]);
    }
}

/// Whether a false start may begin in the window named `scope`.
pub(crate) const fn is_kill_zone(scope: Scope) -> bool {
    matches!(scope, Scope::LondonKillZone | Scope::NewYorkKillZone | Scope::NewYorkIndexKillZone)
}

fn shift(events: &[Event], direction: i8) -> Option<u64> {
    events.iter().find(|event| event.kind == EventKind::Mss && event.direction == direction).map(|event| event.id)
}

impl Side {
    fn update(
        &mut self,
        index: u64,
        in_kill_zone: bool,
        max_bars: u64,
        range_id: u64,
        sink: &mut Sink<'_>,
    ) -> Option<JudasNews> {
        let Bar { open_time, high, low, close, .. } = *sink.bar;
        let (reach, close) = if self.side > 0 { (high, close) } else { (-low, -close) };
        if let Excursion::Swing(swing) = self.excursion {
            if close <= self.furthest {
                return None;
            }
            self.record(EventKind::JudasSwingFailed, swing.id, range_id, sink);
            self.excursion = Excursion::Spent;
            return Some(JudasNews::Failed { direction: -self.side });
        }
        if self.excursion == Excursion::Inside && reach > self.level {
            let outside = Excursion::Outside { since: index, formed_at: open_time };
            self.excursion = if in_kill_zone { outside } else { Excursion::Spent };
        }
        let Excursion::Outside { since, formed_at } = self.excursion else { return None };
        self.furthest = self.furthest.max(reach);
        if close > self.level {
            if index - since >= max_bars {
                self.excursion = Excursion::Spent;
            }
            return None;
        }
        let (low, high) = self.zone();
        let direction = -self.side;
        let fact = self.fact(EventKind::JudasSwing, formed_at, 0, range_id);
        let id = sink.emit(Fact { direction, ..fact });
        self.excursion = Excursion::Swing(Swing { id, range_id });
        Some(JudasNews::Made { id, direction, low, high, formed_at })
    }

    const fn zone(&self) -> (i64, i64) {
        if self.side > 0 {
            (self.level, self.furthest)
        } else {
            (-self.furthest, -self.level)
        }
    }

    const fn fact(&self, kind: EventKind, formed_at: i64, zone_id: u64, source_id: u64) -> Fact {
        let (low, high) = self.zone();
        // A swing that failed points where price went; all else points back.
        let direction = if matches!(kind, EventKind::JudasSwingFailed) { self.side } else { -self.side };
        let (side, scope) = (self.side, Scope::AsianKillZone);
        Fact { kind, direction, side, scope, formed_at, low, high, zone_id, source_id, ambiguous: false }
    }

    fn record(&self, kind: EventKind, zone_id: u64, source_id: u64, sink: &mut Sink<'_>) {
        sink.emit(self.fact(kind, sink.bar.open_time, zone_id, source_id));
    }
}
