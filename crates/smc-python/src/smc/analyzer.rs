//! The analyzer of several timeframes.

use numpy::PyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use smc_core::market::{ClosedBar, Timeframe};
use smc_core::smc::{Analyzer, Detector, Step};

use super::confluence::PyConfluence;
use super::{parse_config, parse_scope, wrap_events, wrap_zones, PyEvent, PyZone};
use crate::market::{parse_timeframe, value_error, PyBar, PyBars, PyInstrument};
use crate::snapshot;

/// A closed bar with its timeframe.
#[pyclass(name = "ClosedBar", module = "smc_trading_agent._core", frozen)]
pub struct PyClosedBar {
    inner: ClosedBar,
}

#[pymethods]
impl PyClosedBar {
    #[getter]
    fn timeframe(&self) -> &'static str {
        self.inner.timeframe.name()
    }

    #[getter]
    fn bar(&self) -> PyBar {
        PyBar { inner: self.inner.bar }
    }
}

/// How far the analyzer read, and what that closed.
#[pyclass(name = "Step", module = "smc_trading_agent._core", frozen)]
pub struct PyStep {
    inner: Step,
}

#[pymethods]
impl PyStep {
    #[getter]
    fn end(&self) -> usize {
        self.inner.end
    }

    #[getter]
    fn closed(&self) -> Vec<PyClosedBar> {
        self.inner.closed.iter().map(|&inner| PyClosedBar { inner }).collect()
    }

    #[getter]
    fn events(&self) -> Vec<PyEvent> {
        wrap_events(&self.inner.events)
    }

    #[getter]
    fn decision_bar(&self) -> Option<PyBar> {
        self.inner.decision_bar.map(|inner| PyBar { inner })
    }
}

/// Several timeframes at once, built from one base stream; stops at each close of the decision timeframe.
#[pyclass(name = "Analyzer", module = "smc_trading_agent._core")]
pub struct PyAnalyzer {
    inner: Analyzer,
}

impl PyAnalyzer {
    fn detector(&self, timeframe: &str) -> PyResult<&Detector> {
        let wanted = parse_timeframe(timeframe)?;
        self.inner.detector(wanted).ok_or_else(|| {
            let known: Vec<_> = self.inner.timeframes().map(Timeframe::name).collect();
            PyValueError::new_err(format!("timeframe {timeframe:?} is not analysed; these are: {}", known.join(" ")))
        })
    }
}

#[pymethods]
impl PyAnalyzer {
    #[new]
    #[pyo3(signature = (instrument, base_timeframe, decision_timeframe, context_timeframes, config_json = "{}"))]
    fn new(
        instrument: &PyInstrument,
        base_timeframe: &str,
        decision_timeframe: &str,
        context_timeframes: Vec<String>,
        config_json: &str,
    ) -> PyResult<Self> {
        let contexts: PyResult<Vec<_>> = context_timeframes.iter().map(|name| parse_timeframe(name)).collect();
        let inner = Analyzer::new(
            instrument.inner.clone(),
            parse_timeframe(base_timeframe)?,
            parse_timeframe(decision_timeframe)?,
            &contexts?,
            parse_config(config_json)?,
        );
        Ok(Self { inner: inner.map_err(value_error)? })
    }

    #[getter]
    fn timeframes(&self) -> Vec<&'static str> {
        self.inner.timeframes().map(Timeframe::name).collect()
    }

    fn advance(&mut self, bars: &PyBars, start: usize) -> PyResult<PyStep> {
        Ok(PyStep { inner: self.inner.advance(&bars.inner, start).map_err(value_error)? })
    }

    fn features<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        PyArray1::from_slice(py, self.inner.features())
    }

    fn confluence(&self, direction: i64) -> PyResult<PyConfluence> {
        PyConfluence::of(&self.inner, direction)
    }

    fn zones(&self, timeframe: &str) -> PyResult<Vec<PyZone>> {
        Ok(wrap_zones(self.detector(timeframe)?))
    }

    fn bias(&self, timeframe: &str, scope: &str) -> PyResult<i8> {
        Ok(self.detector(timeframe)?.bias(parse_scope(scope)?))
    }

    fn dealing_range(&self, timeframe: &str) -> PyResult<Option<(i64, i64)>> {
        Ok(self.detector(timeframe)?.dealing_range().map(|range| (range.low, range.high)))
    }

    fn atr(&self, timeframe: &str) -> PyResult<f64> {
        Ok(self.detector(timeframe)?.atr().unwrap_or(f64::NAN))
    }

    fn snapshot(&self) -> PyResult<Vec<u8>> {
        snapshot::encode(*b"SMCA", &self.inner)
    }

    #[staticmethod]
    fn from_snapshot(data: &[u8]) -> PyResult<Self> {
        Ok(Self { inner: snapshot::decode(*b"SMCA", "analyzer", data)? })
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyClosedBar>()?;
    module.add_class::<PyStep>()?;
    module.add_class::<PyAnalyzer>()
}
