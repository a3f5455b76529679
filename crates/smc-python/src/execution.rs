//! The order state machine and the ledger, as Python sees them.

use crate::market::{value_error, PyInstrument};
use crate::snapshot;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use smc_core::execution::{Ledger, OrderEvent, OrderState};

/// The next order state, or None where the pair is illegal.
#[pyfunction]
fn order_transition(state: &str, event: &str) -> PyResult<Option<&'static str>> {
    let state: OrderState = state.parse().map_err(value_error)?;
    let event: OrderEvent = event.parse().map_err(value_error)?;
    Ok(state.after(event).map(OrderState::name))
}

/// Whether the order can no longer work at the venue.
#[pyfunction]
fn is_terminal(state: &str) -> PyResult<bool> {
    Ok(state.parse::<OrderState>().map_err(value_error)?.is_terminal())
}

/// Snapshot tag of the ledger.
const LEDGER: [u8; 4] = *b"LEDG";

/// Exact position and cash of one instrument from its fills.
#[pyclass(name = "Ledger", module = "smc_trading_agent._core")]
pub struct PyLedger {
    inner: Ledger,
}

#[pymethods]
impl PyLedger {
    #[new]
    fn new(instrument: &PyInstrument, cash: i128) -> Self {
        Self { inner: Ledger::new(instrument.inner.clone(), cash) }
    }

    fn apply_fill(&mut self, fill_id: &str, side: i8, quantity: i64, price: i64, fee: i128) -> PyResult<bool> {
        self.inner.apply_fill(fill_id, side, quantity, price, fee).map_err(value_error)
    }

    #[getter]
    fn cash(&self) -> i128 {
        self.inner.cash()
    }

    #[getter]
    fn position(&self) -> i64 {
        self.inner.position().lots()
    }

    #[getter]
    fn average_price(&self) -> f64 {
        self.inner.position().average_price().unwrap_or(f64::NAN)
    }

    #[getter]
    fn realised(&self) -> i128 {
        self.inner.realised()
    }

    #[getter]
    fn fees(&self) -> i128 {
        self.inner.fees()
    }

    fn unrealised(&self, mark: i64) -> i128 {
        self.inner.position().unrealised(mark)
    }

    fn equity(&self, mark: i64) -> i128 {
        self.inner.equity(mark)
    }

    fn snapshot(&self) -> PyResult<Vec<u8>> {
        snapshot::encode(LEDGER, &self.inner)
    }

    #[staticmethod]
    fn from_snapshot(data: &[u8]) -> PyResult<Self> {
        Ok(Self { inner: snapshot::decode(LEDGER, "ledger", data)? })
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("ORDER_STATES", PyTuple::new(py, OrderState::ALL.map(OrderState::name))?)?;
    module.add("ORDER_EVENTS", PyTuple::new(py, OrderEvent::ALL.map(OrderEvent::name))?)?;
    module.add_function(wrap_pyfunction!(order_transition, module)?)?;
    module.add_function(wrap_pyfunction!(is_terminal, module)?)?;
    module.add_class::<PyLedger>()
}
