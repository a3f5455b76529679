//! Volume profiles and naked points of control.

use std::collections::BTreeMap;

use proptest::prelude::*;
use smc_core::market::Bar;
use smc_core::smc::config::VolumeProfileConfig;
use smc_core::smc::{Detector, DetectorConfig, Event, EventKind, PivotRule, Scope};

use super::smc_common::plain::{closed, first, of_kind, reach, record_at, unbounded};
use super::smc_common::{hourly, mirrored, one_minute_bar, run, walk};

const DAY: i64 = 86_400_000_000_000;
/// Divisible by every number of bins up to twelve, so that no part of a bar's volume is rounded.
const EVEN: i64 = 27_720;

fn config(bin_ticks: u32) -> DetectorConfig {
    let volume_profile = VolumeProfileConfig { bin_ticks: Some(bin_ticks), ..VolumeProfileConfig::default() };
    DetectorConfig { volume_profile, ..DetectorConfig::default() }
}

/// Hours from a midnight on: open, high, low, close, volume.
fn hours(rows: &[([i64; 4], i64)]) -> Vec<Bar> {
    let bar = |(hour, &(prices, volume)): (usize, &([i64; 4], i64))| Bar {
        volume,
        taker_buy_volume: 0,
        ..one_minute_bar(hour as i64, prices)
    };
    hourly(&rows.iter().enumerate().map(bar).collect::<Vec<_>>())
}

/// Three bars of a morning: 10, 20, 25, 20 and 10 lots at 100 to 104.
const MORNING: [([i64; 4], i64); 3] = [([100, 104, 100, 104], 50), ([103, 103, 101, 102], 30), ([102; 4], 5)];

/// A day that begins with the morning and trades without volume at `rest`, then further hours.
fn day(rest: i64, further: &[([i64; 4], i64)]) -> Vec<Bar> {
    let mut rows = MORNING.to_vec();
    rows.resize(24, ([rest; 4], 0));
    rows.extend(further);
    hours(&rows)
}

#[test]
fn the_value_area_grows_by_the_larger_neighbour_and_by_both_where_they_are_equal() {
    let (detector, events) = run(config(1), &hours(&MORNING));
    let profile = detector.volume_profile().unwrap();
    assert_eq!((profile.scope, profile.low, profile.high, profile.volume), (Scope::Day, 100, 104, 85));
    // 25 lots at 102, then 20 on each side: 65 of 85 are more than 70 %.
    assert_eq!((profile.point_of_control, profile.value_low, profile.value_high), (102, 101, 103));
    assert!(of_kind(&events, EventKind::VolumeProfile).is_empty());
    let mut wider = config(1);
    wider.volume_profile.value_share = 0.8;
    let profile = run(wider, &hours(&MORNING)).0.volume_profile().unwrap();
    assert_eq!((profile.value_low, profile.value_high), (100, 104));
}

#[test]
fn of_equal_bins_the_one_nearest_to_the_middle_is_the_point_of_control() {
    let level = |price: i64, volume: i64| ([price; 4], volume);
    let control = |rows: &[([i64; 4], i64)]| {
        let profile = run(config(1), &hours(rows)).0.volume_profile().unwrap();
        profile.point_of_control
    };
    assert_eq!(control(&[level(100, 9), level(104, 9), level(110, 1)]), 104);
    // Equally near: the one nearer to the last close; then the one to which the close moved.
    assert_eq!(control(&[level(104, 9), level(106, 9), level(110, 1), level(100, 1)]), 104);
    assert_eq!(control(&[level(104, 9), level(106, 9), level(100, 1), level(110, 1)]), 106);
    assert_eq!(control(&[level(104, 9), level(106, 9), level(100, 1), level(110, 1), level(105, 1)]), 104);
    assert_eq!(control(&[level(104, 9), level(106, 9), level(110, 1), level(100, 1), level(105, 1)]), 106);
}

#[test]
fn a_naked_point_of_control_waits_for_price() {
    for (rest, side, further) in
        [(110, -1, [[110, 111, 103, 104], [104, 105, 102, 105]]), (95, 1, [[95, 101, 94, 100], [103, 104, 103, 104]])]
    {
        let bars = day(rest, &further.map(|prices| (prices, 1)));
        let events = run(config(1), &bars).1;
        let profile = of_kind(&events, EventKind::VolumeProfile)[0];
        assert_eq!((profile.low, profile.high, profile.scope, profile.direction), (101, 103, Scope::Day, 0));
        assert_eq!((profile.formed_at, profile.confirmed_at), (bars[0].open_time, bars[23].close_time));
        let naked = of_kind(&events, EventKind::PointOfControl)[0];
        assert_eq!((naked.low, naked.high, naked.side, naked.source_id), (102, 102, side, profile.id));
        assert_eq!(record_at(&bars, &events, naked.id, EventKind::PointOfControlTouched), Some((25, false)));
    }
    let (detector, events) = run(config(1), &day(102, &[]));
    assert_eq!(of_kind(&events, EventKind::VolumeProfile).len(), 1);
    assert!(of_kind(&events, EventKind::PointOfControl).is_empty());
    assert!(detector.zones().iter().all(|zone| zone.kind.name() != "point_of_control"));
}

#[test]
fn without_volume_there_is_no_profile() {
    let bars: Vec<Bar> = day(110, &[]).into_iter().map(|bar| Bar { volume: 0, ..bar }).collect();
    let (detector, events) = run(config(1), &bars);
    assert_eq!(detector.volume_profile(), None);
    assert!(of_kind(&events, EventKind::VolumeProfile).is_empty());
}

#[test]
fn a_period_whose_beginning_was_not_seen_has_no_profile() {
    let bars = day(110, &[([110, 112, 108, 110], 7)]);
    let (detector, events) = run(config(1), &bars[1..]);
    assert!(of_kind(&events, EventKind::VolumeProfile).is_empty());
    assert_eq!(detector.volume_profile().unwrap().volume, 7);
    // Nor has one that begins before the ATR, which sizes the bins, is warm.
    let (detector, events) = run(DetectorConfig::default(), &bars);
    assert!(of_kind(&events, EventKind::VolumeProfile).is_empty());
    assert_eq!(detector.volume_profile().unwrap().volume, 7);
}

#[test]
fn a_bar_that_needs_too_many_bins_makes_them_coarser() {
    let mut coarse = config(1);
    coarse.volume_profile.max_bins = 3;
    let rows = [([100; 4], 4), ([101; 4], 2), ([102; 4], 3), ([103; 4], 6), ([104; 4], 1)];
    let profile = run(coarse, &hours(&rows)).0.volume_profile().unwrap();
    // Bins of three ticks around the first open: 99 to 101, 102 to 104.
    assert_eq!((profile.point_of_control, profile.value_low, profile.value_high), (103, 100, 104));
    assert_eq!((profile.low, profile.high, profile.volume), (100, 104, 16));
    let wild = [([100; 4], 4), ([100, 5_000_000, -5_000_000, 0], 9)];
    let (detector, _) = run(coarse, &hours(&wild));
    assert_eq!(detector.volume_profile().unwrap().volume, 13);
}

/// One period's volume by bin, in whole numbers.
struct Plain {
    half: i64,
    anchor: i64,
    bins: BTreeMap<i64, i64>,
}

impl Plain {
    fn of(bars: &[Bar], bin_ticks: i64, max_bins: i64) -> Self {
        let mut plain = Self { half: bin_ticks / 2, anchor: bars[0].open, bins: BTreeMap::new() };
        for bar in bars {
            loop {
                let (from, to) = (plain.bin(bar.low), plain.bin(bar.high));
                let lowest = plain.bins.keys().next().map_or(from, |&bin| bin.min(from));
                let highest = plain.bins.keys().next_back().map_or(to, |&bin| bin.max(to));
                if highest - lowest < max_bins {
                    let part = bar.volume / (to - from + 1);
                    (from..=to).for_each(|bin| *plain.bins.entry(bin).or_default() += part);
                    (lowest..=highest).for_each(|bin| *plain.bins.entry(bin).or_default() += 0);
                    break;
                }
                let old = std::mem::take(&mut plain.bins);
                old.into_iter().for_each(|(bin, part)| *plain.bins.entry((bin + 1).div_euclid(3)).or_default() += part);
                plain.half = 3 * plain.half + 1;
            }
        }
        plain
    }

    fn bin(&self, price: i64) -> i64 {
        (price - self.anchor + self.half).div_euclid(2 * self.half + 1)
    }

    /// (point of control, lower and upper edge of the value area)
    fn reading(&self, bars: &[Bar]) -> (i64, i64, i64) {
        let low = bars.iter().map(|bar| bar.low).min().unwrap();
        let high = bars.iter().map(|bar| bar.high).max().unwrap();
        let close = bars.last().unwrap().close;
        let centre = |bin: i64| self.anchor + bin * (2 * self.half + 1);
        let before = bars.iter().rev().map(|bar| bar.close).chain([bars[0].open]).find(|&other| other != close);
        let turn = before.map_or(0, |before| (close - before).signum());
        let rank = |bin: i64| {
            let part = self.bins[&bin];
            (part, -(2 * centre(bin) - low - high).abs(), -(centre(bin) - close).abs(), turn * bin)
        };
        let control = self.bins.keys().copied().max_by_key(|&bin| rank(bin)).unwrap();
        let total: i64 = bars.iter().map(|bar| bar.volume).sum();
        let (mut from, mut to, mut held) = (control, control, self.bins[&control]);
        while (held as f64) < 0.7 * total as f64 {
            let (below, above) = (self.bins.get(&(from - 1)).copied(), self.bins.get(&(to + 1)).copied());
            if below >= above {
                (from, held) = (from - 1, held + below.unwrap());
            }
            if above >= below {
                (to, held) = (to + 1, held + above.unwrap());
            }
        }
        let edges = (centre(from) - self.half, centre(to) + self.half);
        (centre(control).clamp(low, high), edges.0.max(low), edges.1.min(high))
    }
}

/// Checks the life of the point of control that bar `known` left, if it left one.
fn check_naked(bars: &[Bar], events: &[Event], profile: &Event, level: i64, known: usize, late: bool) {
    let (low, high) = if late { (bars[known].low, bars[known].high) } else { (bars[known].close, bars[known].close) };
    let naked = events.iter().find(|e| e.kind == EventKind::PointOfControl && e.source_id == profile.id);
    let side = i8::from(level > high) - i8::from(level < low);
    assert_eq!(naked.map_or(0, |naked| naked.side), side);
    let Some(naked) = naked else { return };
    assert_eq!((naked.low, naked.high, naked.formed_at), (level, level, profile.formed_at));
    let touched = first(bars, known, usize::MAX, |bar| reach(bar, side) >= i64::from(side) * level);
    let record = record_at(bars, events, naked.id, EventKind::PointOfControlTouched);
    assert_eq!(record, touched.map(|bar| (bar, false)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_day_leaves_its_profile(bars in walk(60..400)) {
        let mut bars = hourly(&bars);
        bars.iter_mut().for_each(|bar| bar.volume *= EVEN);
        let mut config = unbounded(PivotRule::Leg, None);
        (config.volume_profile.bin_ticks, config.volume_profile.max_bins) = (Some(3), 12);
        let (detector, events) = run(config, &bars);
        let profiles = of_kind(&events, EventKind::VolumeProfile);
        let mut profiles = profiles.into_iter();
        let mut start = 0;
        while start < bars.len() {
            let date = bars[start].open_time / DAY;
            let end = (start..bars.len()).find(|&t| bars[t].open_time / DAY != date).unwrap_or(bars.len());
            let day = &bars[start..end];
            let whole = start > 0 || bars[0].open_time % DAY == 0;
            let late = bars[end - 1].close_time / DAY == date;
            let known = if late { end } else { end - 1 };
            if whole {
                let (control, low, high) = Plain::of(day, 3, 12).reading(day);
                if known < bars.len() {
                    let profile = profiles.next().unwrap();
                    prop_assert_eq!((profile.low, profile.high), (low, high));
                    prop_assert_eq!((profile.formed_at, closed(&bars, profile.confirmed_at)), (day[0].open_time, known));
                    check_naked(&bars, &events, profile, control, known, late);
                }
                if end == bars.len() {
                    let developing = detector.volume_profile().unwrap();
                    let found = (developing.point_of_control, developing.value_low, developing.value_high);
                    prop_assert_eq!(found, (control, low, high));
                }
            }
            start = end;
        }
        prop_assert!(profiles.next().is_none());
    }

    /// Upside down the developing profile is the same.
    #[test]
    fn profiles_mirror(bars in walk(30..200), bin_atr in 0.05f64..2.0) {
        let bars = hourly(&bars);
        let mut config = unbounded(PivotRule::Leg, None);
        (config.volume_profile.bin_ticks, config.volume_profile.bin_atr) = (None, bin_atr);
        let reading = |bars: &[Bar]| -> Vec<_> {
            let mut detector = Detector::new("1h".parse().unwrap(), config).unwrap();
            let mut events = Vec::new();
            bars.iter()
                .map(|bar| {
                    detector.update(bar, &mut events).unwrap();
                    detector.volume_profile()
                })
                .collect()
        };
        for (upright, reflected) in reading(&bars).into_iter().zip(reading(&mirrored(&bars))) {
            prop_assert_eq!(upright.is_some(), reflected.is_some());
            let (Some(upright), Some(reflected)) = (upright, reflected) else { continue };
            prop_assert_eq!((upright.low, upright.high), (-reflected.high, -reflected.low));
            prop_assert_eq!(upright.volume, reflected.volume);
            prop_assert_eq!(upright.point_of_control, -reflected.point_of_control);
            let edges = (upright.value_low, upright.value_high);
            prop_assert_eq!(edges, (-reflected.value_high, -reflected.value_low));
        }
    }
}
