//! A detector with the memory that its features need: the one way in which features follow a stream of bars.

use serde::{Deserialize, Serialize};

use super::history::FeatureHistory;
use super::view::FeatureView;
use crate::market::Bar;
use crate::smc::{Detector, DetectorError, Event};

/// The detector of the decision timeframe, and what its features remember beyond the detector's own state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureDetector {
    detector: Detector,
    history: FeatureHistory,
}

impl FeatureDetector {
    /// Goes on from a detector that has seen nothing.
    #[must_use]
    pub fn new(detector: Detector) -> Self {
        Self { detector, history: FeatureHistory::default() }
    }

    /// Takes a closed bar and appends the events it made knowable to `events`.
    ///
    /// # Errors
    /// [`DetectorError`], with nothing changed.
    pub fn update(&mut self, bar: &Bar, events: &mut Vec<Event>) -> Result<(), DetectorError> {
        let first = events.len();
        self.detector.update(bar, events)?;
        self.history.update(bar, &events[first..]);
        Ok(())
    }

    /// The detector.
    #[must_use]
    pub const fn detector(&self) -> &Detector {
        &self.detector
    }

    /// Everything known at the close of the last bar, beside up to two higher timeframes as they are now.
    #[must_use]
    pub fn view<'a>(&'a self, contexts: [Option<&'a Detector>; 2]) -> FeatureView<'a> {
        FeatureView::new(&self.detector, contexts, &self.history)
    }
}
