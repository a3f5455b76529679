//! A synthetic market of one-minute bars: something to trade where there is no data, labelled as such.
//!
//! Each minute is walked in [`STEPS`] steps; a step's return is
//! `drift / STEPS + volatility / sqrt(STEPS) * (impact * surprise + sqrt(1 - impact^2) * noise)` and the
//! bar is the open (the last close) and the prints after each step, rounded to the tick.
//!
//! * **Volatility** is GARCH(1,1) by the minute, times an hour-of-day profile, times the regime's level.
//! * **Regimes** (up, down, range) form a Markov chain with geometric durations.
//! * **Order flow** is an autoregression whose *surprise* moves the price; the flow itself, with a lean
//!   from the drift's direction, gives the share of taker buys. Its memory therefore tells nothing of the
//!   price to come. Volume and trades grow with volatility and with the size of the step.
//! * **Stop runs**: with a formed extreme in reach, three minutes of 2.5 times the volatility and thrice
//!   the volume may begin. They have no direction; they make extremes get taken.
//!
//! # The planted tendency
//!
//! All that is predictable is a drift, in basis points a minute, the sum of two parts that both scale with
//! `planted_strength`:
//!
//! 1. **After a liquidity sweep.** The highest high of the last `sweep_lookback_minutes`, set at least
//!    `sweep_age_minutes` ago, is traded above, and within `sweep_return_minutes` (the bar that did it
//!    counts as one) a bar closes below it. With `reaction_chance` the market answers from the next minute
//!    on: `displacement` away from the level, `pullback` part of the way back, `expansion` away again.
//!    Sweeps while an answer lasts plant nothing. Lows likewise, upwards.
//! 2. **In a trending regime** the drift is `trend_bps_per_minute` in its direction.
//!
//! With the defaults an answer drifts 120 basis points away, 60 back and 432 away again, against a noise of
//! some 200 over the last phase: enough that a break of structure followed by a return into its zone pays
//! for a round trip of about 8, and far from certain. At `planted_strength` 0 every step has mean zero given all that went
//! before: prices are a martingale, and no strategy has an edge before costs.

mod config;
mod reaction;
mod sweep;
mod weather;

use crate::market::{Bar, Instrument};
use rand_chacha::rand_core::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use reaction::Reaction;
use serde::{Deserialize, Serialize};
use sweep::SweepWatch;
use weather::{long_run_variance, next_variance, season, Regime};

pub use config::{SyntheticConfig, SyntheticError};
pub use reaction::Phase;

/// Steps a minute.
pub const STEPS: u32 = 15;
const MINUTE: i64 = 60_000_000_000;
const BURST_MINUTES: u32 = 3;
const BURST_VOLATILITY: f64 = 2.5;
const BURST_VOLUME: f64 = 3.0;
/// A stop run needs a formed extreme this many standard deviations of a minute away, or nearer.
const BURST_REACH: f64 = 2.5;
/// How far a drift's direction leans the flow, in its standard deviations.
const LEAN: f64 = 0.3;
/// No single step moves the price further, so that it stays positive.
const MOST_STEP: f64 = 0.05;
/// Highest price in ticks, far from the end of 64 bits.
const MOST_TICKS: f64 = 1e15;

/// A seeded synthetic market; a copy restored from its serialised state goes on exactly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SyntheticMarket {
    instrument: Instrument,
    config: SyntheticConfig,
    rng: ChaCha8Rng,
    next_open_time: i64,
    bars_made: u64,
    /// In ticks, not yet rounded.
    price: f64,
    variance: f64,
    flow: f64,
    regime: Regime,
    sweeps: SweepWatch,
    reaction: Reaction,
    burst_left: u32,
}

/// What holds for all steps of one minute.
struct Minute {
    drift: f64,
    volatility: f64,
    lean: f64,
    lots: f64,
}

impl SyntheticMarket {
    /// A market whose first bar opens at `start_time`.
    ///
    /// # Errors
    /// [`SyntheticError`] naming the setting, or the misaligned start.
    pub fn new(
        instrument: Instrument,
        seed: u64,
        start_time: i64,
        config: SyntheticConfig,
    ) -> Result<Self, SyntheticError> {
        config.validate(instrument.tick.step())?;
        if start_time < 0 || start_time % MINUTE != 0 {
            return Err(SyntheticError::MisalignedStart(start_time));
        }
        Ok(Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            next_open_time: start_time,
            bars_made: 0,
            price: config.start_price / instrument.tick.step(),
            variance: long_run_variance(&config),
            flow: 0.0,
            regime: Regime::Range,
            sweeps: SweepWatch::default(),
            reaction: Reaction::NONE,
            burst_left: 0,
            instrument,
            config,
        })
    }

    /// The next `count` bars, contiguous with those made before.
    ///
    /// # Errors
    /// [`SyntheticError::EndOfTime`], with none made.
    pub fn next_bars(&mut self, count: usize) -> Result<Vec<Bar>, SyntheticError> {
        let end = i64::try_from(count).ok().and_then(|count| count.checked_mul(MINUTE));
        if end.and_then(|span| span.checked_add(self.next_open_time)).is_none() {
            return Err(SyntheticError::EndOfTime(count));
        }
        Ok((0..count).map(|_| self.next_bar()).collect())
    }

    /// How many bars were made so far.
    #[must_use]
    pub const fn bars_made(&self) -> u64 {
        self.bars_made
    }

    /// The instrument whose grids the prices and volumes lie on.
    #[must_use]
    pub const fn instrument(&self) -> &Instrument {
        &self.instrument
    }

    fn next_bar(&mut self) -> Bar {
        self.regime = self.regime.next(&self.config, &mut self.rng);
        let scale = self.scale_volatility();
        let minute = self.begin_minute(scale);
        let before = self.price;
        let bar = self.walk(&minute);
        self.variance = next_variance(self.variance, (self.price / before - 1.0) / scale, &self.config);
        self.burst_left = self.burst_left.saturating_sub(1);
        self.reaction.advance(&self.config);
        let swept = self.sweeps.read(bar.high, bar.low, bar.close, &self.config);
        if swept != 0 && self.reaction.is_over() && chance(&mut self.rng, self.config.reaction_chance) {
            self.reaction = Reaction::begin(swept);
        }
        self.next_open_time += MINUTE;
        self.bars_made += 1;
        bar
    }

    /// Volatility of this minute relative to the root of the variance; may begin a stop run.
    fn scale_volatility(&mut self) -> f64 {
        let minute_of_day = (self.next_open_time / MINUTE).rem_euclid(1_440) as usize;
        let calm = season(minute_of_day, self.config.seasonality) * self.regime.volatility();
        let reach = self.variance.sqrt() * calm * BURST_REACH * self.price;
        let near = self.sweeps.reach(self.ticks(), &self.config).is_some_and(|distance| distance as f64 <= reach);
        let begins = chance(&mut self.rng, self.config.stop_run_chance);
        if near && begins && self.burst_left == 0 {
            self.burst_left = BURST_MINUTES;
        }
        if self.burst_left > 0 {
            calm * BURST_VOLATILITY
        } else {
            calm
        }
    }

    fn begin_minute(&mut self, scale: f64) -> Minute {
        let config = &self.config;
        let trend = f64::from(self.regime.direction());
        let drift_bps = trend * config.trend_bps_per_minute + self.reaction.drift_bps(config);
        let volatility = self.variance.sqrt() * scale;
        let activity = volatility / long_run_variance(config).sqrt();
        let burst = if self.burst_left > 0 { BURST_VOLUME / BURST_VOLATILITY } else { 1.0 };
        Minute {
            drift: config.planted_strength * drift_bps * 1e-4 / f64::from(STEPS),
            volatility: volatility / f64::from(STEPS).sqrt(),
            lean: LEAN * (trend + config.planted_strength * f64::from(self.reaction.side())),
            lots: config.minute_volume / self.instrument.lot.step() * activity * burst / f64::from(STEPS),
        }
    }

    fn walk(&mut self, minute: &Minute) -> Bar {
        let open = self.ticks();
        let (mut high, mut low) = (open, open);
        let (mut volume, mut bought) = (0.0, 0.0);
        let SyntheticConfig { flow_memory: memory, flow_impact: impact, .. } = self.config;
        for _ in 0..STEPS {
            let surprise: f64 = StandardNormal.sample(&mut self.rng);
            let noise: f64 = StandardNormal.sample(&mut self.rng);
            self.flow = memory * self.flow + (1.0 - memory * memory).sqrt() * surprise;
            let shock = impact * surprise + (1.0 - impact * impact).sqrt() * noise;
            let step = (minute.drift + minute.volatility * shock).clamp(-MOST_STEP, MOST_STEP);
            self.price = (self.price * (1.0 + step)).clamp(1.0, MOST_TICKS);
            high = high.max(self.ticks());
            low = low.min(self.ticks());
            let lots = minute.lots * (0.4 + 0.6 * shock * shock);
            let pressure = self.flow + minute.lean;
            volume += lots;
            bought += lots * (0.5 + 0.5 * pressure / (1.0 + pressure.abs()));
        }
        let volume = (volume.round() as i64).max(1);
        Bar {
            open_time: self.next_open_time,
            close_time: self.next_open_time + MINUTE,
            open,
            high,
            low,
            close: self.ticks(),
            volume,
            taker_buy_volume: (bought.round() as i64).min(volume),
            trades: self.trades(minute),
        }
    }

    fn trades(&mut self, minute: &Minute) -> u32 {
        let mean_lots = self.config.minute_volume / self.instrument.lot.step() / f64::from(STEPS);
        let mean = self.config.trades_per_minute * minute.lots / mean_lots;
        (mean * (0.5 + uniform(&mut self.rng))).round().clamp(1.0, f64::from(u32::MAX)) as u32
    }

    fn ticks(&self) -> i64 {
        self.price.round() as i64
    }
}

/// Uniform in [0, 1) with 53 bits.
pub(crate) fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

fn chance(rng: &mut ChaCha8Rng, probability: f64) -> bool {
    uniform(rng) < probability
}
