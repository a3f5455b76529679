//! One venue's depth as whole units with the cost of each.

use super::take::{RouteError, VenueState, VenueTerms};
use super::MILLION;

/// Balances beyond this buy everything there is, and their products stay within 128 bits.
const MOST_BALANCE: i128 = 1 << 100;

/// A venue's units, cheapest first, and the quantities it takes.
#[derive(Clone, Debug, Default)]
pub(super) struct Ladder {
    /// (cost of a unit, units), costs ascending.
    pub steps: Vec<(i64, i64)>,
    /// Units in all.
    pub depth: i64,
    /// Units of the smallest order, a whole number of `multiple`s.
    pub least: i64,
    /// An order is a whole number of so many units.
    pub multiple: i64,
}

/// The order as the ladders see it.
pub(super) struct Wanted {
    pub side: i64,
    /// Lots in a unit: the largest number that divides every venue's lot.
    pub unit: i64,
    /// Worst price, in ticks.
    pub limit: Option<i64>,
}

/// Share of displayed depth that is still there when an order arrives: `exp(-fade * latency)`.
pub(super) fn survival(terms: &VenueTerms) -> f64 {
    (-terms.fade_per_second * terms.latency_ns as f64 * 1e-9).exp()
}

/// Cost of a lot at `price`, in micro-ticks.
fn cost_of(price: i64, side: i64, terms: &VenueTerms, state: &VenueState) -> Option<i64> {
    let charges = price.checked_mul(terms.taker_fee_ppm.checked_add(state.penalty_ppm)?)?;
    price.checked_mul(side * MILLION)?.checked_add(charges)?.checked_add(state.latency_cost)
}

impl Ladder {
    /// Builds the ladder of `levels` (price, lots), best first, into `self`.
    pub fn fill(
        &mut self,
        wanted: &Wanted,
        terms: &VenueTerms,
        state: &VenueState,
        levels: &[(i64, i64)],
    ) -> Result<(), RouteError> {
        self.steps.clear();
        (self.depth, self.multiple) = (0, terms.lot / wanted.unit);
        let (survives, side) = (survival(terms), wanted.side);
        let mut budget = state.balance.clamp(0, MOST_BALANCE);
        let (mut notional, mut least, mut last) = (0i128, None, None);
        // Lots and cost of a unit that one level began and the next goes on with.
        let (mut begun, mut begun_cost, mut lots_before) = (0i64, 0i64, 0i64);
        for &(price, lots) in levels {
            if last.is_some_and(|last| (price - last) * side < 0) || price <= 0 || lots < 0 {
                return Err(RouteError::UnorderedLevels { price });
            }
            last = Some(price);
            if wanted.limit.is_some_and(|limit| (price - limit) * side > 0) {
                break;
            }
            let overflow = || RouteError::Overflow { price };
            let there = if survives < 1.0 { (lots as f64 * survives) as i64 } else { lots };
            // A lot bought takes its price and fee from the balance, a lot sold takes itself.
            let million = i128::from(MILLION);
            let taken =
                if side > 0 { i128::from(price) * (million + i128::from(terms.taker_fee_ppm)) } else { million };
            let affordable = i64::try_from(budget * million / taken.max(1)).unwrap_or(i64::MAX);
            let mut open = there.min(affordable);
            budget -= (i128::from(open) * taken + million - 1) / million;
            let short = terms.min_notional - notional;
            if least.is_none() && i128::from(price) * i128::from(open) >= short {
                let more =
                    short.max(0).div_euclid(i128::from(price)) + i128::from(short.max(0) % i128::from(price) != 0);
                least = Some(lots_before + more as i64);
            }
            notional += i128::from(price) * i128::from(open);
            lots_before = lots_before.checked_add(open).ok_or_else(overflow)?;
            let cost = cost_of(price, side, terms, state).ok_or_else(overflow)?;
            if begun > 0 {
                let joins = open.min(wanted.unit - begun);
                begun_cost =
                    joins.checked_mul(cost).and_then(|more| begun_cost.checked_add(more)).ok_or_else(overflow)?;
                (begun, open) = (begun + joins, open - joins);
                if begun == wanted.unit {
                    self.push(begun_cost, 1);
                    (begun, begun_cost) = (0, 0);
                }
            }
            if open >= wanted.unit {
                self.push(cost.checked_mul(wanted.unit).ok_or_else(overflow)?, open / wanted.unit);
            }
            if open % wanted.unit > 0 {
                begun = open % wanted.unit;
                begun_cost = cost.checked_mul(begun).ok_or_else(overflow)?;
            }
            if affordable < there {
                break;
            }
        }
        self.set_least(least.map(|lots: i64| lots.max(1)), wanted.unit);
        Ok(())
    }

    fn push(&mut self, cost: i64, units: i64) {
        self.steps.push((cost, units));
        self.depth += units;
    }

    /// The smallest order; a venue whose whole depth is worth less takes none.
    fn set_least(&mut self, lots: Option<i64>, unit: i64) {
        let up = |value: i64, step: i64| value / step + i64::from(value % step != 0);
        match lots {
            Some(lots) => self.least = up(up(lots, unit), self.multiple) * self.multiple,
            None => {
                self.steps.clear();
                (self.depth, self.least) = (0, self.multiple);
            }
        }
    }

    /// Adds what it costs that a share of each unit will be gone and is bought at `reroute` instead.
    pub fn add_reroute(&mut self, survives: f64, reroute: i64) {
        for step in &mut self.steps {
            let dearer = (reroute - step.0).max(0) as f64;
            step.0 += ((1.0 - survives) * dearer).round() as i64;
        }
    }

    /// The largest order the venue takes of at most `units`.
    pub const fn down(&self, units: i64) -> i64 {
        let whole = units / self.multiple * self.multiple;
        if whole < self.least {
            0
        } else {
            whole
        }
    }

    /// The smallest order the venue takes of more than `units`.
    pub fn up(&self, units: i64) -> i64 {
        self.least.max((units / self.multiple + 1) * self.multiple)
    }
}
