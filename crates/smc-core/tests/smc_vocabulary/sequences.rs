//! Judas swings, power of three, optimal entries.

use proptest::prelude::*;
use smc_core::market::Bar;
use smc_core::smc::config::PowerOfThreeConfig;
use smc_core::smc::{DetectorConfig, Event, EventKind, PivotRule, Scope};

use super::smc_common::plain::{closed, first, of_kind, reach, record_at, unbounded};
use super::smc_common::{run, walk};
use super::times::{civil, weeks, CHANGES};

const MAX_BARS: usize = 8;

fn in_kill_zone(bar: &Bar) -> bool {
    use chrono::Timelike;
    let hour = civil(chrono_tz::America::New_York, bar.open_time).hour();
    (2..5).contains(&hour) || (7..10).contains(&hour)
}

/// Asian ranges: (event, bar that made it known, bar that made the next one known).
fn asian<'a>(bars: &[Bar], events: &'a [Event]) -> Vec<(&'a Event, usize, usize)> {
    let mut ranges = of_kind(events, EventKind::SessionRange);
    ranges.retain(|event| event.scope == Scope::AsianKillZone);
    let known: Vec<usize> = ranges.iter().map(|event| closed(bars, event.confirmed_at)).collect();
    let next = |number: usize| known.get(number + 1).copied().unwrap_or(usize::MAX);
    ranges.into_iter().enumerate().map(|(number, event)| (event, known[number], next(number))).collect()
}

/// A Judas swing: (bar that left, bar that came back, furthest price seen from its side).
fn judas(bars: &[Bar], side: i8, level: i64, known: usize, until: usize) -> Option<(usize, usize, i64)> {
    let sign = i64::from(side);
    let left = first(bars, known, until, |bar| reach(bar, side) > level)?;
    let back = (left..bars.len()).take(MAX_BARS + 1).find(|&u| u <= until && sign * bars[u].close <= level)?;
    let furthest = bars[left..=back].iter().map(|bar| reach(bar, side)).max()?;
    in_kill_zone(&bars[left]).then_some((left, back, furthest))
}

fn first_shift(bars: &[Bar], events: &[Event], direction: i8, from: usize, until: usize) -> Option<(usize, u64)> {
    let shifts = events.iter().filter(|e| e.kind == EventKind::Mss && e.direction == direction);
    let mut placed = shifts.map(|e| (closed(bars, e.confirmed_at), e.id));
    placed.find(|&(bar, _)| bar >= from && bar <= until)
}

#[test]
fn judas_swings_leave_the_asian_range_and_come_back() {
    let mut seen = 0;
    for start in CHANGES {
        let bars = weeks(start);
        let events = run(DetectorConfig::default(), &bars).1;
        let mut expected = Vec::new();
        for (range, known, until) in asian(&bars, &events) {
            for (side, level) in [(1i8, range.high), (-1, -range.low)] {
                let Some((left, back, furthest)) = judas(&bars, side, level, known, until) else { continue };
                let sign = i64::from(side);
                let fail = first(&bars, back, until, |bar| sign * bar.close > furthest);
                let shift = first_shift(&bars, &events, -side, back, until)
                    .filter(|&(bar, _)| fail.is_none_or(|fail| bar < fail));
                let fail = fail.filter(|_| shift.is_none());
                let expiry = (until < bars.len() && shift.is_none() && fail.is_none()).then_some(until);
                let edges = ((sign * level).min(sign * furthest), (sign * level).max(sign * furthest));
                expected.push((back, side, left, edges, range.id, (shift, fail, expiry)));
            }
        }
        expected.sort_by_key(|swing| (swing.0, -swing.1));
        let swings = of_kind(&events, EventKind::JudasSwing);
        assert_eq!(swings.len(), expected.len());
        seen += swings.len();
        for (swing, (back, side, left, edges, range, (shift, fail, expiry))) in swings.into_iter().zip(expected) {
            assert_eq!((closed(&bars, swing.confirmed_at), swing.side, swing.direction), (back, side, -side));
            assert_eq!((swing.formed_at, (swing.low, swing.high)), (bars[left].open_time, edges));
            assert_eq!((swing.source_id, swing.scope), (range, Scope::AsianKillZone));
            let at = |kind| record_at(&bars, &events, swing.id, kind).map(|record| record.0);
            assert_eq!(at(EventKind::JudasSwingConfirmed), shift.map(|shift| shift.0));
            assert_eq!(at(EventKind::JudasSwingFailed), fail);
            assert_eq!(at(EventKind::JudasSwingExpired), expiry);
            let confirmed = events.iter().find(|e| e.kind == EventKind::JudasSwingConfirmed && e.zone_id == swing.id);
            assert_eq!(confirmed.map(|e| e.source_id), shift.map(|shift| shift.1));
        }
    }
    assert!(seen >= 10, "{seen} swings");
}

#[test]
fn power_of_three_is_told_forward() {
    let (sessions, quantile) = (4, 0.6);
    let mut phases = [0; 3];
    for start in CHANGES {
        let bars = weeks(start);
        let power_of_three = PowerOfThreeConfig { sessions: sessions as u32, quantile };
        let events = run(DetectorConfig { power_of_three, ..DetectorConfig::default() }, &bars).1;
        let ranges = asian(&bars, &events);
        let mut expected = Vec::new();
        for (number, &(range, known, until)) in ranges.iter().enumerate() {
            let Some(before) = number.checked_sub(sessions) else { continue };
            let width = |range: &Event| range.high - range.low;
            let mut widths: Vec<i64> = ranges[before..number].iter().map(|other| width(other.0)).collect();
            widths.sort_unstable();
            // Nearest rank: the third of four.
            if width(range) > widths[2] {
                continue;
            }
            expected.push((EventKind::PowerOfThreeAccumulation, known, 0, range.id));
            phases[0] += 1;
            let inside = |e: &&&Event| {
                let bar = closed(&bars, e.confirmed_at);
                bar > known && bar <= until
            };
            let swings = of_kind(&events, EventKind::JudasSwing);
            let mut from = 0;
            while let Some(swing) = swings.iter().filter(inside).find(|e| closed(&bars, e.confirmed_at) >= from) {
                let bar = closed(&bars, swing.confirmed_at);
                if swings.iter().filter(|other| other.confirmed_at == swing.confirmed_at).count() == 2 {
                    from = bar + 1;
                    continue;
                }
                expected.push((EventKind::PowerOfThreeManipulation, bar, swing.direction, swing.id));
                phases[1] += 1;
                let failed = record_at(&bars, &events, swing.id, EventKind::JudasSwingFailed);
                if let Some((fail, _)) = failed {
                    from = fail;
                    continue;
                }
                if let Some((bar, shift)) = first_shift(&bars, &events, swing.direction, bar, until) {
                    expected.push((EventKind::PowerOfThreeDistribution, bar, swing.direction, shift));
                    phases[2] += 1;
                }
                break;
            }
        }
        let made: Vec<_> = events
            .iter()
            .filter(|e| e.kind.name().starts_with("power_of_three"))
            .map(|e| (e.kind, closed(&bars, e.confirmed_at), e.direction, e.source_id))
            .collect();
        expected.sort_by_key(|phase| phase.1);
        assert_eq!(made, expected);
    }
    assert!(phases.iter().all(|&number| number > 0), "{phases:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn deep_retracements_of_legs_with_the_bias(bars in walk(20..400)) {
        let events = run(unbounded(PivotRule::Leg, None), &bars).1;
        let ranges = of_kind(&events, EventKind::DealingRange);
        let mut entries = of_kind(&events, EventKind::OptimalEntry).into_iter();
        for (number, range) in ranges.iter().enumerate() {
            let t = closed(&bars, range.confirmed_at);
            let swing = |e: &&Event| matches!(e.kind, EventKind::Bos | EventKind::Choch) && e.scope == Scope::Swing;
            let before = events.iter().filter(swing).rfind(|e| e.confirmed_at < range.confirmed_at);
            let sign = i64::from(range.direction);
            let origin = if sign > 0 { range.low } else { -range.high };
            let with_bias = before.is_some_and(|e| e.direction == range.direction);
            if sign == 0 || !with_bias || sign * bars[t].close < origin {
                continue;
            }
            let entry = entries.next().unwrap();
            let size = (range.high - range.low) as f64;
            let end = if sign > 0 { range.high } else { -range.low };
            let (near, far) = (end - (0.62 * size).floor() as i64, end - (0.79 * size).ceil() as i64);
            let edges = ((sign * near).min(sign * far), (sign * near).max(sign * far));
            prop_assert_eq!((entry.low, entry.high), edges);
            prop_assert_eq!((entry.source_id, entry.formed_at, entry.direction), (range.id, range.formed_at, range.direction));
            let replaced = ranges.get(number + 1).map(|next| closed(&bars, next.confirmed_at));
            let over = first(&bars, t, replaced.unwrap_or(usize::MAX), |bar| sign * bar.close < origin);
            let until = over.or(replaced).unwrap_or(usize::MAX);
            let touched = first(&bars, t, until, |bar| -reach(bar, -range.direction) <= near);
            let ambiguous = over.is_some() && touched == over;
            let at = |kind| record_at(&bars, &events, entry.id, kind);
            prop_assert_eq!(at(EventKind::OptimalEntryTouched), touched.map(|bar| (bar, ambiguous)));
            prop_assert_eq!(at(EventKind::OptimalEntryInvalidated), over.map(|bar| (bar, ambiguous)));
            let expired = replaced.filter(|_| over.is_none()).map(|bar| (bar, false));
            prop_assert_eq!(at(EventKind::OptimalEntryExpired), expired);
        }
        prop_assert!(entries.next().is_none());
    }
}
