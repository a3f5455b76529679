//! What the book and the tape say between two bars.

use crate::market::book::PyOrderBook;
use crate::market::value_error;
use pyo3::prelude::*;
use smc_core::market::microstructure::{
    self, KyleLambda, Markouts, MicroPrice, MicroPriceModel, OrderFlowImbalance, Resilience, Vpin,
};

#[pyfunction]
fn weighted_mid(bid: (i64, i64), ask: (i64, i64)) -> PyResult<f64> {
    microstructure::weighted_mid(bid, ask).map_err(value_error)
}

#[pyfunction]
fn effective_spread(side: i8, price: i64, bid: i64, ask: i64) -> i64 {
    microstructure::effective_spread(side, price, bid, ask)
}

#[pyclass(name = "MicroPrice", module = "smc_trading_agent._core")]
pub struct PyMicroPrice {
    inner: MicroPrice,
}

#[pymethods]
impl PyMicroPrice {
    #[new]
    fn new(buckets: usize, spreads: usize) -> PyResult<Self> {
        Ok(Self { inner: MicroPrice::new(buckets, spreads).map_err(value_error)? })
    }

    fn on_quote(&mut self, bid: (i64, i64), ask: (i64, i64)) -> PyResult<()> {
        self.inner.on_quote(bid, ask).map_err(value_error)
    }

    #[pyo3(signature = (iterations = 100))]
    fn fit(&self, iterations: usize) -> PyResult<PyMicroPriceModel> {
        Ok(PyMicroPriceModel { inner: self.inner.fit(iterations).map_err(value_error)? })
    }
}

#[pyclass(name = "MicroPriceModel", module = "smc_trading_agent._core", frozen)]
pub struct PyMicroPriceModel {
    inner: MicroPriceModel,
}

#[pymethods]
impl PyMicroPriceModel {
    fn price(&self, bid: (i64, i64), ask: (i64, i64)) -> PyResult<f64> {
        self.inner.price(bid, ask).map_err(value_error)
    }

    #[getter]
    fn adjustments(&self) -> Vec<f64> {
        self.inner.adjustments().to_vec()
    }
}

#[pyclass(name = "OrderFlowImbalance", module = "smc_trading_agent._core")]
pub struct PyOrderFlowImbalance {
    inner: OrderFlowImbalance,
    levels: usize,
}

#[pymethods]
impl PyOrderFlowImbalance {
    #[new]
    fn new(levels: usize, window_ns: i64) -> PyResult<Self> {
        Ok(Self { inner: OrderFlowImbalance::new(levels, window_ns).map_err(value_error)?, levels })
    }

    fn on_book(&mut self, time: i64, book: &PyOrderBook) -> PyResult<()> {
        let side = |side| book.inner.levels(side, self.levels).map_err(value_error);
        self.inner.on_book(time, &side(1)?, &side(-1)?);
        Ok(())
    }

    #[getter]
    fn sums(&self) -> Vec<i64> {
        self.inner.sums().to_vec()
    }
}

#[pyclass(name = "KyleLambda", module = "smc_trading_agent._core")]
pub struct PyKyleLambda {
    inner: KyleLambda,
}

#[pymethods]
impl PyKyleLambda {
    #[new]
    fn new(half_life: f64) -> PyResult<Self> {
        Ok(Self { inner: KyleLambda::new(half_life).map_err(value_error)? })
    }

    fn observe(&mut self, signed_lots: f64, ticks: f64) -> PyResult<()> {
        self.inner.observe(signed_lots, ticks).map_err(value_error)
    }

    #[getter]
    fn estimate(&self) -> Option<(f64, f64, f64)> {
        self.inner.estimate().map(|found| (found.lambda, found.standard_error, found.observations))
    }
}

type MarkoutRow = (i64, u64, Option<f64>, Option<f64>);

#[pyclass(name = "Markouts", module = "smc_trading_agent._core")]
pub struct PyMarkouts {
    inner: Markouts,
}

#[pymethods]
impl PyMarkouts {
    #[new]
    fn new(horizons_ns: Vec<i64>) -> PyResult<Self> {
        Ok(Self { inner: Markouts::new(&horizons_ns).map_err(value_error)? })
    }

    fn on_quote(&mut self, time: i64, bid: i64, ask: i64) -> PyResult<()> {
        self.inner.on_quote(time, bid, ask).map_err(value_error)
    }

    fn on_trade(&mut self, time: i64, side: i8, price: i64) -> PyResult<bool> {
        self.inner.on_trade(time, side, price).map_err(value_error)
    }

    #[getter]
    fn effective_spread(&self) -> Option<f64> {
        self.inner.effective_spread()
    }

    #[getter]
    fn horizons(&self) -> Vec<MarkoutRow> {
        self.inner.horizons().iter().map(|one| (one.horizon_ns(), one.count(), one.mean(), one.z_score())).collect()
    }
}

#[pyclass(name = "Resilience", module = "smc_trading_agent._core")]
pub struct PyResilience {
    inner: Resilience,
}

#[pymethods]
impl PyResilience {
    #[new]
    fn new(trigger: f64, weight: f64, longest_ns: i64) -> PyResult<Self> {
        Ok(Self { inner: Resilience::new(trigger, weight, longest_ns).map_err(value_error)? })
    }

    fn observe(&mut self, time: i64, value: f64) -> PyResult<Option<f64>> {
        self.inner.observe(time, value).map_err(value_error)
    }

    #[getter]
    fn half_life(&self) -> Option<f64> {
        self.inner.half_life()
    }

    #[getter]
    fn rate(&self) -> Option<f64> {
        self.inner.rate()
    }

    #[getter]
    const fn episodes(&self) -> (u64, u64) {
        self.inner.episodes()
    }
}

#[pyclass(name = "Vpin", module = "smc_trading_agent._core")]
pub struct PyVpin {
    inner: Vpin,
}

#[pymethods]
impl PyVpin {
    #[new]
    fn new(bucket: i64, buckets: usize) -> PyResult<Self> {
        Ok(Self { inner: Vpin::new(bucket, buckets).map_err(value_error)? })
    }

    fn on_trade(&mut self, side: i8, lots: i64) -> PyResult<()> {
        self.inner.on_trade(side, lots).map_err(value_error)
    }

    #[getter]
    fn value(&self) -> Option<f64> {
        self.inner.value()
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(weighted_mid, module)?)?;
    module.add_function(wrap_pyfunction!(effective_spread, module)?)?;
    module.add_class::<PyMicroPrice>()?;
    module.add_class::<PyMicroPriceModel>()?;
    module.add_class::<PyOrderFlowImbalance>()?;
    module.add_class::<PyKyleLambda>()?;
    module.add_class::<PyMarkouts>()?;
    module.add_class::<PyResilience>()?;
    module.add_class::<PyVpin>()
}
