//! Bar lengths, and where each bar of a length begins.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

const MINUTE: i64 = 60_000_000_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;
/// The epoch was a Thursday; trading weeks open on Monday.
const MONDAY_OFFSET: i64 = 4 * DAY;

const NAMES: [(&str, i64); 13] = [
    ("1m", MINUTE),
    ("3m", 3 * MINUTE),
    ("5m", 5 * MINUTE),
    ("15m", 15 * MINUTE),
    ("30m", 30 * MINUTE),
    ("1h", HOUR),
    ("2h", 2 * HOUR),
    ("4h", 4 * HOUR),
    ("6h", 6 * HOUR),
    ("8h", 8 * HOUR),
    ("12h", 12 * HOUR),
    ("1d", DAY),
    ("1w", WEEK),
];

/// A fixed bar length, aligned to UTC midnight (weeks to Monday).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Length")]
pub struct Timeframe {
    ns: i64,
}

/// A length as it is stored, known or not.
#[derive(Deserialize)]
struct Length {
    ns: i64,
}

impl TryFrom<Length> for Timeframe {
    type Error = TimeframeError;

    fn try_from(stored: Length) -> Result<Self, TimeframeError> {
        let known = NAMES.iter().any(|(_, ns)| *ns == stored.ns);
        known.then_some(Self { ns: stored.ns }).ok_or_else(|| TimeframeError(format!("{} ns", stored.ns)))
    }
}

/// A timeframe name that is not one of the thirteen known ones.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown timeframe {0:?}; use one of 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 1w")]
pub struct TimeframeError(pub String);

impl Timeframe {
    /// Length in nanoseconds.
    #[must_use]
    pub const fn ns(self) -> i64 {
        self.ns
    }

    /// The name, such as `15m`.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, ns)| *ns == self.ns).map_or("?", |(name, _)| name)
    }

    /// Open time of the bar that contains `time`.
    #[must_use]
    pub const fn open_of(self, time: i64) -> i64 {
        let offset = if self.ns == WEEK { MONDAY_OFFSET } else { 0 };
        time - (time - offset).rem_euclid(self.ns)
    }

    /// Whether bars of this length can be built from bars of `smaller`.
    #[must_use]
    pub const fn divides_into(self, smaller: Self) -> bool {
        smaller.ns <= self.ns && self.ns % smaller.ns == 0
    }
}

impl FromStr for Timeframe {
    type Err = TimeframeError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|&(_, ns)| Self { ns })
            .ok_or_else(|| TimeframeError(name.to_owned()))
    }
}

impl fmt::Display for Timeframe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn names_round_trip() {
        for (name, ns) in NAMES {
            let parsed: Timeframe = name.parse().expect("known");
            assert_eq!((parsed.ns(), parsed.to_string()), (ns, name.to_owned()));
        }
        assert_eq!("7m".parse::<Timeframe>(), Err(TimeframeError("7m".into())));
    }

    #[test]
    fn weeks_open_on_monday() {
        let week: Timeframe = "1w".parse().expect("known");
        // 2023-06-01 was a Thursday; its week opened on 2023-05-29.
        assert_eq!(week.open_of(1_685_577_600_000_000_000), 1_685_318_400_000_000_000);
    }
}
