//! Several timeframes from one base stream, stopping at each close of the decision timeframe.
//!
//! Every timeframe has a detector of its own that sees closed bars only. Bars that close at the same instant
//! are processed highest timeframe first, so that a decision knows all that closed with it and
//! nothing that closed later. A bucket that a gap left open is closed by the first base bar after the gap, in
//! a step of its own **before** that bar is consumed; buckets with different ends take a step each.

use serde::{Deserialize, Serialize};

use super::config::{ConfigError, DetectorConfig};
use super::detector::{Detector, DetectorError};
use super::event::Event;
use crate::features::FeatureDetector;
use crate::market::{AggregateError, Aggregator, Bar, ClosedBar, Instrument, Timeframe};

/// Why timeframes or bars do not fit an analyzer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AnalyzerError {
    /// A parameter of the detectors is outside its range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A timeframe does not fit the base, or a base bar does not fit the stream.
    #[error(transparent)]
    Aggregate(#[from] AggregateError),
    /// A detector refused a bar.
    #[error(transparent)]
    Detector(#[from] DetectorError),
    /// A timeframe is named twice.
    #[error("timeframe {0} is named twice; name the decision timeframe and each context timeframe once")]
    Duplicate(Timeframe),
    /// A context timeframe is no multiple of the decision timeframe.
    #[error("context timeframe {context} is no multiple of the decision timeframe {decision}")]
    Context {
        /// The offending context timeframe.
        context: Timeframe,
        /// The decision timeframe.
        decision: Timeframe,
    },
    /// The start lies beyond the bars.
    #[error("start {start} lies beyond the {length} bars given")]
    Start {
        /// The start given.
        start: usize,
        /// Number of bars given.
        length: usize,
    },
}

/// How far the analyzer read, and what that closed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Index of the first bar not consumed.
    pub end: usize,
    /// The bars that closed, highest timeframe first.
    pub closed: Vec<ClosedBar>,
    /// What they made knowable, in the same order.
    pub events: Vec<Event>,
    /// The closed bar of the decision timeframe, if one closed.
    pub decision_bar: Option<Bar>,
}

/// Detectors of several timeframes and the features at each decision close.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Analyzer {
    instrument: Instrument,
    aggregator: Aggregator,
    decision: FeatureDetector,
    contexts: Vec<Detector>,
    features: Vec<f64>,
}

impl Analyzer {
    /// Builds `decision` and `context` bars from `base` bars; the decision may be the base itself.
    ///
    /// # Errors
    /// [`AnalyzerError`] naming the timeframe or the parameter that does not fit.
    pub fn new(
        instrument: Instrument,
        base: Timeframe,
        decision: Timeframe,
        contexts: &[Timeframe],
        config: DetectorConfig,
    ) -> Result<Self, AnalyzerError> {
        let mut timeframes = vec![decision];
        for &context in contexts {
            if timeframes.contains(&context) {
                return Err(AnalyzerError::Duplicate(context));
            }
            if !context.divides_into(decision) {
                return Err(AnalyzerError::Context { context, decision });
            }
            timeframes.push(context);
        }
        let detectors: Result<_, _> = contexts.iter().map(|&timeframe| Detector::new(timeframe, config)).collect();
        let mut made = Self {
            instrument,
            aggregator: Aggregator::new(base, &timeframes)?,
            decision: FeatureDetector::new(Detector::new(decision, config)?),
            contexts: detectors?,
            features: Vec::new(),
        };
        made.read_features();
        Ok(made)
    }

    /// Consumes bars from `start` until a decision bar closes, or the bars end.
    ///
    /// Where `bars[i]` shows that a gap left older buckets open, stops before it (`end == i`) with the bars
    /// that closed late; call again with that `end`.
    ///
    /// # Errors
    /// [`AnalyzerError`]; the bars before the offending one are consumed.
    pub fn advance(&mut self, bars: &[Bar], start: usize) -> Result<Step, AnalyzerError> {
        let length = bars.len();
        let rest = bars.get(start..).ok_or(AnalyzerError::Start { start, length })?;
        let mut step = Step { end: start, ..Step::default() };
        for bar in rest {
            self.aggregator.check(bar)?;
            if self.aggregator.close_late(bar.open_time, &mut step.closed) {
                self.process(&mut step)?;
                return Ok(step);
            }
            self.aggregator.push(bar, &mut step.closed)?;
            step.end += 1;
            if !step.closed.is_empty() {
                self.process(&mut step)?;
                return Ok(step);
            }
        }
        Ok(step)
    }

    fn process(&mut self, step: &mut Step) -> Result<(), AnalyzerError> {
        for closed in &step.closed {
            if closed.timeframe == self.decision.detector().timeframe() {
                self.decision.update(&closed.bar, &mut step.events)?;
                self.read_features();
                step.decision_bar = Some(closed.bar);
            } else if let Some(context) = self.contexts.iter_mut().find(|found| found.timeframe() == closed.timeframe) {
                context.update(&closed.bar, &mut step.events)?;
            }
        }
        Ok(())
    }

    fn read_features(&mut self) {
        let contexts = [self.contexts.first(), self.contexts.get(1)];
        self.decision.view(contexts).write(&mut self.features);
    }

    fn detectors(&self) -> impl Iterator<Item = &Detector> {
        std::iter::once(self.decision.detector()).chain(&self.contexts)
    }

    /// The instrument.
    #[must_use]
    pub const fn instrument(&self) -> &Instrument {
        &self.instrument
    }

    /// Timeframe of the bars it consumes.
    #[must_use]
    pub const fn base(&self) -> Timeframe {
        self.aggregator.base()
    }

    /// The decision timeframe first, then the contexts as given.
    pub fn timeframes(&self) -> impl Iterator<Item = Timeframe> + '_ {
        self.detectors().map(Detector::timeframe)
    }

    /// The detector of a timeframe.
    #[must_use]
    pub fn detector(&self, timeframe: Timeframe) -> Option<&Detector> {
        self.detectors().find(|detector| detector.timeframe() == timeframe)
    }

    /// The features as of the last decision close, in the order of [`crate::features::COLUMNS`].
    #[must_use]
    pub fn features(&self) -> &[f64] {
        &self.features
    }
}
