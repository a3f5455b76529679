//! Counts on a real year of EURUSD 15-minute candles, against those of independent prototypes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashMap;
use std::io::Read;
use std::path::PathBuf;

use smc_core::market::{Bar, Instrument};
use smc_core::smc::config::{FairValueGapConfig, LiquidityConfig, OrderBlockConfig};
use smc_core::smc::{Detector, DetectorConfig, Event, EventKind, PivotRule, Scope, StructureConfig};

const MINUTE: i64 = 60_000_000_000;

fn data_file() -> Option<PathBuf> {
    let shared = std::env::var_os("SMC_SHARED_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let path = shared.join("fx/smc_golden/EURUSD_15M.csv.gz");
    path.exists().then_some(path)
}

/// The bars, numbered by row: the file's own clock has no stated zone, and no count depends on it.
fn load() -> Option<Vec<Bar>> {
    let Some(path) = data_file() else {
        eprintln!("skipped: fx/smc_golden/EURUSD_15M.csv.gz is not under SMC_SHARED_DATA or ../shared/data");
        return None;
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let instrument = Instrument::new("fx", "EURUSD", "0.00001", "1", "0").unwrap();
    let rows = text.lines().skip(1).enumerate();
    let bars: Vec<Bar> = rows
        .map(|(row, line)| {
            let price = |column| {
                let field: f64 = line.split(',').nth(column).unwrap().parse().unwrap();
                instrument.tick.exact(field).unwrap()
            };
            let bar = Bar {
                open_time: row as i64 * 15 * MINUTE,
                close_time: (row as i64 + 1) * 15 * MINUTE,
                open: price(1),
                high: price(2),
                low: price(3),
                close: price(4),
                volume: 0,
                taker_buy_volume: 0,
                trades: 0,
            };
            bar.validate().unwrap();
            bar
        })
        .collect();
    assert_eq!(bars.len(), 24_424);
    Some(bars)
}

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

#[test]
fn explore() {
    let Some(bars) = load() else { return };
    for size in [2, 5, 10, 50] {
        let rule = StructureConfig { size, rule: PivotRule::Fractal };
        let events = run(DetectorConfig { internal: rule, ..unbounded() }, &bars);
        let p = |side| count(&events, |e| e.kind == EventKind::Pivot && e.scope == Scope::Internal && e.side == side);
        println!("fractal {size}: {} {}", p(1), p(-1));
        let mut seen: HashMap<i64, i32> = HashMap::new();
        for e in events.iter().filter(|e| e.kind == EventKind::Pivot && e.scope == Scope::Internal) {
            *seen.entry(e.formed_at).or_default() += 1;
        }
        println!("  both {}", seen.values().filter(|&&n| n == 2).count());
    }
    let events = run(unbounded(), &bars);
    for scope in [Scope::Internal, Scope::Swing] {
        for (kind, d) in [(EventKind::Pivot, -1), (EventKind::Pivot, 1), (EventKind::Bos, 1), (EventKind::Bos, -1), (EventKind::Choch, 1), (EventKind::Choch, -1)] {
            println!("{scope:?} {kind:?} {d}: {}", count(&events, |e| e.kind == kind && e.scope == scope && e.direction == d));
        }
        for kind in [EventKind::OrderBlock, EventKind::OrderBlockTouched, EventKind::OrderBlockMitigated, EventKind::OrderBlockInvalidated] {
            println!("{scope:?} {kind:?}: {} amb {}", count(&events, |e| e.kind == kind && e.scope == scope), count(&events, |e| e.kind == kind && e.scope == scope && e.ambiguous));
        }
    }
    for kind in [EventKind::FairValueGap, EventKind::FairValueGapTouched, EventKind::FairValueGapHalfFilled, EventKind::FairValueGapFilled, EventKind::FairValueGapInverted] {
        println!("{kind:?}: {} / {} amb {}", count(&events, |e| e.kind == kind && e.direction == 1), count(&events, |e| e.kind == kind && e.direction == -1), count(&events, |e| e.kind == kind && e.ambiguous));
    }
    for kind in [EventKind::LiquidityPool, EventKind::LiquidityPoolSwept, EventKind::LiquidityPoolRun] {
        println!("{kind:?}: {} / {}", count(&events, |e| e.kind == kind && e.side == 1), count(&events, |e| e.kind == kind && e.side == -1));
    }
    for min in [0.1, 0.25, 0.5] {
        let mut config = unbounded();
        config.fair_value_gap.min_size_atr = min;
        println!("fvg {min}: {}", count(&run(config, &bars), |e| e.kind == EventKind::FairValueGap));
    }
}
