//! The catch-up rule.

use proptest::prelude::*;
use smc_core::execution::schedule::{twap, CatchUp, Pacer, Schedule};

fn pacer(lots: &[i64], most_of_slice: f64, finish: bool) -> Pacer {
    let schedule = Schedule::spread(0, 100 * lots.len() as i64, lots).unwrap();
    Pacer::new(schedule, CatchUp { most_of_slice, finish }).unwrap()
}

#[test]
fn a_schedule_that_fell_behind_catches_up_by_the_cap_of_each_slot() {
    let mut pacer = pacer(&[10, 10, 10, 10], 1.5, false);
    assert_eq!((pacer.due(-1, 0), pacer.due(0, 0)), (0, 10));
    // Nothing was filled in the first two slots.
    assert_eq!(pacer.due(100, 0), 15);
    assert_eq!(pacer.due(150, 9), 6);
    assert_eq!(pacer.due(199, 15), 0);
    assert_eq!(pacer.due(200, 15), 15);
    assert_eq!(pacer.due(300, 30), 10);
    assert_eq!(pacer.due(300, 41), 0);
}

#[test]
fn the_last_slot_takes_the_rest_where_it_must_finish() {
    assert_eq!(pacer(&[10, 10, 10], 1.0, true).due(250, 2), 28);
    assert_eq!(pacer(&[10, 10, 10], 1.0, false).due(250, 2), 10);
    let schedule = Schedule::spread(0, 1, &[1]).unwrap();
    assert_eq!(Pacer::new(schedule, CatchUp { most_of_slice: 0.5, finish: true }).unwrap_err().name, "most_of_slice");
}

proptest! {
    #[test]
    fn filled_at_once_it_is_the_plan(total in 1i64..100_000, slices in 1usize..50) {
        let lots = twap(total, slices).unwrap();
        let mut pacer = pacer(&lots, 1.0, false);
        let mut done = 0;
        for (k, &planned) in lots.iter().enumerate() {
            prop_assert_eq!(pacer.due(100 * k as i64, done), planned);
            done += planned;
        }
        prop_assert_eq!(done, total);
    }

    #[test]
    fn whatever_is_filled_the_parent_is_never_exceeded_and_the_plan_never_outrun(
        fills in prop::collection::vec((0i64..60, 0u8..=100), 1..200), total in 1i64..5_000,
        slices in 1usize..20, most in 1.0f64..4.0, finish in any::<bool>(),
    ) {
        let lots = twap(total, slices).unwrap();
        let mut pacer = pacer(&lots, most, finish);
        let (mut now, mut done) = (0, 0);
        for (wait, percent) in fills {
            now += wait;
            let due = pacer.due(now, done);
            prop_assert!(due >= 0 && done + due <= pacer.schedule().planned(now).max(done));
            done += due * i64::from(percent) / 100;
        }
        let last = pacer.due(100 * slices as i64, done);
        prop_assert!(done + last <= total && (!finish || done + last == total));
    }
}
