//! Books of level 2: their levels, and their step with the venue, on recorded and on arbitrary streams.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod levels;
mod recorded;
mod stream;
mod support;
