//! How often what the detector reads is followed by what it is said to mean: counts, not opinions.
//!
//! A record is tested by its shape (`role.rs`), so that a concept added to the detector is measured without a line here:
//!
//! - **from the close**: a record with a direction that is no zone (a break, a shift, a displacement, the sweep of a
//!   level) hits if price reaches `atr_multiple` ATR in its direction, counted from the close that confirmed it, before as
//!   much against it. The ATR is that of the confirming bar; the first bar that counts is the one after;
//! - **from the first touch**: a zone with a direction hits if, after the first record of its life (its first touch),
//!   price reaches one height of the zone beyond the near edge before the far edge trades. On the touching bar itself a
//!   trade at the far edge is a miss, and a close at the target a hit; its high (low) is no hit, because it may have
//!   come before the touch.
//!
//! Both prices of a race reached in one bar: what happened in between is not known, and it counts as a miss
//! (**ambiguous**). Neither within `time_limit` bars, or before the bars end: **unresolved**, outside the rate.
//! Zones that nothing touched are counted apart. Races run in one pass over the bars (`race.rs`).
//!
//! Records come in clusters and their races overlap, so fewer of them are independent than there are. `effective` is
//! their number divided by the design effect: the variance of the rate between blocks of `block` bars over that of as
//! many independent draws, at least 1 (Kish, Survey Sampling, 1965; the rate as a ratio over blocks).
//!
//! What chance alone gives is measured on surrogate markets (`surrogate.rs`), by the same function.

mod pair;
mod race;
mod role;
mod spread;
mod surrogate;

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::market::{Bar, Timeframe};
use crate::smc::event::named_enum;
use crate::smc::{ConfigError, Detector, DetectorConfig, DetectorError, DivergenceError, Event, EventKind, Scope};
use race::{Outcome, Races};
use role::{is_expiry, Role, Roles};
use spread::Spread;

pub use pair::divergence_counts;
pub use surrogate::{surrogate, SurrogateError, SurrogateKind};

named_enum! {
    /// What a record must be followed by.
    Test {
        /// So many ATR with its direction, before as many against it.
        FromClose => "from_close",
        /// One height of the zone in favour, before the far edge trades.
        FromTouch => "from_touch",
    }
}

/// How records are tested.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StudySettings {
    /// Distance of both prices from the close, in ATR.
    pub atr_multiple: f64,
    /// Bars within which a race must end.
    pub time_limit: u32,
    /// Bars whose records are taken as one cluster.
    pub block: u32,
}

impl Default for StudySettings {
    fn default() -> Self {
        Self { atr_multiple: 1.0, time_limit: 500, block: 200 }
    }
}

/// Why bars cannot be studied.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StudyError {
    /// A setting of the study outside its range.
    #[error("{key} is {value}; it must be {wanted}")]
    Setting {
        /// The offending key.
        key: &'static str,
        /// The value given.
        value: f64,
        /// What is accepted.
        wanted: &'static str,
    },
    /// A parameter of the detector outside its range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The detector refused a bar.
    #[error(transparent)]
    Detector(#[from] DetectorError),
    /// The detector of divergences refused a step, or its parameters.
    #[error(transparent)]
    Divergence(#[from] DivergenceError),
}

impl StudySettings {
    fn validate(&self) -> Result<(), StudyError> {
        if !(self.atr_multiple > 0.0 && self.atr_multiple <= 1_000.0) {
            let wanted = "above 0 and at most 1000";
            return Err(StudyError::Setting { key: "atr_multiple", value: self.atr_multiple, wanted });
        }
        for (key, value) in [("time_limit", self.time_limit), ("block", self.block)] {
            if value == 0 {
                return Err(StudyError::Setting { key, value: 0.0, wanted: "1 or more" });
            }
        }
        Ok(())
    }
}

/// What became of the records of one kind and scope; `found` is the sum of `untested`, `untouched`, `hits`, `misses`
/// and `unresolved`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HitCount {
    /// The kind of the record; of the one that makes the zone, where a zone is tested.
    pub kind: EventKind,
    /// Its scope.
    pub scope: Scope,
    /// How it was tested.
    pub test: Test,
    /// Records of that kind and scope.
    pub found: u64,
    /// Confirmed before the ATR was warm, or zones without height.
    pub untested: u64,
    /// Zones that price did not come back to.
    pub untouched: u64,
    /// Followed by what they must be followed by.
    pub hits: u64,
    /// Not.
    pub misses: u64,
    /// The misses whose order inside a bar is not known.
    pub ambiguous: u64,
    /// Neither within the time limit.
    pub unresolved: u64,
    /// Hits and misses, as a number of independent ones.
    pub effective: f64,
}

impl HitCount {
    const fn new(kind: EventKind, scope: Scope, test: Test) -> Self {
        Self {
            kind,
            scope,
            test,
            found: 0,
            untested: 0,
            untouched: 0,
            hits: 0,
            misses: 0,
            ambiguous: 0,
            unresolved: 0,
            effective: 0.0,
        }
    }
}

/// Runs the detector over the bars and counts what its records were followed by, in the order of kind and scope.
///
/// # Errors
/// [`StudyError`] naming the setting, the parameter, or the bar.
pub fn hit_counts(
    bars: &[Bar],
    timeframe: Timeframe,
    config: DetectorConfig,
    settings: StudySettings,
) -> Result<Vec<HitCount>, StudyError> {
    let mut study = Study::new(settings)?;
    let mut detector = Detector::new(timeframe, config)?;
    let mut events = Vec::new();
    for (index, bar) in bars.iter().enumerate() {
        study.races.advance(index, bar);
        events.clear();
        detector.update(bar, &mut events)?;
        let now = Now { index, bar, atr: detector.atr() };
        for event in &events {
            study.take(now, event);
        }
    }
    Ok(study.finish())
}

type Key = (EventKind, Scope);

/// Where a race came from; its number is its place.
#[derive(Clone, Copy, Debug)]
struct Start {
    key: Key,
    bar: usize,
}

/// A zone that nothing touched so far.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    key: Key,
    direction: i8,
    low: i64,
    high: i64,
}

/// The bar that has just closed.
#[derive(Clone, Copy, Debug)]
struct Now<'a> {
    index: usize,
    bar: &'a Bar,
    atr: Option<f64>,
}

struct Study {
    roles: Roles,
    races: Races,
    counts: BTreeMap<Key, HitCount>,
    starts: Vec<Start>,
    waiting: HashMap<u64, Waiting>,
    settings: StudySettings,
}

impl Study {
    fn new(settings: StudySettings) -> Result<Self, StudyError> {
        settings.validate()?;
        Ok(Self {
            roles: Roles::default(),
            races: Races::new(settings.time_limit as usize),
            counts: BTreeMap::new(),
            starts: Vec::new(),
            waiting: HashMap::new(),
            settings,
        })
    }

    fn take(&mut self, now: Now<'_>, event: &Event) {
        match self.roles.of(event.kind) {
            Role::Zone if event.direction != 0 => self.wait(event),
            Role::ZoneLife => {
                let zone = self.waiting.remove(&event.zone_id).filter(|_| !is_expiry(event.kind));
                if let Some(zone) = zone {
                    self.start_touched(now, zone);
                }
            }
            Role::Sign if event.direction != 0 => self.start_from_close(now, event),
            _ => {}
        }
    }

    fn count(&mut self, key: Key, test: Test) -> &mut HitCount {
        self.counts.entry(key).or_insert_with(|| HitCount::new(key.0, key.1, test))
    }

    fn start_from_close(&mut self, now: Now<'_>, event: &Event) {
        let Now { index, bar, atr } = now;
        let key = (event.kind, event.scope);
        let count = self.count(key, Test::FromClose);
        count.found += 1;
        let Some(atr) = atr else {
            count.untested += 1;
            return;
        };
        let distance = (self.settings.atr_multiple * atr).round().max(1.0) as i64;
        self.starts.push(Start { key, bar: index });
        let (lower, upper) = (bar.close.saturating_sub(distance), bar.close.saturating_add(distance));
        self.races.start(index, event.direction, lower, upper);
    }

    fn wait(&mut self, event: &Event) {
        let key = (event.kind, event.scope);
        let count = self.count(key, Test::FromTouch);
        count.found += 1;
        if event.low == event.high {
            count.untested += 1;
            return;
        }
        let Event { direction, low, high, .. } = *event;
        self.waiting.insert(event.id, Waiting { key, direction, low, high });
    }

    fn start_touched(&mut self, Now { index, bar, .. }: Now<'_>, zone: Waiting) {
        let Waiting { key, direction, low, high } = zone;
        self.starts.push(Start { key, bar: index });
        let height = high - low;
        let (lower, upper) = if direction > 0 { (low, high + height) } else { (low - height, high) };
        // Seen from the zone's side: price falls to a bullish zone.
        let (far_traded, passed, closed) = if direction > 0 {
            (bar.low <= lower, bar.high >= upper, bar.close >= upper)
        } else {
            (bar.high >= upper, bar.low <= lower, bar.close <= lower)
        };
        match (far_traded, passed, closed) {
            (true, true, _) => self.races.settled(Outcome::Tie),
            (true, false, _) => self.races.settled(Outcome::Miss),
            (false, _, true) => self.races.settled(Outcome::Hit),
            (false, _, false) => self.races.start(index, direction, lower, upper),
        }
    }

    fn finish(mut self) -> Vec<HitCount> {
        let mut spreads: BTreeMap<Key, Spread> = BTreeMap::new();
        for (start, outcome) in self.starts.iter().zip(self.races.outcomes()) {
            let Some(count) = self.counts.get_mut(&start.key) else { continue };
            match outcome {
                Outcome::Hit => count.hits += 1,
                Outcome::Miss => count.misses += 1,
                Outcome::Tie => {
                    count.misses += 1;
                    count.ambiguous += 1;
                }
                Outcome::Open => {
                    count.unresolved += 1;
                    continue;
                }
            }
            let block = start.bar / self.settings.block as usize;
            spreads.entry(start.key).or_default().add(block, outcome == Outcome::Hit);
        }
        for (key, count) in &mut self.counts {
            let resolved = count.hits + count.misses;
            count.untouched = count.found - count.untested - resolved - count.unresolved;
            count.effective = spreads.remove(key).map_or(0.0, Spread::effective);
        }
        self.counts.into_values().collect()
    }
}
