//! Levels, windows and sequences that go by the clock.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::super::civil_time::{Schedule, TimeOfDay};
use super::super::event::Scope;
use super::documented::documented;
use super::{share, window, ConfigError};

documented! {
    /// Trading days, weeks and months; see [`super::super::period_level`].
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct PeriodConfig {
        /// IANA zone of the clock.
        pub zone: Tz,
        /// When a trading day begins; from noon on it bears the date of the day after.
        pub roll: TimeOfDay,
    }
}

impl Default for PeriodConfig {
    fn default() -> Self {
        Self { zone: Tz::UTC, roll: TimeOfDay::hour(0) }
    }
}

documented! {
    /// A window of each day, half-open.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct WindowConfig {
        /// IANA zone of the clock.
        pub zone: Tz,
        /// Its first minute.
        pub start: TimeOfDay,
        /// The minute after its last; at or before the start it lies on the next day.
        pub end: TimeOfDay,
    }
}

impl WindowConfig {
    const fn hours(zone: Tz, start: u16, end: u16) -> Option<Self> {
        Some(Self { zone, start: TimeOfDay::hour(start), end: TimeOfDay::hour(end) })
    }

    /// The window as a schedule.
    #[must_use]
    pub const fn schedule(&self) -> Schedule {
        Schedule::Window { zone: self.zone, start: self.start, end: self.end }
    }
}

documented! {
    /// Sessions and kill zones; null leaves one out. See [`super::super::session`].
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct SessionConfig {
        /// The quiet hours whose range the Judas swing leaves.
        pub asian_kill_zone: Option<WindowConfig>,
        /// Around the London open.
        pub london_kill_zone: Option<WindowConfig>,
        /// Around the New York open.
        pub new_york_kill_zone: Option<WindowConfig>,
        /// Around the London close.
        pub london_close_kill_zone: Option<WindowConfig>,
        /// Around the New York open of indices, in place of `new_york_kill_zone`.
        pub new_york_index_kill_zone: Option<WindowConfig>,
        /// The hour after the London open in which a setup is looked for.
        pub london_silver_bullet: Option<WindowConfig>,
        /// Such an hour of New York's morning.
        pub morning_silver_bullet: Option<WindowConfig>,
        /// Such an hour of New York's afternoon.
        pub afternoon_silver_bullet: Option<WindowConfig>,
        /// The Tokyo session.
        pub tokyo_session: Option<WindowConfig>,
        /// The London session.
        pub london_session: Option<WindowConfig>,
        /// The New York session.
        pub new_york_session: Option<WindowConfig>,
    }
}

impl Default for SessionConfig {
    fn default() -> Self {
        let hours = WindowConfig::hours;
        Self {
            asian_kill_zone: hours(Tz::America__New_York, 20, 24),
            london_kill_zone: hours(Tz::America__New_York, 2, 5),
            new_york_kill_zone: hours(Tz::America__New_York, 7, 10),
            london_close_kill_zone: hours(Tz::America__New_York, 10, 12),
            new_york_index_kill_zone: None,
            london_silver_bullet: hours(Tz::America__New_York, 3, 4),
            morning_silver_bullet: hours(Tz::America__New_York, 10, 11),
            afternoon_silver_bullet: hours(Tz::America__New_York, 14, 15),
            tokyo_session: hours(Tz::Asia__Tokyo, 9, 18),
            london_session: hours(Tz::Europe__London, 8, 17),
            new_york_session: hours(Tz::America__New_York, 8, 17),
        }
    }
}

impl SessionConfig {
    /// Every window with its name.
    #[must_use]
    pub const fn windows(&self) -> [(Scope, Option<WindowConfig>); 11] {
        [
            (Scope::AsianKillZone, self.asian_kill_zone),
            (Scope::LondonKillZone, self.london_kill_zone),
            (Scope::NewYorkKillZone, self.new_york_kill_zone),
            (Scope::LondonCloseKillZone, self.london_close_kill_zone),
            (Scope::NewYorkIndexKillZone, self.new_york_index_kill_zone),
            (Scope::LondonSilverBullet, self.london_silver_bullet),
            (Scope::MorningSilverBullet, self.morning_silver_bullet),
            (Scope::AfternoonSilverBullet, self.afternoon_silver_bullet),
            (Scope::TokyoSession, self.tokyo_session),
            (Scope::LondonSession, self.london_session),
            (Scope::NewYorkSession, self.new_york_session),
        ]
    }
}

documented! {
    /// Reference opens; see [`super::super::reference_open`].
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct ReferenceOpenConfig {
        /// The open of each trading day.
        pub day: bool,
        /// The open of each trading week.
        pub week: bool,
        /// Where the first bar of New York's day may open; null leaves it out.
        pub new_york_midnight: Option<WindowConfig>,
        /// Where the first bar of New York's morning may open; null leaves it out.
        pub new_york_morning: Option<WindowConfig>,
    }
}

impl Default for ReferenceOpenConfig {
    fn default() -> Self {
        let quarter = |hour, minute| {
            let (start, end) = (TimeOfDay::at(hour, minute), TimeOfDay::at(hour, minute + 15));
            Some(WindowConfig { zone: Tz::America__New_York, start, end })
        };
        Self { day: true, week: true, new_york_midnight: quarter(0, 0), new_york_morning: quarter(8, 30) }
    }
}

documented! {
    /// Judas swings.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct JudasConfig {
        /// Bars after the one that left the range within which a close must come back.
        pub max_bars: u32,
    }
}

impl Default for JudasConfig {
    fn default() -> Self {
        Self { max_bars: 8 }
    }
}

impl JudasConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        window("judas_swing.max_bars", self.max_bars)
    }
}

documented! {
    /// Power of three.
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct PowerOfThreeConfig {
        /// Asian ranges that a new one is compared with.
        pub sessions: u32,
        /// A range up to this quantile of them is an accumulation.
        pub quantile: f64,
    }
}

impl Default for PowerOfThreeConfig {
    fn default() -> Self {
        Self { sessions: 20, quantile: 0.5 }
    }
}

impl PowerOfThreeConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        window("power_of_three.sessions", self.sessions)?;
        share("power_of_three.quantile", self.quantile)
    }
}

documented! {
    /// Optimal trade entry.
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct OptimalEntryConfig {
        /// The shallow end of the band, as a part of the leg.
        pub near: f64,
        /// The deep end.
        pub far: f64,
    }
}

impl Default for OptimalEntryConfig {
    fn default() -> Self {
        Self { near: 0.62, far: 0.79 }
    }
}

impl OptimalEntryConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        share("optimal_entry.near", self.near)?;
        share("optimal_entry.far", self.far)?;
        if self.near < self.far {
            return Ok(());
        }
        Err(ConfigError { key: "optimal_entry.far", value: self.far, wanted: "above optimal_entry.near" })
    }
}
