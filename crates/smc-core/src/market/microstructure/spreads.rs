//! What a taker paid and what it was worth later: effective and realised spread, and markout.

use super::{taker_side, within, MicrostructureError};
use std::collections::VecDeque;

/// `2 s (p - mid)` in ticks, exact: `s (2 p - bid - ask)`.
#[must_use]
pub fn effective_spread(side: i8, price: i64, bid: i64, ask: i64) -> i64 {
    i64::from(side) * (2 * price - bid - ask)
}

/// A trade whose middle some time later is not yet known.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    due: i64,
    side: i8,
    price: i64,
}

/// The markouts of one horizon, `s (mid_later - p)`, seen from the taker; a maker's is minus that.
#[derive(Clone, Debug)]
pub struct Markout {
    horizon_ns: i64,
    waiting: VecDeque<Waiting>,
    count: u64,
    mean: f64,
    squares: f64,
}

impl Markout {
    fn settle(&mut self, doubled_mid: i64, before: i64) {
        while let Some(&trade) = self.waiting.front() {
            if trade.due >= before {
                return;
            }
            self.waiting.pop_front();
            let markout = (i64::from(trade.side) * (doubled_mid - 2 * trade.price)) as f64 / 2.0;
            self.count += 1;
            let delta = markout - self.mean;
            self.mean += delta / self.count as f64;
            self.squares += delta * (markout - self.mean);
        }
    }

    /// Nanoseconds between the trade and its later middle.
    #[must_use]
    pub const fn horizon_ns(&self) -> i64 {
        self.horizon_ns
    }

    /// Trades whose later middle is known.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Mean markout in ticks, None before the first.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then_some(self.mean)
    }

    /// Mean realised spread in ticks: what the maker kept, `2 s (p - mid_later)`, minus twice the markout.
    #[must_use]
    pub fn realised_spread(&self) -> Option<f64> {
        self.mean().map(|mean| -2.0 * mean)
    }

    /// Mean markout over its standard error, None below two trades or without any variation.
    ///
    /// Over our own maker fills, minus this is the measure of toxicity.
    #[must_use]
    pub fn z_score(&self) -> Option<f64> {
        if self.count < 2 || self.squares <= 0.0 {
            return None;
        }
        let count = self.count as f64;
        Some(self.mean / (self.squares / (count - 1.0) / count).sqrt())
    }
}

/// Markouts of the same trades at several horizons, with their effective spread.
#[derive(Clone, Debug)]
pub struct Markouts {
    horizons: Vec<Markout>,
    /// The middle, doubled, and since when.
    mid: Option<(i64, i64)>,
    effective_sum: i128,
    trades: u64,
}

impl Markouts {
    /// No trades yet; memory grows with the trades within the longest horizon.
    ///
    /// # Errors
    /// [`MicrostructureError`] where there is no horizon or one isn't positive.
    pub fn new(horizons_ns: &[i64]) -> Result<Self, MicrostructureError> {
        within("horizons", horizons_ns.len() as f64, !horizons_ns.is_empty(), "one or more")?;
        for &horizon in horizons_ns {
            within("horizon", horizon as f64, horizon > 0, "positive")?;
        }
        let of =
            |&horizon_ns: &i64| Markout { horizon_ns, waiting: VecDeque::new(), count: 0, mean: 0.0, squares: 0.0 };
        Ok(Self { horizons: horizons_ns.iter().map(of).collect(), mid: None, effective_sum: 0, trades: 0 })
    }

    /// The best bid and ask changed at `time`: trades due before it are settled at the middle that held until then.
    ///
    /// # Errors
    /// [`MicrostructureError`] where the quote is crossed or time goes back.
    pub fn on_quote(&mut self, time: i64, bid: i64, ask: i64) -> Result<(), MicrostructureError> {
        within("bid", bid as f64, bid < ask, "below the ask")?;
        self.settle(time)?;
        self.mid = Some((bid + ask, time));
        Ok(())
    }

    fn settle(&mut self, time: i64) -> Result<(), MicrostructureError> {
        if let Some((doubled, since)) = self.mid {
            within("time", time as f64, time >= since, "not before the last quote")?;
            self.horizons.iter_mut().for_each(|horizon| horizon.settle(doubled, time));
        }
        Ok(())
    }

    /// A taker traded at `price`; false where no quote is known yet, so that there is nothing to compare it with.
    ///
    /// # Errors
    /// [`MicrostructureError`] where the side is none or time goes back before the last quote.
    pub fn on_trade(&mut self, time: i64, side: i8, price: i64) -> Result<bool, MicrostructureError> {
        taker_side(side)?;
        self.settle(time)?;
        let Some((doubled, _)) = self.mid else { return Ok(false) };
        self.effective_sum += i128::from(i64::from(side) * (2 * price - doubled));
        self.trades += 1;
        for horizon in &mut self.horizons {
            horizon.waiting.push_back(Waiting { due: time.saturating_add(horizon.horizon_ns), side, price });
        }
        Ok(true)
    }

    /// Mean effective spread in ticks, None before the first trade.
    #[must_use]
    pub fn effective_spread(&self) -> Option<f64> {
        (self.trades > 0).then(|| self.effective_sum as f64 / self.trades as f64)
    }

    /// The markouts, one for each horizon.
    #[must_use]
    pub fn horizons(&self) -> &[Markout] {
        &self.horizons
    }
}
