//! Chances of a fill beside a direct count, and where resting orders go.

use rand_chacha::rand_core::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use smc_core::execution::router::{fill_probability, passive_score, place_passively, PassiveVenue};

const VENUE: PassiveVenue = PassiveVenue {
    queue: 90,
    outflow: 20.0,
    event_lots: 10.0,
    half_spread: 1.0,
    rebate: 0.2,
    cross_cost: 1.5,
    adverse_selection: 0.4,
    most: 1_000,
    lot: 1,
    least: 1,
};

#[test]
fn the_chance_is_that_of_enough_arrivals_by_simulation() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let runs = 40_000;
    for (lots, seconds) in [(10, 4.0), (60, 8.0), (10, 8.0)] {
        let needed = (VENUE.queue + lots) / 10;
        let mut filled = 0;
        for _ in 0..runs {
            let (mut time, mut events) = (0.0, 0);
            loop {
                let uniform = (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
                time -= (1.0 - uniform).ln() / 2.0;
                if time > seconds {
                    break;
                }
                events += 1;
            }
            filled += i64::from(events >= needed);
        }
        let share = filled as f64 / f64::from(runs);
        let ours = fill_probability(&VENUE, lots, seconds).unwrap();
        // Four standard errors of the simulation.
        assert!((ours - share).abs() < 4.0 * 0.5 / f64::from(runs).sqrt(), "{lots} {seconds}: {ours} {share}");
    }
}

#[test]
fn the_normal_tail_joins_the_exact_one() {
    let near = |queue: i64| {
        let venue = PassiveVenue { queue, outflow: 995.0, event_lots: 1.0, ..VENUE };
        fill_probability(&venue, 1, 0.7).unwrap()
    };
    let long = |queue: i64| {
        let venue = PassiveVenue { queue, outflow: 1_005.0, event_lots: 1.0, ..VENUE };
        fill_probability(&venue, 1, 0.7).unwrap()
    };
    // A mean of 696.5 is summed, one of 703.5 approximated; seven events apart, both tails agree.
    for above in [-40, 0, 40] {
        assert!((near(696 + above) - long(703 + above)).abs() < 0.005);
    }
    assert_eq!(fill_probability(&PassiveVenue { outflow: 0.0, ..VENUE }, 1, 9.0), Ok(0.0));
}

#[test]
fn the_score_weighs_the_fill_against_the_miss() {
    let chance = fill_probability(&VENUE, 10, 5.0).unwrap();
    let score = passive_score(&VENUE, 10, 5.0).unwrap();
    assert!((score - (chance * 0.8 - (1.0 - chance) * 1.5)).abs() < 1e-12);
}

#[test]
fn orders_rest_where_it_is_worth_most_and_the_rest_crosses() {
    let busy = PassiveVenue { queue: 0, most: 25, lot: 10, ..VENUE };
    let slow = PassiveVenue { outflow: 0.001, cross_cost: 2.0, ..VENUE };
    let small = PassiveVenue { queue: 10, most: 3, least: 5, ..VENUE };
    let plan = place_passively(60, 10.0, 1.2, &[slow, busy, VENUE, small]).unwrap();
    // Whole tens at the busy venue, the slow one never, the small one takes no order so small.
    assert_eq!((plan.lots, plan.cross), (vec![0, 20, 40, 0], 0));
    let plan = place_passively(60, 10.0, 1.2, &[slow]).unwrap();
    assert_eq!((plan.lots, plan.cross), (vec![0], 60));
    assert!(place_passively(0, 10.0, 1.2, &[slow]).is_err());
    assert!(place_passively(1, 10.0, f64::NAN, &[slow]).is_err());
}
