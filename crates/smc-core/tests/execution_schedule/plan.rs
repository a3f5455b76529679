//! Times, jitter and merging.

use proptest::prelude::*;
use smc_core::execution::schedule::{least_lots, twap, Iceberg, Jitter, Schedule, Slice};

#[test]
fn slices_fill_equal_slots() {
    let schedule = Schedule::spread(100, 400, &[3, 2, 3]).unwrap();
    let slice = |at, deadline, quantity| Slice { at, deadline, quantity };
    assert_eq!(schedule.slices(), [slice(100, 200, 3), slice(200, 300, 2), slice(300, 400, 3)]);
    assert_eq!([99, 100, 299, 1_000].map(|now| schedule.planned(now)), [0, 3, 5, 8]);
    assert_eq!(Schedule::spread(5, 5, &[1]).unwrap_err().name, "end - start");
    assert_eq!(Schedule::spread(0, 5, &[1, -1]).unwrap_err().name, "slice");
    assert_eq!(Schedule::spread(0, 5, &[i64::MAX, 1]).unwrap_err().name, "total");
}

#[test]
fn what_is_too_small_waits_and_the_last_rest_joins_the_one_before() {
    let schedule = Schedule::spread(0, 50, &[2, 2, 9, 0, 3]).unwrap();
    let merged: Vec<_> = schedule.merged(4).slices().iter().map(|slice| (slice.at, slice.quantity)).collect();
    assert_eq!(merged, [(10, 4), (20, 12)]);
    assert_eq!(schedule.merged(99).slices().iter().map(|slice| slice.quantity).collect::<Vec<_>>(), [16]);
    assert_eq!(schedule.merged(1).slices().len(), 4);
}

#[test]
fn the_fewest_lots_reach_the_smallest_notional_in_whole_lots() {
    assert_eq!(least_lots(1_000, 100, 1), Ok(10));
    assert_eq!(least_lots(1_001, 100, 1), Ok(11));
    assert_eq!(least_lots(1_001, 100, 5), Ok(15));
    assert_eq!(least_lots(0, 100, 5), Ok(5));
    assert_eq!(least_lots(1, 0, 5).unwrap_err().name, "price");
    assert!(least_lots(i128::MAX, 1, 1).is_err());
}

#[test]
fn hiding_costs_a_queue_for_each_part_after_the_first() {
    let iceberg = Iceberg::new(1_000, 100, 0.2, 1, 7).unwrap();
    assert_eq!(iceberg.expected_seconds(300.0, 10.0), Ok((1_000.0 + 10.0 * 300.0) / 10.0));
    let shown = Iceberg::new(1_000, 1_000, 0.0, 1, 7).unwrap();
    assert_eq!(shown.expected_seconds(300.0, 10.0), Ok(130.0));
}

proptest! {
    #[test]
    fn jitter_keeps_the_sum_the_order_and_the_window(
        total in 1i64..10_000_000, slices in 1usize..80, seed in any::<u64>(), least in 1i64..1_000,
        time_share in 0.0f64..0.5, size_share in 0.0f64..1.0,
    ) {
        let plan = Schedule::spread(1_000, 1_000_000_000, &twap(total, slices).unwrap()).unwrap();
        let jitter = Jitter { time_share, size_share };
        let moved = plan.jittered(jitter, seed).unwrap();
        prop_assert_eq!(&moved, &plan.jittered(jitter, seed).unwrap());
        for schedule in [&moved, &moved.merged(least), &plan.merged(least)] {
            prop_assert_eq!(schedule.total(), total);
            prop_assert!(schedule.slices().windows(2).all(|pair| pair[0].at <= pair[1].at));
            for slice in schedule.slices() {
                prop_assert!((0..=total).contains(&slice.quantity));
                prop_assert!(1_000 <= slice.at && slice.at <= slice.deadline);
            }
        }
        let merged = moved.merged(least);
        prop_assert!(merged.slices().len() == 1 || merged.slices().iter().all(|slice| slice.quantity >= least));
    }

    #[test]
    fn an_iceberg_shows_parts_that_sum_to_it(
        total in 1i64..100_000, shown in 1i64..5_000, variation in 0.0f64..0.99, least in 1i64..50, seed in any::<u64>(),
    ) {
        let least = least.min(shown);
        let mut iceberg = Iceberg::new(total, shown, variation, least, seed).unwrap();
        let (mut sum, mut parts) = (0, 0);
        while iceberg.remaining() > 0 {
            let part = iceberg.refill();
            prop_assert!(part >= least.min(total));
            prop_assert!(part as f64 <= shown as f64 * (1.0 + variation) + least as f64 + 1.0);
            sum += part;
            parts += 1;
        }
        prop_assert_eq!(sum, total);
        prop_assert!(parts <= total / least.max(1) + 1);
        prop_assert_eq!(iceberg.refill(), 0);
    }
}

#[test]
fn jitter_differs_by_the_seed_and_can_be_none() {
    let plan = Schedule::spread(0, 1_000_000, &twap(100_000, 20).unwrap()).unwrap();
    assert_ne!(plan.jittered(Jitter::USUAL, 1).unwrap(), plan.jittered(Jitter::USUAL, 2).unwrap());
    assert_eq!(plan.jittered(Jitter { time_share: 0.0, size_share: 0.0 }, 1).unwrap(), plan);
    assert_eq!(plan.jittered(Jitter { time_share: 0.5, size_share: 0.0 }, 1).unwrap_err().name, "time_share");
}
