//! SMT divergence: of two instruments that move together one makes a new extreme, and the other does not follow.
//!
//! Both have pivots of `size` bars ([`super::pivot`], fractal by default). Pivot highs of the two whose bars lie at most
//! `window` steps apart belong together, as a **pair**: the nearest ones first, of equally near ones the earlier; each
//! belongs to one pair at most, and pairs follow one another on both instruments. When a pair is known, it is compared
//! with the pair before, unless a pivot lies more than `max_distance` steps after its predecessor. Where one
//! instrument's high is above its last and the other's is not (an equal high is none above), that is a **divergence**:
//! the first is the **leader**, the second failed. It is bearish; lows mirror and are bullish. None where the one that
//! failed has closed beyond its older pivot in the meantime. Knowable at the later confirmation of the two new pivots.
//!
//! With **inverse** correlation the second instrument's prices are negated first: highs of the first go with its lows.
//!
//! A **step** is an open time at which at least one of the two has a bar; bars are aligned by it. Where a bar is
//! **missing on one side**, the step counts all the same for windows and ages, and that instrument's pivots wait for
//! bars of their own. A pivot waits `window + size` steps from its bar for its partner; an outage that
//! delays the partner's confirmation further loses the pair.
//!
//! Life, from the step after:
//! - **broken**: the instrument that failed closes beyond its older pivot: it has followed after all; the end;
//! - **expired**: older than `max_age` steps, or the oldest of more than `max_count` of its side; the end.
//!
//! In its events `side` is that of the first instrument's pivots and `direction` the implied direction of the first
//! instrument (`side` itself once broken); `scope` names the **leader**, `formed_at` its new pivot's bar; `low` and `high`
//! are the two pivots of the instrument that **failed**, in its ticks. Ids count the pair's events.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::config::{ConfigError, Correlation, DivergenceConfig};
use super::detector::{check_bar, DetectorError};
use super::event::{Event, EventKind, Fact, Scope, Sink};
use super::pivot::StructurePivots;
use super::recent_bars::RecentBars;
use crate::market::{Bar, Timeframe};

/// Why a step cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DivergenceError {
    /// A bar is of another length, or too early.
    #[error(transparent)]
    Bar(#[from] DetectorError),
    /// The two bars do not open together.
    #[error(
        "the first bar opens at {first}, the second at {second}; give bars of one open time, or one of them alone"
    )]
    Misaligned {
        /// Open time of the first instrument's bar.
        first: i64,
        /// Open time of the second instrument's bar.
        second: i64,
    },
    /// There is no bar.
    #[error("neither instrument has a bar; a step needs one of them")]
    Empty,
}

/// One instrument's pivots and the steps of its last bars.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Follower {
    /// -1 where its prices are negated.
    sign: i64,
    bars: u64,
    pivots: StructurePivots,
    recent: RecentBars,
    /// Of its last `size + 1` bars: the first is that of the bar which the last one can confirm.
    steps: VecDeque<u64>,
}

impl Follower {
    fn new(config: &DivergenceConfig, sign: i64) -> Self {
        let pivots = StructurePivots::new(config.rule, config.size);
        Self { sign, bars: 0, pivots, recent: RecentBars::new(config.size, config.size), steps: VecDeque::new() }
    }

    fn seen(&self, bar: &Bar) -> Bar {
        if self.sign > 0 {
            return *bar;
        }
        Bar { open: -bar.open, high: -bar.low, low: -bar.high, close: -bar.close, ..*bar }
    }

    /// Takes its bar of a step; gives the high and the low that it confirms.
    fn update(&mut self, step: u64, bar: &Bar, size: u32) -> [Option<Extreme>; 2] {
        if self.steps.len() as u64 > u64::from(size) {
            self.steps.pop_front();
        }
        self.steps.push_back(step);
        let seen = self.seen(bar);
        self.recent.push(self.bars, &seen, false);
        let (high, low) = self.pivots.confirm(self.bars, &seen, &self.recent);
        self.bars += 1;
        let step = self.steps.front().copied().unwrap_or(step);
        [high, low].map(|pivot| {
            let pivot = pivot?;
            let value = i64::from(pivot.side) * pivot.price;
            Some(Extreme { step, formed_at: pivot.formed_at, value, furthest: i64::MIN })
        })
    }
}

/// A pivot seen from its side: the higher value is the more extreme one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Extreme {
    step: u64,
    formed_at: i64,
    value: i64,
    /// The furthest close after its confirmation.
    furthest: i64,
}

/// A pivot that a divergence rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Open time of its bar.
    pub time: i64,
    /// Its price, in ticks of its instrument.
    pub price: i64,
}

/// A divergence in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Live {
    event: Event,
    failed: usize,
    /// The older pair of pivots and the newer one.
    pairs: [[Extreme; 2]; 2],
    /// A close of the instrument that failed beyond this value breaks it.
    level: i64,
    born: u64,
}

impl Live {
    fn record(&self, kind: EventKind, direction: i8, sink: &mut Sink<'_>) {
        let Event { side, scope, low, high, id, .. } = self.event;
        let formed_at = sink.bar.open_time;
        sink.emit(Fact {
            kind,
            direction,
            side,
            scope,
            formed_at,
            low,
            high,
            zone_id: id,
            source_id: 0,
            ambiguous: false,
        });
    }
}

/// Highs, or lows, of both instruments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Side {
    side: i8,
    /// Pivots without a partner, oldest first, by instrument.
    waiting: [Vec<Extreme>; 2],
    last: Option<[Extreme; 2]>,
    live: Vec<Live>,
}

impl Side {
    const fn new(side: i8) -> Self {
        Self { side, waiting: [Vec::new(), Vec::new()], last: None, live: Vec::new() }
    }

    /// Applies a step to what exists; `closes` are seen from this side.
    fn update(&mut self, step: u64, closes: [Option<i64>; 2], config: &DivergenceConfig, sink: &mut Sink<'_>) {
        self.live.retain(|live| {
            if step > live.born + u64::from(config.max_age) {
                live.record(EventKind::SmtDivergenceExpired, live.event.direction, sink);
                return false;
            }
            let broken = closes[live.failed].is_some_and(|close| close > live.level);
            if broken {
                live.record(EventKind::SmtDivergenceBroken, live.event.side, sink);
            }
            !broken
        });
        for (waiting, close) in self.waiting.iter_mut().zip(closes) {
            let Some(close) = close else { continue };
            for extreme in waiting {
                extreme.furthest = extreme.furthest.max(close);
            }
        }
    }

    /// Takes the pivots that a step confirmed.
    fn confirm(&mut self, step: u64, news: [Option<Extreme>; 2], made: &Made<'_>, sink: &mut Sink<'_>) {
        if news == [None, None] {
            return;
        }
        let patience = u64::from(made.config.window) + u64::from(made.config.size);
        for (waiting, new) in self.waiting.iter_mut().zip(news) {
            waiting.extend(new);
            waiting.retain(|extreme| step <= extreme.step + patience);
        }
        while let Some(pair) = self.next_pair(u64::from(made.config.window)) {
            for (waiting, taken) in self.waiting.iter_mut().zip(pair) {
                waiting.retain(|extreme| extreme.step > taken.step);
            }
            if let Some(before) = self.last.replace(pair) {
                self.compare(step, before, pair, made, sink);
            }
        }
    }

    fn next_pair(&self, window: u64) -> Option<[Extreme; 2]> {
        let [first, second] = &self.waiting;
        let pairs = first.iter().flat_map(|&one| second.iter().map(move |&other| [one, other]));
        let apart = |pair: &[Extreme; 2]| pair[0].step.abs_diff(pair[1].step);
        let near = pairs.filter(|pair| apart(pair) <= window);
        near.min_by_key(|pair| (apart(pair), pair[0].step + pair[1].step))
    }

    fn compare(&mut self, step: u64, before: [Extreme; 2], pair: [Extreme; 2], made: &Made<'_>, sink: &mut Sink<'_>) {
        let distance = u64::from(made.config.max_distance);
        let further = [0, 1].map(|at| pair[at].value > before[at].value);
        let too_far = [0, 1].iter().any(|&at| pair[at].step - before[at].step > distance);
        if further[0] == further[1] || too_far {
            return;
        }
        let (leader, failed) = if further[0] { (0, 1) } else { (1, 0) };
        let level = before[failed].value;
        if pair[failed].furthest > level {
            return;
        }
        let price = |value: i64| value * i64::from(self.side) * made.signs[failed];
        let (one, other) = (price(level), price(pair[failed].value));
        sink.emit(Fact {
            kind: EventKind::SmtDivergence,
            direction: -self.side,
            side: self.side,
            scope: if leader == 0 { Scope::FirstInstrument } else { Scope::SecondInstrument },
            formed_at: pair[leader].formed_at,
            low: one.min(other),
            high: one.max(other),
            zone_id: 0,
            source_id: 0,
            ambiguous: false,
        });
        if let Some(&event) = sink.events.last() {
            self.live.push(Live { event, failed, pairs: [before, pair], level, born: step });
        }
        if self.live.len() as u64 > u64::from(made.config.max_count) {
            let oldest = self.live.remove(0);
            oldest.record(EventKind::SmtDivergenceExpired, oldest.event.direction, sink);
        }
    }
}

/// What every divergence is made with.
struct Made<'a> {
    config: &'a DivergenceConfig,
    signs: [i64; 2],
}

/// The steps of two instruments, oldest first: at each open time the bar of each, if it has one.
pub fn moments<'a>(first: &'a [Bar], second: &'a [Bar]) -> impl Iterator<Item = [Option<&'a Bar>; 2]> {
    let (mut first, mut second) = (first.iter().peekable(), second.iter().peekable());
    std::iter::from_fn(move || {
        let time = match (first.peek(), second.peek()) {
            (Some(one), Some(other)) => one.open_time.min(other.open_time),
            (Some(bar), None) | (None, Some(bar)) => bar.open_time,
            (None, None) => return None,
        };
        let opens = |bar: &&Bar| bar.open_time == time;
        Some([first.next_if(opens), second.next_if(opens)])
    })
}

/// Finds divergences between two instruments as their bars close.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DivergenceDetector {
    timeframe: Timeframe,
    config: DivergenceConfig,
    last_id: u64,
    steps: u64,
    last_close_time: Option<i64>,
    followers: [Follower; 2],
    sides: [Side; 2],
}

impl DivergenceDetector {
    /// A detector that has seen nothing.
    ///
    /// # Errors
    /// [`ConfigError`] naming the parameter outside its range.
    pub fn new(timeframe: Timeframe, config: DivergenceConfig) -> Result<Self, ConfigError> {
        config.validate()?;
        let second = if config.correlation == Correlation::Inverse { -1 } else { 1 };
        Ok(Self {
            timeframe,
            config,
            last_id: 0,
            steps: 0,
            last_close_time: None,
            followers: [Follower::new(&config, 1), Follower::new(&config, second)],
            sides: [Side::new(1), Side::new(-1)],
        })
    }

    /// Takes the closed bars of one open time and appends the events that they made knowable to `events`.
    ///
    /// # Errors
    /// [`DivergenceError`], with nothing changed.
    pub fn update(
        &mut self,
        first: Option<&Bar>,
        second: Option<&Bar>,
        events: &mut Vec<Event>,
    ) -> Result<(), DivergenceError> {
        let bars = [first, second];
        let bar = self.check(bars)?;
        let (step, signs) = (self.steps, [0, 1].map(|at| self.followers[at].sign));
        let sink = &mut Sink { events, last_id: &mut self.last_id, timeframe: self.timeframe, bar };
        let closes = [0, 1].map(|at| bars[at].map(|bar| signs[at] * bar.close));
        for side in &mut self.sides {
            let seen = closes.map(|close| close.map(|close| close * i64::from(side.side)));
            side.update(step, seen, &self.config, sink);
        }
        let mut news = [[None; 2]; 2];
        for (at, follower) in self.followers.iter_mut().enumerate() {
            if let Some(bar) = bars[at] {
                let [high, low] = follower.update(step, bar, self.config.size);
                (news[0][at], news[1][at]) = (high, low);
            }
        }
        let made = Made { config: &self.config, signs };
        for (side, news) in self.sides.iter_mut().zip(news) {
            side.confirm(step, news, &made, sink);
        }
        self.last_close_time = Some(bar.close_time);
        self.steps += 1;
        Ok(())
    }

    /// Takes many bars of each instrument, oldest first, and aligns them by open time.
    ///
    /// # Errors
    /// [`DivergenceError`]; the steps before the offending one are taken.
    pub fn run(&mut self, first: &[Bar], second: &[Bar], events: &mut Vec<Event>) -> Result<(), DivergenceError> {
        moments(first, second).try_for_each(|[one, other]| self.update(one, other, events))
    }

    fn check<'a>(&self, bars: [Option<&'a Bar>; 2]) -> Result<&'a Bar, DivergenceError> {
        if let [Some(first), Some(second)] = bars {
            let (first, second) = (first.open_time, second.open_time);
            if first != second {
                return Err(DivergenceError::Misaligned { first, second });
            }
        }
        for bar in bars.into_iter().flatten() {
            check_bar(self.timeframe, self.last_close_time, bar)?;
        }
        bars[0].or(bars[1]).ok_or(DivergenceError::Empty)
    }

    /// Timeframe of the bars.
    #[must_use]
    pub const fn timeframe(&self) -> Timeframe {
        self.timeframe
    }

    /// Its parameters.
    #[must_use]
    pub const fn config(&self) -> &DivergenceConfig {
        &self.config
    }

    /// Number of steps taken.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// The events of the divergences in force, oldest first.
    #[must_use]
    pub fn live(&self) -> Vec<Event> {
        let mut live: Vec<Event> = self.sides.iter().flat_map(|side| &side.live).map(|live| live.event).collect();
        live.sort_unstable_by_key(|event| event.id);
        live
    }

    /// How many divergences are in force at highs, and at lows, of the first instrument.
    #[must_use]
    pub fn in_force(&self) -> [usize; 2] {
        [0, 1].map(|at| self.sides[at].live.len())
    }

    /// The four pivots of the divergence in force whose event has this id: of each instrument the older and the newer.
    #[must_use]
    pub fn anchors(&self, id: u64) -> Option<[[Anchor; 2]; 2]> {
        let live = self.sides.iter().flat_map(|side| &side.live).find(|live| live.event.id == id)?;
        let anchor = |at: usize, pair: [Extreme; 2]| {
            let price = pair[at].value * i64::from(live.event.side) * self.followers[at].sign;
            Anchor { time: pair[at].formed_at, price }
        };
        Some([0, 1].map(|at| live.pairs.map(|pair| anchor(at, pair))))
    }
}
