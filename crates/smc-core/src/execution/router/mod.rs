//! The router: splits an order over venues by what each lot costs there, all in.
//!
//! Costs are integer *micro-ticks* (a millionth of a tick) a lot, signed so that less is better on both sides: a buy's
//! is its price and fee, a sell's is minus its price, plus its fee.

mod convex;
mod health;
mod ladder;
mod passive;
mod search;
mod take;

pub use convex::{split_convex, water_fill, ConvexVenue};
pub use health::{HealthRules, HealthState, VenueHealth};
pub use passive::{fill_probability, passive_score, place_passively, PassivePlan, PassiveVenue};
pub use take::{Leg, Route, RouteError, Router, VenueState, VenueTerms};

/// Micro-ticks in a tick, and parts in a million.
const MILLION: i64 = 1_000_000;
