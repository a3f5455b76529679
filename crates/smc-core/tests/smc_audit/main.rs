//! The audit against repainting: it finds nothing in the analyzer, and all that is planted in readers that look ahead.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../smc_common/mod.rs"]
mod smc_common;

mod pair;
mod planted;
mod proof;
mod restored;

use std::num::NonZeroUsize;

use smc_core::market::Instrument;
use smc_core::smc::audit::{audit_prefixes, AnalyzerPlan, PrefixAudit, Reader};
use smc_core::smc::PivotRule;

use smc_common::{small, timeframe};

fn instrument() -> Instrument {
    Instrument::new("test", "WALK", "0.01", "0.001", "0").unwrap()
}

/// Minutes that make bars of three timeframes.
fn plan() -> AnalyzerPlan {
    AnalyzerPlan {
        instrument: instrument(),
        base: timeframe("1m"),
        decision: timeframe("3m"),
        contexts: vec![timeframe("15m"), timeframe("1h")],
        config: small(PivotRule::Leg),
    }
}

fn every<T>(bars: &[T]) -> Vec<usize> {
    (0..=bars.len()).collect()
}

/// Unwatched, on two threads.
fn audit<R: Reader>(reader: &R, bars: &[R::Item], lengths: &[usize]) -> PrefixAudit
where
    R::Error: std::fmt::Debug,
{
    audit_prefixes(reader, bars, lengths, NonZeroUsize::new(2).unwrap(), &mut |_, _| true).unwrap()
}
