//! The risk of a book, as Python sees it. Errors carry their message and a stable code.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use smc_core::risk::{
    order_statistic, shrunk_correlation, Assessment, Instrument, RiskBook, RiskBookSettings, RiskError, RETURN_UNIT,
    STRESSES,
};

use crate::snapshot;

/// Snapshot tag of the book.
const RISK: [u8; 4] = *b"RISK";

fn refused(error: RiskError) -> PyErr {
    PyValueError::new_err((error.to_string(), error.code()))
}

/// The risk of the book with an order, beside that of the book alone; losses positive, in units of money.
#[pyclass(name = "RiskAssessment", module = "smc_trading_agent._core", frozen, eq)]
#[derive(PartialEq)]
pub struct PyRiskAssessment {
    inner: Assessment,
}

#[pymethods]
impl PyRiskAssessment {
    #[getter]
    const fn value_at_risk(&self) -> i64 {
        self.inner.value_at_risk
    }

    #[getter]
    const fn value_at_risk_before(&self) -> i64 {
        self.inner.value_at_risk_before
    }

    #[getter]
    const fn shortfall(&self) -> i64 {
        self.inner.shortfall
    }

    #[getter]
    const fn shortfall_before(&self) -> i64 {
        self.inner.shortfall_before
    }

    #[getter]
    const fn marginal(&self) -> i64 {
        self.inner.value_at_risk.saturating_sub(self.inner.value_at_risk_before)
    }

    #[getter]
    const fn marginal_shortfall(&self) -> i64 {
        self.inner.shortfall.saturating_sub(self.inner.shortfall_before)
    }

    #[getter]
    const fn parametric(&self) -> f64 {
        self.inner.parametric
    }

    #[getter]
    const fn ewma(&self) -> f64 {
        self.inner.ewma
    }

    #[getter]
    const fn worst_stress(&self) -> &'static str {
        STRESSES[self.inner.worst_stress].name
    }

    #[getter]
    const fn stress_loss(&self) -> i64 {
        self.inner.stress_loss
    }

    #[getter]
    const fn scenarios(&self) -> usize {
        self.inner.scenarios
    }

    #[getter]
    const fn uncovered(&self) -> i64 {
        self.inner.uncovered
    }

    #[getter]
    const fn data_time(&self) -> i64 {
        self.inner.data_time
    }

    fn __repr__(&self) -> String {
        let one = &self.inner;
        format!(
            "RiskAssessment(value_at_risk={}, shortfall={}, parametric={:.2}, ewma={:.2}, {}={}, scenarios={})",
            one.value_at_risk,
            one.shortfall,
            one.parametric,
            one.ewma,
            self.worst_stress(),
            one.stress_loss,
            one.scenarios
        )
    }
}

/// Positions in several instruments against the scenarios of their closes.
#[pyclass(name = "RiskBook", module = "smc_trading_agent._core")]
pub struct PyRiskBook {
    inner: RiskBook,
}

impl PyRiskBook {
    /// Holds exactly these notionals; a name that is not the book's changes nothing.
    fn synchronise(&mut self, positions: &Bound<'_, PyDict>) -> PyResult<()> {
        let wide = self.inner.notionals().len();
        let mut wanted = vec![0; wide];
        for (key, notional) in positions.iter() {
            let at = self.inner.index(key.cast::<PyString>()?.to_str()?).map_err(refused)?;
            wanted[at] = notional.extract()?;
        }
        (0..wide).for_each(|at| self.inner.hold(at, wanted[at]));
        Ok(())
    }
}

#[pymethods]
impl PyRiskBook {
    #[new]
    #[allow(clippy::too_many_arguments)]
    fn new(
        instruments: Vec<(String, String)>,
        window: usize,
        min_scenarios: usize,
        horizon: usize,
        confidence: f64,
        shortfall_confidence: f64,
        decay: f64,
        max_age_ns: i64,
        unknown_loss: f64,
    ) -> PyResult<Self> {
        let settings = RiskBookSettings {
            window,
            min_scenarios,
            horizon,
            confidence,
            shortfall_confidence,
            decay,
            max_age_ns,
            unknown_loss,
        };
        let named = instruments.into_iter().map(|(key, asset)| Instrument { key, asset });
        Ok(Self { inner: RiskBook::new(settings, named.collect()).map_err(refused)? })
    }

    fn on_bar(&mut self, time: i64, closes: &Bound<'_, PyDict>) -> PyResult<()> {
        let mut row = vec![None; self.inner.notionals().len()];
        for (key, close) in closes.iter() {
            let at = self.inner.index(key.cast::<PyString>()?.to_str()?).map_err(refused)?;
            row[at] = Some(close.extract()?);
        }
        self.inner.on_bar(time, &row).map_err(refused)
    }

    fn assess(
        &mut self,
        positions: &Bound<'_, PyDict>,
        instrument: &str,
        notional: i64,
        now: i64,
    ) -> PyResult<PyRiskAssessment> {
        self.synchronise(positions)?;
        let at = self.inner.index(instrument).map_err(refused)?;
        Ok(PyRiskAssessment { inner: self.inner.assess(at, notional, now).map_err(refused)? })
    }

    fn stress_losses(
        &mut self,
        positions: &Bound<'_, PyDict>,
        instrument: &str,
        notional: i64,
    ) -> PyResult<Vec<(&'static str, i64)>> {
        self.synchronise(positions)?;
        let at = self.inner.index(instrument).map_err(refused)?;
        let losses = self.inner.stress_losses(at, notional);
        Ok(STRESSES.iter().map(|stress| stress.name).zip(losses).collect())
    }

    fn clusters(
        &mut self,
        positions: &Bound<'_, PyDict>,
        instrument: &str,
        notional: i64,
        threshold: f64,
    ) -> PyResult<Vec<(Vec<String>, i128)>> {
        self.synchronise(positions)?;
        let at = self.inner.index(instrument).map_err(refused)?;
        let groups = self.inner.cluster_exposures(at, notional, threshold);
        let key = |&at: &usize| self.inner.scenarios().instruments()[at].key.clone();
        Ok(groups.into_iter().map(|(group, exposure)| (group.iter().map(key).collect(), exposure)).collect())
    }

    fn correlation(&mut self) -> Vec<Vec<f64>> {
        let wide = self.inner.notionals().len();
        self.inner.correlation().chunks(wide).map(<[f64]>::to_vec).collect()
    }

    #[getter]
    fn shrinkage(&mut self) -> f64 {
        self.inner.shrinkage()
    }

    #[getter]
    fn scenarios(&self) -> usize {
        self.inner.scenarios().len()
    }

    #[getter]
    const fn rows(&self) -> u64 {
        self.inner.scenarios().rows()
    }

    #[getter]
    const fn newest(&self) -> Option<i64> {
        self.inner.scenarios().newest()
    }

    fn newest_return(&self, instrument: &str) -> PyResult<Option<i64>> {
        let (at, scenarios) = (self.inner.index(instrument).map_err(refused)?, self.inner.scenarios());
        Ok(scenarios.newest_slot().map(|slot| scenarios.returns(at)[slot]))
    }

    fn returns(&self, instrument: &str) -> PyResult<Vec<i64>> {
        let (at, scenarios) = (self.inner.index(instrument).map_err(refused)?, self.inner.scenarios());
        let mut oldest_first = scenarios.returns(at).to_vec();
        let len = oldest_first.len();
        if len > 0 {
            oldest_first.rotate_left(scenarios.newest_slot().map_or(0, |slot| (slot + 1) % len));
        }
        Ok(oldest_first)
    }

    fn snapshot(&self) -> PyResult<Vec<u8>> {
        snapshot::encode(RISK, &self.inner)
    }

    #[staticmethod]
    fn from_snapshot(data: &[u8]) -> PyResult<Self> {
        let mut inner: RiskBook = snapshot::decode(RISK, "risk book", data)?;
        inner.rebuild();
        Ok(Self { inner })
    }
}

/// Shrunk correlations of columns, and the intensity; None where they can't be known.
#[pyfunction]
#[pyo3(name = "shrunk_correlation")]
fn py_shrunk_correlation(columns: Vec<Vec<f64>>) -> PyResult<Option<(Vec<Vec<f64>>, f64)>> {
    let lengths: Vec<(&str, usize)> = columns.iter().map(|column| ("of returns", column.len())).collect();
    crate::market::same_length(columns.first().map_or(0, Vec::len), &lengths)?;
    let wide = columns.len();
    let shrunk = shrunk_correlation(&columns);
    Ok(shrunk.map(|made| (made.correlation.chunks(wide).map(<[f64]>::to_vec).collect(), made.intensity)))
}

/// Which of the scenarios, counted from the worst, value at risk is read from.
#[pyfunction]
fn var_rank(scenarios: usize, confidence: f64) -> usize {
    order_statistic(scenarios, confidence)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add_class::<PyRiskAssessment>()?;
    module.add_class::<PyRiskBook>()?;
    module.add_function(wrap_pyfunction!(py_shrunk_correlation, module)?)?;
    module.add_function(wrap_pyfunction!(var_rank, module)?)?;
    module.add("RETURN_UNIT", RETURN_UNIT)?;
    let stresses = PyDict::new(py);
    for stress in STRESSES {
        let moves = PyDict::new(py);
        for (asset, points) in stress.moves {
            moves.set_item(asset, points)?;
        }
        let row = (stress.source, moves, stress.others, stress.against);
        stresses.set_item(stress.name, row.into_pyobject(py)?.cast_into::<PyTuple>()?)?;
    }
    module.add("STRESSES", stresses)
}
