//! Bars from trades.

use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use smc_core::market::{Trade, TradeBarBuilder};

use super::{column, parse_timeframe, same_length, value_error, PyBars};

/// Builds bars of one timeframe from trades; a bar closes when a trade of a later one arrives.
#[pyclass(name = "TradeBarBuilder", module = "smc_trading_agent._core")]
pub struct PyTradeBarBuilder {
    inner: TradeBarBuilder,
}

#[pymethods]
impl PyTradeBarBuilder {
    #[new]
    fn new(timeframe: &str) -> PyResult<Self> {
        Ok(Self { inner: TradeBarBuilder::new(parse_timeframe(timeframe)?) })
    }

    /// All trades are taken, or, after a ValueError, none.
    #[pyo3(signature = (time, price, quantity, taker_side = None))]
    fn update(
        &mut self,
        time: PyReadonlyArray1<'_, i64>,
        price: PyReadonlyArray1<'_, i64>,
        quantity: PyReadonlyArray1<'_, i64>,
        taker_side: Option<PyReadonlyArray1<'_, i8>>,
    ) -> PyResult<PyBars> {
        let (time, price, quantity) = (column(&time), column(&price), column(&quantity));
        let sides = taker_side.as_ref().map(column);
        let number_of_sides = sides.as_ref().map_or(time.len(), |column| column.len());
        same_length(
            time.len(),
            &[("price", price.len()), ("quantity", quantity.len()), ("taker_side", number_of_sides)],
        )?;
        let mut builder = self.inner.clone();
        let mut closed = Vec::new();
        for row in 0..time.len() {
            let taker_side = sides.as_ref().map_or(0, |column| column[row]);
            let trade = Trade { time: time[row], price: price[row], quantity: quantity[row], taker_side };
            closed.extend(builder.update(&trade).map_err(value_error)?);
        }
        self.inner = builder;
        Ok(PyBars::wrap(self.inner.timeframe(), closed))
    }

    fn close_until(&mut self, now: i64) -> PyBars {
        let closed = self.inner.close_until(now).into_iter().collect();
        PyBars::wrap(self.inner.timeframe(), closed)
    }
}
