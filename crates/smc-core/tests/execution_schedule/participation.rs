//! Participation and the volume curve beside plain re-computation over all that happened.

use proptest::prelude::*;
use smc_core::execution::schedule::{Pov, PovLimit, PovSettings, VolumeCurve, HOURS_OF_WEEK};

const SECOND: i64 = 1_000_000_000;
const HOUR: i64 = 3_600 * SECOND;

fn settings() -> PovSettings {
    PovSettings {
        total: 5_000,
        rate_ppm: 200_000,
        most_ppm: 300_000,
        window_ns: 30 * SECOND,
        band: 1,
        stale_ns: 60 * SECOND,
        start: 0,
        end: 600 * SECOND,
        progress_ppm: 0,
    }
}

/// The lots due, from the lists of all prints and fills.
fn plain(settings: &PovSettings, prints: &[(i64, i64)], fills: &[(i64, i64)], now: i64) -> i64 {
    let sum = |events: &[(i64, i64)], since: i64| -> i128 {
        events.iter().filter(|event| event.0 > since).map(|event| i128::from(event.1)).sum()
    };
    let Some(last) = prints.last() else { return 0 };
    if now - last.0 > settings.stale_ns {
        return 0;
    }
    let share = |others: i128, ppm: i64| others.max(0) * i128::from(ppm) / i128::from(1_000_000 - ppm);
    let own = sum(fills, i64::MIN);
    let target = share(sum(prints, i64::MIN) - own, settings.rate_ppm);
    let since = now - settings.window_ns;
    let recent_own = sum(fills, since);
    let room = share(sum(prints, since) - recent_own, settings.most_ppm) - recent_own;
    let left = i128::from(settings.total) - own;
    let lots = (target - own).clamp(0, left.max(0)).min(room.max(0));
    if lots < i128::from(settings.band).min(left) {
        0
    } else {
        lots as i64
    }
}

proptest! {
    #[test]
    fn what_is_due_is_what_the_whole_history_says(
        steps in prop::collection::vec((0i64..40, 0i64..900, prop::bool::ANY), 1..120),
        band in 1i64..60, total in 1i64..3_000,
    ) {
        let settings = PovSettings { band, total, ..settings() };
        let mut pov = Pov::new(settings).unwrap();
        let (mut now, mut prints, mut fills) = (0, Vec::new(), Vec::new());
        for (seconds, lots, fill) in steps {
            now += seconds * SECOND;
            let due = pov.due(now, 0);
            prop_assert_eq!(due.lots, plain(&settings, &prints, &fills, now), "{:?}", due);
            if fill && due.lots > 0 {
                pov.on_print(now, due.lots).unwrap();
                pov.on_fill(now, due.lots).unwrap();
                prints.push((now, due.lots));
                fills.push((now, due.lots));
            } else {
                pov.on_print(now, lots).unwrap();
                prints.push((now, lots));
            }
        }
        let own: i64 = fills.iter().map(|fill| fill.1).sum();
        prop_assert!(own <= total);
        prop_assert_eq!(pov.others(), i128::from(prints.iter().map(|print| print.1).sum::<i64>() - own));
    }

    #[test]
    fn the_curve_is_the_plain_mean_of_each_hour_while_memory_lasts(
        volumes in prop::collection::vec(1i64..10_000, 2..400),
    ) {
        let mut curve = VolumeCurve::new(1_000, 0.0).unwrap();
        for (hour, &volume) in volumes.iter().enumerate() {
            // Half an hour each, and our own share of it, which is not others'.
            curve.record(hour as i64 * HOUR, volume / 2 + 7, 7).unwrap();
            curve.record(hour as i64 * HOUR + HOUR / 2, volume - volume / 2, 0).unwrap();
        }
        // 1970 began on a Thursday; the last hour is still forming.
        for hour in 0..HOURS_OF_WEEK {
            let same: Vec<i64> = volumes[..volumes.len() - 1].iter().enumerate()
                .filter(|(index, _)| (index + 72) % HOURS_OF_WEEK == hour).map(|(_, &volume)| volume).collect();
            let mean = (!same.is_empty()).then(|| same.iter().sum::<i64>() as f64 / same.len() as f64);
            prop_assert_eq!(curve.mean(hour).is_some(), mean.is_some());
            if let Some((ours, plain)) = curve.mean(hour).zip(mean) {
                prop_assert!((ours - plain).abs() < 1e-6 * plain);
            }
        }
    }
}

#[test]
fn own_volume_does_not_call_for_more_of_itself() {
    let mut pov = Pov::new(PovSettings { most_ppm: 999_999, total: 1_000_000, ..settings() }).unwrap();
    let mut own = 0;
    for second in 0..300 {
        pov.on_print(second * SECOND, 800).unwrap();
        let due = pov.due(second * SECOND, 0).lots;
        pov.on_print(second * SECOND, due).unwrap();
        pov.on_fill(second * SECOND, due).unwrap();
        own += due;
        assert_eq!(pov.due(second * SECOND, 0).lots, 0);
    }
    // A fifth of all volume: 200 beside 800. Were our own prints counted, each round would ask for more.
    assert_eq!(own, 300 * 200);
}

#[test]
fn a_stale_feed_a_full_window_and_a_done_parent_say_so() {
    let mut pov = Pov::new(PovSettings { most_ppm: 200_000, ..settings() }).unwrap();
    assert_eq!(pov.due(0, 0).limit, PovLimit::Stale);
    pov.on_print(0, 4_000).unwrap();
    assert_eq!((pov.due(0, 0).lots, pov.due(0, 0).limit), (1_000, PovLimit::Target));
    assert_eq!(pov.due(0, 400).lots, 600);
    // The prints leave the window, though they count for the target.
    assert_eq!((pov.due(30 * SECOND, 0).lots, pov.due(30 * SECOND, 0).limit), (0, PovLimit::Window));
    assert_eq!(pov.due(60 * SECOND + 1, 0).limit, PovLimit::Stale);
    assert_eq!(pov.due(0, 5_000).limit, PovLimit::Done);
    assert_eq!(Pov::new(PovSettings { most_ppm: 1, ..settings() }).unwrap_err().name, "most_ppm");
}

#[test]
fn minimum_progress_goes_on_where_others_trade_little() {
    let slow = PovSettings { progress_ppm: 500_000, most_ppm: 900_000, ..settings() };
    let mut pov = Pov::new(slow).unwrap();
    pov.on_print(300 * SECOND, 1_000).unwrap();
    // Half of the time is over, so a quarter of the parent is wanted; a fifth of the volume would be 250.
    assert_eq!(pov.due(300 * SECOND, 0).lots, 1_250);
}

#[test]
fn a_surprise_fades_by_the_hour_and_unseen_hours_have_no_forecast() {
    let mut curve = VolumeCurve::new(8, 0.5).unwrap();
    for hour in 0..2 * HOURS_OF_WEEK as i64 {
        curve.record(hour * HOUR, 99, 0).unwrap();
    }
    let next = 2 * HOURS_OF_WEEK as i64;
    // Four times the expected volume, counted with one lot on both sides.
    curve.record(next * HOUR, 399, 0).unwrap();
    curve.record((next + 1) * HOUR, 99, 0).unwrap();
    let ahead = |hours: i64| curve.expected((next + hours) * HOUR, (next + hours + 1) * HOUR).unwrap();
    assert!((ahead(1) - 99.0 * 2.0).abs() < 1e-9);
    assert!((ahead(2) - 99.0 * 2f64.sqrt()).abs() < 1e-9);
    let slots = curve.slots((next + 1) * HOUR, (next + 3) * HOUR, 4).unwrap();
    assert!((slots[0] + slots[1] - ahead(1)).abs() < 1e-9 && (slots[2] + slots[3] - ahead(2)).abs() < 1e-9);
    let mut young = VolumeCurve::new(8, 0.5).unwrap();
    young.record(0, 10, 0).unwrap();
    young.record(HOUR, 10, 0).unwrap();
    assert_eq!(young.expected(HOUR, 2 * HOUR), None);
    assert_eq!(young.record(HOUR, 1, 2).unwrap_err().name, "market");
    assert_eq!(young.record(0, 1, 0).unwrap_err().name, "time");
}
