//! Liquidity sweeps on one-minute bars: a formed extreme is taken out and price closes back inside.

use super::SyntheticConfig;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Watches both sides; sees only closed bars.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct SweepWatch {
    highs: SideWatch,
    lows: SideWatch,
}

/// One side, with lows held negated so that "beyond" always means "above".
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct SideWatch {
    peaks: VecDeque<i64>,
    taken: Option<Taken>,
}

/// A level that price has gone beyond.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Taken {
    level: i64,
    minutes: u32,
}

impl SweepWatch {
    /// Reads a closed bar; +1 when it completed a sweep of a low, -1 of a high, 0 for none or for both.
    pub(super) fn read(&mut self, high: i64, low: i64, close: i64, config: &SyntheticConfig) -> i8 {
        let swept_high = self.highs.read(high, close, config);
        let swept_low = self.lows.read(-low, -close, config);
        i8::from(swept_low) - i8::from(swept_high)
    }

    /// Distance from `price` to the nearest formed extreme, in ticks.
    pub(super) fn reach(&self, price: i64, config: &SyntheticConfig) -> Option<i64> {
        let above = self.highs.formed(config).map(|level| (level - price).abs());
        let below = self.lows.formed(config).map(|level| (level + price).abs());
        above.into_iter().chain(below).min()
    }
}

impl SideWatch {
    /// The highest peak of the look-back, if it is old enough to be known as one.
    fn formed(&self, config: &SyntheticConfig) -> Option<i64> {
        if self.peaks.len() < config.sweep_lookback_minutes {
            return None;
        }
        let recent = self.peaks.len() - config.sweep_age_minutes;
        let older = self.peaks.iter().take(recent).max()?;
        let newer = self.peaks.iter().skip(recent).max()?;
        (older > newer).then_some(*older)
    }

    fn read(&mut self, peak: i64, close: i64, config: &SyntheticConfig) -> bool {
        if self.taken.is_none() {
            let taken = self.formed(config).filter(|&level| peak > level);
            self.taken = taken.map(|level| Taken { level, minutes: 0 });
        }
        self.peaks.push_back(peak);
        if self.peaks.len() > config.sweep_lookback_minutes {
            self.peaks.pop_front();
        }
        let Some(Taken { level, minutes }) = self.taken else {
            return false;
        };
        let swept = close < level;
        let minutes = minutes + 1;
        self.taken = (!swept && minutes < config.sweep_return_minutes).then_some(Taken { level, minutes });
        swept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> SyntheticConfig {
        SyntheticConfig {
            sweep_lookback_minutes: 6,
            sweep_age_minutes: 2,
            sweep_return_minutes: 2,
            ..SyntheticConfig::default()
        }
    }

    /// A watch whose high of 110 was set four bars ago, and whose low of 90 is recent.
    fn watch() -> SweepWatch {
        let mut watch = SweepWatch::default();
        for (high, low) in [(105, 95), (110, 96), (104, 97), (103, 98), (102, 92), (101, 90)] {
            assert_eq!(watch.read(high, low, 100, &config()), 0);
        }
        watch
    }

    #[test]
    fn a_return_inside_is_a_sweep_and_a_stay_outside_is_not() {
        assert_eq!(watch().read(111, 100, 109, &config()), -1);
        let mut late = watch();
        assert_eq!([late.read(111, 100, 110, &config()), late.read(112, 104, 109, &config())], [0, -1]);
        let mut run = watch();
        let seen = [(111, 110), (112, 111), (112, 105)].map(|(high, close)| run.read(high, 100, close, &config()));
        assert_eq!(seen, [0, 0, 0]);
    }

    #[test]
    fn touching_is_not_taking_and_a_young_extreme_is_not_formed() {
        assert_eq!(watch().read(110, 100, 105, &config()), 0);
        assert_eq!(watch().read(101, 89, 95, &config()), 0);
    }

    #[test]
    fn reach_is_the_distance_to_a_formed_extreme() {
        assert_eq!(watch().reach(104, &config()), Some(6));
        assert_eq!(SweepWatch::default().reach(104, &config()), None);
    }
}
