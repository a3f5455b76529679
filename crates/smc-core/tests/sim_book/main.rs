//! The venue of level 2: price and time, queues, races, brackets, money.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod brackets;
mod matching;
mod properties;
mod races;
mod support;
