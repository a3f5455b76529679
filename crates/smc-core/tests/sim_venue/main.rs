//! The simulated venue and the virtual brackets: each rule at its boundary, and what holds always.
#![allow(clippy::unwrap_used)]

mod barriers;
mod brackets;
mod orders;
mod properties;
mod scenario;
mod support;
