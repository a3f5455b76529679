//! The risk of a book, and of one order more.

use super::clusters::clusters;
use super::delta_normal::DeltaNormal;
use super::moments::{row, Ewma, Moments};
use super::normal::normal_quantile;
use super::scenarios::{Instrument, Scenarios, RETURN_UNIT};
use super::settings::RiskBookSettings;
use super::shrinkage::{shrunk_correlation, Shrunk};
use super::stress::{Stress, STRESSES};
use super::tail::{order_statistic, Tail, TailFinder};
use super::RiskError;
use serde::{Deserialize, Serialize};

/// The risk of the book with an order in it, beside that of the book alone. Losses are positive, in units of money;
/// exact ones are rounded up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Assessment {
    /// Historical value at risk with the order.
    pub value_at_risk: i64,
    /// The same without it.
    pub value_at_risk_before: i64,
    /// Historical expected shortfall with the order.
    pub shortfall: i64,
    /// The same without it.
    pub shortfall_before: i64,
    /// Delta-normal value at risk from the window's covariances, with the order.
    pub parametric: f64,
    /// Delta-normal value at risk from exponentially weighted covariances, with the order.
    pub ewma: f64,
    /// Index into [`STRESSES`] of the worst with the order.
    pub worst_stress: usize,
    /// Loss in that stress.
    pub stress_loss: i64,
    /// Scenarios that the figures rest on.
    pub scenarios: usize,
    /// Notional of instruments without a return in every scenario, at its worst loss in every figure but the stresses.
    pub uncovered: i64,
    /// Close of the newest bar, ns.
    pub data_time: i64,
}

/// What follows from closes and positions, computed ahead of orders. Never stored: it is made again, the same.
#[derive(Clone, Debug, Default, PartialEq)]
struct Ahead {
    covered: Vec<bool>,
    /// P&L of the covered book in every scenario, in ring order.
    profits: Vec<i64>,
    tail: Tail,
    worst_rows: Vec<u32>,
    /// Rows in which each instrument falls, and rises, most.
    own_rows: Vec<[Vec<u32>; 2]>,
    /// Of each instrument its move in every stress.
    shocks: Vec<Vec<i64>>,
    /// Standard deviations of value at risk over the horizon.
    deviations: f64,
    normal: DeltaNormal,
    ewma: DeltaNormal,
    stresses: Vec<i128>,
    /// Sum of absolute notionals times the largest return each has to be multiplied with.
    reach: i128,
    gross: i128,
    uncovered: i128,
}

/// Positions in several instruments against the scenarios of their closes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RiskBook {
    settings: RiskBookSettings,
    scenarios: Scenarios,
    ewma: Ewma,
    notionals: Vec<i64>,
    #[serde(skip)]
    moments: Moments,
    #[serde(skip)]
    ahead: Ahead,
    #[serde(skip)]
    finder: TailFinder,
    #[serde(skip)]
    shrunk: Option<(u64, Shrunk)>,
}

impl PartialEq for RiskBook {
    fn eq(&self, other: &Self) -> bool {
        (&self.settings, &self.scenarios, &self.ewma, &self.notionals, &self.moments, &self.ahead)
            == (&other.settings, &other.scenarios, &other.ewma, &other.notionals, &other.moments, &other.ahead)
    }
}

impl RiskBook {
    /// A flat book that has seen nothing.
    ///
    /// # Errors
    /// A setting outside its range, no instrument, or one named twice.
    pub fn new(settings: RiskBookSettings, instruments: Vec<Instrument>) -> Result<Self, RiskError> {
        settings.check()?;
        let twice =
            instruments.iter().enumerate().find(|(at, one)| instruments[..*at].iter().any(|o| o.key == one.key));
        if instruments.is_empty() || twice.is_some() {
            let value = twice.map_or_else(|| "none".to_owned(), |(_, one)| format!("{} twice", one.key));
            return Err(RiskError::Setting { name: "instruments", value, wanted: "one or more, each named once" });
        }
        let wide = instruments.len();
        let scenarios = Scenarios::new(instruments, settings.window, settings.horizon);
        let ewma = Ewma::new(settings.decay, wide);
        let mut made = Self {
            settings,
            scenarios,
            ewma,
            notionals: vec![0; wide],
            moments: Moments::default(),
            ahead: Ahead::default(),
            finder: TailFinder::default(),
            shrunk: None,
        };
        made.rebuild();
        Ok(made)
    }

    /// Computes anew what is not stored; called once after reading a stored book.
    pub fn rebuild(&mut self) {
        self.moments = Moments::of(&self.scenarios);
        self.ahead.covered = Vec::new();
        self.ahead.deviations = normal_quantile(self.settings.confidence) * (self.settings.horizon as f64).sqrt();
        let assets = self.scenarios.instruments().iter();
        self.ahead.shocks = assets.map(|one| STRESSES.iter().map(|stress| stress.of(&one.asset)).collect()).collect();
        self.refresh_rows();
    }

    /// How risk is measured.
    #[must_use]
    pub const fn settings(&self) -> &RiskBookSettings {
        &self.settings
    }

    /// The scenarios.
    #[must_use]
    pub const fn scenarios(&self) -> &Scenarios {
        &self.scenarios
    }

    /// Notionals held, in the order of the instruments.
    #[must_use]
    pub fn notionals(&self) -> &[i64] {
        &self.notionals
    }

    /// P&L of the standing book in every scenario, money times [`RETURN_UNIT`], in ring order.
    #[must_use]
    pub fn profits(&self) -> &[i64] {
        &self.ahead.profits
    }

    /// Place of an instrument.
    ///
    /// # Errors
    /// It is not one of the book's.
    pub fn index(&self, key: &str) -> Result<usize, RiskError> {
        let found = self.scenarios.instruments().iter().position(|instrument| instrument.key == key);
        found.ok_or_else(|| RiskError::UnknownInstrument { instrument: key.to_owned() })
    }

    /// Takes the closes of one bar in ticks; `None` where an instrument has none.
    ///
    /// # Errors
    /// As [`Scenarios::push`]; nothing is changed then.
    pub fn on_bar(&mut self, time: i64, closes: &[Option<i64>]) -> Result<(), RiskError> {
        let slot = (self.scenarios.rows() % self.settings.window as u64) as usize;
        let leaving = (self.scenarios.len() == self.settings.window).then(|| row(&self.scenarios, slot));
        if !self.scenarios.push(time, closes)? {
            return Ok(());
        }
        if let Some(leaving) = leaving {
            self.moments.remove(&leaving);
        }
        let entering = row(&self.scenarios, slot);
        self.moments.add(&entering);
        self.ewma.add(&entering);
        self.replace_profit(slot);
        self.refresh_rows();
        Ok(())
    }

    /// Sets what is held of an instrument: a signed notional in units of money.
    ///
    /// Products may wrap around 64 bits here; they come back when the book does, and meanwhile nothing is assessed.
    pub fn hold(&mut self, instrument: usize, notional: i64) {
        let added = notional.wrapping_sub(self.notionals[instrument]);
        if added == 0 {
            return;
        }
        self.notionals[instrument] = notional;
        if self.ahead.covered[instrument] {
            for (profit, value) in self.ahead.profits.iter_mut().zip(self.scenarios.returns(instrument)) {
                *profit = profit.wrapping_add(added.wrapping_mul(*value));
            }
        }
        self.refresh_book();
    }

    /// The risk with `order`, a signed notional, on top of what is held.
    ///
    /// # Errors
    /// Too few scenarios; no close, or a stale one, of an instrument that is held or ordered; a book that does not fit 64 bits.
    pub fn assess(&mut self, instrument: usize, order: i64, now: i64) -> Result<Assessment, RiskError> {
        let (have, need) = (self.scenarios.len(), self.settings.min_scenarios);
        if have < need {
            return Err(RiskError::FewScenarios { have, need });
        }
        self.fresh(instrument, now)?;
        self.fits(instrument, order)?;
        let moved = if self.ahead.covered[instrument] { order } else { 0 };
        let tail = self.moved_tail(instrument, moved);
        let (uncovered_before, uncovered) = (self.ahead.uncovered, self.uncovered_with(instrument, order));
        let (charge_before, charge) = (self.charge(uncovered_before), self.charge(uncovered));
        let (worst_stress, stress_profit) = self.worst_stress(instrument, order);
        let normal = |of: &DeltaNormal| {
            self.ahead.deviations * of.deviation(instrument, moved as f64) + charge as f64 / RETURN_UNIT as f64
        };
        Ok(Assessment {
            value_at_risk: loss(-i128::from(tail.quantile) + charge, 1),
            value_at_risk_before: loss(-i128::from(self.ahead.tail.quantile) + charge_before, 1),
            shortfall: shortfall(&tail, charge),
            shortfall_before: shortfall(&self.ahead.tail, charge_before),
            parametric: normal(&self.ahead.normal),
            ewma: normal(&self.ahead.ewma),
            worst_stress,
            stress_loss: loss(-stress_profit, 1),
            scenarios: have,
            uncovered: i64::try_from(uncovered).unwrap_or(i64::MAX),
            data_time: self.scenarios.newest().unwrap_or(i64::MIN),
        })
    }

    /// Loss of the book with the order in every stress, units of money rounded up, in the order of [`STRESSES`].
    #[must_use]
    pub fn stress_losses(&self, instrument: usize, order: i64) -> Vec<i64> {
        (0..STRESSES.len()).map(|at| loss(-self.stress_profit(at, instrument, order), 1)).collect()
    }

    /// Shrunk correlations of one-bar returns, row by row; 1 wherever they can't be known.
    pub fn correlation(&mut self) -> &[f64] {
        let rows = self.scenarios.rows();
        if self.shrunk.as_ref().is_none_or(|(made_at, _)| *made_at != rows) {
            self.shrunk = Some((rows, self.correlate()));
        }
        self.shrunk.as_ref().map_or(&[], |(_, shrunk)| &shrunk.correlation)
    }

    /// Weight of the constant correlation in [`correlation`](Self::correlation).
    pub fn shrinkage(&mut self) -> f64 {
        self.correlation();
        self.shrunk.as_ref().map_or(1.0, |(_, shrunk)| shrunk.intensity)
    }

    /// Groups of what would be held with the order, linked at `threshold`, each with its sum of absolute notionals.
    pub fn cluster_exposures(&mut self, instrument: usize, order: i64, threshold: f64) -> Vec<(Vec<usize>, i128)> {
        let with = |at: usize, held: i64| i128::from(held) + if at == instrument { i128::from(order) } else { 0 };
        let exposures: Vec<i128> = self.notionals.iter().enumerate().map(|(at, held)| with(at, *held).abs()).collect();
        let members: Vec<usize> = (0..exposures.len()).filter(|&at| exposures[at] != 0).collect();
        let groups = clusters(self.correlation(), exposures.len(), &members, threshold);
        groups.into_iter().map(|group| (group.clone(), group.iter().map(|&at| exposures[at]).sum())).collect()
    }

    fn correlate(&self) -> Shrunk {
        let wide = self.notionals.len();
        let moves = |at: usize| self.scenarios.steps(at).iter().any(|step| *step != 0);
        let known: Vec<usize> = (0..wide).filter(|&at| self.scenarios.covers(at) && moves(at)).collect();
        let column =
            |&at: &usize| self.scenarios.steps(at).iter().map(|step| *step as f64 / RETURN_UNIT as f64).collect();
        let enough = self.scenarios.len() >= self.settings.min_scenarios;
        let shrunk = shrunk_correlation(&known.iter().map(column).collect::<Vec<Vec<f64>>>()).filter(|_| enough);
        let mut correlation = vec![1.0; wide * wide];
        let Some(shrunk) = shrunk else { return Shrunk { correlation, intensity: 1.0, mean: 1.0 } };
        for (a, &i) in known.iter().enumerate() {
            for (b, &j) in known.iter().enumerate() {
                correlation[i * wide + j] = shrunk.correlation[a * known.len() + b];
            }
        }
        Shrunk { correlation, ..shrunk }
    }

    fn ranks(&self) -> (usize, usize) {
        let of = |confidence| order_statistic(self.scenarios.len(), confidence);
        (of(self.settings.confidence), of(self.settings.shortfall_confidence))
    }

    fn fresh(&self, ordered: usize, now: i64) -> Result<(), RiskError> {
        for (at, instrument) in self.scenarios.instruments().iter().enumerate() {
            if self.notionals[at] == 0 && at != ordered {
                continue;
            }
            let Some(newest) = self.scenarios.newest_of(at) else {
                return Err(RiskError::NoClose { instrument: instrument.key.clone() });
            };
            let age_ns = now.saturating_sub(newest);
            if !(0..=self.settings.max_age_ns).contains(&age_ns) {
                let most_ns = self.settings.max_age_ns;
                return Err(RiskError::Stale { instrument: instrument.key.clone(), age_ns, most_ns });
            }
        }
        Ok(())
    }

    /// Refuses a book whose products with the largest returns could leave 64 bits with the order on top of it.
    fn fits(&self, instrument: usize, order: i64) -> Result<(), RiskError> {
        let extra = i128::from(order).abs();
        if self.ahead.reach + extra * self.weight(instrument) <= i128::from(i64::MAX) {
            return Ok(());
        }
        Err(RiskError::TooLarge { gross: self.ahead.gross + extra })
    }

    fn weight(&self, instrument: usize) -> i128 {
        i128::from(self.scenarios.largest(instrument).max(RETURN_UNIT))
    }

    fn charge(&self, uncovered: i128) -> i128 {
        uncovered * i128::from((self.settings.unknown_loss * RETURN_UNIT as f64).round() as i64)
    }

    fn uncovered_with(&self, instrument: usize, order: i64) -> i128 {
        if self.ahead.covered[instrument] {
            return self.ahead.uncovered;
        }
        let held = i128::from(self.notionals[instrument]);
        self.ahead.uncovered - held.abs() + (held + i128::from(order)).abs()
    }

    fn moved_tail(&mut self, instrument: usize, order: i64) -> Tail {
        if order == 0 {
            return self.ahead.tail;
        }
        let (profits, returns) = (&self.ahead.profits, self.scenarios.returns(instrument));
        // k scenarios of any choice bound the k-th worst from above; these are near it where book or order prevails.
        let most = |rows: &[u32]| {
            let moved =
                rows.iter().map(|&row| profits[row as usize].wrapping_add(order.wrapping_mul(returns[row as usize])));
            moved.max().unwrap_or(i64::MAX)
        };
        let own = &self.ahead.own_rows[instrument][usize::from(order < 0)];
        let bound = most(&self.ahead.worst_rows).min(most(own));
        let ranks = self.ranks();
        self.finder.find(profits, returns, order, ranks, bound)
    }

    fn stress_profit(&self, stress: usize, instrument: usize, order: i64) -> i128 {
        let (named, held) = (&STRESSES[stress], i128::from(self.notionals[instrument]));
        let shock = self.ahead.shocks[instrument][stress];
        self.ahead.stresses[stress] - named.profit(held, shock) + named.profit(held + i128::from(order), shock)
    }

    fn worst_stress(&self, instrument: usize, order: i64) -> (usize, i128) {
        let each = (0..STRESSES.len()).map(|at| (at, self.stress_profit(at, instrument, order)));
        each.min_by_key(|(_, profit)| *profit).unwrap_or((0, 0))
    }

    /// The newest row's P&L in place of the one that left.
    fn replace_profit(&mut self, slot: usize) {
        let covered = (0..self.notionals.len()).filter(|&at| self.ahead.covered[at]);
        let profit = covered
            .map(|at| self.notionals[at].wrapping_mul(self.scenarios.returns(at)[slot]))
            .fold(0, i64::wrapping_add);
        if slot == self.ahead.profits.len() {
            self.ahead.profits.push(profit);
        } else {
            self.ahead.profits[slot] = profit;
        }
    }

    /// After a row: which instruments count, and in which rows each moves most.
    fn refresh_rows(&mut self) {
        let wide = self.notionals.len();
        let covered: Vec<bool> = (0..wide).map(|at| self.scenarios.covers(at)).collect();
        if covered != self.ahead.covered {
            self.ahead.covered = covered;
            self.ahead.profits.clear();
            (0..self.scenarios.len()).for_each(|slot| self.replace_profit(slot));
        }
        let (quantile, shortfall) = self.ranks();
        let rank = quantile.max(shortfall);
        self.ahead.own_rows = (0..wide)
            .map(|at| {
                let returns = self.scenarios.returns(at);
                [least(returns.len(), rank, |row| returns[row]), least(returns.len(), rank, |row| -returns[row])]
            })
            .collect();
        self.refresh_book();
    }

    /// After a row or a fill: the tail of the standing book, and what its other figures need.
    fn refresh_book(&mut self) {
        let (quantile, shortfall) = self.ranks();
        let profits = &self.ahead.profits;
        self.ahead.worst_rows = least(profits.len(), quantile.max(shortfall), |row| profits[row]);
        let worst: Vec<i64> = self.ahead.worst_rows.iter().map(|&row| profits[row as usize]).collect();
        self.ahead.tail = if worst.is_empty() {
            Tail::default()
        } else {
            self.finder.find(&worst, &worst, 0, (quantile, shortfall), i64::MAX)
        };
        let covered = |at: usize| self.ahead.covered[at];
        let held = |at: usize| i128::from(self.notionals[at]).abs();
        let every = 0..self.notionals.len();
        self.ahead.gross = every.clone().map(held).sum();
        self.ahead.reach = every.clone().map(|at| held(at) * self.weight(at)).sum();
        self.ahead.uncovered = every.clone().filter(|&at| !covered(at)).map(held).sum();
        let weights: Vec<f64> = every.map(|at| if covered(at) { self.notionals[at] as f64 } else { 0.0 }).collect();
        self.ahead.normal = DeltaNormal::of(&self.moments.covariance(), &weights);
        self.ahead.ewma = DeltaNormal::of(self.ewma.covariance(), &weights);
        let profit = |at: usize, stress: &Stress| {
            self.notionals
                .iter()
                .zip(&self.ahead.shocks)
                .map(|(held, of)| stress.profit(i128::from(*held), of[at]))
                .sum()
        };
        self.ahead.stresses = STRESSES.iter().enumerate().map(|(at, stress)| profit(at, stress)).collect();
    }
}

/// The `count` rows of least value, in no order.
fn least(rows: usize, count: usize, value: impl Fn(usize) -> i64) -> Vec<u32> {
    let mut every: Vec<u32> = (0..rows as u32).collect();
    if count < rows {
        every.select_nth_unstable_by_key(count, |&row| value(row as usize));
        every.truncate(count);
    }
    every
}

/// `raw / (count * RETURN_UNIT)` in units of money, rounded up.
fn loss(raw: i128, count: usize) -> i64 {
    let unit = i128::from(RETURN_UNIT) * count as i128;
    i64::try_from(-(-raw).div_euclid(unit)).unwrap_or(i64::MAX)
}

fn shortfall(tail: &Tail, charge: i128) -> i64 {
    let count = tail.shortfall_count;
    loss(-tail.shortfall_sum + charge * count as i128, count.max(1))
}
