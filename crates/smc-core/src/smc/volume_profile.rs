//! Volume profile: how much was traded at which price, over a trading day or week.
//!
//! Periods are those of civil time ([`super::civil_time`]) with the configured zone and roll of the trading day; a bar
//! belongs to the one that contains its open time. A period whose beginning was not seen, one that is not longer than a
//! bar, and one that begins before the ATR is warm (unless the bin is given in ticks) has no profile. Bars
//! without volume add nothing, so **a source that tells no volume has no profile at all**.
//!
//! Prices are put in bins of an odd number of ticks, centred on the open of the first bar with volume and so the same
//! for mirrored prices: `bin_ticks`, or the odd number nearest to `bin_atr` times the ATR of the bar before the
//! period, frozen for it. Where a period needs more than `max_bins`, three bins become one around the same
//! centre, as often as it takes. The volume of a bar is spread evenly over the bins that its range meets, in floating
//! point, bar after bar: the same bars give the same sums, to the bit.
//!
//! - **Point of control**: the centre of the bin with the most volume; of equal bins the one nearest to the middle of the
//!   period's range, then to its last close, then the one on the side to which its close last moved.
//! - **Value area**: grown from that bin by the larger of the two bins next to it (of equal ones by both, at an
//!   end by what is left) until it holds `value_share` of the volume; both are cut to the period's range.
//!
//! The developing profile is a reading, computed when asked for. When the period is over, at the close of the bar that
//! ends with or beyond it or else of the first bar after it, `volume_profile` records the value area, and its
//! point of control becomes a **naked point of control**: a level on the side of price on which it lies, whose source is
//! that record. There is none where the close is at it, nor where the period is told of by a later bar that
//! trades at it.
//!
//! Life, from the bar after: **touched**: a bar reaches the level, exactly or by a jump over it; the end;
//! **expired**: older than `max_age` bars, or the oldest of more than `max_count` on its side; the end.

use serde::{Deserialize, Serialize};

use super::civil_time::{PeriodLength, Schedule, Span};
use super::config::{PeriodConfig, VolumeProfileConfig};
use super::event::{EventKind, Fact, Scope, Sink};
use super::volume_histogram::Histogram;
use super::zone::{Zone, ZoneDraft, ZoneKind};
use super::zone_index::{Fate, ZoneIndex};
use crate::market::{Bar, Timeframe};

/// Where a period traded; prices in ticks, volume in lots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VolumeProfile {
    /// Day, week or month.
    pub scope: Scope,
    /// Open time of the period's first bar with volume.
    pub formed_at: i64,
    /// Lowest price of the bars with volume.
    pub low: i64,
    /// Highest price of the bars with volume.
    pub high: i64,
    /// Where most was traded.
    pub point_of_control: i64,
    /// Lower edge of the value area.
    pub value_low: i64,
    /// Upper edge of the value area.
    pub value_high: i64,
    /// Volume of the period so far.
    pub volume: i128,
}

/// The profile of the present period, and the naked points of control of older ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VolumeProfiles {
    config: VolumeProfileConfig,
    scope: Scope,
    schedule: Option<Schedule>,
    span: Option<Span>,
    /// Whether the present period has a profile.
    followed: bool,
    /// Whether its end was told.
    told: bool,
    histogram: Histogram,
    above: ZoneIndex,
    below: ZoneIndex,
}

impl VolumeProfiles {
    /// None yet.
    #[must_use]
    pub fn new(config: &VolumeProfileConfig, periods: &PeriodConfig, timeframe: Timeframe) -> Self {
        let PeriodConfig { zone, roll } = *periods;
        let schedule = config.length.map(|length| Schedule::Period { length, zone, roll });
        let scope = config.length.map_or(Scope::None, |length| match length {
            PeriodLength::Day => Scope::Day,
            PeriodLength::Week => Scope::Week,
            PeriodLength::Month => Scope::Month,
        });
        Self {
            config: *config,
            scope,
            schedule: schedule.filter(|schedule| schedule.usual_length() > timeframe.ns()),
            span: None,
            followed: false,
            told: false,
            histogram: Histogram::default(),
            above: ZoneIndex::new(-1, config.max_age, config.max_count),
            below: ZoneIndex::new(1, config.max_age, config.max_count),
        }
    }

    /// The profile of the present period up to the last bar.
    #[must_use]
    pub fn developing(&self) -> Option<VolumeProfile> {
        self.histogram.reading(self.scope, self.config.value_share)
    }

    /// Naked points of control of both sides.
    pub fn live(&self) -> impl Iterator<Item = &Zone> {
        self.above.nearest_first().chain(self.below.nearest_first())
    }

    /// The naked point of control of a side that price would meet first.
    pub(crate) fn nearest(&self, side: i8) -> Option<&Zone> {
        (if side > 0 { &self.above } else { &self.below }).nearest_first().next()
    }

    /// Applies bar `index` to the naked points of control.
    pub(crate) fn update(&mut self, index: u64, bar: &Bar, sink: &mut Sink<'_>) {
        for zones in [&mut self.above, &mut self.below] {
            zones.expire(index, |zone| {
                zone.record(EventKind::PointOfControlExpired, 0, false, sink);
            });
            zones.reach(bar, |zone, _, _| {
                zone.record(EventKind::PointOfControlTouched, 0, false, sink);
                Fate::Remove
            });
        }
    }

    /// Adds bar `index`, and tells of the periods that are over with it; `atr` is that of the bar before.
    pub(crate) fn form(&mut self, index: u64, bar: &Bar, atr: Option<f64>, sink: &mut Sink<'_>) {
        let Some(schedule) = self.schedule else { return };
        let span = match self.span {
            Some(span) if bar.open_time < span.end => span,
            _ => self.enter(schedule, index, bar, atr, sink),
        };
        if self.followed && bar.volume > 0 {
            self.histogram.add(bar, i64::from(self.config.max_bins));
        }
        if bar.close_time >= span.end {
            self.tell(index, bar.close, bar.close, sink);
        }
    }

    /// Moves on to the period of the bar.
    fn enter(&mut self, schedule: Schedule, index: u64, bar: &Bar, atr: Option<f64>, sink: &mut Sink<'_>) -> Span {
        self.tell(index, bar.low, bar.high, sink);
        let span = schedule.span_at(bar.open_time);
        let whole = self.span.is_some() || bar.open_time <= span.start;
        let by_atr = atr.map(|atr| ((self.config.bin_atr * atr - 1.0) / 2.0).round().max(0.0) as i64);
        let half = self.config.bin_ticks.map(|ticks| i64::from(ticks) / 2).or(by_atr);
        self.histogram.restart(half.unwrap_or(0));
        (self.span, self.followed, self.told) = (Some(span), whole && half.is_some(), false);
        span
    }

    /// Tells once of a period that is over; its point of control is naked unless it lies within `low..=high`.
    fn tell(&mut self, index: u64, low: i64, high: i64, sink: &mut Sink<'_>) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        let Some(profile) = self.developing() else { return };
        let (scope, formed_at, level) = (self.scope, profile.formed_at, profile.point_of_control);
        let source_id = sink.emit(Fact {
            kind: EventKind::VolumeProfile,
            direction: 0,
            side: 0,
            scope,
            formed_at,
            low: profile.value_low,
            high: profile.value_high,
            zone_id: 0,
            source_id: 0,
            ambiguous: false,
        });
        let (side, zones) = if level > high {
            (1, &mut self.above)
        } else if level < low {
            (-1, &mut self.below)
        } else {
            return;
        };
        let draft = ZoneDraft::level(ZoneKind::PointOfControl, side, formed_at, level);
        let zone = Zone::create(ZoneDraft { scope, source_id, ..draft }, index, sink);
        if let Some(evicted) = zones.insert(zone) {
            evicted.record(EventKind::PointOfControlExpired, 0, false, sink);
        }
    }
}
