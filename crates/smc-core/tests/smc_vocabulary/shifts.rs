//! Displacement and shifts of market structure.

use proptest::prelude::*;
use smc_core::market::Bar;
use smc_core::smc::config::DisplacementForm;
use smc_core::smc::{EventKind, PivotRule, Scope};

use super::smc_common::plain::{averages, breaks, closed, legs, of_kind, reach, unbounded};
use super::smc_common::{run, walk};

fn displaced(bars: &[Bar], t: usize, form: DisplacementForm) -> bool {
    let bar = &bars[t];
    let (body, range) = (bar.body() as f64, bar.range() as f64);
    let atr = t.checked_sub(1).and_then(|before| averages(&bars[..=before], 5)[before]);
    let long_body = atr.is_some_and(|atr| body >= 1.5 * atr);
    let long_range = atr.is_some_and(|atr| range >= 1.5 * atr && body >= 0.6 * range);
    let upper = (bar.high - bar.open.max(bar.close)) as f64;
    let lower = (bar.open.min(bar.close) - bar.low) as f64;
    let above_mean = t >= 4 && 5 * bar.body() > bars[t - 4..=t].iter().map(Bar::body).sum::<i64>();
    bar.body() > 0
        && match form {
            DisplacementForm::Either => long_body || long_range,
            DisplacementForm::Body => long_body,
            DisplacementForm::Range => long_range,
            DisplacementForm::Wick => above_mean && upper < 0.36 * body && lower < 0.36 * body,
        }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn displacement_by_every_form(bars in walk(20..200)) {
        for form in [DisplacementForm::Either, DisplacementForm::Body, DisplacementForm::Range, DisplacementForm::Wick] {
            let mut config = unbounded(PivotRule::Leg, None);
            config.displacement.form = form;
            let events = run(config, &bars).1;
            let made: Vec<_> = of_kind(&events, EventKind::Displacement)
                .into_iter()
                .map(|e| (e.formed_at, e.confirmed_at, e.direction, e.low, e.high))
                .collect();
            let expected: Vec<_> = (0..bars.len())
                .filter(|&t| displaced(&bars, t, form))
                .map(|t| &bars[t])
                .map(|b| (b.open_time, b.close_time, (b.close - b.open).signum() as i8, b.low, b.high))
                .collect();
            prop_assert_eq!(made, expected);
        }
    }

    #[test]
    fn shifts_are_forceful_changes_of_character(bars in walk(20..250)) {
        let events = run(unbounded(PivotRule::Leg, None), &bars).1;
        let window = 6;
        for (scope, size) in [(Scope::Internal, 2), (Scope::Swing, 5)] {
            let mut expected = Vec::new();
            for (t, direction, p, change) in breaks(&bars, &legs(&bars, size)) {
                // max_by_key gives the last of equal maxima.
                let start = (p..t).max_by_key(|&j| reach(&bars[j], -direction)).unwrap();
                let forceful = |u: usize| {
                    displaced(&bars, u, DisplacementForm::Either)
                        && (bars[u].close - bars[u].open).signum() == i64::from(direction)
                };
                if !change || !(start..=t).any(forceful) {
                    continue;
                }
                let sweeps = events.iter().filter(|e| e.kind.is_sweep() && e.direction == direction);
                let recent = sweeps.filter(|e| closed(&bars, e.confirmed_at) <= t && closed(&bars, e.confirmed_at) + window >= t);
                expected.push((t, direction, p, recent.map(|e| e.id).next_back()));
            }
            let shifts: Vec<_> = of_kind(&events, EventKind::Mss).into_iter().filter(|e| e.scope == scope).collect();
            prop_assert_eq!(shifts.len(), expected.len());
            for (shift, (t, direction, p, sweep)) in shifts.into_iter().zip(expected) {
                let level = i64::from(direction) * reach(&bars[p], direction);
                let made = (shift.confirmed_at, shift.direction, shift.formed_at, shift.low, shift.high);
                prop_assert_eq!(made, (bars[t].close_time, direction, bars[p].open_time, level, level));
                let choch = events.iter().find(|e| e.id == shift.source_id).unwrap();
                prop_assert_eq!((choch.kind, choch.scope, choch.zone_id), (EventKind::Choch, scope, shift.zone_id));
                let strict = events.iter().find(|e| e.kind == EventKind::MssStrict && e.zone_id == shift.id);
                prop_assert_eq!(strict.map(|e| (e.confirmed_at, e.source_id)), sweep.map(|id| (shift.confirmed_at, id)));
            }
        }
    }
}
