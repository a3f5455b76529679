//! The simulated venue, virtual brackets, random entries and the synthetic market, as Python sees them.

use crate::market::{parse_timeframe, value_error, PyBars, PyInstrument};
use crate::snapshot;
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use smc_core::sim::{
    BarrierOutcome, BarrierTracker, Costs, Liquidity, OrderRequest, OrderStatus, RandomEntry, Reason, SimVenue,
    SyntheticConfig, SyntheticMarket, VenueEvent, VirtualBracket,
};

/// Snapshot tags of the classes below.
const VENUE: [u8; 4] = *b"SIMV";
const TRACKER: [u8; 4] = *b"SIMB";
const MARKET: [u8; 4] = *b"SIMM";

/// What the venue says of an order, in the order it happened.
#[pyclass(name = "VenueEvent", module = "smc_trading_agent._core", frozen, eq)]
#[derive(PartialEq, Eq)]
pub struct PyVenueEvent {
    pub(crate) inner: VenueEvent,
}

#[pymethods]
impl PyVenueEvent {
    #[getter]
    fn sequence(&self) -> u64 {
        self.inner.sequence
    }

    #[getter]
    fn time(&self) -> i64 {
        self.inner.time
    }

    #[getter]
    fn kind(&self) -> &'static str {
        self.inner.kind.name()
    }

    #[getter]
    fn client_order_id(&self) -> &str {
        &self.inner.client_order_id
    }

    #[getter]
    fn side(&self) -> i8 {
        self.inner.side
    }

    #[getter]
    fn quantity(&self) -> i64 {
        self.inner.quantity
    }

    #[getter]
    fn price(&self) -> i64 {
        self.inner.price
    }

    #[getter]
    fn fee(&self) -> i128 {
        self.inner.fee
    }

    #[getter]
    fn liquidity(&self) -> &'static str {
        self.inner.liquidity.map_or("", Liquidity::name)
    }

    #[getter]
    fn trade_id(&self) -> String {
        self.inner.trade_id()
    }

    #[getter]
    fn reason(&self) -> &'static str {
        self.inner.reason.map_or("", Reason::name)
    }

    fn __repr__(&self) -> String {
        let VenueEvent { sequence, client_order_id, side, quantity, price, .. } = &self.inner;
        let kind = self.kind();
        format!("VenueEvent({sequence}, {kind}, {client_order_id}, side={side}, quantity={quantity}, price={price})")
    }
}

fn wrap_events(events: Vec<VenueEvent>) -> Vec<PyVenueEvent> {
    events.into_iter().map(|inner| PyVenueEvent { inner }).collect()
}

/// A simulated venue of one instrument.
#[pyclass(name = "SimVenue", module = "smc_trading_agent._core")]
pub struct PySimVenue {
    inner: SimVenue,
}

#[pymethods]
impl PySimVenue {
    #[new]
    fn new(
        instrument: &PyInstrument,
        maker_fee_ppm: i64,
        taker_fee_ppm: i64,
        half_spread_ticks: i64,
        slippage_ppm: i64,
        latency_ns: i64,
    ) -> PyResult<Self> {
        let costs = Costs::new(maker_fee_ppm, taker_fee_ppm, half_spread_ticks, slippage_ppm).map_err(value_error)?;
        let inner = SimVenue::new(instrument.inner.clone(), costs, latency_ns).map_err(value_error)?;
        Ok(Self { inner })
    }

    #[pyo3(signature = (client_order_id, kind, side, quantity, price, now, expires_at = 0, reduce_only = false, parent = String::new()))]
    #[allow(clippy::too_many_arguments)]
    fn submit(
        &mut self,
        client_order_id: String,
        kind: &str,
        side: i8,
        quantity: i64,
        price: i64,
        now: i64,
        expires_at: i64,
        reduce_only: bool,
        parent: String,
    ) -> PyResult<Vec<PyVenueEvent>> {
        let kind = kind.parse().map_err(value_error)?;
        let request = OrderRequest { client_order_id, kind, side, quantity, price, expires_at, reduce_only, parent };
        Ok(wrap_events(vec![self.inner.submit(request, now).map_err(value_error)?]))
    }

    fn cancel(&mut self, client_order_id: &str, now: i64) -> Vec<PyVenueEvent> {
        wrap_events(self.inner.cancel(client_order_id, now))
    }

    fn on_bars(&mut self, py: Python<'_>, bars: &PyBars, start: usize, stop: usize) -> PyResult<Vec<PyVenueEvent>> {
        let (venue, bars) = (&mut self.inner, bars.slice_of(start, stop)?);
        py.detach(|| venue.on_bars(bars)).map(wrap_events).map_err(value_error)
    }

    fn on_trades(
        &mut self,
        py: Python<'_>,
        time: PyReadonlyArray1<'_, i64>,
        price: PyReadonlyArray1<'_, i64>,
        quantity: PyReadonlyArray1<'_, i64>,
    ) -> PyResult<Vec<PyVenueEvent>> {
        let (time, price, quantity) = (time.as_array(), price.as_array(), quantity.as_array());
        if time.len() != price.len() || time.len() != quantity.len() {
            return Err(PyValueError::new_err(format!(
                "time has {} elements, price {}, quantity {}; give as many",
                time.len(),
                price.len(),
                quantity.len()
            )));
        }
        let trades: Vec<_> = (0..time.len()).map(|i| (time[i], price[i], quantity[i])).collect();
        let venue = &mut self.inner;
        py.detach(|| venue.on_trades(&trades)).map(wrap_events).map_err(value_error)
    }

    fn order_status(&self, client_order_id: &str) -> Option<&'static str> {
        self.inner.order_status(client_order_id).map(OrderStatus::name)
    }

    fn open_orders(&self) -> Vec<&str> {
        self.inner.open_orders().collect()
    }

    #[getter]
    fn position(&self) -> i64 {
        self.inner.position()
    }

    #[getter]
    fn last_time(&self) -> i64 {
        self.inner.last_time()
    }

    #[getter]
    fn last_sequence(&self) -> u64 {
        self.inner.last_sequence()
    }

    fn snapshot(&self) -> PyResult<Vec<u8>> {
        snapshot::encode(VENUE, &self.inner)
    }

    #[staticmethod]
    fn from_snapshot(data: &[u8]) -> PyResult<Self> {
        Ok(Self { inner: snapshot::decode(VENUE, "venue", data)? })
    }
}

/// How a virtual bracket ended.
#[pyclass(name = "BarrierOutcome", module = "smc_trading_agent._core", frozen, eq)]
#[derive(PartialEq, Eq)]
pub struct PyBarrierOutcome {
    inner: BarrierOutcome,
}

#[pymethods]
impl PyBarrierOutcome {
    #[getter]
    fn key(&self) -> &str {
        &self.inner.key
    }

    #[getter]
    fn outcome(&self) -> &'static str {
        self.inner.outcome.name()
    }

    #[getter]
    fn entered_at(&self) -> i64 {
        self.inner.entered_at
    }

    #[getter]
    fn exited_at(&self) -> i64 {
        self.inner.exited_at
    }

    #[getter]
    fn exit_price(&self) -> i64 {
        self.inner.exit_price
    }

    fn __repr__(&self) -> String {
        format!("BarrierOutcome({}, {}, exit_price={})", self.inner.key, self.outcome(), self.inner.exit_price)
    }
}

/// Follows virtual brackets to their first barrier.
#[pyclass(name = "BarrierTracker", module = "smc_trading_agent._core")]
pub struct PyBarrierTracker {
    inner: BarrierTracker,
}

#[pymethods]
impl PyBarrierTracker {
    #[new]
    fn new() -> Self {
        Self { inner: BarrierTracker::default() }
    }

    #[allow(clippy::too_many_arguments)]
    fn add(
        &mut self,
        key: String,
        side: i8,
        entry: i64,
        stop: i64,
        target: i64,
        now: i64,
        entry_expires_at: i64,
        time_limit_ns: i64,
    ) -> PyResult<()> {
        let bracket = VirtualBracket { key, side, entry, stop, target, from: now, entry_expires_at, time_limit_ns };
        self.inner.add(bracket).map_err(value_error)
    }

    fn on_bars(&mut self, py: Python<'_>, bars: &PyBars, start: usize, stop: usize) -> PyResult<Vec<PyBarrierOutcome>> {
        let (tracker, bars) = (&mut self.inner, bars.slice_of(start, stop)?);
        let ended = py.detach(|| tracker.on_bars(bars)).map_err(value_error)?;
        Ok(ended.into_iter().map(|inner| PyBarrierOutcome { inner }).collect())
    }

    #[getter]
    fn open_count(&self) -> usize {
        self.inner.open_count()
    }

    fn snapshot(&self) -> PyResult<Vec<u8>> {
        snapshot::encode(TRACKER, &self.inner)
    }

    #[staticmethod]
    fn from_snapshot(data: &[u8]) -> PyResult<Self> {
        Ok(Self { inner: snapshot::decode(TRACKER, "barrier tracker", data)? })
    }
}

/// Net return of portfolios that enter at random bars and sides with the given exits.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn random_entry_returns<'py>(
    py: Python<'py>,
    bars: &PyBars,
    stop_distance: PyReadonlyArray1<'py, i64>,
    target_distance: PyReadonlyArray1<'py, i64>,
    risk_fraction: PyReadonlyArray1<'py, f64>,
    time_limit_ns: i64,
    cost_ppm: i64,
    runs: usize,
    seed: u64,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let stop_distance = stop_distance.as_array().to_vec();
    let target_distance = target_distance.as_array().to_vec();
    let risk_fraction = risk_fraction.as_array().to_vec();
    let entries = RandomEntry {
        stop_distance: &stop_distance,
        target_distance: &target_distance,
        risk_fraction: &risk_fraction,
        time_limit_ns,
        cost_ppm,
    };
    let bars = &bars.inner;
    let returns = py.detach(|| smc_core::sim::random_entry_returns(bars, &entries, runs, seed)).map_err(value_error)?;
    Ok(PyArray1::from_vec(py, returns))
}

/// A seeded synthetic market of 1-minute bars.
#[pyclass(name = "SyntheticMarket", module = "smc_trading_agent._core")]
pub struct PySyntheticMarket {
    inner: SyntheticMarket,
}

#[pymethods]
impl PySyntheticMarket {
    #[new]
    #[pyo3(signature = (instrument, seed, start_time, config_json = "{}"))]
    fn new(instrument: &PyInstrument, seed: u64, start_time: i64, config_json: &str) -> PyResult<Self> {
        let config: SyntheticConfig = serde_json::from_str(config_json)
            .map_err(|error| PyValueError::new_err(format!("synthetic market settings: {error}")))?;
        let inner = SyntheticMarket::new(instrument.inner.clone(), seed, start_time, config).map_err(value_error)?;
        Ok(Self { inner })
    }

    fn next_bars(&mut self, py: Python<'_>, count: usize) -> PyResult<PyBars> {
        let market = &mut self.inner;
        let bars = py.detach(|| market.next_bars(count)).map_err(value_error)?;
        Ok(PyBars::wrap(parse_timeframe("1m")?, bars))
    }

    #[getter]
    fn bars_made(&self) -> u64 {
        self.inner.bars_made()
    }

    fn snapshot(&self) -> PyResult<Vec<u8>> {
        snapshot::encode(MARKET, &self.inner)
    }

    #[staticmethod]
    fn from_snapshot(data: &[u8]) -> PyResult<Self> {
        Ok(Self { inner: snapshot::decode(MARKET, "synthetic market", data)? })
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyVenueEvent>()?;
    module.add_class::<PySimVenue>()?;
    module.add_class::<PyBarrierOutcome>()?;
    module.add_class::<PyBarrierTracker>()?;
    module.add_class::<PySyntheticMarket>()?;
    module.add_function(wrap_pyfunction!(random_entry_returns, module)?)
}
