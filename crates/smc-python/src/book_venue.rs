//! Depth streams, book tapes and the venue of level 2, as Python sees them.

use crate::market::{value_error, PyInstrument};
use crate::sim::PyVenueEvent;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use smc_core::market::{DepthDiff, DepthRule, DepthSync, DiffOutcome, Levels, SnapshotOutcome, SyncCounts};
use smc_core::sim::{
    BookReplay, BookTape, BookVenue, BookVenueConfig, Costs, Delivery, Impact, Latency, OrderRequest, OrderStatus,
    QueueModel,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A book kept in step with Binance's depth stream.
#[pyclass(name = "DepthSync", module = "smc_trading_agent._core")]
pub struct PyDepthSync {
    inner: DepthSync,
}

#[pymethods]
impl PyDepthSync {
    #[new]
    #[pyo3(signature = (rule, buffer_limit = 10_000))]
    fn new(rule: &str, buffer_limit: usize) -> PyResult<Self> {
        let rule = match rule {
            "spot" => DepthRule::Spot,
            "futures" => DepthRule::Futures,
            _ => return Err(PyValueError::new_err(format!("unknown depth rule {rule:?}; use spot or futures"))),
        };
        Ok(Self { inner: DepthSync::new(rule, buffer_limit).map_err(value_error)? })
    }

    fn on_diff(
        &mut self,
        first_id: u64,
        last_id: u64,
        previous_id: u64,
        bids: Levels,
        asks: Levels,
    ) -> PyResult<&'static str> {
        let diff = DepthDiff { first_id, last_id, previous_id, bids, asks };
        self.inner.on_diff(&diff).map(DiffOutcome::name).map_err(value_error)
    }

    fn on_snapshot(&mut self, last_id: u64, bids: Levels, asks: Levels) -> PyResult<&'static str> {
        self.inner.on_snapshot(last_id, &bids, &asks).map(SnapshotOutcome::name).map_err(value_error)
    }

    fn invalidate(&mut self) {
        self.inner.invalidate();
    }

    #[getter]
    fn readable(&self) -> bool {
        self.inner.book().is_some()
    }

    #[getter]
    fn last_id(&self) -> Option<u64> {
        self.inner.last_id()
    }

    #[getter]
    fn buffered(&self) -> usize {
        self.inner.buffered()
    }

    #[getter]
    fn best_bid(&self) -> Option<(i64, i64)> {
        self.inner.book()?.best_bid()
    }

    #[getter]
    fn best_ask(&self) -> Option<(i64, i64)> {
        self.inner.book()?.best_ask()
    }

    fn levels(&self, side: i8, depth: usize) -> PyResult<Option<Levels>> {
        self.inner.book().map(|book| book.levels(side, depth)).transpose().map_err(value_error)
    }

    #[getter]
    fn counts(&self) -> BTreeMap<&'static str, u64> {
        let SyncCounts { applied, stale, gaps, snapshots, too_old, overflowed } = *self.inner.counts();
        let named = [
            ("applied", applied),
            ("stale", stale),
            ("gaps", gaps),
            ("snapshots", snapshots),
            ("too_old", too_old),
            ("overflowed", overflowed),
        ];
        named.into()
    }
}

/// A recorded market of level 2.
#[pyclass(name = "BookTape", module = "smc_trading_agent._core")]
#[derive(Default)]
pub struct PyBookTape {
    inner: Arc<BookTape>,
}

#[pymethods]
impl PyBookTape {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    fn push_depth(&mut self, exchange_time: i64, local_time: i64, bids: Levels, asks: Levels) -> PyResult<()> {
        Arc::make_mut(&mut self.inner).push_depth(exchange_time, local_time, &bids, &asks).map_err(value_error)
    }

    fn push_snapshot(&mut self, exchange_time: i64, local_time: i64, bids: Levels, asks: Levels) -> PyResult<()> {
        Arc::make_mut(&mut self.inner).push_snapshot(exchange_time, local_time, &bids, &asks).map_err(value_error)
    }

    fn push_trade(
        &mut self,
        exchange_time: i64,
        local_time: i64,
        taker: i8,
        price: i64,
        quantity: i64,
    ) -> PyResult<()> {
        let tape = Arc::make_mut(&mut self.inner);
        tape.push_trade((exchange_time, local_time), taker, price, quantity).map_err(value_error)
    }

    fn push_funding(&mut self, exchange_time: i64, local_time: i64, rate_e8: i64, mark: i64) -> PyResult<()> {
        let tape = Arc::make_mut(&mut self.inner);
        tape.push_funding((exchange_time, local_time), rate_e8, mark).map_err(value_error)
    }

    fn correct_local_clock(&mut self, least_ns: i64) -> i64 {
        Arc::make_mut(&mut self.inner).correct_local_clock(least_ns)
    }

    fn __len__(&self) -> usize {
        self.inner.len()
    }

    #[getter]
    fn row_count(&self) -> usize {
        self.inner.row_count()
    }
}

fn queue_model(name: &str, exponent: f64) -> PyResult<QueueModel> {
    match name {
        "risk_averse" => Ok(QueueModel::RiskAverse),
        "logarithmic" => Ok(QueueModel::Logarithmic),
        "power_law" => QueueModel::power_law(exponent).map_err(value_error),
        _ => {
            let known = "risk_averse, logarithmic or power_law";
            Err(PyValueError::new_err(format!("unknown queue model {name:?}; use {known}")))
        }
    }
}

/// A tape played to an agent that trades on it.
#[pyclass(name = "BookReplay", module = "smc_trading_agent._core")]
pub struct PyBookReplay {
    inner: BookReplay,
}

#[pymethods]
impl PyBookReplay {
    #[new]
    #[pyo3(signature = (tape, instrument, *, maker_fee_ppm = 0, taker_fee_ppm = 0, entry_ns = 0, response_ns = 0, jitter_ns = 0, seed = 0, queue = "risk_averse", exponent = 1.0, impact = None, cash = 0))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        tape: &PyBookTape,
        instrument: &PyInstrument,
        maker_fee_ppm: i64,
        taker_fee_ppm: i64,
        entry_ns: i64,
        response_ns: i64,
        jitter_ns: i64,
        seed: u64,
        queue: &str,
        exponent: f64,
        impact: Option<(f64, f64, f64, f64)>,
        cash: i128,
    ) -> PyResult<Self> {
        let impact = impact.map(|(coefficient, volatility, volume, half_life)| {
            Impact::new(coefficient, volatility, volume, half_life).map_err(value_error)
        });
        let config = BookVenueConfig {
            costs: Costs::new(maker_fee_ppm, taker_fee_ppm, 0, 0).map_err(value_error)?,
            latency: Latency::new(entry_ns, response_ns, jitter_ns, seed).map_err(value_error)?,
            queue: queue_model(queue, exponent)?,
            impact: impact.transpose()?,
        };
        let venue = BookVenue::new(instrument.inner.clone(), config, cash);
        Ok(Self { inner: BookReplay::new(Arc::clone(&tape.inner), venue) })
    }

    fn advance(&mut self, py: Python<'_>, until: i64) -> PyResult<Vec<(i64, PyVenueEvent)>> {
        let replay = &mut self.inner;
        let known = py.detach(|| replay.advance(until)).map_err(value_error)?;
        Ok(known.into_iter().map(|Delivery { at, event }| (at, PyVenueEvent { inner: event })).collect())
    }

    #[pyo3(signature = (client_order_id, kind, side, quantity, price, expires_at = 0, reduce_only = false, parent = String::new()))]
    #[allow(clippy::too_many_arguments)]
    fn submit(
        &mut self,
        client_order_id: String,
        kind: &str,
        side: i8,
        quantity: i64,
        price: i64,
        expires_at: i64,
        reduce_only: bool,
        parent: String,
    ) -> PyResult<()> {
        let kind = kind.parse().map_err(value_error)?;
        let request = OrderRequest { client_order_id, kind, side, quantity, price, expires_at, reduce_only, parent };
        self.inner.submit(request).map_err(value_error)
    }

    fn cancel(&mut self, client_order_id: &str) {
        self.inner.cancel(client_order_id);
    }

    fn order_status(&self, client_order_id: &str) -> Option<&'static str> {
        self.inner.venue().order_status(client_order_id).map(OrderStatus::name)
    }

    fn queue_ahead(&self, client_order_id: &str) -> Option<i64> {
        self.inner.venue().queue_ahead(client_order_id)
    }

    fn open_orders(&self) -> Vec<&str> {
        self.inner.venue().open_orders().collect()
    }

    fn levels(&self, side: i8, depth: usize) -> PyResult<Levels> {
        self.inner.local().levels(side, depth).map_err(value_error)
    }

    #[getter]
    fn best_bid(&self) -> Option<(i64, i64)> {
        self.inner.local().best_bid()
    }

    #[getter]
    fn best_ask(&self) -> Option<(i64, i64)> {
        self.inner.local().best_ask()
    }

    #[getter]
    fn now(&self) -> i64 {
        self.inner.now()
    }

    #[getter]
    fn ended(&self) -> bool {
        self.inner.ended()
    }

    #[getter]
    fn position(&self) -> i64 {
        self.inner.venue().position()
    }

    #[getter]
    fn cash(&self) -> i128 {
        self.inner.venue().cash()
    }

    #[getter]
    fn fees(&self) -> i128 {
        self.inner.venue().ledger().fees()
    }

    #[getter]
    fn funding(&self) -> i128 {
        self.inner.venue().funding()
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyDepthSync>()?;
    module.add_class::<PyBookTape>()?;
    module.add_class::<PyBookReplay>()
}
