//! Rows that models see, one at a time; decision_engine/ensemble/inputs.py says what they are.

use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use smc_core::features::{largest, RowMirror, RowScaler};

fn values<'a>(array: &'a PyReadonlyArray1<'_, f64>) -> PyResult<&'a [f64]> {
    array.as_slice().map_err(|_| PyValueError::new_err("a row is not contiguous; use numpy.ascontiguousarray"))
}

fn wrong_width(found: usize, expected: usize) -> PyErr {
    PyValueError::new_err(format!("a row has {found} columns, expected {expected}"))
}

/// A feature vector as it is, or upside down.
#[pyclass(name = "RowMirror", module = "smc_trading_agent._core", frozen)]
pub struct PyRowMirror {
    inner: RowMirror,
}

#[pymethods]
impl PyRowMirror {
    #[new]
    fn new(index: Vec<usize>, sign: Vec<f64>, offset: Vec<f64>) -> PyResult<Self> {
        let inner = RowMirror::new(index, sign, offset)
            .ok_or_else(|| PyValueError::new_err("index, sign and offset must be alike long, and indices columns"))?;
        Ok(Self { inner })
    }

    /// The features (F,) and behind them room for `more` columns, which are 0.
    fn row<'py>(
        &self,
        py: Python<'py>,
        features: &Bound<'py, PyTuple>,
        flipped: bool,
        more: usize,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let width = self.inner.width();
        if features.len() != width {
            return Err(wrong_width(features.len(), width));
        }
        let mut row = Vec::with_capacity(width);
        for place in 0..width {
            row.push(features.get_item(place)?.extract::<f64>()?);
        }
        let mut out = vec![0.0; width + more];
        self.inner.write(&row, flipped, &mut out);
        Ok(PyArray1::from_vec(py, out))
    }
}

/// A scaling ready for use on single rows.
#[pyclass(name = "RowScaler", module = "smc_trading_agent._core", frozen)]
pub struct PyRowScaler {
    inner: RowScaler,
}

#[pymethods]
impl PyRowScaler {
    #[new]
    fn new(centre: Vec<f64>, factor: Vec<f64>, limit: f64) -> PyResult<Self> {
        let inner = RowScaler::new(centre, factor, limit)
            .ok_or_else(|| PyValueError::new_err("a scaling needs as many centres as factors"))?;
        Ok(Self { inner })
    }

    fn apply<'py>(&self, py: Python<'py>, row: PyReadonlyArray1<'_, f64>) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let row = values(&row)?;
        let width = self.inner.width();
        if row.len() != width {
            return Err(wrong_width(row.len(), width));
        }
        let mut out = vec![0.0; width];
        self.inner.write(row, &mut out);
        Ok(PyArray1::from_vec(py, out))
    }
}

#[pyfunction]
fn largest_of(row: PyReadonlyArray1<'_, f64>, count: usize) -> PyResult<Vec<usize>> {
    Ok(largest(values(&row)?, count))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyRowMirror>()?;
    module.add_class::<PyRowScaler>()?;
    module.add_function(wrap_pyfunction!(largest_of, module)?)
}
