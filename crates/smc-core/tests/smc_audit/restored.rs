//! Restoring from a snapshot changes nothing, and where it would, that is counted.

use proptest::prelude::*;
use smc_core::smc::audit::{audit_restored, RestoredAudit};
use smc_core::smc::{Analyzer, AnalyzerError, PivotRule};

use super::plan;
use super::smc_common::{congruential_walk, small, walk};

fn through_bytes(analyzer: &Analyzer) -> Result<Analyzer, AnalyzerError> {
    Ok(postcard::from_bytes(&postcard::to_stdvec(analyzer).unwrap()).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_snapshot_after_any_bar_goes_on_the_same(bars in walk(60..260)) {
        let cuts: Vec<usize> = (0..=bars.len()).step_by(7).collect();
        let found = audit_restored(&plan(), &bars, &cuts, through_bytes).unwrap();
        let RestoredAudit { restored, differing_readings, differing_states, .. } = found;
        prop_assert_eq!((restored as usize, differing_readings, differing_states), (cuts.len(), 0, 0));
    }
}

#[test]
fn what_a_snapshot_loses_is_counted() {
    let bars = congruential_walk(600);
    let fresh = |_: &Analyzer| {
        let plan = plan();
        Analyzer::new(plan.instrument, plan.base, plan.decision, &plan.contexts, small(PivotRule::Leg))
    };
    let found = audit_restored(&plan(), &bars, &[0, 300], fresh).unwrap();
    // A fresh analyzer is right before the first bar and nowhere else.
    assert_eq!((found.restored, found.differing_states), (2, 2));
    assert!(found.differing_readings > 100 && found.readings > found.differing_readings);
}
