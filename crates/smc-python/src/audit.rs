//! The proof against repainting, for `smc-agent verify`.

use std::num::NonZeroUsize;
use std::sync::Arc;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use smc_core::market::{Bar, Instrument};
use smc_core::smc::audit::{
    audit_prefixes, audit_restored, read_the_same, AnalyzerPlan, AnalyzerReader, AuditError, Counts, DivergenceReader,
    LegacyReader, PrefixAudit, Reader, RestoredAudit,
};
use smc_core::smc::divergence::moments;
use smc_core::smc::{Analyzer, AnalyzerError, DivergenceDetector};

use crate::market::{parse_timeframe, value_error, PyBars, PyInstrument};
use crate::smc::{parse_config, parse_divergence};
use crate::snapshot;

/// How often the watcher is called, at most.
const STEPS: u64 = 1_000;

/// Readings, rewritten, vanished, backdated.
type Four = (u64, u64, u64, u64);

const fn four(counts: &Counts) -> Four {
    (counts.readings, counts.rewritten, counts.vanished, counts.backdated)
}

/// What replaying prefixes found.
#[pyclass(name = "PrefixAudit", module = "smc_trading_agent._core", frozen, eq)]
#[derive(PartialEq, Eq)]
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
    const fn bars_read(&self) -> u64 {
        self.inner.bars_read
    }

    #[getter]
    const fn places(&self) -> u64 {
        self.inner.places
    }

    fn total(&self) -> Four {
        four(&self.inner.total())
    }

    fn events(&self) -> Vec<(&'static str, &'static str, Four)> {
        self.inner.events.iter().map(|(kind, counts)| (kind.concept().name(), kind.name(), four(counts))).collect()
    }

    fn columns(&self) -> Vec<(String, Four)> {
        self.inner.columns.iter().map(|(name, counts)| (name.clone(), four(counts))).collect()
    }

    fn zones(&self) -> Vec<(&'static str, (u64, u64, u64))> {
        let zones = self.inner.zones.iter();
        zones.map(|(kind, counts)| (kind.name(), (counts.sets, counts.zones, counts.differing))).collect()
    }
}

/// Runs an audit without the GIL, and tells `watch` now and then how far it is; what it raises ends the audit.
fn watched<R: Reader>(
    py: Python<'_>,
    reader: &R,
    bars: &[R::Item],
    lengths: &[usize],
    threads: usize,
    watch: &Py<PyAny>,
) -> PyResult<PyPrefixAudit>
where
    R::Error: std::fmt::Display,
{
    let threads = NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN);
    let (mut raised, mut told) = (None, 0);
    let found = py.detach(|| {
        audit_prefixes(reader, bars, lengths, threads, &mut |done, total| {
            if done < total && done * STEPS < (told + 1) * total {
                return true;
            }
            told = done * STEPS / total.max(1);
            let called = Python::attach(|py| watch.call1(py, (done, total)).map(|_| ()));
            raised = called.err();
            raised.is_none()
        })
    });
    match (found, raised) {
        (Ok(inner), _) => Ok(PyPrefixAudit { inner }),
        (Err(AuditError::Reader(error)), _) => Err(value_error(error)),
        (Err(AuditError::Stopped), Some(error)) => Err(error),
        (Err(AuditError::Stopped), None) => Err(PyRuntimeError::new_err("the audit stopped and nobody asked it to")),
    }
}

/// Why a restored analyzer cannot be compared.
enum Unrestored {
    Analyzer(AnalyzerError),
    Snapshot(PyErr),
}

impl From<AnalyzerError> for Unrestored {
    fn from(error: AnalyzerError) -> Self {
        Self::Analyzer(error)
    }
}

fn restored(analyzer: &Analyzer) -> Result<Analyzer, Unrestored> {
    let bytes = snapshot::encode(*b"SMCA", analyzer).map_err(Unrestored::Snapshot)?;
    snapshot::decode(*b"SMCA", "analyzer", &bytes).map_err(Unrestored::Snapshot)
}

/// Holds an analyzer's readings of parts of the bars against those of the whole.
#[pyclass(name = "ReadingAudit", module = "smc_trading_agent._core", frozen)]
pub struct PyReadingAudit {
    plan: AnalyzerPlan,
    bars: Arc<[Bar]>,
}

#[pymethods]
impl PyReadingAudit {
    #[new]
    #[allow(clippy::needless_pass_by_value)]
    fn new(
        instrument: &PyInstrument,
        decision_timeframe: &str,
        context_timeframes: Vec<String>,
        config_json: &str,
        bars: &PyBars,
    ) -> PyResult<Self> {
        let contexts: PyResult<Vec<_>> = context_timeframes.iter().map(|name| parse_timeframe(name)).collect();
        let plan = AnalyzerPlan {
            instrument: instrument.inner.clone(),
            base: bars.timeframe,
            decision: parse_timeframe(decision_timeframe)?,
            contexts: contexts?,
            config: parse_config(config_json)?,
        };
        Ok(Self { plan, bars: bars.inner.clone() })
    }

    #[allow(clippy::needless_pass_by_value)]
    fn prefixes(
        &self,
        py: Python<'_>,
        lengths: Vec<usize>,
        threads: usize,
        watch: Py<PyAny>,
    ) -> PyResult<PyPrefixAudit> {
        watched(py, &AnalyzerReader::batch(&self.plan), &self.bars, &lengths, threads, &watch)
    }

    #[allow(clippy::needless_pass_by_value)]
    fn stream_equals_batch(&self, py: Python<'_>, lengths: Vec<usize>) -> PyResult<bool> {
        let (batch, stream) = (AnalyzerReader::batch(&self.plan), AnalyzerReader::pieces(&self.plan, 1));
        py.detach(|| read_the_same(&batch, &stream, &self.bars, &lengths)).map_err(value_error)
    }

    #[allow(clippy::needless_pass_by_value)]
    fn restored(&self, py: Python<'_>, cuts: Vec<usize>) -> PyResult<(u64, u64, u64, u64)> {
        let found = py.detach(|| audit_restored(&self.plan, &self.bars, &cuts, restored));
        match found {
            Ok(RestoredAudit { restored, readings, differing_readings, differing_states }) => {
                Ok((restored, readings, differing_readings, differing_states))
            }
            Err(Unrestored::Analyzer(error)) => Err(value_error(error)),
            Err(Unrestored::Snapshot(error)) => Err(error),
        }
    }
}

/// The library's readings, or their causal twins, under the same audit.
#[pyfunction]
#[allow(clippy::needless_pass_by_value, clippy::too_many_arguments)]
fn audit_legacy(
    py: Python<'_>,
    instrument: &PyInstrument,
    bars: &PyBars,
    swing_length: usize,
    causal: bool,
    lengths: Vec<usize>,
    threads: usize,
    watch: Py<PyAny>,
) -> PyResult<PyPrefixAudit> {
    if swing_length == 0 || swing_length > usize::MAX / 4 {
        return Err(value_error(format!("swing_length is {swing_length}; use 1 or more bars")));
    }
    let instrument: &Instrument = &instrument.inner;
    watched(py, &LegacyReader { instrument, swing_length, causal }, &bars.inner, &lengths, threads, &watch)
}

/// The divergences of two instruments under the same audit; `lengths` count steps.
#[pyfunction]
#[allow(clippy::needless_pass_by_value)]
fn audit_divergence(
    py: Python<'_>,
    first: &PyBars,
    second: &PyBars,
    config_json: &str,
    lengths: Vec<usize>,
    threads: usize,
    watch: Py<PyAny>,
) -> PyResult<PyPrefixAudit> {
    let fresh = DivergenceDetector::new(first.timeframe, parse_divergence(config_json)?).map_err(value_error)?;
    let steps: Vec<_> = moments(&first.inner, &second.inner).map(|step| step.map(|bar| bar.copied())).collect();
    watched(py, &DivergenceReader::new(fresh), &steps, &lengths, threads, &watch)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyPrefixAudit>()?;
    module.add_class::<PyReadingAudit>()?;
    module.add_function(wrap_pyfunction!(audit_divergence, module)?)?;
    module.add_function(wrap_pyfunction!(audit_legacy, module)?)
}
