//! The L2 order book.

use pyo3::prelude::*;
use smc_core::market::OrderBook;

use super::value_error;

/// L2 book: absolute quantities by price level, best first.
#[pyclass(name = "OrderBook", module = "smc_trading_agent._core")]
#[derive(Default)]
pub struct PyOrderBook {
    pub inner: OrderBook,
}

#[pymethods]
impl PyOrderBook {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    fn apply(&mut self, side: i8, price: i64, quantity: i64) -> PyResult<()> {
        self.inner.apply(side, price, quantity).map(|_| ()).map_err(value_error)
    }

    fn clear(&mut self) {
        self.inner.clear();
    }

    #[getter]
    fn best_bid(&self) -> Option<(i64, i64)> {
        self.inner.best_bid()
    }

    #[getter]
    fn best_ask(&self) -> Option<(i64, i64)> {
        self.inner.best_ask()
    }

    #[getter]
    fn crossed(&self) -> bool {
        self.inner.crossed()
    }

    fn levels(&self, side: i8, depth: usize) -> PyResult<Vec<(i64, i64)>> {
        self.inner.levels(side, depth).map_err(value_error)
    }
}
