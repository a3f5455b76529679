//! The wider vocabulary against its definitions, written out plainly over whole arrays.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../smc_common/mod.rs"]
mod smc_common;

mod blocks;
mod delivery;
mod imbalances;
mod levels;
mod readings;
mod sequences;
mod shifts;
mod times;
mod volume;
