//! The analyzer as a reader, and the proof that a restored one goes on as if nothing had happened.

use super::comparison::Comparison;
use super::tally::Tally;
use super::{record, LiveZones, Page, Reader, Witness};
use crate::features::COLUMNS;
use crate::market::{Bar, Instrument, Timeframe};
use crate::smc::analyzer::{Analyzer, AnalyzerError, Step};
use crate::smc::config::DetectorConfig;
use crate::smc::zone::Zone;

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

impl AnalyzerPlan {
    fn analyzer(&self) -> Result<Analyzer, AnalyzerError> {
        Analyzer::new(self.instrument.clone(), self.base, self.decision, &self.contexts, self.config)
    }
}

/// Reads the events of every timeframe, and the features at every decision close.
#[derive(Clone, Copy, Debug)]
pub struct AnalyzerReader<'a> {
    plan: &'a AnalyzerPlan,
    piece: usize,
}

impl<'a> AnalyzerReader<'a> {
    /// Hands over all bars in one batch.
    #[must_use]
    pub const fn batch(plan: &'a AnalyzerPlan) -> Self {
        Self::pieces(plan, usize::MAX)
    }

    /// Hands over `piece` bars at a time, at least one.
    #[must_use]
    pub const fn pieces(plan: &'a AnalyzerPlan, piece: usize) -> Self {
        Self { plan, piece: if piece == 0 { 1 } else { piece } }
    }

    /// Lets `analyzer` go on over `bars[first..]`.
    fn go_on<W: Witness>(
        &self,
        analyzer: &mut Analyzer,
        bars: &[Bar],
        first: usize,
        witness: &mut W,
    ) -> Result<(), AnalyzerError> {
        let mut before = first;
        for piece in bars[first..].chunks(self.piece) {
            let mut start = 0;
            while start < piece.len() {
                let step = analyzer.advance(piece, start)?;
                if !step.closed.is_empty() {
                    let values = if step.decision_bar.is_some() { analyzer.features() } else { &[] };
                    let page = Page { bar: before + read_on(&step, piece, start), events: &step.events, values };
                    witness.page(page, &|| live_zones(analyzer));
                }
                start = step.end;
            }
            before += piece.len();
        }
        Ok(())
    }
}

/// Position of the bar that made a step's readings known: the last one consumed, or, where a gap left a bucket open,
/// the one that showed the gap.
fn read_on(step: &Step, bars: &[Bar], start: usize) -> usize {
    let consumed = step.end.checked_sub(1).filter(|_| step.end > start);
    let closed_with = |bar: &Bar| step.closed.iter().all(|closed| closed.bar.close_time == bar.close_time);
    consumed.filter(|&last| closed_with(&bars[last])).unwrap_or(step.end)
}

fn live_zones(analyzer: &Analyzer) -> Vec<(Timeframe, Zone)> {
    let detectors = analyzer.timeframes().filter_map(|timeframe| analyzer.detector(timeframe));
    detectors.flat_map(|detector| detector.zones().into_iter().map(|zone| (detector.timeframe(), zone))).collect()
}

impl Reader for AnalyzerReader<'_> {
    type Item = Bar;
    type Error = AnalyzerError;

    fn columns(&self) -> Vec<String> {
        COLUMNS.iter().map(|column| column.name.to_owned()).collect()
    }

    fn read<W: Witness>(&self, bars: &[Bar], witness: &mut W) -> Result<(), AnalyzerError> {
        let mut analyzer = self.plan.analyzer()?;
        self.go_on(&mut analyzer, bars, 0, witness)?;
        let zones: LiveZones<'_> = &|| live_zones(&analyzer);
        witness.end(zones);
        Ok(())
    }
}

/// What restoring an analyzer changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RestoredAudit {
    /// How often it was restored.
    pub restored: u64,
    /// Readings after that.
    pub readings: u64,
    /// Readings that differ from those of the run that was never restored, or that only one of them has.
    pub differing_readings: u64,
    /// Analyzers that were not equal to the original, just restored or after the last bar.
    pub differing_states: u64,
}

/// Copies an analyzer after each of `cuts` bars (through its stored form, which is `copy`'s part), lets the copy go on
/// to the last bar, and compares its readings and its state with those of a run that was never interrupted.
///
/// # Errors
/// [`AnalyzerError`] where the plan or the bars do not fit; what `copy` says of its own.
pub fn audit_restored<E: From<AnalyzerError>>(
    plan: &AnalyzerPlan,
    bars: &[Bar],
    cuts: &[usize],
    mut copy: impl FnMut(&Analyzer) -> Result<Analyzer, E>,
) -> Result<RestoredAudit, E> {
    let reader = AnalyzerReader::batch(plan);
    let whole = record(&reader, bars, &[])?;
    let mut last = plan.analyzer()?;
    reader.go_on(&mut last, bars, 0, &mut Unseen)?;
    let mut cuts: Vec<usize> = cuts.iter().map(|&cut| cut.min(bars.len())).collect();
    cuts.sort_unstable();
    let (mut audit, mut tally) = (RestoredAudit::default(), Tally::new(whole.columns()));
    let (mut original, mut at) = (plan.analyzer()?, 0);
    for cut in cuts {
        reader.go_on(&mut original, &bars[..cut], at, &mut Unseen)?;
        at = cut;
        let mut restored = copy(&original)?;
        audit.differing_states += u64::from(restored != original);
        let mut comparison = Comparison::new(&whole, cut, bars.len(), &mut tally);
        reader.go_on(&mut restored, bars, cut, &mut comparison)?;
        comparison.end(&Vec::new);
        audit.differing_states += u64::from(restored != last);
        audit.restored += 1;
    }
    let total = tally.total();
    audit.readings = total.readings;
    audit.differing_readings = total.rewritten + total.vanished + total.backdated;
    Ok(audit)
}

/// Nobody looks.
struct Unseen;

impl Witness for Unseen {
    fn page(&mut self, _page: Page<'_>, _zones: LiveZones<'_>) {}
    fn end(&mut self, _zones: LiveZones<'_>) {}
}
