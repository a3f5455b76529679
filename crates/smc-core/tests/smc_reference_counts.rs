//! Counts on a real year of EURUSD 15-minute candles, against those of independent prototypes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod smc_common;

use std::collections::{HashMap, HashSet};

use smc_common::{eurusd, MINUTE};
use smc_core::market::Bar;
use smc_core::smc::atr::AverageTrueRange;
use smc_core::smc::config::{
    DisplacementForm, DivergenceConfig, FairValueGapConfig, LiquidityConfig, OrderBlockConfig,
};
use smc_core::smc::{
    Detector, DetectorConfig, DivergenceDetector, Event, EventKind, PivotRule, Scope, StructureConfig,
};

const FOREVER: u32 = 100_000_000;

/// Nothing filtered, nothing expires.
fn unbounded() -> DetectorConfig {
    DetectorConfig {
        order_block: OrderBlockConfig { volatility_filter: None, max_age: FOREVER, max_count: FOREVER },
        fair_value_gap: FairValueGapConfig { min_size_atr: 0.0, max_age: FOREVER, max_count: FOREVER },
        liquidity: LiquidityConfig { left: 5, right: 5, max_age: FOREVER, max_count: FOREVER },
        ..DetectorConfig::default()
    }
}

fn run(config: DetectorConfig, bars: &[Bar]) -> Vec<Event> {
    let mut detector = Detector::new("15m".parse().unwrap(), config).unwrap();
    let mut events = Vec::new();
    for bar in bars {
        detector.update(bar, &mut events).unwrap();
    }
    events
}

fn count(events: &[Event], wanted: impl Fn(&Event) -> bool) -> usize {
    events.iter().filter(|event| wanted(event)).count()
}

fn of_scope(events: &[Event], scope: Scope, kind: EventKind, direction: i8) -> usize {
    count(events, |event| event.scope == scope && event.kind == kind && event.direction == direction)
}

fn rows_between(event: &Event) -> i64 {
    (event.confirmed_at - event.formed_at) / (15 * MINUTE) - 1
}

fn median(mut values: Vec<i64>) -> i64 {
    values.sort_unstable();
    values[(values.len() - 1) / 2]
}

#[test]
fn fractal_pivots() {
    let Some(bars) = eurusd() else { return };
    for (size, highs, lows, both) in
        [(2, 3_301, 3_294, 114), (5, 1_475, 1_485, 2), (10, 767, 784, 0), (50, 169, 179, 0)]
    {
        let internal = StructureConfig { size, rule: PivotRule::Fractal };
        let events = run(DetectorConfig { internal, ..unbounded() }, &bars);
        // A pivot high points down, a low up.
        assert_eq!(of_scope(&events, Scope::Internal, EventKind::Pivot, -1), highs, "highs of size {size}");
        assert_eq!(of_scope(&events, Scope::Internal, EventKind::Pivot, 1), lows, "lows of size {size}");
        let pivots = events.iter().filter(|e| e.kind == EventKind::Pivot && e.scope == Scope::Internal);
        let bars_with_pivots: HashSet<i64> = pivots.map(|event| event.formed_at).collect();
        assert_eq!(highs + lows - bars_with_pivots.len(), both, "bars that are both, size {size}");
    }
}

#[test]
fn leg_pivots_and_breaks_of_structure() {
    let Some(bars) = eurusd() else { return };
    let events = run(unbounded(), &bars);
    for (scope, pivots, bos, choch, delays) in [
        (Scope::Internal, 1_568, (295, 270), (347, 347), (6, 10, 56)),
        (Scope::Swing, 188, (33, 43), (52, 51), (52, 86, 378)),
    ] {
        let number = |kind, direction| of_scope(&events, scope, kind, direction);
        assert_eq!((number(EventKind::Pivot, -1), number(EventKind::Pivot, 1)), (pivots, pivots), "{scope:?}");
        assert_eq!((number(EventKind::Bos, 1), number(EventKind::Bos, -1)), bos, "{scope:?}");
        assert_eq!((number(EventKind::Choch, 1), number(EventKind::Choch, -1)), choch, "{scope:?}");
        let broken = |event: &&Event| matches!(event.kind, EventKind::Bos | EventKind::Choch) && event.scope == scope;
        let ages: Vec<i64> = events.iter().filter(broken).map(rows_between).collect();
        let measured = (*ages.iter().min().unwrap(), median(ages.clone()), *ages.iter().max().unwrap());
        assert_eq!(measured, delays, "bars from pivot to break, {scope:?}");
    }
}

/// The prototypes took the first bar on equal extremes, and counted 97 ambiguous blocks of size 5; this
/// core takes the last, which moves some zones and makes it 101.
#[test]
fn order_blocks() {
    let Some(bars) = eurusd() else { return };
    let events = run(unbounded(), &bars);
    for (scope, created, touched, invalidated, ambiguous) in
        [(Scope::Internal, 1_259, 1_230, 1_195, 101), (Scope::Swing, 179, 167, 160, 20)]
    {
        let number = |kind| count(&events, |event| event.scope == scope && event.kind == kind);
        assert_eq!(number(EventKind::OrderBlock), created, "{scope:?}");
        assert_eq!(number(EventKind::OrderBlockTouched), touched, "{scope:?}");
        assert_eq!(number(EventKind::OrderBlockInvalidated), invalidated, "{scope:?}");
        let unclear = |event: &Event| event.kind == EventKind::OrderBlockTouched && event.ambiguous;
        assert_eq!(count(&events, |event| event.scope == scope && unclear(event)), ambiguous, "{scope:?}");
    }
}

#[test]
fn fair_value_gaps() {
    let Some(bars) = eurusd() else { return };
    let events = run(unbounded(), &bars);
    let number = |kind| count(&events, |event| event.kind == kind);
    assert_eq!(of_scope(&events, Scope::None, EventKind::FairValueGap, 1), 2_571);
    assert_eq!(of_scope(&events, Scope::None, EventKind::FairValueGap, -1), 2_490);
    assert_eq!(number(EventKind::FairValueGapTouched), 5_023);
    assert_eq!(number(EventKind::FairValueGapHalfFilled), 5_005);
    assert_eq!(number(EventKind::FairValueGapFilled), 4_993);
    assert_eq!(number(EventKind::FairValueGapInverted), 4_955);
}

/// The prototypes measured gaps in the ATR of the gap's third bar (3,991, 2,610 and 1,269 gaps), which the
/// gap itself has widened; the filter uses the ATR of the bar before. Both are checked.
#[test]
fn fair_value_gap_sizes() {
    let Some(bars) = eurusd() else { return };
    let mut atr = AverageTrueRange::new(14);
    let averages: Vec<Option<f64>> = bars
        .iter()
        .map(|bar| {
            atr.update(bar);
            atr.value()
        })
        .collect();
    let all = run(unbounded(), &bars);
    for (least, filtered, of_third_bar) in [(0.1, 3_982, 3_991), (0.25, 2_598, 2_610), (0.5, 1_278, 1_269)] {
        let mut config = unbounded();
        config.fair_value_gap.min_size_atr = least;
        let events = run(config, &bars);
        assert_eq!(count(&events, |event| event.kind == EventKind::FairValueGap), filtered, "{least}");
        let wide = |event: &Event| {
            let third = (event.confirmed_at / (15 * MINUTE) - 1) as usize;
            averages[third].is_some_and(|average| (event.high - event.low) as f64 >= least * average)
        };
        assert_eq!(count(&all, |event| event.kind == EventKind::FairValueGap && wide(event)), of_third_bar, "{least}");
    }
}

#[test]
fn sweeps_and_runs_of_pools() {
    let Some(bars) = eurusd() else { return };
    let events = run(unbounded(), &bars);
    let number = |kind, side| count(&events, |event| event.kind == kind && event.side == side);
    assert_eq!((number(EventKind::LiquidityPoolSwept, 1), number(EventKind::LiquidityPoolSwept, -1)), (672, 735));
    assert_eq!((number(EventKind::LiquidityPoolRun, 1), number(EventKind::LiquidityPoolRun, -1)), (759, 717));

    let pools = events.iter().filter(|event| event.kind == EventKind::LiquidityPool);
    let formed: HashMap<u64, i64> = pools.map(|event| (event.id, event.formed_at)).collect();
    let sweeps = || events.iter().filter(|event| event.kind == EventKind::LiquidityPoolSwept);
    let ages = sweeps().map(|event| (event.formed_at - formed[&event.zone_id]) / (15 * MINUTE)).collect();
    assert_eq!(median(ages), 20, "bars from pivot to sweep");
    let mut by_bar: HashMap<i64, usize> = HashMap::new();
    for event in sweeps() {
        *by_bar.entry(event.formed_at).or_default() += 1;
    }
    assert_eq!(by_bar.values().filter(|&&number| number > 1).count(), 166, "bars that sweep several levels");
    assert!(sweeps().all(|event| event.direction == -event.side));
}

/// The prototypes computed in binary fractions, where a share of exactly .6 or .36 falls on either side by rounding:
/// 1,930 of the range form (10 bars have exactly .6), 5,259 of the wick form. Integer ticks keep the ties.
#[test]
fn displacements() {
    let Some(bars) = eurusd() else { return };
    let forms = [DisplacementForm::Wick, DisplacementForm::Body, DisplacementForm::Range, DisplacementForm::Either];
    let counts = forms.map(|form| {
        let mut config = unbounded();
        config.displacement.form = form;
        count(&run(config, &bars), |event| event.kind == EventKind::Displacement)
    });
    assert_eq!(counts, [5_245, 1_055, 1_932, 2_008]);
}

/// The prototypes compared each leg pivot of size 3 with the one before it only (198 and 172); this core also asks that
/// nothing traded through in between, and counts a third pivot at a level as growth of that level.
#[test]
fn equal_levels() {
    let Some(bars) = eurusd() else { return };
    let internal = StructureConfig { size: 3, rule: PivotRule::Leg };
    let events = run(DetectorConfig { internal, ..unbounded() }, &bars);
    let mut atr = AverageTrueRange::new(200);
    let averages: Vec<Option<f64>> = bars
        .iter()
        .map(|bar| {
            atr.update(bar);
            atr.value()
        })
        .collect();
    let pairs = [1, -1].map(|side| {
        let wanted = |e: &&Event| e.kind == EventKind::Pivot && e.scope == Scope::Internal && e.side == side;
        let pivots: Vec<&Event> = events.iter().filter(wanted).collect();
        let near = |pair: &&[&Event]| {
            let row = (pair[1].confirmed_at / (15 * MINUTE) - 1) as usize;
            averages[row].is_some_and(|atr| ((pair[1].low - pair[0].low).abs() as f64) < 0.1 * atr)
        };
        pivots.windows(2).filter(near).count()
    });
    assert_eq!(pairs, [198, 172]);
    let number = |kind, side| count(&events, |event| event.kind == kind && event.side == side);
    assert_eq!([1, -1].map(|side| number(EventKind::EqualLevels, side)), [185, 156]);
    assert_eq!([1, -1].map(|side| number(EventKind::EqualLevelsGrown, side)), [15, 12]);
}

/// One of the 3,077 imbalances of the prototypes lies before the ATR is warm, where a least size has no meaning yet.
#[test]
fn volume_imbalances_and_opening_gaps() {
    let Some(bars) = eurusd() else { return };
    let mut config = unbounded();
    config.volume_imbalance.min_size_atr = 1e-9;
    config.opening_gap.min_size_atr = 0.0;
    let events = run(config, &bars);
    assert_eq!(count(&events, |event| event.kind == EventKind::VolumeImbalance), 3_076);
    let between_bars = |event: &Event| event.kind == EventKind::OpeningGap && event.scope == Scope::None;
    assert_eq!(count(&events, between_bars), 62);
}

#[test]
fn every_kind_occurs() {
    let Some(bars) = eurusd() else { return };
    let mut config = DetectorConfig::default();
    (config.volume_imbalance.max_age, config.opening_gap.max_age) = (5, 5);
    let mut events = run(config, &bars);
    // What needs a second instrument takes the year backwards for one.
    let backwards = bars.iter().zip(bars.iter().rev());
    let other = backwards.map(|(bar, late)| Bar { open_time: bar.open_time, close_time: bar.close_time, ..*late });
    let mut pair = DivergenceDetector::new("15m".parse().unwrap(), DivergenceConfig::default()).unwrap();
    pair.run(&bars, &other.collect::<Vec<_>>(), &mut events).unwrap();
    let absent = |kind: &&EventKind| count(&events, |event| event.kind == **kind) == 0;
    assert_eq!(EventKind::ALL.iter().filter(absent).collect::<Vec<_>>(), [&EventKind::Pivot; 0]);
}
