//! The proof against repainting: replays prefixes of the bars with a new analyzer each, and compares all that
//! was read on a prefix, events of every timeframe and features at every decision close, with one run over
//! the whole. Where the reader is causal nothing differs.

use super::analyzer::{Analyzer, AnalyzerError};
use super::config::DetectorConfig;
use super::event::Event;
use crate::market::{Bar, Instrument, Timeframe};

/// What an audit compared, and what differed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PrefixAudit {
    /// Prefixes replayed.
    pub prefixes: u64,
    /// Events and feature values compared.
    pub readings: u64,
    /// Readings of a prefix that the whole run has differently.
    pub rewritten: u64,
    /// Readings of a prefix that the whole run does not have.
    pub vanished: u64,
    /// Whether one bar at a time gave what one batch gave.
    pub stream_equals_batch: bool,
}

/// Everything an analyzer is made of.
#[derive(Clone, Debug)]
pub struct AnalyzerPlan {
    /// The instrument.
    pub instrument: Instrument,
    /// Timeframe of the bars.
    pub base: Timeframe,
    /// The decision timeframe.
    pub decision: Timeframe,
    /// The higher timeframes.
    pub contexts: Vec<Timeframe>,
    /// The detectors' settings.
    pub config: DetectorConfig,
}

/// What was read over a run, in order.
#[derive(Default, PartialEq)]
struct Readings {
    events: Vec<Event>,
    features: Vec<u64>,
}

impl Readings {
    fn take(&mut self, analyzer: &mut Analyzer, bars: &[Bar]) -> Result<(), AnalyzerError> {
        let mut start = 0;
        while start < bars.len() {
            let step = analyzer.advance(bars, start)?;
            if step.decision_bar.is_some() {
                self.features.extend(analyzer.features().iter().map(|value| value.to_bits()));
            }
            self.events.extend(step.events);
            start = step.end;
        }
        Ok(())
    }
}

/// Replays `bars[..n]` for each `n` of `prefixes` (longer ones are cut) and compares with one run over `bars`.
///
/// # Errors
/// [`AnalyzerError`] where the plan or the bars do not fit.
pub fn audit_prefixes(plan: &AnalyzerPlan, bars: &[Bar], prefixes: &[usize]) -> Result<PrefixAudit, AnalyzerError> {
    let whole = read(plan, bars)?;
    let mut audit = PrefixAudit { stream_equals_batch: streamed(plan, bars)? == whole, ..PrefixAudit::default() };
    for &length in prefixes {
        let seen = read(plan, &bars[..length.min(bars.len())])?;
        audit.prefixes += 1;
        compare(&seen.events, &whole.events, &mut audit);
        compare(&seen.features, &whole.features, &mut audit);
    }
    Ok(audit)
}

fn read(plan: &AnalyzerPlan, bars: &[Bar]) -> Result<Readings, AnalyzerError> {
    let mut readings = Readings::default();
    readings.take(&mut analyzer(plan)?, bars)?;
    Ok(readings)
}

fn streamed(plan: &AnalyzerPlan, bars: &[Bar]) -> Result<Readings, AnalyzerError> {
    let (mut readings, mut analyzer) = (Readings::default(), analyzer(plan)?);
    for bar in bars.chunks(1) {
        readings.take(&mut analyzer, bar)?;
    }
    Ok(readings)
}

fn analyzer(plan: &AnalyzerPlan) -> Result<Analyzer, AnalyzerError> {
    Analyzer::new(plan.instrument.clone(), plan.base, plan.decision, &plan.contexts, plan.config)
}

fn compare<T: PartialEq>(seen: &[T], whole: &[T], audit: &mut PrefixAudit) {
    audit.readings += seen.len() as u64;
    audit.vanished += seen.len().saturating_sub(whole.len()) as u64;
    audit.rewritten += seen.iter().zip(whole).filter(|(then, now)| then != now).count() as u64;
}
