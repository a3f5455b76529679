//! Water-filling beside the conditions of its optimum, and whole lots beside every split there is.

use proptest::prelude::*;
use smc_core::execution::router::{split_convex, water_fill, ConvexVenue};

fn venues() -> impl Strategy<Value = Vec<ConvexVenue>> {
    let venue = (-20.0f64..20.0, 0.05f64..4.0, 0.0f64..12.0);
    prop::collection::vec(venue.prop_map(|(price, impact, cap)| ConvexVenue { price, impact, cap }), 1..5)
}

fn cost(split: &[i64], venues: &[ConvexVenue]) -> f64 {
    split.iter().zip(venues).map(|(&q, venue)| venue.price * q as f64 + venue.impact * (q * q) as f64).sum()
}

fn least(lots: i64, venues: &[ConvexVenue]) -> f64 {
    let Some((venue, rest)) = venues.split_first() else { return if lots == 0 { 0.0 } else { f64::INFINITY } };
    let of = |q: i64| cost(&[q], &[*venue]) + least(lots - q, rest);
    (0..=lots.min(venue.cap as i64)).map(of).fold(f64::INFINITY, f64::min)
}

proptest! {
    #[test]
    fn every_open_venue_has_the_same_marginal_cost(venues in venues(), share in 0.0f64..=1.0) {
        let quantity = share * venues.iter().map(|venue| venue.cap).sum::<f64>();
        let split = water_fill(quantity, &venues).unwrap();
        prop_assert!((split.iter().sum::<f64>() - quantity).abs() < 1e-9 * (1.0 + quantity));
        let marginal = |k: usize| venues[k].price + 2.0 * venues[k].impact * split[k];
        for giver in 0..split.len() {
            for taker in 0..split.len() {
                if split[giver] > 1e-9 && split[taker] < venues[taker].cap - 1e-9 {
                    prop_assert!(marginal(giver) <= marginal(taker) + 1e-7);
                }
            }
        }
    }

    #[test]
    fn no_split_in_whole_lots_is_cheaper(venues in venues(), lots in 0i64..14) {
        prop_assume!(venues.iter().map(|venue| venue.cap.floor()).sum::<f64>() >= lots as f64);
        let split = split_convex(lots, &venues).unwrap();
        prop_assert_eq!(split.iter().sum::<i64>(), lots);
        prop_assert!(split.iter().zip(&venues).all(|(&q, venue)| q >= 0 && q as f64 <= venue.cap));
        prop_assert!(cost(&split, &venues) <= least(lots, &venues) + 1e-9);
    }
}

#[test]
fn more_than_the_caps_hold_is_refused() {
    let venue = ConvexVenue { price: 1.0, impact: 1.0, cap: 3.0 };
    assert!(water_fill(3.5, &[venue]).unwrap_err().to_string().starts_with("quantity is 3.5"));
    assert!(water_fill(1.0, &[ConvexVenue { impact: 0.0, ..venue }]).is_err());
    assert_eq!(water_fill(3.0, &[venue]), Ok(vec![3.0]));
}
