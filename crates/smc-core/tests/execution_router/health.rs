//! A venue's health: data, answers, rest.

use smc_core::execution::router::{HealthRules, HealthState, VenueHealth};

const RULES: HealthRules =
    HealthRules { weight: 0.25, most_failures: 3, rest_ns: 1_000, stale_ns: 100, penalty_ppm: 400 };

#[test]
fn a_venue_is_up_while_its_data_is_fresh_and_dearer_the_more_it_fails() {
    let mut health = VenueHealth::new(RULES).unwrap();
    assert_eq!(health.state(0), HealthState::Stale);
    health.on_data(0);
    assert_eq!(health.state(100), HealthState::Up { penalty_ppm: 0 });
    assert_eq!(health.state(101), HealthState::Stale);
    health.on_answer(10, false);
    assert_eq!(health.state(10), HealthState::Up { penalty_ppm: 100 });
    health.on_answer(20, true);
    assert_eq!(health.state(20), HealthState::Up { penalty_ppm: 75 });
}

#[test]
fn failures_in_a_row_rest_it_and_a_success_between_does_not() {
    let mut health = VenueHealth::new(RULES).unwrap();
    for (time, ok) in [(1, false), (2, false), (3, true), (4, false), (5, false)] {
        health.on_answer(time, ok);
    }
    health.on_data(1_000);
    assert!(matches!(health.state(1_000), HealthState::Up { .. }));
    health.on_answer(1_000, false);
    health.on_data(1_999);
    assert_eq!(health.state(1_999), HealthState::Resting);
    assert!(matches!(health.state(2_000), HealthState::Up { .. }));
    assert!(VenueHealth::new(HealthRules { weight: 0.0, ..RULES }).is_err());
}
