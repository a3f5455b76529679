//! Base rates and surrogate markets, for `smc-agent base-rates` and the pages on the concepts.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use smc_core::market::aggregate;
use smc_core::smc::{DetectorConfig, ZoneKind};
use smc_core::study::{
    divergence_counts as count_pair, hit_counts as count, surrogate, HitCount, StudySettings, SurrogateKind,
};

use crate::market::{parse_timeframe, value_error, PyBars};
use crate::smc::{parse_config, parse_divergence};

/// What became of the records of one kind and scope.
#[pyclass(name = "HitCount", module = "smc_trading_agent._core", frozen)]
pub struct PyHitCount {
    inner: HitCount,
}

#[pymethods]
impl PyHitCount {
    #[getter]
    const fn kind(&self) -> &'static str {
        self.inner.kind.name()
    }

    #[getter]
    const fn scope(&self) -> &'static str {
        self.inner.scope.name()
    }

    #[getter]
    const fn test(&self) -> &'static str {
        self.inner.test.name()
    }

    #[getter]
    const fn found(&self) -> u64 {
        self.inner.found
    }

    #[getter]
    const fn untested(&self) -> u64 {
        self.inner.untested
    }

    #[getter]
    const fn untouched(&self) -> u64 {
        self.inner.untouched
    }

    #[getter]
    const fn hits(&self) -> u64 {
        self.inner.hits
    }

    #[getter]
    const fn misses(&self) -> u64 {
        self.inner.misses
    }

    #[getter]
    const fn ambiguous(&self) -> u64 {
        self.inner.ambiguous
    }

    #[getter]
    const fn unresolved(&self) -> u64 {
        self.inner.unresolved
    }

    #[getter]
    const fn effective(&self) -> f64 {
        self.inner.effective
    }
}

#[pyfunction]
#[pyo3(signature = (bars, config_json = "{}", atr_multiple = 1.0, time_limit = 500, block = 200))]
fn hit_counts(
    py: Python<'_>,
    bars: &PyBars,
    config_json: &str,
    atr_multiple: f64,
    time_limit: u32,
    block: u32,
) -> PyResult<Vec<PyHitCount>> {
    let config = parse_config(config_json)?;
    let settings = StudySettings { atr_multiple, time_limit, block };
    let counted = py.detach(|| count(&bars.inner, bars.timeframe, config, settings)).map_err(value_error)?;
    Ok(counted.into_iter().map(|inner| PyHitCount { inner }).collect())
}

#[pyfunction]
#[pyo3(signature = (
    first, second, config_json = "{}", atr_period = 14, atr_multiple = 1.0, time_limit = 500, block = 200
))]
#[allow(clippy::too_many_arguments)]
fn divergence_counts(
    py: Python<'_>,
    first: &PyBars,
    second: &PyBars,
    config_json: &str,
    atr_period: u32,
    atr_multiple: f64,
    time_limit: u32,
    block: u32,
) -> PyResult<Vec<PyHitCount>> {
    let config = parse_divergence(config_json)?;
    let settings = StudySettings { atr_multiple, time_limit, block };
    let counted = py
        .detach(|| count_pair([&first.inner, &second.inner], first.timeframe, config, atr_period, settings))
        .map_err(value_error)?;
    Ok(counted.into_iter().map(|inner| PyHitCount { inner }).collect())
}

#[pyfunction]
fn surrogate_bars(py: Python<'_>, bars: &PyBars, kind: &str, seed: u64, number: u64) -> PyResult<PyBars> {
    let kind = SurrogateKind::ALL.iter().find(|known| known.name() == kind).ok_or_else(|| {
        let known: Vec<_> = SurrogateKind::ALL.iter().map(|kind| kind.name()).collect();
        PyValueError::new_err(format!("there is no surrogate {kind:?}; use one of: {}", known.join(" ")))
    })?;
    let made = py.detach(|| surrogate(&bars.inner, *kind, seed, number)).map_err(value_error)?;
    Ok(PyBars::wrap(bars.timeframe, made))
}

#[pyfunction]
fn aggregate_bars(py: Python<'_>, bars: &PyBars, timeframe: &str) -> PyResult<PyBars> {
    let target = parse_timeframe(timeframe)?;
    let made = py.detach(|| aggregate(&bars.inner, bars.timeframe, target)).map_err(value_error)?;
    Ok(PyBars::wrap(target, made))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let defaults = serde_json::to_string(&DetectorConfig::default()).map_err(value_error)?;
    module.add("DETECTOR_DEFAULTS", defaults)?;
    let (levels, zones): (Vec<ZoneKind>, Vec<ZoneKind>) = ZoneKind::ALL.iter().partition(|kind| kind.is_level());
    for (name, kinds) in [("AREA_KINDS", zones), ("LEVEL_KINDS", levels)] {
        module.add(name, PyTuple::new(module.py(), kinds.iter().map(|kind| kind.creation().name()))?)?;
    }
    module.add_class::<PyHitCount>()?;
    module.add_function(wrap_pyfunction!(hit_counts, module)?)?;
    module.add_function(wrap_pyfunction!(divergence_counts, module)?)?;
    module.add_function(wrap_pyfunction!(surrogate_bars, module)?)?;
    module.add_function(wrap_pyfunction!(aggregate_bars, module)?)
}
