//! The synthetic market: its grid, its statistics, its determinism, and its one planted tendency.
#![allow(clippy::unwrap_used)]

use smc_core::market::{Bar, Instrument};
use smc_core::sim::{SyntheticConfig, SyntheticError, SyntheticMarket};

const MINUTE: i64 = 60_000_000_000;
const START: i64 = 1_700_000_040_000_000_000;

fn market(seed: u64, config: SyntheticConfig) -> SyntheticMarket {
    let instrument = Instrument::new("synthetic", "BTCUSDT", "0.01", "0.00001", "5").unwrap();
    SyntheticMarket::new(instrument, seed, START, config).unwrap()
}

/// Some four months of minutes.
fn months(seed: u64, planted_strength: f64) -> Vec<Bar> {
    let config = SyntheticConfig { planted_strength, ..SyntheticConfig::default() };
    market(seed, config).next_bars(180_000).unwrap()
}

fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
    (mean, variance.sqrt())
}

fn autocorrelation(values: &[f64], lag: usize) -> f64 {
    let (mean, deviation) = mean_and_deviation(values);
    let pairs = values.iter().zip(&values[lag..]);
    pairs.map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>() / values.len() as f64 / deviation.powi(2)
}

fn returns_bps(bars: &[Bar], step: usize) -> Vec<f64> {
    let closes: Vec<f64> = bars.iter().step_by(step).map(|bar| bar.close as f64).collect();
    closes.windows(2).map(|pair| (pair[1] / pair[0] - 1.0) * 1e4).collect()
}

/// Index and direction against the sweep of every liquidity sweep, found from the bars alone.
fn sweeps(bars: &[Bar]) -> Vec<(usize, f64)> {
    let (lookback, age, within) = (180, 15, 5);
    let mut found = Vec::new();
    for direction in [-1i64, 1] {
        let beyond = |bar: &Bar| if direction < 0 { bar.high } else { -bar.low };
        let mut index = lookback;
        while index + within < bars.len() {
            let (old, young) = bars[index - lookback..index].split_at(lookback - age);
            let level = old.iter().map(beyond).max().unwrap();
            let formed = young.iter().all(|bar| beyond(bar) < level);
            if formed && beyond(&bars[index]) > level {
                if let Some(after) = (0..within).find(|after| -direction * bars[index + after].close < level) {
                    found.push((index + after, direction as f64));
                    index += after;
                }
            }
            index += 1;
        }
    }
    found.sort_by_key(|&(index, _)| index);
    found
}

/// Mean and t-statistic of the return against a sweep over the length of the displacement, in basis points.
///
/// Sweeps while an answer may still last are left out, because they plant nothing.
fn reversal(planted_strength: f64) -> (f64, f64) {
    let SyntheticConfig { displacement, pullback, expansion, .. } = SyntheticConfig::default();
    let horizon = displacement.minutes as usize;
    let answer = horizon + (pullback.minutes + expansion.minutes) as usize;
    let bars = months(11, planted_strength);
    let mut free_from = 0;
    let mut gains = Vec::new();
    for (index, direction) in sweeps(&bars) {
        if index >= free_from && index + horizon < bars.len() {
            free_from = index + answer;
            gains.push(direction * (bars[index + horizon].close as f64 / bars[index].close as f64 - 1.0) * 1e4);
        }
    }
    assert!(gains.len() > 200, "too few sweeps to judge: {}", gains.len());
    let (mean, deviation) = mean_and_deviation(&gains);
    (mean, mean / deviation * (gains.len() as f64).sqrt())
}

#[test]
fn after_a_sweep_price_drifts_against_it() {
    let (mean, t) = reversal(1.0);
    assert!(t > 4.0 && mean > 15.0, "mean {mean:.1} bps, t {t:.1}");
}

#[test]
fn at_strength_zero_a_sweep_tells_nothing() {
    let (mean, t) = reversal(0.0);
    assert!(t.abs() < 3.0 && mean.abs() < 12.0, "mean {mean:.1} bps, t {t:.1}");
}

#[test]
fn without_it_returns_have_no_memory_but_their_size_has() {
    let bars = months(21, 0.0);
    let returns = returns_bps(&bars, 1);
    let (_, deviation) = mean_and_deviation(&returns);
    assert!((8.0..12.0).contains(&deviation), "minute volatility {deviation:.2} bps");
    let bound = 4.0 / (returns.len() as f64).sqrt();
    for lag in [1, 2, 5, 30, 240] {
        let memory = autocorrelation(&returns, lag);
        assert!(memory.abs() < 3.0 * bound, "lag {lag}: {memory:.4}");
    }
    let sizes: Vec<f64> = returns.iter().map(|value| value.abs()).collect();
    assert!(autocorrelation(&sizes, 1) > 0.1 && autocorrelation(&sizes, 60) > 0.03);
    // Variance grows in proportion to time, as it does for a martingale.
    let (_, daily) = mean_and_deviation(&returns_bps(&bars, 1_440));
    assert!((0.8..1.2).contains(&(daily / deviation / 1_440f64.sqrt())), "daily {daily:.0} bps");
}

#[test]
fn order_flow_moves_with_price_and_volume_with_volatility() {
    let bars = market(31, SyntheticConfig::default()).next_bars(50_000).unwrap();
    let shares: Vec<f64> = bars.iter().map(|bar| bar.taker_buy_volume as f64 / bar.volume as f64).collect();
    assert!(autocorrelation(&shares, 1) > 0.1);
    let correlation = |a: &[f64], b: &[f64]| {
        let ((mean_a, sd_a), (mean_b, sd_b)) = (mean_and_deviation(a), mean_and_deviation(b));
        a.iter().zip(b).map(|(x, y)| (x - mean_a) * (y - mean_b)).sum::<f64>() / a.len() as f64 / sd_a / sd_b
    };
    let bodies: Vec<f64> = bars.iter().map(|bar| (bar.close - bar.open) as f64 / bar.open as f64).collect();
    assert!(correlation(&shares, &bodies) > 0.3);
    let volumes: Vec<f64> = bars.iter().map(|bar| bar.volume as f64).collect();
    let ranges: Vec<f64> = bars.iter().map(|bar| bar.range() as f64 / bar.open as f64).collect();
    assert!(correlation(&volumes, &ranges) > 0.6);
}

#[test]
fn bars_are_contiguous_valid_and_on_the_grid() {
    let bars = market(1, SyntheticConfig::default()).next_bars(20_000).unwrap();
    for (index, bar) in bars.iter().enumerate() {
        bar.validate().unwrap();
        assert_eq!(bar.open_time, START + index as i64 * MINUTE);
        assert_eq!(bar.close_time, bar.open_time + MINUTE);
        assert!(bar.low > 0 && bar.volume > 0 && bar.trades > 0);
        assert!((0..=bar.volume).contains(&bar.taker_buy_volume));
    }
    assert!(bars.windows(2).all(|pair| pair[0].close == pair[1].open));
}

#[test]
fn the_price_stays_positive_in_the_worst_of_storms() {
    let storm = SyntheticConfig { start_price: 10.0, minute_volatility_bps: 100.0, ..SyntheticConfig::default() };
    for seed in 0..5 {
        assert!(market(seed, storm.clone()).next_bars(50_000).unwrap().iter().all(|bar| bar.low > 0));
    }
}

#[test]
fn seeds_decide_and_a_restored_market_goes_on_the_same() {
    let config = SyntheticConfig::default;
    let whole = market(7, config()).next_bars(5_000).unwrap();
    assert_ne!(whole, market(8, config()).next_bars(5_000).unwrap());
    let mut parts = market(7, config());
    let mut made = Vec::new();
    for count in [0, 1, 998, 2_001, 2_000] {
        made.extend(parts.next_bars(count).unwrap());
        parts = postcard::from_bytes(&postcard::to_stdvec(&parts).unwrap()).unwrap();
    }
    assert_eq!((made == whole, parts.bars_made()), (true, 5_000));
}

#[test]
fn bad_settings_are_named() {
    let instrument = || Instrument::new("synthetic", "BTCUSDT", "0.01", "0.00001", "5").unwrap();
    let make = |config| SyntheticMarket::new(instrument(), 1, START, config).unwrap_err().to_string();
    let with = SyntheticConfig::default;
    assert_eq!(
        make(SyntheticConfig { variance_memory: 0.95, ..with() }),
        "variance_memory is 0.95; it must be in [0, 1], and below 1 together with variance_reaction"
    );
    assert_eq!(
        make(SyntheticConfig { start_price: f64::NAN, ..with() }),
        "start_price is NaN; it must be 1e3 to 1e12 ticks"
    );
    assert!(make(SyntheticConfig { sweep_age_minutes: 180, ..with() }).starts_with("sweep_age_minutes is 180"));
    let misaligned = SyntheticMarket::new(instrument(), 1, START + 1, with());
    assert_eq!(misaligned, Err(SyntheticError::MisalignedStart(START + 1)));
    let unknown = serde_json::from_str::<SyntheticConfig>(r#"{"planted_strenght": 0.5}"#).unwrap_err();
    assert!(unknown.to_string().contains("planted_strenght"), "{unknown}");
    let far = i64::MAX / MINUTE * MINUTE;
    let mut late = SyntheticMarket::new(instrument(), 1, far, with()).unwrap();
    assert_eq!(late.next_bars(1), Err(SyntheticError::EndOfTime(1)));
}
