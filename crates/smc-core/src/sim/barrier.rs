//! Virtual brackets, followed to the first barrier that the market reaches: what a setup would have done.

use super::matching::{exit_on, limit_touch, ExitKind, ExitLevels, Held, Span};
use crate::market::Bar;
use serde::{Deserialize, Serialize};

/// A bracket that nobody sends: a limit entry, a stop, a target, a time limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VirtualBracket {
    /// The caller's name for it.
    pub key: String,
    /// +1 long, -1 short.
    pub side: i8,
    /// Limit entry in ticks.
    pub entry: i64,
    /// Stop in ticks, against the side from the entry.
    pub stop: i64,
    /// Target in ticks, with the side from the entry.
    pub target: i64,
    /// The entry works from the bar that this time falls in.
    pub from: i64,
    /// The entry ends before a bar opening at or after this time; 0 for never.
    pub entry_expires_at: i64,
    /// The position is closed at the first open this long after its entry; 0 for never.
    pub time_limit_ns: i64,
}

/// How a virtual bracket ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The target was traded through.
    Target,
    /// The stop was traded.
    Stop,
    /// The time limit came first.
    Timeout,
    /// The entry never filled.
    Unfilled,
}

impl Outcome {
    /// The name at the Python boundary.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Stop => "stop",
            Self::Timeout => "timeout",
            Self::Unfilled => "unfilled",
        }
    }
}

/// The end of a virtual bracket; times and price are 0 where there was none. Prices are before costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BarrierOutcome {
    /// The bracket's key.
    pub key: String,
    /// How it ended.
    pub outcome: Outcome,
    /// When the entry filled.
    pub entered_at: i64,
    /// When it ended: for an unfilled entry, when it expired.
    pub exited_at: i64,
    /// Price of the exit in ticks.
    pub exit_price: i64,
}

/// A bracket or a bar that the tracker cannot take; nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BarrierError {
    /// The side is neither long nor short.
    #[error("bracket {key:?}: side is {side}; use +1 (long) or -1 (short)")]
    BadSide {
        /// The bracket's key.
        key: String,
        /// The side given.
        side: i8,
    },
    /// Stop, entry and target are not in order, or not positive.
    #[error(
        "bracket {key:?}: stop {stop}, entry {entry} and target {target} must be positive and in that order, \
         rising for a long and falling for a short"
    )]
    BadLevels {
        /// The bracket's key.
        key: String,
        /// Its stop.
        stop: i64,
        /// Its entry.
        entry: i64,
        /// Its target.
        target: i64,
    },
    /// A negative time limit.
    #[error("bracket {key:?}: time_limit_ns is {value}; use 0 for none, or more")]
    BadTimeLimit {
        /// The bracket's key.
        key: String,
        /// The value given.
        value: i64,
    },
    /// The key is in use.
    #[error("bracket {0:?} is being followed already; use another key")]
    DuplicateKey(String),
    /// The market moved backwards.
    #[error("a bar opening at {time} comes before {last}, which was read already; feed bars in order")]
    TimeWentBack {
        /// Its open time.
        time: i64,
        /// The time read already.
        last: i64,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Tracked {
    bracket: VirtualBracket,
    resting: bool,
    entered_at: Option<i64>,
}

/// Follows virtual brackets by the bar rules of the simulated venue, entries assumed at their limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BarrierTracker {
    last_time: i64,
    open: Vec<Tracked>,
}

impl BarrierTracker {
    /// Starts to follow a bracket.
    ///
    /// # Errors
    /// [`BarrierError`] when the bracket contradicts itself or its key is in use.
    pub fn add(&mut self, bracket: VirtualBracket) -> Result<(), BarrierError> {
        let VirtualBracket { side, entry, stop, target, time_limit_ns, .. } = bracket;
        let key = || bracket.key.clone();
        if side != 1 && side != -1 {
            return Err(BarrierError::BadSide { key: key(), side });
        }
        let ordered = if side > 0 { stop < entry && entry < target } else { stop > entry && entry > target };
        if !ordered || stop.min(target) <= 0 {
            return Err(BarrierError::BadLevels { key: key(), stop, entry, target });
        }
        if time_limit_ns < 0 {
            return Err(BarrierError::BadTimeLimit { key: key(), value: time_limit_ns });
        }
        if self.open.iter().any(|tracked| tracked.bracket.key == bracket.key) {
            return Err(BarrierError::DuplicateKey(key()));
        }
        self.open.push(Tracked { bracket, resting: false, entered_at: None });
        Ok(())
    }

    /// Reads closed bars, oldest first; gives the brackets that ended, by bar and then in order of adding.
    ///
    /// # Errors
    /// [`BarrierError::TimeWentBack`], with nothing read.
    pub fn on_bars(&mut self, bars: &[Bar]) -> Result<Vec<BarrierOutcome>, BarrierError> {
        let mut last = self.last_time;
        for bar in bars {
            if bar.open_time < last {
                return Err(BarrierError::TimeWentBack { time: bar.open_time, last });
            }
            last = bar.close_time;
        }
        self.last_time = last;
        let mut out = Vec::new();
        for bar in bars {
            let span = Span::of_bar(bar);
            self.open.retain_mut(|tracked| match tracked.read(&span) {
                Some(ended) => {
                    out.push(ended);
                    false
                }
                None => true,
            });
        }
        Ok(out)
    }

    /// How many brackets are being followed.
    #[must_use]
    pub fn open_count(&self) -> usize {
        self.open.len()
    }
}

impl Tracked {
    fn read(&mut self, span: &Span) -> Option<BarrierOutcome> {
        let held = match self.entered_at {
            Some(_) => Held::FromOpen,
            None => {
                let expires_at = self.bracket.entry_expires_at;
                if expires_at > 0 && expires_at <= span.open_time {
                    return Some(self.outcome(Outcome::Unfilled, expires_at.max(self.bracket.from), 0));
                }
                self.enter(span)?
            }
        };
        let entered_at = self.entered_at?;
        let VirtualBracket { side, stop, target, time_limit_ns, .. } = self.bracket;
        let deadline = if time_limit_ns == 0 { i64::MAX } else { entered_at.saturating_add(time_limit_ns) };
        let exit = exit_on(&ExitLevels { side, stop, target, deadline }, held, span)?;
        let outcome = match exit.kind {
            ExitKind::Target => Outcome::Target,
            ExitKind::Stop => Outcome::Stop,
            ExitKind::Timeout => Outcome::Timeout,
        };
        Some(self.outcome(outcome, exit.time, exit.price))
    }

    fn enter(&mut self, span: &Span) -> Option<Held> {
        if !span.admits(self.bracket.from) {
            return None;
        }
        let touch = limit_touch(self.bracket.side, self.bracket.entry, self.resting, span);
        self.resting = true;
        let touch = touch?;
        self.entered_at = Some(span.time_of(touch.at_open).max(self.bracket.from));
        Some(if touch.at_open { Held::FromOpen } else { Held::FromWithin(touch.market) })
    }

    fn outcome(&self, outcome: Outcome, exited_at: i64, exit_price: i64) -> BarrierOutcome {
        let key = self.bracket.key.clone();
        let exited_at = exited_at.max(self.bracket.from);
        BarrierOutcome { key, outcome, entered_at: self.entered_at.unwrap_or(0), exited_at, exit_price }
    }
}
