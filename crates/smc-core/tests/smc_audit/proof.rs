//! What does not repaint is found clean, whoever counts and however the work is shared.

use std::num::NonZeroUsize;

use proptest::prelude::*;
use smc_core::features::COLUMNS;
use smc_core::smc::audit::{audit_prefixes, read_the_same, AnalyzerReader, AuditError, LegacyReader};
use smc_core::smc::{AnalyzerError, DetectorConfig, EventKind, ZoneKind};

use super::smc_common::{eurusd, timeframe, walk};
use super::{audit, every, instrument, plan, AnalyzerPlan};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_analyzer_repaints_nothing_on_any_prefix(bars in walk(60..260)) {
        let plan = plan();
        let found = audit(&AnalyzerReader::batch(&plan), &bars, &every(&bars));
        let total = found.total();
        prop_assert!(total.is_clean(), "{:?}", found);
        prop_assert_eq!((found.places, found.differing_zone_sets()), (0, 0));
        prop_assert_eq!(found.prefixes as usize, bars.len() + 1);
        prop_assert_eq!(found.bars_read as usize, bars.len() * (bars.len() + 1) / 2);
        let pivots = found.events.iter().find(|(kind, _)| *kind == EventKind::Pivot).unwrap().1;
        prop_assert!(pivots.readings > 0);
        prop_assert!(found.zones.iter().all(|(_, counts)| counts.sets == found.prefixes));
        prop_assert!(found.zones.iter().map(|(_, counts)| counts.zones).sum::<u64>() > 0);
    }

    #[test]
    fn pieces_of_any_size_read_the_same(bars in walk(60..260), piece in 1usize..40) {
        let plan = plan();
        let batch = AnalyzerReader::batch(&plan);
        prop_assert!(read_the_same(&batch, &AnalyzerReader::pieces(&plan, 1), &bars, &every(&bars)).unwrap());
        prop_assert!(read_the_same(&batch, &AnalyzerReader::pieces(&plan, piece), &bars, &every(&bars)).unwrap());
    }

    #[test]
    fn the_number_of_threads_changes_nothing(bars in walk(40..160), threads in 1usize..5) {
        let plan = plan();
        let causal = AnalyzerReader::batch(&plan);
        let instrument = instrument();
        let hindsight = LegacyReader { instrument: &instrument, swing_length: 3, causal: false };
        let threads = NonZeroUsize::new(threads).unwrap();
        let lengths = every(&bars);
        let shared = audit_prefixes(&causal, &bars, &lengths, threads, &mut |_, _| true).unwrap();
        prop_assert_eq!(shared, audit(&causal, &bars, &lengths));
        let shared = audit_prefixes(&hindsight, &bars, &lengths, threads, &mut |_, _| true).unwrap();
        prop_assert_eq!(shared, audit(&hindsight, &bars, &lengths));
    }
}

#[test]
fn another_configuration_does_not_read_the_same() {
    let bars = super::smc_common::congruential_walk(200);
    let (one, mut other) = (plan(), plan());
    assert!(read_the_same(&AnalyzerReader::batch(&one), &AnalyzerReader::batch(&one), &bars, &[200]).unwrap());
    other.config.internal.size += 1;
    assert!(!read_the_same(&AnalyzerReader::batch(&one), &AnalyzerReader::batch(&other), &bars, &[200]).unwrap());
}

#[test]
fn kinds_columns_and_zones_are_all_counted_by_name() {
    let plan = plan();
    let bars = super::smc_common::congruential_walk(2_000);
    let found = audit(&AnalyzerReader::batch(&plan), &bars, &[bars.len()]);
    assert_eq!(found.events.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), EventKind::ALL);
    assert_eq!(found.zones.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), ZoneKind::ALL);
    let names: Vec<&str> = found.columns.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, COLUMNS.iter().map(|column| column.name).collect::<Vec<_>>());
    let decisions = bars.len() as u64 / 3;
    assert!(found.columns.iter().all(|(_, counts)| counts.readings == decisions));
}

#[test]
fn it_stops_where_the_watcher_says_so_and_tells_of_a_plan_that_does_not_fit() {
    let plan = plan();
    let bars = super::smc_common::congruential_walk(300);
    let reader = AnalyzerReader::batch(&plan);
    let threads = NonZeroUsize::new(2).unwrap();
    let mut heard = Vec::new();
    let all = audit_prefixes(&reader, &bars, &[100, 200, 1_000], threads, &mut |done, total| {
        heard.push((done, total));
        true
    });
    assert_eq!(all.unwrap().bars_read, 600);
    assert_eq!((heard.len(), heard.last()), (3, Some(&(600, 600))));
    let stopped = audit_prefixes(&reader, &bars, &every(&bars), threads, &mut |_, _| false);
    assert_eq!(stopped, Err(AuditError::Stopped));
    let wrong = AnalyzerPlan { base: timeframe("5m"), ..plan.clone() };
    let refused = audit_prefixes(&AnalyzerReader::batch(&wrong), &bars, &[10], threads, &mut |_, _| true);
    assert!(matches!(refused, Err(AuditError::Reader(AnalyzerError::Aggregate(_)))));
}

#[test]
fn every_kind_belongs_to_the_concept_that_makes_it() {
    for kind in EventKind::ALL {
        let concept = kind.concept();
        assert_eq!(concept.concept(), concept);
        assert!(kind.name().starts_with(concept.name()));
    }
    for zone in ZoneKind::ALL {
        assert_eq!(zone.creation().concept(), zone.creation());
    }
    assert_eq!(EventKind::FairValueGapInverted.concept(), EventKind::FairValueGap);
    assert_eq!(EventKind::MssStrict.concept(), EventKind::Mss);
}

/// A year of quarter hours: the analyzer is clean, the library's readings are not, their causal twins are.
#[test]
fn on_eurusd_only_hindsight_repaints() {
    let Some(bars) = eurusd() else { return };
    let lengths: Vec<usize> = (1..=16).map(|part| part * bars.len() / 16).collect();
    let plan = AnalyzerPlan {
        instrument: instrument(),
        base: timeframe("15m"),
        decision: timeframe("15m"),
        contexts: vec![timeframe("1h"), timeframe("4h")],
        config: DetectorConfig::default(),
    };
    let found = audit(&AnalyzerReader::batch(&plan), &bars, &lengths);
    assert!(found.total().is_clean() && found.differing_zone_sets() == 0, "{found:?}");
    let instrument = instrument();
    for causal in [false, true] {
        let reader = LegacyReader { instrument: &instrument, swing_length: 5, causal };
        let found = audit(&reader, &bars, &lengths);
        let broken: Vec<&str> =
            found.columns.iter().filter(|(_, counts)| !counts.is_clean()).map(|(name, _)| name.as_str()).collect();
        if causal {
            assert_eq!(broken, [""; 0]);
        } else {
            for name in ["swing_highs_lows.HighLow", "ob.OB", "liquidity.Liquidity", "bos_choch.BrokenIndex"] {
                assert!(broken.contains(&name), "{name} is not among {broken:?}");
            }
            assert!(!broken.iter().any(|name| name.starts_with("previous") || name.starts_with("sessions")));
        }
    }
}
