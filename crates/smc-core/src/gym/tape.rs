//! What the episodes are cut from: bars, what was known at each close, and trades that were entered.

use crate::market::Bar;
use crate::sim::{limit_touch, Held, Span};

/// A trade whose entry has filled; its stop and target work until it ends.
///
/// An entry before `first_bar` filled inside the bar before that one; only the bar after `known_bar` can be entered at
/// its open, as a limit that rests fills inside a bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trade {
    /// Number of the bar at whose close the setup was known: the size is chosen there.
    pub known_bar: usize,
    /// Number of the first bar that begins at or after the entry.
    pub first_bar: usize,
    /// +1 long, -1 short.
    pub side: i8,
    /// Price of the entry in ticks.
    pub entry: i64,
    /// Stop in ticks, against the side from the entry.
    pub stop: i64,
    /// Target in ticks, with the side from the entry.
    pub target: i64,
    /// The position is closed at the first open at or after this time.
    pub deadline: i64,
    /// Cost of entering and of leaving at the market, as a share of the distance from entry to stop.
    pub cost: f32,
    /// The probability of winning at which the trade would just pay its costs; what leaving at the target costs follows
    /// from it.
    pub break_even: f32,
}

impl Trade {
    /// The bar in which the entry filled, and since when in it the position is held.
    pub(super) fn entered(&self, bars: &[Bar]) -> (usize, Held) {
        if self.first_bar == self.known_bar + 1 {
            return (self.first_bar, Held::FromOpen);
        }
        let bar = self.first_bar - 1;
        let touch = limit_touch(self.side, self.entry, true, &Span::of_bar(&bars[bar]));
        (bar, Held::FromWithin(touch.map_or(self.entry, |touch| touch.market)))
    }

    /// How much cheaper the target is than leaving at the market: from `P * gain = (1 - P) * loss` at break-even.
    pub(super) fn saved_at_target(&self, reward_risk: f32) -> f32 {
        if self.break_even <= 0.0 || self.break_even >= 1.0 {
            return 0.0;
        }
        let gain = (1.0 + self.cost) * (1.0 - self.break_even) / self.break_even;
        gain - (reward_risk - self.cost)
    }
}

/// Arguments that describe no environment.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GymError {
    /// A view is no matrix with a row a bar.
    #[error("the {name} view has {values} values; {bars} bars of {width} features need {wanted}")]
    ViewShape {
        /// Which view.
        name: &'static str,
        /// Values given.
        values: usize,
        /// Bars given.
        bars: usize,
        /// Features a bar.
        width: usize,
        /// Values needed.
        wanted: usize,
    },
    /// A trade without room or with contradicting levels.
    #[error("trade {index}: {problem}")]
    BadTrade {
        /// Its position in the list.
        index: usize,
        /// What is wrong, and what would be right.
        problem: &'static str,
    },
    /// Nothing to run.
    #[error("{0}; give at least one")]
    Nothing(&'static str),
    /// A buffer that does not fit the lanes.
    #[error("{name} has {given} elements; {wanted} are needed for {lanes} lanes")]
    BufferLength {
        /// Which buffer.
        name: &'static str,
        /// Its length.
        given: usize,
        /// The length needed.
        wanted: usize,
        /// Number of lanes.
        lanes: usize,
    },
    /// An action that the environment does not have.
    #[error("lane {lane}: action {action} is not one of the {actions} actions 0 to {last}")]
    UnknownAction {
        /// The lane.
        lane: usize,
        /// The action given.
        action: i64,
        /// How many there are.
        actions: usize,
        /// The last of them.
        last: usize,
    },
}

/// Bars, the features at each bar's close seen from either side, and the trades entered on them.
#[derive(Clone, Debug)]
pub struct GymTape {
    pub(super) bars: Vec<Bar>,
    pub(super) trades: Vec<Trade>,
    pub(super) width: usize,
    /// Row-major, a row a bar: as a long position sees the market, and as a short one does.
    views: [Vec<f32>; 2],
}

impl GymTape {
    /// `long_view` and `short_view` hold `width` features a bar, row-major.
    ///
    /// # Errors
    /// [`GymError`] naming the view or the trade that does not fit.
    pub fn new(
        bars: Vec<Bar>,
        long_view: Vec<f32>,
        short_view: Vec<f32>,
        width: usize,
        trades: Vec<Trade>,
    ) -> Result<Self, GymError> {
        for (name, values) in [("long", long_view.len()), ("short", short_view.len())] {
            let wanted = bars.len() * width;
            if values != wanted {
                return Err(GymError::ViewShape { name, values, bars: bars.len(), width, wanted });
            }
        }
        if trades.is_empty() {
            return Err(GymError::Nothing("there are no trades"));
        }
        for (index, trade) in trades.iter().enumerate() {
            if let Some(problem) = problem_of(trade, bars.len()) {
                return Err(GymError::BadTrade { index, problem });
            }
        }
        Ok(Self { bars, trades, width, views: [long_view, short_view] })
    }

    /// What a position of `side` knows at the close of bar `index`.
    pub(super) fn features(&self, side: i8, index: usize) -> &[f32] {
        &self.views[usize::from(side < 0)][index * self.width..(index + 1) * self.width]
    }
}

fn problem_of(trade: &Trade, bars: usize) -> Option<&'static str> {
    let Trade { known_bar, first_bar, side, entry, stop, target, cost, break_even, .. } = *trade;
    let sign = i64::from(side);
    if side != 1 && side != -1 {
        return Some("its side must be +1 (long) or -1 (short)");
    }
    if sign * stop >= sign * entry || sign * target <= sign * entry {
        return Some("stop, entry and target must be in that order, rising for a long and falling for a short");
    }
    if known_bar >= first_bar || first_bar >= bars {
        return Some("its first bar must be one of the bars, and later than the one at whose close it was known");
    }
    if !(cost.is_finite() && cost >= 0.0 && (0.0..=1.0).contains(&break_even)) {
        return Some("its cost must be 0 or more, and break_even between 0 and 1");
    }
    None
}
