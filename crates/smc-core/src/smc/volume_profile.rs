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
//!   period's range, then to its last close, then the upper.
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

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::civil_time::{PeriodLength, Schedule, Span};
use super::config::{PeriodConfig, VolumeProfileConfig};
use super::event::{EventKind, Fact, Scope, Sink};
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

/// The volume of one period by price. Bin k holds the ticks within `half` of `anchor + k * (2 * half + 1)`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Histogram {
    half: i64,
    anchor: i64,
    formed_at: i64,
    low: i64,
    high: i64,
    close: i64,
    volume: i128,
    /// Number of the lowest bin.
    first: i64,
    bins: VecDeque<f64>,
}

impl Histogram {
    fn restart(&mut self, half: i64) {
        self.bins.clear();
        (self.half, self.volume) = (half, 0);
    }

    const fn bin_of(&self, price: i64) -> i64 {
        (price - self.anchor + self.half).div_euclid(2 * self.half + 1)
    }

    /// Middle of the bin at `position`.
    const fn centre(&self, position: usize) -> i64 {
        self.anchor + (self.first + position as i64) * (2 * self.half + 1)
    }

    /// Number of bins from the lowest to the highest, `from` and `to` among them.
    fn bins_with(&self, from: i64, to: i64) -> i64 {
        let last = self.first + self.bins.len() as i64 - 1;
        last.max(to) - self.first.min(from) + 1
    }

    /// Adds a bar with volume.
    fn add(&mut self, bar: &Bar, max_bins: i64) {
        if self.bins.is_empty() {
            (self.anchor, self.formed_at, self.low, self.high) = (bar.open, bar.open_time, bar.low, bar.high);
            self.first = 0;
            self.bins.push_back(0.0);
        }
        self.low = self.low.min(bar.low);
        self.high = self.high.max(bar.high);
        self.close = bar.close;
        let (mut from, mut to) = (self.bin_of(bar.low), self.bin_of(bar.high));
        while self.bins_with(from, to) > max_bins {
            self.coarsen();
            (from, to) = (self.bin_of(bar.low), self.bin_of(bar.high));
        }
        while from < self.first {
            self.bins.push_front(0.0);
            self.first -= 1;
        }
        let (start, end) = ((from - self.first) as usize, (to - self.first) as usize);
        if end >= self.bins.len() {
            self.bins.resize(end + 1, 0.0);
        }
        let part = bar.volume as f64 / (to - from + 1) as f64;
        for bin in self.bins.range_mut(start..=end) {
            *bin += part;
        }
        self.volume += i128::from(bar.volume);
    }

    /// Makes one bin of three. Outer bins are added first, so that mirrored bins give the same sum.
    fn coarsen(&mut self) {
        let first = (self.first + 1).div_euclid(3);
        let last = (self.first + self.bins.len() as i64).div_euclid(3);
        let old = |bins: &VecDeque<f64>, bin: i64| {
            let position = usize::try_from(bin - self.first);
            position.ok().and_then(|position| bins.get(position).copied()).unwrap_or(0.0)
        };
        for bin in first..=last {
            let sum = old(&self.bins, 3 * bin) + (old(&self.bins, 3 * bin - 1) + old(&self.bins, 3 * bin + 1));
            self.bins[(bin - first) as usize] = sum;
        }
        self.bins.truncate((last - first + 1) as usize);
        (self.first, self.half) = (first, 3 * self.half + 1);
    }

    /// Position of the point of control.
    fn fullest(&self) -> Option<usize> {
        let middle = |position: usize| (2 * self.centre(position) - self.low - self.high).abs();
        let last = |position: usize| (self.centre(position) - self.close).abs();
        let bins = self.bins.iter().copied().enumerate();
        let better = |best: (usize, f64), next: (usize, f64)| {
            let nearer = (middle(next.0), last(next.0)) <= (middle(best.0), last(best.0));
            if next.1 > best.1 || (next.1 == best.1 && nearer) {
                next
            } else {
                best
            }
        };
        bins.reduce(better).map(|(position, _)| position)
    }

    /// Positions of the lowest and the highest bin of the value area around `control`.
    fn value_area(&self, control: usize, share: f64) -> (usize, usize) {
        let target = share * self.volume as f64;
        let (mut from, mut to) = (control, control);
        let mut held = self.bins[control];
        while held < target {
            let below = from.checked_sub(1).map(|position| self.bins[position]);
            let above = self.bins.get(to + 1).copied();
            let down = below.filter(|&below| above.is_none_or(|above| below >= above));
            let up = above.filter(|&above| below.is_none_or(|below| above >= below));
            if down.is_none() && up.is_none() {
                break;
            }
            from -= usize::from(down.is_some());
            to += usize::from(up.is_some());
            held += down.unwrap_or(0.0) + up.unwrap_or(0.0);
        }
        (from, to)
    }

    fn reading(&self, scope: Scope, share: f64) -> Option<VolumeProfile> {
        let control = self.fullest().filter(|_| self.volume > 0)?;
        let (from, to) = self.value_area(control, share);
        let Self { half, formed_at, low, high, volume, .. } = *self;
        Some(VolumeProfile {
            scope,
            formed_at,
            low,
            high,
            point_of_control: self.centre(control).clamp(low, high),
            value_low: (self.centre(from) - half).max(low),
            value_high: (self.centre(to) + half).min(high),
            volume,
        })
    }
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
