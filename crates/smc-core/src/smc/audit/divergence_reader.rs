//! The divergences of two instruments as a reader: prefixes are cut after steps, of both instruments at once.

use super::{Page, Reader, Witness};
use crate::market::Bar;
use crate::smc::divergence::{DivergenceDetector, DivergenceError};

/// Reads events, and at each step how many divergences are in force.
#[derive(Clone, Debug)]
pub struct DivergenceReader {
    fresh: DivergenceDetector,
}

impl DivergenceReader {
    /// A reader that begins every reading with a copy of `fresh`, a detector that has seen nothing.
    #[must_use]
    pub const fn new(fresh: DivergenceDetector) -> Self {
        Self { fresh }
    }
}

impl Reader for DivergenceReader {
    type Item = [Option<Bar>; 2];
    type Error = DivergenceError;

    fn columns(&self) -> Vec<String> {
        ["in_force_at_highs", "in_force_at_lows"].map(str::to_owned).into()
    }

    fn read<W: Witness>(&self, steps: &[Self::Item], witness: &mut W) -> Result<(), DivergenceError> {
        let mut detector = self.fresh.clone();
        let mut events = Vec::new();
        for (bar, [first, second]) in steps.iter().enumerate() {
            events.clear();
            detector.update(first.as_ref(), second.as_ref(), &mut events)?;
            let values = detector.in_force().map(|count| count as f64);
            witness.page(Page { bar, events: &events, values: &values }, &Vec::new);
        }
        witness.end(&Vec::new);
        Ok(())
    }
}
