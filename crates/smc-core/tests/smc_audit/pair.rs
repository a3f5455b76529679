//! Two instruments under the audit: the detector of divergences is clean, and a double that repaints is found out.

use proptest::prelude::*;
use smc_core::market::Bar;
use smc_core::smc::audit::{Counts, DivergenceReader, LiveZones, Page, PrefixAudit, Reader, Witness};
use smc_core::smc::config::DivergenceConfig;
use smc_core::smc::divergence::moments;
use smc_core::smc::{DivergenceDetector, DivergenceError, Event, EventKind};

use super::smc_common::{congruential_walk, timeframe, walk};
use super::{audit, every};

type Step = [Option<Bar>; 2];

fn reader() -> DivergenceReader {
    let config =
        DivergenceConfig { size: 2, window: 2, max_distance: 30, max_age: 15, max_count: 3, ..Default::default() };
    DivergenceReader::new(DivergenceDetector::new(timeframe("1m"), config).unwrap())
}

fn steps(first: &[Bar], second: &[Bar]) -> Vec<Step> {
    moments(first, second).map(|step| step.map(|bar| bar.copied())).collect()
}

/// The second follows the first, a third of the time too far or not far enough; it lacks some minutes.
fn followed(first: &[Bar]) -> Vec<Step> {
    let lag = |at: usize| (at as i64 * 7 % 3) - 1;
    let follow = |(at, bar): (usize, &Bar)| {
        let by = 2 * lag(at / 3) * (bar.high - bar.low);
        Bar { open: bar.open + by, high: bar.high + by, low: bar.low + by, close: bar.close + by, ..*bar }
    };
    let second: Vec<Bar> = first.iter().enumerate().filter(|(at, _)| at % 23 != 11).map(follow).collect();
    steps(first, &second)
}

/// How a double of the reader cheats.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cheat {
    /// Tells on each step what the next one makes known.
    OneStepEarly,
    /// Takes back a divergence that is broken later.
    TakesBackTheBroken,
    /// Moves both edges to the extremes of all that it has read.
    WidestRange,
}

struct Double(Cheat);

#[derive(Default)]
struct Taken(Vec<(Vec<Event>, Vec<f64>)>);

impl Witness for Taken {
    fn page(&mut self, page: Page<'_>, _zones: LiveZones<'_>) {
        self.0.push((page.events.to_vec(), page.values.to_vec()));
    }

    fn end(&mut self, _zones: LiveZones<'_>) {}
}

impl Reader for Double {
    type Item = Step;
    type Error = DivergenceError;

    fn columns(&self) -> Vec<String> {
        reader().columns()
    }

    fn read<W: Witness>(&self, steps: &[Step], witness: &mut W) -> Result<(), DivergenceError> {
        let mut taken = Taken::default();
        reader().read(steps, &mut taken)?;
        let (mut events, values): (Vec<_>, Vec<_>) = taken.0.into_iter().unzip();
        match self.0 {
            Cheat::OneStepEarly if !events.is_empty() => {
                events.remove(0);
                events.push(Vec::new());
            }
            Cheat::TakesBackTheBroken => {
                let is_end = |event: &&Event| event.kind == EventKind::SmtDivergenceBroken;
                let broken: Vec<u64> = events.iter().flatten().filter(is_end).map(|event| event.zone_id).collect();
                events.iter_mut().for_each(|told| told.retain(|event| !broken.contains(&event.id)));
            }
            Cheat::WidestRange => {
                let high = steps.iter().flatten().flatten().map(|bar| bar.high).max().unwrap_or(0);
                events.iter_mut().flatten().for_each(|event| event.high = high);
            }
            Cheat::OneStepEarly => {}
        }
        for (bar, (events, values)) in events.iter().zip(&values).enumerate() {
            witness.page(Page { bar, events, values }, &Vec::new);
        }
        witness.end(&Vec::new);
        Ok(())
    }
}

fn of(found: &PrefixAudit, kind: EventKind) -> Counts {
    found.events.iter().find(|(other, _)| *other == kind).unwrap().1
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn divergences_repaint_nothing_on_any_prefix(first in walk(40..200), second in walk(40..200)) {
        for steps in [steps(&first, &second), followed(&first)] {
            let found = audit(&reader(), &steps, &every(&steps));
            prop_assert!(found.total().is_clean(), "{:?}", found);
            prop_assert_eq!((found.places, found.prefixes as usize), (0, steps.len() + 1));
        }
    }
}

#[test]
fn there_is_something_to_repaint() {
    let steps = followed(&congruential_walk(600));
    let found = audit(&reader(), &steps, &every(&steps));
    for kind in [EventKind::SmtDivergence, EventKind::SmtDivergenceBroken, EventKind::SmtDivergenceExpired] {
        assert!(of(&found, kind).readings > 1_000, "{} {}", kind.name(), of(&found, kind).readings);
    }
    assert!(found.columns.iter().all(|(_, counts)| counts.readings == found.bars_read));
}

#[test]
fn a_double_that_repaints_is_counted_for_what_it_does() {
    let steps = followed(&congruential_walk(600));
    let found = |cheat| of(&audit(&Double(cheat), &steps, &every(&steps)), EventKind::SmtDivergence);
    let early = found(Cheat::OneStepEarly);
    assert!(early.backdated > 0 && early.rewritten + early.vanished == 0, "{early:?}");
    let taken_back = found(Cheat::TakesBackTheBroken);
    assert!(taken_back.vanished + taken_back.rewritten > 0, "{taken_back:?}");
    let widened = found(Cheat::WidestRange);
    assert!(widened.rewritten > 0 && widened.vanished + widened.backdated == 0, "{widened:?}");
}
