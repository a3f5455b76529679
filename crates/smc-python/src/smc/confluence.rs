//! What speaks for and against a direction.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use smc_core::smc::{Analyzer, Confluence, Factor};

/// What speaks for and against a direction at a decision close; a feature, not calibrated.
#[pyclass(name = "Confluence", module = "smc_trading_agent._core", frozen, eq)]
#[derive(PartialEq, Eq)]
pub struct PyConfluence {
    inner: Confluence,
}

fn names<'py>(py: Python<'py>, factors: &[Factor]) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, factors.iter().map(|factor| factor.name()))
}

#[pymethods]
impl PyConfluence {
    #[getter]
    const fn direction(&self) -> i8 {
        self.inner.direction
    }

    #[getter]
    const fn score(&self) -> i64 {
        self.inner.score()
    }

    #[getter]
    fn supporting<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        names(py, &self.inner.supporting)
    }

    #[getter]
    fn opposing<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        names(py, &self.inner.opposing)
    }

    fn __repr__(&self) -> String {
        let text = |factors: &[Factor]| factors.iter().map(|factor| factor.name()).collect::<Vec<_>>().join(" ");
        let Confluence { direction, supporting, opposing } = &self.inner;
        format!(
            "Confluence({direction:+}, score={}, supporting: {}; opposing: {})",
            self.inner.score(),
            text(supporting),
            text(opposing)
        )
    }
}

impl PyConfluence {
    pub(super) fn of(analyzer: &Analyzer, direction: i64) -> PyResult<Self> {
        match direction {
            1 => Ok(Self { inner: analyzer.confluence(1) }),
            -1 => Ok(Self { inner: analyzer.confluence(-1) }),
            _ => Err(PyValueError::new_err(format!("direction {direction} is neither 1 (long) nor -1 (short)"))),
        }
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyConfluence>()?;
    module.add("CONFLUENCE_FACTORS", names(module.py(), Factor::ALL)?)
}
