//! Several timeframes at once: order of closes, gaps, and independence of how bars are handed over.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod smc_common;

use proptest::prelude::*;
use smc_common::{one_minute_bar, small, timeframe, walk, MINUTE, START};
use smc_core::market::{Aggregator, Bar, ClosedBar, Instrument, Timeframe};
use smc_core::smc::{Analyzer, AnalyzerError, Detector, Event, PivotRule};

fn frames(names: &[&str]) -> Vec<Timeframe> {
    names.iter().map(|name| timeframe(name)).collect()
}

fn analyzer(base: &str, decision: &str, contexts: &[&str]) -> Result<Analyzer, AnalyzerError> {
    let instrument = Instrument::new("test", "WALK", "0.01", "0.001", "0").unwrap();
    Analyzer::new(instrument, timeframe(base), timeframe(decision), &frames(contexts), small(PivotRule::Leg))
}

#[derive(Debug, Default, PartialEq)]
struct Readings {
    closed: Vec<ClosedBar>,
    events: Vec<Event>,
    features: Vec<Vec<f64>>,
}

/// Hands over `bars` in pieces of `piece` and collects all that is read.
fn read(analyzer: &mut Analyzer, bars: &[Bar], piece: usize, into: &mut Readings) {
    for chunk in bars.chunks(piece) {
        let mut start = 0;
        while start < chunk.len() {
            let step = analyzer.advance(chunk, start).unwrap();
            assert!(step.end > start || !step.closed.is_empty(), "a step without progress");
            start = step.end;
            into.closed.extend(step.closed);
            into.events.extend(step.events);
            if step.decision_bar.is_some() {
                into.features.push(analyzer.features().to_vec());
            }
        }
    }
}

fn names(closed: &[ClosedBar]) -> Vec<&'static str> {
    closed.iter().map(|made| made.timeframe.name()).collect()
}

fn flat(minute: i64) -> Bar {
    one_minute_bar(minute, [100, 101, 99, 100])
}

#[test]
fn it_stops_at_each_decision_close_with_higher_timeframes_first() {
    let mut analyzer = analyzer("1m", "3m", &["1h", "15m"]).unwrap();
    assert_eq!(analyzer.timeframes().map(Timeframe::name).collect::<Vec<_>>(), ["3m", "1h", "15m"]);
    let bars: Vec<Bar> = (0..61).map(flat).collect();
    let (mut start, mut closes) = (0, Vec::new());
    while start < bars.len() {
        let step = analyzer.advance(&bars, start).unwrap();
        start = step.end;
        if let Some(bar) = step.decision_bar {
            assert_eq!(bar, step.closed.last().unwrap().bar);
            closes.push((step.end, names(&step.closed)));
        }
    }
    assert_eq!(closes.len(), 20);
    assert_eq!(closes[0], (3, vec!["3m"]));
    assert_eq!(closes[4], (15, vec!["15m", "3m"]));
    assert_eq!(closes[19], (60, vec!["1h", "15m", "3m"]));
    assert_eq!(start, 61);
}

#[test]
fn the_base_may_be_the_decision_timeframe() {
    let mut analyzer = analyzer("1m", "1m", &[]).unwrap();
    let bars: Vec<Bar> = (0..3).map(flat).collect();
    let step = analyzer.advance(&bars, 1).unwrap();
    assert_eq!((step.end, step.decision_bar), (2, Some(bars[1])));
}

#[test]
fn a_gap_closes_what_it_left_open_before_the_next_bar_is_read() {
    let mut analyzer = analyzer("1m", "3m", &["15m"]).unwrap();
    let bars = [flat(0), flat(1), flat(40), flat(41)];
    let first = analyzer.advance(&bars, 0).unwrap();
    assert_eq!((first.end, names(&first.closed)), (2, vec!["3m"]));
    let late = first.decision_bar.unwrap();
    assert_eq!(late.close_time, START + 3 * MINUTE);
    assert!(late.close_time < bars[2].open_time);
    // The 15m bucket ended at another instant, so it takes a step of its own, without a decision.
    let second = analyzer.advance(&bars, first.end).unwrap();
    assert_eq!((second.end, names(&second.closed), second.decision_bar), (2, vec!["15m"], None));
    let third = analyzer.advance(&bars, second.end).unwrap();
    assert_eq!((third.end, names(&third.closed)), (4, vec!["3m"]));
}

#[test]
fn timeframes_and_bars_that_do_not_fit_are_named() {
    let message = |made: Result<Analyzer, AnalyzerError>| made.unwrap_err().to_string();
    assert!(message(analyzer("15m", "5m", &[])).contains("5m bars cannot be built from 15m"));
    assert!(message(analyzer("1m", "6h", &["8h"])).contains("8h is no multiple"));
    assert!(message(analyzer("1m", "15m", &["1h", "1h"])).contains("1h is named twice"));
    let mut analyzer = analyzer("1m", "3m", &[]).unwrap();
    let bars = [flat(4), flat(3)];
    assert!(matches!(analyzer.advance(&bars, 3), Err(AnalyzerError::Start { start: 3, length: 2 })));
    assert!(matches!(analyzer.advance(&bars, 0), Err(AnalyzerError::Aggregate(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn how_bars_are_handed_over_changes_nothing(bars in walk(100..600), piece in 1usize..50) {
        let fresh = || analyzer("1m", "5m", &["15m", "1h"]).unwrap();
        let (mut batch, mut stream, mut pieces) = (Readings::default(), Readings::default(), Readings::default());
        read(&mut fresh(), &bars, bars.len(), &mut batch);
        read(&mut fresh(), &bars, 1, &mut stream);
        read(&mut fresh(), &bars, piece, &mut pieces);
        prop_assert_eq!(&batch, &stream);
        prop_assert_eq!(&batch, &pieces);
    }

    /// Pieces of changing sizes, cut in gaps and inside bars of higher timeframes alike.
    #[test]
    fn pieces_of_random_sizes_leave_the_same_analyzer(
        bars in walk(100..600),
        sizes in prop::collection::vec(1usize..90, 1..12),
    ) {
        let fresh = || analyzer("1m", "5m", &["15m", "1h"]).unwrap();
        let (mut batch, mut pieces) = (fresh(), fresh());
        let (mut whole, mut parts) = (Readings::default(), Readings::default());
        read(&mut batch, &bars, bars.len(), &mut whole);
        let (mut rest, mut sizes) = (&bars[..], sizes.iter().cycle());
        while let Some(&size) = sizes.next().filter(|_| !rest.is_empty()) {
            let (piece, after) = rest.split_at(size.min(rest.len()));
            read(&mut pieces, piece, size, &mut parts);
            rest = after;
        }
        prop_assert_eq!(whole, parts);
        prop_assert_eq!(batch, pieces);
    }

    #[test]
    fn a_restored_analyzer_goes_on_as_if_nothing_happened(bars in walk(100..600), cut in 0.0f64..1.0) {
        let cut = (bars.len() as f64 * cut) as usize;
        let mut whole = Readings::default();
        read(&mut analyzer("1m", "5m", &["15m", "1h"]).unwrap(), &bars, bars.len(), &mut whole);
        let mut head = analyzer("1m", "5m", &["15m", "1h"]).unwrap();
        let mut readings = Readings::default();
        read(&mut head, &bars[..cut], bars.len(), &mut readings);
        let mut tail: Analyzer = postcard::from_bytes(&postcard::to_stdvec(&head).unwrap()).unwrap();
        prop_assert_eq!(&tail, &head);
        read(&mut tail, &bars[cut..], bars.len(), &mut readings);
        prop_assert_eq!(readings, whole);
    }

    /// Each timeframe reads as if it had been alone on its own bars.
    #[test]
    fn timeframes_do_not_disturb_each_other(bars in walk(100..600)) {
        let mut joint = Readings::default();
        read(&mut analyzer("1m", "5m", &["15m"]).unwrap(), &bars, bars.len(), &mut joint);
        for name in ["5m", "15m"] {
            let mut aggregator = Aggregator::new(timeframe("1m"), &frames(&[name])).unwrap();
            let mut closed = Vec::new();
            for bar in &bars {
                aggregator.push(bar, &mut closed).unwrap();
            }
            let mut detector = Detector::new(timeframe(name), small(PivotRule::Leg)).unwrap();
            let mut alone = Vec::new();
            for made in &closed {
                detector.update(&made.bar, &mut alone).unwrap();
            }
            let of_joint: Vec<Event> =
                joint.events.iter().filter(|event| event.timeframe == timeframe(name)).copied().collect();
            prop_assert_eq!(of_joint, alone);
        }
    }

    /// What a decision reads does not change with what comes later.
    #[test]
    fn features_of_a_prefix_are_a_prefix_of_the_features(bars in walk(100..400), cut in 0.0f64..1.0) {
        let cut = (bars.len() as f64 * cut) as usize;
        let (mut part, mut whole) = (Readings::default(), Readings::default());
        read(&mut analyzer("1m", "3m", &["15m", "1h"]).unwrap(), &bars[..cut], bars.len(), &mut part);
        read(&mut analyzer("1m", "3m", &["15m", "1h"]).unwrap(), &bars, bars.len(), &mut whole);
        prop_assert_eq!(&part.features[..], &whole.features[..part.features.len()]);
        prop_assert_eq!(&part.events[..], &whole.events[..part.events.len()]);
    }
}
