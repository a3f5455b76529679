//! What must hold for any bytes: they become settings and bars, or a snapshot, and a violation panics.

mod input;

use std::collections::HashMap;
use std::num::NonZeroUsize;

use smc_core::market::{Bar, MAX_TIME};
use smc_core::smc::audit::{audit_prefixes, audit_restored, read_the_same, AnalyzerReader};
use smc_core::smc::{Analyzer, AnalyzerError, Detector, Event, Zone, ZoneKind};
use smc_core::snapshot::{decode, encode, sealed};

use input::Input;

const DETECTOR: [u8; 4] = *b"SMCD";
const ANALYZER: [u8; 4] = *b"SMCA";
const VERSION: u16 = 1;
const WEEK: i64 = 7 * 86_400_000_000_000;

/// Settings and bars out of bytes. A bar that is none is refused and changes nothing; every other is taken, without
/// overflow; ids ascend, times and edges are in order, live zones are bounded, features finite; no prefix, piece or
/// snapshot reads differently.
pub fn readings(data: &[u8]) {
    let input = Input::from_bytes(data);
    let taken = offer(&input);
    let whole = run(&input, &taken);
    let cut = input.cut.min(taken.len());
    let part = run(&input, &taken[..cut]);
    assert_eq!(part.1[..], whole.1[..part.1.len()], "a prefix reads differently");
    let mut restored: Detector = decode(DETECTOR, VERSION, &encode(DETECTOR, VERSION, &part.0).unwrap()).unwrap();
    let mut events = part.1;
    for bar in &taken[cut..] {
        restored.update(bar, &mut events).unwrap();
    }
    assert_eq!((&restored, &events), (&whole.0, &whole.1), "a restored detector reads differently");
    // The analyzer wants the weeks around its bars whole: the ends of time are the detector's alone.
    let within: Vec<Bar> = taken.into_iter().filter(|bar| bar.close_time.abs() < MAX_TIME - 2 * WEEK).collect();
    several_timeframes(&input, &within, &[cut.min(within.len()), within.len()]);
}

/// Offers every bar, and gives those that were taken.
fn offer(input: &Input) -> Vec<Bar> {
    let mut detector = Detector::new(input.plan.base, input.plan.config).unwrap();
    let (mut taken, mut events): (Vec<Bar>, Vec<Event>) = (Vec::new(), Vec::new());
    for bar in &input.bars {
        let follows = taken.last().is_none_or(|last| bar.open_time >= last.close_time);
        let fits =
            follows && bar.validate().is_ok() && bar.close_time.saturating_sub(bar.open_time) == input.plan.base.ns();
        let before = (!fits).then(|| detector.clone());
        let number = events.len();
        let result = detector.update(bar, &mut events);
        assert_eq!(result.is_ok(), fits, "{bar:?}: {result:?}");
        if let Some(before) = before {
            assert!(before == detector && number == events.len(), "a refused bar left a trace");
            continue;
        }
        taken.push(*bar);
        events[number..].iter().enumerate().for_each(|(at, event)| well_formed(event, number + at, bar));
        bounded(&detector.zones());
    }
    taken
}

fn well_formed(event: &Event, position: usize, bar: &Bar) {
    assert_eq!(event.id, position as u64 + 1, "{event:?}");
    assert_eq!(event.confirmed_at, bar.close_time, "{event:?}");
    assert!(event.formed_at < event.confirmed_at && event.low <= event.high, "{event:?}");
    assert!(event.source_id < event.id && event.zone_id <= event.id && event.zone_id > 0, "{event:?}");
}

/// No more live zones of a kind, scope and side than its setting allows; two where there is no setting.
fn bounded(zones: &[Zone]) {
    assert!(zones.windows(2).all(|pair| pair[0].id < pair[1].id), "zones are not in order of their ids");
    let mut groups: HashMap<_, usize> = HashMap::new();
    for zone in zones {
        *groups.entry((zone.kind, zone.scope, zone.direction, zone.side)).or_default() += 1;
    }
    for (group, number) in groups {
        let most = match group.0 {
            ZoneKind::PeriodLevel | ZoneKind::SessionLevel | ZoneKind::OptimalEntry => 1,
            _ => input::MOST as usize,
        };
        assert!(number <= most, "{number} zones of {group:?}");
    }
}

fn run(input: &Input, bars: &[Bar]) -> (Detector, Vec<Event>) {
    let mut detector = Detector::new(input.plan.base, input.plan.config).unwrap();
    let mut events = Vec::new();
    for bar in bars {
        detector.update(bar, &mut events).unwrap();
    }
    (detector, events)
}

/// The same of the analyzer, whose bars close late where there are gaps.
fn several_timeframes(input: &Input, bars: &[Bar], lengths: &[usize]) {
    let batch = AnalyzerReader::batch(&input.plan);
    let pieces = AnalyzerReader::pieces(&input.plan, input.piece);
    assert!(read_the_same(&batch, &pieces, bars, lengths).unwrap(), "pieces read differently");
    let found = audit_prefixes(&batch, bars, lengths, NonZeroUsize::MIN, &mut |_, _| true).unwrap();
    assert!(found.total().is_clean() && found.differing_zone_sets() == 0, "{found:?}");
    let restored = audit_restored(&input.plan, bars, lengths, |analyzer| {
        assert!(analyzer.features().iter().all(|value| value.is_finite()), "{:?}", analyzer.features());
        let bytes = encode(ANALYZER, VERSION, analyzer).unwrap();
        Ok::<Analyzer, AnalyzerError>(decode(ANALYZER, VERSION, &bytes).unwrap())
    });
    let restored = restored.unwrap();
    assert_eq!((restored.differing_readings, restored.differing_states), (0, 0));
}

/// Bytes as a snapshot: as they are, behind a right header, and as changes of a genuine one. What is refused is
/// refused as an error; what is read can be looked at and stored again.
pub fn restoring(data: &[u8]) {
    for bytes in [data.to_vec(), sealed(DETECTOR, VERSION, data), sealed(ANALYZER, VERSION, data)] {
        look(&bytes);
    }
    let input = Input::from_bytes(&data[..data.len().min(8)]);
    let bars = input::some_bars(&input.plan, data.first().copied().unwrap_or(0).into());
    let mut payload = postcard_of(&run(&input, &bars).0);
    for edit in data.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([edit[0], edit[1]])) % payload.len();
        payload[at] = edit[2];
    }
    look(&sealed(DETECTOR, VERSION, &payload));
}

fn postcard_of(detector: &Detector) -> Vec<u8> {
    let header = sealed(DETECTOR, VERSION, &[]).len();
    encode(DETECTOR, VERSION, detector).unwrap().split_off(header)
}

fn look(bytes: &[u8]) {
    if let Ok(detector) = decode::<Detector>(DETECTOR, VERSION, bytes) {
        let _ = (detector.zones(), detector.atr(), detector.dealing_range(), detector.nearest(ZoneKind::OrderBlock, 1));
        let again = encode(DETECTOR, VERSION, &detector).unwrap();
        let twice: Detector = decode(DETECTOR, VERSION, &again).unwrap();
        assert_eq!(encode(DETECTOR, VERSION, &twice).unwrap(), again);
    }
    if let Ok(analyzer) = decode::<Analyzer>(ANALYZER, VERSION, bytes) {
        let _ = (analyzer.features(), analyzer.timeframes().count());
        encode(ANALYZER, VERSION, &analyzer).unwrap();
    }
}
