//! Taking what is displayed: the split over venues that costs least, all in.

use super::ladder::{survival, Ladder, Wanted};
use super::search::{cheapest, marginal};

/// What a venue charges and asks of an order; changes seldom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VenueTerms {
    /// Taker fee in parts per million of notional; negative is a rebate.
    pub taker_fee_ppm: i64,
    /// Time from the decision to the arrival of an order, in nanoseconds.
    pub latency_ns: i64,
    /// Rate at which displayed depth vanishes before an order arrives, per second: a lot displayed counts as
    /// `exp(-fade * latency)` lots, and the rest is expected to be sent again at the next price.
    pub fade_per_second: f64,
    /// An order is a whole number of so many lots.
    pub lot: i64,
    /// Smallest value of an order, in quote units.
    pub min_notional: i128,
}

/// What a venue is like at the moment of the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VenueState {
    /// What may be spent: quote units for a buy, lots for a sell.
    pub balance: i128,
    /// What the price is expected to move until an order arrives, in micro-ticks a lot.
    pub latency_cost: i64,
    /// Charge for poor health, in parts per million of notional.
    pub penalty_ppm: i64,
    /// Whether orders may be sent there at all.
    pub available: bool,
}

/// The part of an order that goes to one venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    /// Index of the venue.
    pub venue: usize,
    /// Lots.
    pub lots: i64,
    /// How long to hold it back, so that the legs arrive together, in nanoseconds.
    pub hold_ns: i64,
}

/// A split of one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Legs in the order of the venues.
    pub legs: Vec<Leg>,
    /// Lots that no venue takes within the limit.
    pub unfilled: i64,
    /// All-in cost in micro-ticks times lots, less being better: of a sell it is negative.
    pub cost: i128,
    /// Whether no split fills more, or as much for less; false where the search was cut off.
    pub proven: bool,
}

/// An order or a venue that cannot be routed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RouteError {
    /// A number out of range.
    #[error("{name} is {value}; it must be {range}")]
    OutOfRange {
        /// The argument.
        name: &'static str,
        /// The value given.
        value: f64,
        /// What it must be.
        range: &'static str,
    },
    /// Not one book and one state for each venue.
    #[error("there are {venues} venues; give as many books and states, not {books} and {states}")]
    UnequalLengths {
        /// Venues of the router.
        venues: usize,
        /// Books given.
        books: usize,
        /// States given.
        states: usize,
    },
    /// Levels out of order, or none.
    #[error("the level at {price} is no level, or worse levels come before it; give levels best first")]
    UnorderedLevels {
        /// Its price.
        price: i64,
    },
    /// Costs that leave 64 bits.
    #[error("the cost of the level at {price} leaves 64 bits of micro-ticks; use a coarser tick")]
    Overflow {
        /// Its price.
        price: i64,
    },
}

pub(super) fn within(name: &'static str, value: f64, holds: bool, range: &'static str) -> Result<(), RouteError> {
    if holds {
        Ok(())
    } else {
        Err(RouteError::OutOfRange { name, value, range })
    }
}

/// Splits orders over a fixed set of venues; keeps its working memory between decisions.
#[derive(Clone, Debug)]
pub struct Router {
    venues: Vec<VenueTerms>,
    unit: i64,
    longest_hold_ns: i64,
    ladders: Vec<Ladder>,
}

const fn common_divisor(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl Router {
    /// A router over `venues` that holds a leg back by at most `longest_hold_ns`.
    ///
    /// # Errors
    /// [`RouteError::OutOfRange`] naming the term.
    pub fn new(venues: Vec<VenueTerms>, longest_hold_ns: i64) -> Result<Self, RouteError> {
        within("venues", venues.len() as f64, !venues.is_empty(), "one or more")?;
        within("longest_hold_ns", longest_hold_ns as f64, longest_hold_ns >= 0, "zero or more")?;
        for terms in &venues {
            let fee = terms.taker_fee_ppm;
            within("taker_fee_ppm", fee as f64, (-100_000..=100_000).contains(&fee), "in [-100000, 100000]")?;
            within("latency_ns", terms.latency_ns as f64, terms.latency_ns >= 0, "zero or more")?;
            let fade = terms.fade_per_second;
            within("fade_per_second", fade, fade >= 0.0 && fade.is_finite(), "zero or more, and finite")?;
            within("lot", terms.lot as f64, terms.lot > 0, "positive")?;
            within("min_notional", terms.min_notional as f64, terms.min_notional >= 0, "zero or more")?;
        }
        let unit = venues.iter().fold(0, |unit, terms| common_divisor(terms.lot, unit));
        let ladders = vec![Ladder::default(); venues.len()];
        Ok(Self { venues, unit, longest_hold_ns, ladders })
    }

    /// The cheapest split of `lots`; `books` holds each venue's opposite side as (price, lots), best first.
    ///
    /// Fills as much as the limit (worst price, in ticks), the depth, the balances and the venues' order sizes allow,
    /// and that for the least all-in cost.
    ///
    /// # Errors
    /// [`RouteError`] naming the argument, level or length.
    pub fn route(
        &mut self,
        side: i8,
        lots: i64,
        limit: Option<i64>,
        books: &[&[(i64, i64)]],
        states: &[VenueState],
    ) -> Result<Route, RouteError> {
        within("side", f64::from(side), side == 1 || side == -1, "+1 (buy) or -1 (sell)")?;
        within("lots", lots as f64, lots > 0, "positive")?;
        let venues = self.venues.len();
        if books.len() != venues || states.len() != venues {
            return Err(RouteError::UnequalLengths { venues, books: books.len(), states: states.len() });
        }
        let wanted = Wanted { side: i64::from(side), unit: self.unit, limit };
        for (venue, ladder) in self.ladders.iter_mut().enumerate() {
            let levels = if states[venue].available { books[venue] } else { &[] };
            ladder.fill(&wanted, &self.venues[venue], &states[venue], levels)?;
        }
        let units = lots / self.unit;
        self.add_reroute(units);
        let (split, proven) = cheapest(&self.ladders, units);
        Ok(Route {
            legs: self.legs(&split.units),
            unfilled: split.unfilled * self.unit + lots % self.unit,
            cost: split.cost,
            proven,
        })
    }

    /// What is expected to be gone on arrival is bought at the price that the whole order reaches.
    fn add_reroute(&mut self, units: i64) {
        let fades = |terms: &VenueTerms| terms.fade_per_second > 0.0 && terms.latency_ns > 0;
        if !self.venues.iter().any(fades) {
            return;
        }
        if let Some(reroute) = marginal(&self.ladders, units) {
            for (ladder, terms) in self.ladders.iter_mut().zip(&self.venues) {
                ladder.add_reroute(survival(terms), reroute);
            }
        }
    }

    fn legs(&self, units: &[i64]) -> Vec<Leg> {
        let used = || units.iter().enumerate().filter(|&(_, &units)| units > 0);
        let slowest = used().map(|(venue, _)| self.venues[venue].latency_ns).max().unwrap_or(0);
        let leg = |(venue, &units): (usize, &i64)| Leg {
            venue,
            lots: units * self.unit,
            hold_ns: (slowest - self.venues[venue].latency_ns).min(self.longest_hold_ns),
        };
        used().map(leg).collect()
    }
}
