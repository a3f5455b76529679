//! The prefix audit, for `smc-agent verify`.

use pyo3::prelude::*;
use smc_core::smc::audit::{audit_prefixes as audit, AnalyzerPlan, PrefixAudit};

use crate::market::{parse_timeframe, value_error, PyBars, PyInstrument};
use crate::smc::parse_config;

/// What replaying prefixes found.
#[pyclass(name = "PrefixAudit", module = "smc_trading_agent._core", frozen)]
pub struct PyPrefixAudit {
    inner: PrefixAudit,
}

#[pymethods]
impl PyPrefixAudit {
    #[getter]
    const fn prefixes(&self) -> u64 {
        self.inner.prefixes
    }

    #[getter]
    const fn readings(&self) -> u64 {
        self.inner.readings
    }

    #[getter]
    const fn rewritten(&self) -> u64 {
        self.inner.rewritten
    }

    #[getter]
    const fn vanished(&self) -> u64 {
        self.inner.vanished
    }

    #[getter]
    const fn stream_equals_batch(&self) -> bool {
        self.inner.stream_equals_batch
    }
}

#[pyfunction]
#[allow(clippy::too_many_arguments, clippy::needless_pass_by_value)]
fn audit_prefixes(
    py: Python<'_>,
    instrument: &PyInstrument,
    base_timeframe: &str,
    decision_timeframe: &str,
    context_timeframes: Vec<String>,
    config_json: &str,
    bars: &PyBars,
    prefixes: Vec<usize>,
) -> PyResult<PyPrefixAudit> {
    let contexts: PyResult<Vec<_>> = context_timeframes.iter().map(|name| parse_timeframe(name)).collect();
    let plan = AnalyzerPlan {
        instrument: instrument.inner.clone(),
        base: parse_timeframe(base_timeframe)?,
        decision: parse_timeframe(decision_timeframe)?,
        contexts: contexts?,
        config: parse_config(config_json)?,
    };
    let bars = bars.inner.clone();
    let inner = py.detach(|| audit(&plan, &bars, &prefixes)).map_err(value_error)?;
    Ok(PyPrefixAudit { inner })
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyPrefixAudit>()?;
    module.add_function(wrap_pyfunction!(audit_prefixes, module)?)
}
