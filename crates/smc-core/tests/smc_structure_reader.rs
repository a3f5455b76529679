//! A structure machine by itself reads what it reads inside the detector.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod smc_common;

use smc_common::congruential_walk;
use smc_core::smc::structure_reader::StructureReader;
use smc_core::smc::{Detector, DetectorConfig, Event, EventKind, PivotRule, Scope, StructureConfig};

fn readings(events: &[Event]) -> Vec<Event> {
    let kinds = [EventKind::Pivot, EventKind::Bos, EventKind::Choch];
    let own = |event: &&Event| event.scope == Scope::Internal && kinds.contains(&event.kind);
    // Numbers differ: the detector counts the events of other concepts too.
    let unnumbered = |event: &Event| Event { id: 0, zone_id: 0, source_id: 0, ..*event };
    events.iter().filter(own).map(unnumbered).collect()
}

#[test]
fn reads_what_the_detector_reads() {
    let timeframe = "1m".parse().unwrap();
    for rule in [PivotRule::Leg, PivotRule::Fractal] {
        let internal = StructureConfig { size: 3, rule };
        let mut detector = Detector::new(timeframe, DetectorConfig { internal, ..DetectorConfig::default() }).unwrap();
        let mut reader = StructureReader::new(timeframe, Scope::Internal, internal);
        let (mut all, mut alone) = (Vec::new(), Vec::new());
        for bar in congruential_walk(3_000) {
            detector.update(&bar, &mut all).unwrap();
            reader.update(&bar, &mut alone);
        }
        assert!(alone.len() > 300);
        assert_eq!(readings(&alone), readings(&all));
    }
}
