//! The router beside a linear program, every split there is, and plain formulas.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod convex;
mod health;
mod markets;
mod passive;
mod simplex;
mod take;
