//! One position from its entry to its end: what the policy sees of it, what it earns a bar, when it is over.
//!
//! At the close that the setup was known at the policy chooses the size, before it is seen whether and where the entry
//! fills. The first step leads through the bar of the entry; from then on, at each close, the policy holds or leaves at
//! the next open. Stop, target and deadline work meanwhile by the bar rules of the simulated venue.
//! The reward of a step is the change of the position's value in units of the risk at full size (R), times the size; the
//! costs fall due with the first step, and what a target saves of them with the last. So the rewards of an episode add
//! up to its net result.

use super::tape::{GymTape, Trade};
use crate::market::Bar;
use crate::sim::{exit_on, Exit, ExitKind, ExitLevels, Held, Span};

/// The sizes that the first action chooses from, as shares of the full size.
pub const SIZES: [f32; 4] = [0.25, 0.5, 0.75, 1.0];

/// What the policy sees of the position, after the features of the bar.
pub const STATE_NAMES: [&str; 8] =
    ["at_entry", "size", "unrealised_r", "best_r", "worst_r", "reward_risk", "elapsed_share", "break_even"];

/// A trade under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position {
    trade: Trade,
    risk: f32,
    /// The bar at whose close the next action is taken.
    bar: usize,
    /// None while the size is to be chosen.
    size: Option<f32>,
    value: f32,
    best: f32,
    worst: f32,
}

impl Position {
    pub fn new(trade: Trade) -> Self {
        let risk = (trade.entry - trade.stop).abs() as f32;
        Self { trade, risk, bar: trade.known_bar, size: None, value: 0.0, best: 0.0, worst: 0.0 }
    }

    /// A price in R from the entry.
    fn in_risk(&self, price: i64) -> f32 {
        ((price - self.trade.entry) * i64::from(self.trade.side)) as f32 / self.risk
    }

    /// Writes the observation: the features at this close, then [`STATE_NAMES`].
    pub fn observe(&self, tape: &GymTape, out: &mut [f32]) {
        let (features, state) = out.split_at_mut(tape.width);
        features.copy_from_slice(tape.features(self.trade.side, self.bar));
        let begun = tape.bars[self.trade.first_bar].open_time; // an entry inside a bar is dated by its end
        let life = (self.trade.deadline.saturating_sub(begun)).max(1) as f32;
        let elapsed = (tape.bars[self.bar].close_time - begun) as f32 / life;
        state.copy_from_slice(&[
            f32::from(u8::from(self.size.is_none())),
            self.size.unwrap_or(0.0),
            self.value,
            self.best,
            self.worst,
            self.in_risk(self.trade.target),
            elapsed.clamp(0.0, 1.0),
            self.trade.break_even,
        ]);
    }

    /// Takes an action (a size, or 0 hold and anything else leave) and the next bar; gives the reward and whether it is over.
    pub fn step(&mut self, tape: &GymTape, action: usize) -> (f32, bool) {
        let entering = self.size.is_none();
        let leaves = !entering && action != 0;
        let size = *self.size.get_or_insert(SIZES[action]);
        let (number, held) = if entering { self.trade.entered(&tape.bars) } else { (self.bar + 1, Held::FromOpen) };
        self.bar = number;
        let bar = &tape.bars[number];
        let exit = if leaves {
            Some(Exit { kind: ExitKind::Timeout, price: bar.open, time: bar.open_time })
        } else {
            self.exit(bar, held)
        };
        let last = number + 1 == tape.bars.len();
        let mark = self.in_risk(exit.map_or(bar.close, |exit| exit.price));
        let mut earned = mark - self.value;
        if entering {
            earned -= self.trade.cost;
        }
        if exit.is_some_and(|exit| exit.kind == ExitKind::Target) {
            earned += self.trade.saved_at_target(self.in_risk(self.trade.target));
        }
        self.value = mark;
        self.best = self.best.max(mark);
        self.worst = self.worst.min(mark);
        (size * earned, exit.is_some() || last)
    }

    fn exit(&self, bar: &Bar, held: Held) -> Option<Exit> {
        let Trade { side, stop, target, deadline, .. } = self.trade;
        exit_on(&ExitLevels { side, stop, target, deadline }, held, &Span::of_bar(bar))
    }
}
