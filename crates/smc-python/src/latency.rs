//! Latency histograms and the facts of the build, as Python sees them.

use hdrhistogram::Histogram;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use std::collections::BTreeMap;

const MOST_NS: u64 = 60_000_000_000;
const DIGITS: u8 = 3;

/// HdrHistogram over nanoseconds, 1 ns to 60 s, three significant digits.
#[pyclass(name = "LatencyHistogram", module = "smc_trading_agent._core")]
pub struct PyLatencyHistogram {
    inner: Histogram<u64>,
}

#[pymethods]
impl PyLatencyHistogram {
    #[new]
    fn new() -> PyResult<Self> {
        let inner = Histogram::new_with_bounds(1, MOST_NS, DIGITS)
            .map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        Ok(Self { inner })
    }

    /// Adds one duration; below 1 ns counts as 1 ns, above 60 s as 60 s.
    fn record(&mut self, value_ns: i64) {
        self.inner.saturating_record(u64::try_from(value_ns).unwrap_or(0).clamp(1, MOST_NS));
    }

    fn percentile(&self, q: f64) -> PyResult<u64> {
        if !(0.0..=100.0).contains(&q) {
            return Err(PyValueError::new_err(format!("percentile {q} must lie in [0, 100]")));
        }
        Ok(if self.inner.is_empty() { 0 } else { self.inner.value_at_percentile(q).min(MOST_NS) })
    }

    #[getter]
    fn count(&self) -> u64 {
        self.inner.len()
    }

    #[getter]
    fn max(&self) -> u64 {
        self.inner.max().min(MOST_NS)
    }

    #[getter]
    fn mean(&self) -> f64 {
        self.inner.mean()
    }

    /// Adds the samples of another histogram, which may be this one.
    fn merge(slf: &Bound<'_, Self>, other: &Bound<'_, Self>) -> PyResult<()> {
        let samples = other.borrow().inner.clone();
        slf.borrow_mut().inner.add(&samples).map_err(|error| PyRuntimeError::new_err(error.to_string()))
    }

    fn reset(&mut self) {
        self.inner.reset();
    }
}

/// Version, profile and target of the compiled core.
#[pyfunction]
fn build_info() -> BTreeMap<&'static str, String> {
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    BTreeMap::from([
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("profile", profile.to_owned()),
        ("target", format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)),
    ])
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyLatencyHistogram>()?;
    module.add_function(wrap_pyfunction!(build_info, module)?)
}
