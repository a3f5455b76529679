//! Power of three (accumulation, manipulation, distribution), told forward, each phase at its own bar.
//!
//! - **accumulation**: the Asian kill zone's range is no wider than the `quantile` (nearest rank) of the widths of the
//!   `sessions` ranges before it; known when that range is, not before so many are;
//! - **manipulation**: a Judas swing out of that range ([`super::judas_swing`]); if the swing fails, the other side may
//!   still make one; a bar that makes one on both sides at once says nothing;
//! - **distribution**: a shift of market structure in the direction of that swing, of its bar or a later one, before
//!   the next Asian range is known.
//!
//! All three speak of the accumulation; sources are the Asian range, the Judas swing and the shift. A day that is
//! never distributed was never a power of three: nothing is labelled afterwards.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::config::PowerOfThreeConfig;
use super::event::{EventKind, Fact, Scope, Sink};
use super::judas_swing::JudasNews;
use super::session::SessionRange;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    None,
    Accumulated { id: u64 },
    Manipulated { id: u64, direction: i8 },
}

/// The state of the day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PowerOfThree {
    config: PowerOfThreeConfig,
    widths: VecDeque<i64>,
    phase: Phase,
}

impl PowerOfThree {
    /// Nothing seen.
    #[must_use]
    pub const fn new(config: PowerOfThreeConfig) -> Self {
        Self { config, widths: VecDeque::new(), phase: Phase::None }
    }

    /// Takes the range of an Asian kill zone that is over.
    pub(crate) fn restart(&mut self, reference: SessionRange, sink: &mut Sink<'_>) {
        let SessionRange { id, range } = reference;
        let width = range.high - range.low;
        self.phase = Phase::None;
        if self.limit().is_some_and(|limit| width <= limit) {
            let fact = fact(EventKind::PowerOfThreeAccumulation, 0, range.formed_at, (range.low, range.high));
            self.phase = Phase::Accumulated { id: sink.emit(Fact { source_id: id, ..fact }) };
        }
        if self.widths.len() == self.config.sessions as usize {
            self.widths.pop_front();
        }
        self.widths.push_back(width);
    }

    /// The quantile of the widths before, once there are enough.
    fn limit(&self) -> Option<i64> {
        let number = self.widths.len();
        if number < self.config.sessions as usize {
            return None;
        }
        let mut sorted: Vec<i64> = self.widths.iter().copied().collect();
        sorted.sort_unstable();
        let rank = (self.config.quantile * number as f64).ceil() as usize;
        sorted.get(rank.clamp(1, number) - 1).copied()
    }

    fn manipulate(&mut self, news: [Option<JudasNews>; 2], sink: &mut Sink<'_>) {
        for news in news.into_iter().flatten() {
            if let (JudasNews::Failed { direction: failed }, Phase::Manipulated { id, direction }) = (news, self.phase)
            {
                if failed == direction {
                    self.phase = Phase::Accumulated { id };
                }
            }
        }
        let Phase::Accumulated { id } = self.phase else { return };
        let mut made = news.into_iter().flatten().filter(|news| matches!(news, JudasNews::Made { .. }));
        if let (Some(JudasNews::Made { id: swing, direction, low, high, formed_at }), None) = (made.next(), made.next())
        {
            let fact = fact(EventKind::PowerOfThreeManipulation, direction, formed_at, (low, high));
            sink.emit(Fact { zone_id: id, source_id: swing, ..fact });
            self.phase = Phase::Manipulated { id, direction };
        }
    }

    /// Takes what became of Judas swings on a bar, and what it made known since `first`.
    pub(crate) fn update(&mut self, news: [Option<JudasNews>; 2], first: usize, sink: &mut Sink<'_>) {
        self.manipulate(news, sink);
        let Phase::Manipulated { id, direction } = self.phase else { return };
        let mut shifts = sink.events[first..].iter().filter(|event| event.kind == EventKind::Mss);
        let Some(shift) = shifts.find(|event| event.direction == direction).copied() else { return };
        let fact = fact(EventKind::PowerOfThreeDistribution, direction, shift.formed_at, (shift.low, shift.high));
        sink.emit(Fact { zone_id: id, source_id: shift.id, ..fact });
        self.phase = Phase::None;
    }
}

const fn fact(kind: EventKind, direction: i8, formed_at: i64, (low, high): (i64, i64)) -> Fact {
    let (scope, zone_id, source_id) = (Scope::AsianKillZone, 0, 0);
    Fact { kind, direction, side: 0, scope, formed_at, low, high, zone_id, source_id, ambiguous: false }
}
