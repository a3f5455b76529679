//! Schedules beside closed forms, enumeration and plain re-computation.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod adaptive;
mod almgren_chriss;
mod obizhaeva_wang;
mod oracle;
mod pacing;
mod participation;
mod plan;
mod whole_lots;
