//! SMT divergence between two instruments.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use smc_core::smc::config::DivergenceConfig;
use smc_core::smc::divergence::Anchor;
use smc_core::smc::DivergenceDetector;

use super::{wrap_events, PyEvent};
use crate::market::{parse_timeframe, value_error, PyBar, PyBars};
use crate::snapshot;

/// Parameters from JSON; `ValueError` names an unknown key.
pub(crate) fn parse_divergence(config_json: &str) -> PyResult<DivergenceConfig> {
    serde_json::from_str(config_json)
        .map_err(|error| PyValueError::new_err(format!("divergence configuration: {error}")))
}

/// Finds divergences between two instruments as their bars close.
#[pyclass(name = "DivergenceDetector", module = "smc_trading_agent._core")]
pub struct PyDivergenceDetector {
    inner: DivergenceDetector,
}

#[pymethods]
impl PyDivergenceDetector {
    #[new]
    #[pyo3(signature = (timeframe, config_json = "{}"))]
    fn new(timeframe: &str, config_json: &str) -> PyResult<Self> {
        let config = parse_divergence(config_json)?;
        Ok(Self { inner: DivergenceDetector::new(parse_timeframe(timeframe)?, config).map_err(value_error)? })
    }

    #[pyo3(signature = (first, second))]
    fn update(&mut self, first: Option<&PyBar>, second: Option<&PyBar>) -> PyResult<Vec<PyEvent>> {
        let mut events = Vec::new();
        let (first, second) = (first.map(|bar| &bar.inner), second.map(|bar| &bar.inner));
        self.inner.update(first, second, &mut events).map_err(value_error)?;
        Ok(wrap_events(&events))
    }

    fn run(&mut self, py: Python<'_>, first: &PyBars, second: &PyBars) -> PyResult<Vec<PyEvent>> {
        let detector = &mut self.inner;
        let events = py.detach(|| {
            let mut events = Vec::new();
            detector.run(&first.inner, &second.inner, &mut events).map(|()| events)
        });
        Ok(wrap_events(&events.map_err(value_error)?))
    }

    fn live(&self) -> Vec<PyEvent> {
        wrap_events(&self.inner.live())
    }

    #[allow(clippy::type_complexity)]
    fn anchors(&self, event_id: u64) -> Option<(((i64, i64), (i64, i64)), ((i64, i64), (i64, i64)))> {
        let [first, second] = self.inner.anchors(event_id)?;
        let both = |[older, newer]: [Anchor; 2]| ((older.time, older.price), (newer.time, newer.price));
        Some((both(first), both(second)))
    }

    #[getter]
    fn steps(&self) -> u64 {
        self.inner.steps()
    }

    fn snapshot(&self) -> PyResult<Vec<u8>> {
        snapshot::encode(*b"SMCS", &self.inner)
    }

    #[staticmethod]
    fn from_snapshot(data: &[u8]) -> PyResult<Self> {
        Ok(Self { inner: snapshot::decode(*b"SMCS", "divergence detector", data)? })
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyDivergenceDetector>()
}
