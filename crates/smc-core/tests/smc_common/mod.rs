//! Random bars and small settings that make everything happen often: ties, gaps, expiry.
#![allow(dead_code)] // each test program uses its part

pub mod plain;

use std::io::Read;
use std::path::PathBuf;

use proptest::prelude::*;
use smc_core::market::{Bar, Instrument, Timeframe};
use smc_core::smc::config::{
    BalancedRangeConfig, EqualLevelsConfig, FailedBreakConfig, FairValueGapConfig, FlippedBlockConfig,
    InducementConfig, InverseGapConfig, JudasConfig, LiquidityConfig, LiquidityVoidConfig, OpeningGapConfig,
    OrderBlockConfig, PowerOfThreeConfig, PropulsionBlockConfig, ReclaimedBlockConfig, ReclaimedLevelConfig,
    RejectionBlockConfig, ShiftConfig, StateOfDeliveryConfig, VolumeImbalanceConfig, VolumeProfileConfig,
};
use smc_core::smc::{Detector, DetectorConfig, Event, PivotRule, StructureConfig};

pub const MINUTE: i64 = 60_000_000_000;
/// A Monday, 00:00 UTC.
pub const START: i64 = 1_685_318_400_000_000_000;

pub fn timeframe(name: &str) -> Timeframe {
    name.parse().unwrap()
}

pub fn one_minute_bar(minute: i64, prices: [i64; 4]) -> Bar {
    let [open, high, low, close] = prices;
    Bar {
        open_time: START + minute * MINUTE,
        close_time: START + (minute + 1) * MINUTE,
        open,
        high,
        low,
        close,
        volume: 10 + (minute % 7),
        taker_buy_volume: minute % 9,
        trades: 3,
    }
}

/// A walk of 1-minute bars on a coarse grid, with opening jumps and, now and then, missing minutes.
pub fn walk(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Bar>> {
    let step = (-6i64..=6, 0i64..4, 0i64..4, -2i64..=2, 0u8..24, 1i64..40);
    prop::collection::vec(step, length).prop_map(|steps| {
        let (mut close, mut minute) = (10_000, 0);
        let bars = steps.into_iter().map(|(change, above, below, jump, gap, missing)| {
            let open = close + jump;
            close = open + change;
            minute += if gap == 0 { missing } else { 1 };
            one_minute_bar(minute, [open, open.max(close) + above, open.min(close) - below, close])
        });
        bars.collect()
    })
}

/// Bars whose range never shrinks: none lies strictly inside an earlier one, so no leg pivot is a tie of sides.
pub fn widening_walk(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Bar>> {
    let step = (-9i64..=9, 0u8..8, 0i64..=100, 0i64..=100);
    prop::collection::vec(step, length).prop_map(|steps| {
        let (mut middle, mut half) = (10_000, 2);
        let bars = steps.into_iter().enumerate().map(|(minute, (change, wider, open, close))| {
            middle += change;
            half += i64::from(wider == 0);
            let at = |share: i64| middle - half + 2 * half * share / 100;
            one_minute_bar(minute as i64, [at(open), middle + half, middle - half, at(close)])
        });
        bars.collect()
    })
}

/// Prices negated: every bull becomes a bear.
pub fn mirrored(bars: &[Bar]) -> Vec<Bar> {
    let mirror = |bar: &Bar| Bar { open: -bar.open, high: -bar.low, low: -bar.high, close: -bar.close, ..*bar };
    bars.iter().map(mirror).collect()
}

/// Short windows, short lives.
pub fn small(rule: PivotRule) -> DetectorConfig {
    DetectorConfig {
        atr_period: 5,
        internal: StructureConfig { size: 2, rule },
        swing: StructureConfig { size: 5, rule },
        order_block: OrderBlockConfig { volatility_filter: Some(2.0), max_age: 40, max_count: 3 },
        fair_value_gap: FairValueGapConfig { min_size_atr: 0.1, max_age: 25, max_count: 3 },
        liquidity: LiquidityConfig { left: 2, right: 2, max_age: 30, max_count: 4 },
        market_structure_shift: ShiftConfig { sweep_window: 6 },
        flipped_block: FlippedBlockConfig { max_age: 35, max_count: 3 },
        rejection_block: RejectionBlockConfig { wick_share: 0.3, max_age: 30, max_count: 3 },
        propulsion_block: PropulsionBlockConfig { max_age: 30, max_count: 2 },
        inverse_fair_value_gap: InverseGapConfig { max_age: 25, max_count: 3 },
        balanced_price_range: BalancedRangeConfig { max_distance: 12, max_age: 25, max_count: 3 },
        volume_imbalance: VolumeImbalanceConfig { min_size_atr: 0.05, max_age: 20, max_count: 3 },
        opening_gap: OpeningGapConfig { min_size_atr: 0.05, max_age: 25, max_count: 2 },
        equal_levels: EqualLevelsConfig { size: 2, rule, tolerance: 0.3, atr_period: 8, max_age: 25, max_count: 2 },
        inducement: InducementConfig { max_age: 20, max_count: 2 },
        judas_swing: JudasConfig { max_bars: 3 },
        power_of_three: PowerOfThreeConfig { sessions: 2, quantile: 0.7 },
        failed_break: FailedBreakConfig { max_bars: 4 },
        reclaimed_level: ReclaimedLevelConfig { max_bars: 4 },
        reclaimed_block: ReclaimedBlockConfig { max_age: 30, max_count: 2 },
        state_of_delivery: StateOfDeliveryConfig { min_bars: 2 },
        liquidity_void: LiquidityVoidConfig { min_bars: 1, max_age: 30, max_count: 2 },
        volume_profile: VolumeProfileConfig {
            bin_ticks: Some(3),
            max_bins: 12,
            max_age: 60,
            max_count: 2,
            ..VolumeProfileConfig::default()
        },
        ..DetectorConfig::default()
    }
}

/// The same bars, each an hour long: a few hundred span weeks.
pub fn hourly(bars: &[Bar]) -> Vec<Bar> {
    let stretch = |time: i64| START + (time - START) * 60;
    let longer = |bar: &Bar| Bar { open_time: stretch(bar.open_time), close_time: stretch(bar.close_time), ..*bar };
    bars.iter().map(longer).collect()
}

pub fn run(config: DetectorConfig, bars: &[Bar]) -> (Detector, Vec<Event>) {
    let names = [("1m", MINUTE), ("15m", 15 * MINUTE), ("1h", 60 * MINUTE)];
    let length = bars.first().map_or(MINUTE, |bar| bar.close_time - bar.open_time);
    let name = names.iter().find(|(_, known)| *known == length).unwrap().0;
    let mut detector = Detector::new(timeframe(name), config).unwrap();
    let mut events = Vec::new();
    for bar in bars {
        detector.update(bar, &mut events).unwrap();
    }
    (detector, events)
}

/// A random walk of eight steps a bar; a multiplicative congruence is random enough to keep every branch busy.
pub fn congruential_walk(length: usize) -> Vec<Bar> {
    let (mut state, mut price) = (0x2545_f491_4f6c_dd1du64, 5_000_000i64);
    let mut bars = Vec::with_capacity(length);
    for minute in 0..length as i64 {
        let (open, mut high, mut low) = (price, price, price);
        for _ in 0..8 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            price += (state >> 40) as i64 % 401 - 200;
            high = high.max(price);
            low = low.min(price);
        }
        bars.push(Bar {
            open_time: minute * MINUTE,
            close_time: (minute + 1) * MINUTE,
            open,
            high,
            low,
            close: price,
            volume: 1,
            taker_buy_volume: 0,
            trades: 8,
        });
    }
    bars
}

fn data_file() -> Option<PathBuf> {
    let shared = std::env::var_os("SMC_SHARED_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let path = shared.join("fx/smc_golden/EURUSD_15M.csv.gz");
    path.exists().then_some(path)
}

/// The bars, numbered by row: the file's own clock has no stated zone, and no count depends on it.
pub fn eurusd() -> Option<Vec<Bar>> {
    let Some(path) = data_file() else {
        assert!(
            std::env::var("SMC_REQUIRE_SHARED_DATA").as_deref() != Ok("1"),
            "fx/smc_golden/EURUSD_15M.csv.gz is absent, and SMC_REQUIRE_SHARED_DATA=1 forbids to skip"
        );
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
