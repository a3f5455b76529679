//! Which venues an order goes to, and for how much.

use crate::market::book::PyOrderBook;
use crate::market::value_error;
use pyo3::prelude::*;
use smc_core::execution::router::{
    self, ConvexVenue, HealthRules, HealthState, PassiveVenue, Router, VenueHealth, VenueState, VenueTerms,
};

#[pyclass(name = "VenueTerms", module = "smc_trading_agent._core", frozen)]
pub struct PyVenueTerms {
    inner: VenueTerms,
}

#[pymethods]
impl PyVenueTerms {
    #[new]
    #[pyo3(signature = (*, taker_fee_ppm, latency_ns = 0, fade_per_second = 0.0, lot = 1, min_notional = 0))]
    const fn new(taker_fee_ppm: i64, latency_ns: i64, fade_per_second: f64, lot: i64, min_notional: i128) -> Self {
        Self { inner: VenueTerms { taker_fee_ppm, latency_ns, fade_per_second, lot, min_notional } }
    }
}

#[pyclass(name = "VenueState", module = "smc_trading_agent._core", frozen)]
pub struct PyVenueState {
    inner: VenueState,
}

#[pymethods]
impl PyVenueState {
    #[new]
    #[pyo3(signature = (balance, *, latency_cost = 0, penalty_ppm = 0, available = true))]
    const fn new(balance: i128, latency_cost: i64, penalty_ppm: i64, available: bool) -> Self {
        Self { inner: VenueState { balance, latency_cost, penalty_ppm, available } }
    }
}

#[pyclass(name = "Route", module = "smc_trading_agent._core", frozen)]
pub struct PyRoute {
    inner: router::Route,
}

#[pymethods]
impl PyRoute {
    #[getter]
    fn legs(&self) -> Vec<(usize, i64, i64)> {
        self.inner.legs.iter().map(|leg| (leg.venue, leg.lots, leg.hold_ns)).collect()
    }

    #[getter]
    const fn unfilled(&self) -> i64 {
        self.inner.unfilled
    }

    #[getter]
    const fn cost(&self) -> i128 {
        self.inner.cost
    }

    #[getter]
    const fn proven(&self) -> bool {
        self.inner.proven
    }
}

#[pyclass(name = "Router", module = "smc_trading_agent._core")]
pub struct PyRouter {
    inner: Router,
}

#[pymethods]
impl PyRouter {
    #[new]
    fn new(venues: Vec<PyRef<'_, PyVenueTerms>>, longest_hold_ns: i64) -> PyResult<Self> {
        let venues = venues.iter().map(|venue| venue.inner).collect();
        Ok(Self { inner: Router::new(venues, longest_hold_ns).map_err(value_error)? })
    }

    #[pyo3(signature = (side, lots, books, states, limit = None, depth = 20))]
    fn route(
        &mut self,
        side: i8,
        lots: i64,
        books: Vec<PyRef<'_, PyOrderBook>>,
        states: Vec<PyRef<'_, PyVenueState>>,
        limit: Option<i64>,
        depth: usize,
    ) -> PyResult<PyRoute> {
        // A buy takes asks, a sell bids; a side that is neither is for the router to refuse.
        let resting = if side > 0 { -1 } else { 1 };
        let levels: Result<Vec<_>, _> = books.iter().map(|book| book.inner.levels(resting, depth)).collect();
        let levels = levels.map_err(value_error)?;
        let views: Vec<&[(i64, i64)]> = levels.iter().map(Vec::as_slice).collect();
        let states: Vec<VenueState> = states.iter().map(|state| state.inner).collect();
        let inner = self.inner.route(side, lots, limit, &views, &states).map_err(value_error)?;
        Ok(PyRoute { inner })
    }
}

#[pyfunction]
fn split_convex(lots: i64, venues: Vec<(f64, f64, f64)>) -> PyResult<Vec<i64>> {
    let venue = |(price, impact, cap)| ConvexVenue { price, impact, cap };
    router::split_convex(lots, &venues.into_iter().map(venue).collect::<Vec<_>>()).map_err(value_error)
}

#[pyclass(name = "PassiveVenue", module = "smc_trading_agent._core", frozen)]
pub struct PyPassiveVenue {
    inner: PassiveVenue,
}

#[pymethods]
impl PyPassiveVenue {
    #[new]
    #[pyo3(signature = (*, queue, outflow, event_lots, half_spread, rebate, cross_cost, adverse_selection, most, lot = 1, least = 1))]
    #[allow(clippy::too_many_arguments)]
    const fn new(
        queue: i64,
        outflow: f64,
        event_lots: f64,
        half_spread: f64,
        rebate: f64,
        cross_cost: f64,
        adverse_selection: f64,
        most: i64,
        lot: i64,
        least: i64,
    ) -> Self {
        let inner = PassiveVenue {
            queue,
            outflow,
            event_lots,
            half_spread,
            rebate,
            cross_cost,
            adverse_selection,
            most,
            lot,
            least,
        };
        Self { inner }
    }

    fn fill_probability(&self, lots: i64, seconds: f64) -> PyResult<f64> {
        router::fill_probability(&self.inner, lots, seconds).map_err(value_error)
    }

    fn score(&self, lots: i64, seconds: f64) -> PyResult<f64> {
        router::passive_score(&self.inner, lots, seconds).map_err(value_error)
    }
}

#[pyfunction]
fn place_passively(
    total: i64,
    seconds: f64,
    cross_now: f64,
    venues: Vec<PyRef<'_, PyPassiveVenue>>,
) -> PyResult<(Vec<i64>, i64)> {
    let venues: Vec<PassiveVenue> = venues.iter().map(|venue| venue.inner).collect();
    let plan = router::place_passively(total, seconds, cross_now, &venues).map_err(value_error)?;
    Ok((plan.lots, plan.cross))
}

#[pyclass(name = "VenueHealth", module = "smc_trading_agent._core")]
pub struct PyVenueHealth {
    inner: VenueHealth,
}

#[pymethods]
impl PyVenueHealth {
    #[new]
    #[pyo3(signature = (*, weight, most_failures, rest_ns, stale_ns, penalty_ppm))]
    fn new(weight: f64, most_failures: u32, rest_ns: i64, stale_ns: i64, penalty_ppm: i64) -> PyResult<Self> {
        let rules = HealthRules { weight, most_failures, rest_ns, stale_ns, penalty_ppm };
        Ok(Self { inner: VenueHealth::new(rules).map_err(value_error)? })
    }

    fn on_data(&mut self, time: i64) {
        self.inner.on_data(time);
    }

    fn on_answer(&mut self, time: i64, ok: bool) {
        self.inner.on_answer(time, ok);
    }

    fn state(&self, now: i64) -> (&'static str, i64) {
        match self.inner.state(now) {
            HealthState::Up { penalty_ppm } => ("up", penalty_ppm),
            HealthState::Stale => ("stale", 0),
            HealthState::Resting => ("resting", 0),
        }
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyVenueTerms>()?;
    module.add_class::<PyVenueState>()?;
    module.add_class::<PyRoute>()?;
    module.add_class::<PyRouter>()?;
    module.add_class::<PyPassiveVenue>()?;
    module.add_class::<PyVenueHealth>()?;
    module.add_function(wrap_pyfunction!(split_convex, module)?)?;
    module.add_function(wrap_pyfunction!(place_passively, module)?)
}
