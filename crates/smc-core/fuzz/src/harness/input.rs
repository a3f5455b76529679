//! Bytes as settings and bars: small windows and short lives, so that everything happens; prices up to the end of
//! their range, clocks that change, gaps, and bars that are none.

use chrono_tz::Tz;
use smc_core::market::{Bar, Instrument, Timeframe, MAX_PRICE, MAX_TIME};
use smc_core::smc::audit::AnalyzerPlan;
use smc_core::smc::config::{DisplacementForm, PeriodConfig, WindowConfig};
use smc_core::smc::{DetectorConfig, PivotRule};

/// Largest number of zones that any setting here allows; those that are not set here allow 200.
pub const MOST: u32 = 200;
const MOST_BARS: usize = 128;

/// What bytes stand for.
pub struct Input {
    pub plan: AnalyzerPlan,
    /// Among them bars that are none.
    pub bars: Vec<Bar>,
    /// Where a prefix ends.
    pub cut: usize,
    /// How many bars are handed over at a time.
    pub piece: usize,
}

/// Bytes one after the other, and zeros when there are no more.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn next(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    fn signed(&mut self) -> i64 {
        i64::from(self.next() as i8)
    }

    fn wide(&mut self) -> i64 {
        i64::from_le_bytes(std::array::from_fn(|_| self.next()))
    }

    fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[usize::from(self.next()) % values.len()]
    }

    fn from(&mut self, least: u32, number: u32) -> u32 {
        least + u32::from(self.next()) % number
    }

    fn share(&mut self) -> f64 {
        (f64::from(self.next()) + 1.0) / 257.0
    }

    fn factor(&mut self) -> f64 {
        (f64::from(self.next()) + 1.0) / 64.0
    }
}

const FRAMES: [(&str, &str, &[&str]); 6] = [
    ("1m", "1m", &["3m", "15m"]),
    ("1m", "3m", &["15m", "1h"]),
    ("15m", "1h", &["4h", "1d"]),
    ("15m", "15m", &[]),
    ("4h", "1d", &["1w"]),
    ("1w", "1w", &[]),
];

const ZONES: [Tz; 6] = [
    Tz::UTC,
    Tz::America__New_York,
    Tz::Europe__London,
    Tz::Australia__Lord_Howe,
    Tz::Pacific__Apia,
    Tz::Asia__Kathmandu,
];

/// Some are close before a change of clocks; Apia had no 30 December 2011.
const STARTS: [i64; 8] = [
    0,
    1_678_579_200_000_000_000,
    1_679_788_800_000_000_000,
    1_698_537_600_000_000_000,
    1_699_142_400_000_000_000,
    1_325_116_800_000_000_000,
    MAX_TIME - 6_000_000_000_000_000,
    -MAX_TIME,
];

impl Input {
    pub fn from_bytes(data: &[u8]) -> Self {
        let mut bytes = Bytes(data);
        let (base, decision, contexts) = bytes.pick(&FRAMES);
        let (cut, piece) = (usize::from(bytes.next()) % MOST_BARS, 1 + usize::from(bytes.next()) % 40);
        let (start, scale, level) =
            (bytes.pick(&STARTS), bytes.next() % 48, bytes.pick(&[0, 1, 10_000, 1 << 40, MAX_PRICE]));
        let level = if bytes.next().is_multiple_of(4) { -level } else { level };
        let plan = AnalyzerPlan {
            instrument: Instrument::new("fuzz", "BYTES", "0.01", "0.001", "0").unwrap(),
            base: timeframe(base),
            decision: timeframe(decision),
            contexts: contexts.iter().map(|name| timeframe(name)).collect(),
            config: config(&mut bytes),
        };
        let mut maker = BarMaker { base: plan.base, scale, time: plan.base.open_of(start), close: level };
        let mut bars = Vec::new();
        while !bytes.0.is_empty() && bars.len() < MOST_BARS {
            bars.push(maker.next(&mut bytes));
        }
        Self { plan, bars, cut, piece }
    }
}

/// Bars enough for a state worth storing.
pub fn some_bars(plan: &AnalyzerPlan, number: usize) -> Vec<Bar> {
    let mut maker = BarMaker { base: plan.base, scale: 1, time: plan.base.open_of(STARTS[1]), close: 10_000 };
    let data: Vec<u8> = (0..number * 7).map(|at| ((at * 2_654_435_761) >> 13) as u8 % 200).collect();
    let mut bytes = Bytes(&data);
    (0..number).map(|_| maker.next(&mut bytes)).collect()
}

fn timeframe(name: &str) -> Timeframe {
    name.parse().unwrap()
}

fn config(bytes: &mut Bytes<'_>) -> DetectorConfig {
    let mut config = DetectorConfig { atr_period: bytes.from(1, 16), ..DetectorConfig::default() };
    let rule = bytes.pick(&[PivotRule::Leg, PivotRule::Fractal]);
    (config.internal.rule, config.internal.size) = (rule, bytes.from(1, 4));
    (config.swing.rule, config.swing.size) = (rule, bytes.from(1, 12));
    (config.liquidity.left, config.liquidity.right) = (bytes.from(1, 6), bytes.from(1, 6));
    (config.equal_levels.rule, config.equal_levels.size) = (rule, bytes.from(1, 5));
    (config.equal_levels.tolerance, config.equal_levels.atr_period) = (bytes.factor(), bytes.from(1, 20));
    config.displacement.form = bytes.pick(&[
        DisplacementForm::Either,
        DisplacementForm::Body,
        DisplacementForm::Range,
        DisplacementForm::Wick,
    ]);
    config.displacement.mean_bars = bytes.from(1, 20);
    config.order_block.volatility_filter = if bytes.next().is_multiple_of(2) { None } else { Some(bytes.factor()) };
    config.fair_value_gap.min_size_atr = bytes.pick(&[0.0, 0.1, 0.5]);
    config.opening_gap.min_size_atr = bytes.pick(&[0.0, 0.1, 0.5]);
    config.rejection_block.wick_share = bytes.share();
    config.market_structure_shift.sweep_window = bytes.from(1, 30);
    config.judas_swing.max_bars = bytes.from(1, 10);
    (config.power_of_three.sessions, config.power_of_three.quantile) = (bytes.from(1, 5), bytes.share());
    lives(&mut config, bytes);
    clocks(&mut config, bytes);
    config
}

fn lives(config: &mut DetectorConfig, bytes: &mut Bytes<'_>) {
    for (age, count) in [
        (&mut config.order_block.max_age, &mut config.order_block.max_count),
        (&mut config.fair_value_gap.max_age, &mut config.fair_value_gap.max_count),
        (&mut config.liquidity.max_age, &mut config.liquidity.max_count),
        (&mut config.flipped_block.max_age, &mut config.flipped_block.max_count),
        (&mut config.rejection_block.max_age, &mut config.rejection_block.max_count),
        (&mut config.inverse_fair_value_gap.max_age, &mut config.inverse_fair_value_gap.max_count),
        (&mut config.equal_levels.max_age, &mut config.equal_levels.max_count),
    ] {
        (*age, *count) = (bytes.from(1, 60), bytes.from(1, 4));
    }
}

fn clocks(config: &mut DetectorConfig, bytes: &mut Bytes<'_>) {
    let mut time = || format!("{:02}:{:02}", bytes.next() % 24, bytes.pick(&[0, 1, 30, 59])).try_into().unwrap();
    let times = [time(), time(), time()];
    config.periods = PeriodConfig { zone: bytes.pick(&ZONES), roll: times[0] };
    config.sessions.asian_kill_zone = Some(WindowConfig { zone: bytes.pick(&ZONES), start: times[1], end: times[2] });
    config.sessions.london_kill_zone = Some(WindowConfig { zone: bytes.pick(&ZONES), start: times[2], end: times[1] });
}

struct BarMaker {
    base: Timeframe,
    /// Prices move in steps of two to this power.
    scale: u8,
    time: i64,
    close: i64,
}

impl BarMaker {
    fn price(&self, steps: i64) -> i64 {
        self.close.saturating_add(steps << self.scale).clamp(-MAX_PRICE, MAX_PRICE)
    }

    /// The next bar, or with some bytes one that is none.
    fn next(&mut self, bytes: &mut Bytes<'_>) -> Bar {
        let kind = bytes.next();
        let missing = match kind {
            0..=199 => 0,
            200..=239 => i64::from(kind) - 199,
            240..=248 => (i64::from(kind) - 239) * 1_000,
            _ => 0,
        };
        let open_time = self.time.saturating_add(missing * self.base.ns());
        let (open, close) = (self.price(bytes.signed()), self.price(bytes.signed()));
        let high = open.max(close).saturating_add(i64::from(bytes.next() % 16) << self.scale).min(MAX_PRICE);
        let low = open.min(close).saturating_sub(i64::from(bytes.next() % 16) << self.scale).max(-MAX_PRICE);
        let volume = i64::from(bytes.next()) << (self.scale % 48);
        let close_time = open_time.saturating_add(self.base.ns());
        let taker_buy_volume = if kind.is_multiple_of(3) { volume } else { volume / 3 };
        let bar = Bar { open_time, close_time, open, high, low, close, volume, taker_buy_volume, trades: u32::MAX };
        match kind {
            249 => Bar { open_time: open_time - self.base.ns(), close_time: open_time, ..bar },
            250 => Bar { close_time: close_time.saturating_add(1), ..bar },
            251 => Bar { high: low, low: high, ..bar },
            252 => Bar { high: bytes.wide(), ..bar },
            253 => Bar { open: bytes.wide(), high: i64::MAX, low: i64::MIN, close: bytes.wide(), ..bar },
            254 => Bar { open_time: bytes.wide(), close_time: bytes.wide(), ..bar },
            255 => Bar { volume: i64::MAX, taker_buy_volume: i64::MAX, ..self.took(bar) },
            _ => self.took(bar),
        }
    }

    fn took(&mut self, bar: Bar) -> Bar {
        (self.time, self.close) = (bar.close_time, bar.close);
        bar
    }
}
