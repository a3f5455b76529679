//! What a detector tells when asked: the names it accepts, and the volume profile.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use smc_core::smc::config::SessionConfig;
use smc_core::smc::{Scope, TrailingExtreme, VolumeProfile};

/// Price, time of its bar, whether it is strong.
pub(super) type Extreme = (i64, i64, bool);

pub(super) const fn extreme(found: TrailingExtreme) -> Extreme {
    (found.price, found.formed_at, found.strong)
}

pub(super) fn parse_side(side: i8) -> PyResult<i8> {
    if side == 1 || side == -1 {
        return Ok(side);
    }
    Err(PyValueError::new_err(format!("side {side} is neither 1 (high) nor -1 (low)")))
}

pub(super) fn parse_reference(name: &str) -> PyResult<Scope> {
    named(name, &[Scope::Day, Scope::Week, Scope::NewYorkMidnight, Scope::NewYorkMorning], "reference open")
}

pub(super) fn parse_session(name: &str) -> PyResult<Scope> {
    named(name, &SessionConfig::default().windows().map(|(scope, _)| scope), "session")
}

fn named(name: &str, known: &[Scope], what: &str) -> PyResult<Scope> {
    known.iter().copied().find(|scope| scope.name() == name).ok_or_else(|| {
        let names: Vec<_> = known.iter().map(|scope| scope.name()).collect();
        PyValueError::new_err(format!("{what} {name:?} is not known; these are: {}", names.join(" ")))
    })
}

/// Where a period traded.
#[pyclass(name = "VolumeProfile", module = "smc_trading_agent._core", frozen, eq)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PyVolumeProfile {
    pub inner: VolumeProfile,
}

#[pymethods]
impl PyVolumeProfile {
    #[getter]
    const fn scope(&self) -> &'static str {
        self.inner.scope.name()
    }

    #[getter]
    const fn formed_at(&self) -> i64 {
        self.inner.formed_at
    }

    #[getter]
    const fn low(&self) -> i64 {
        self.inner.low
    }

    #[getter]
    const fn high(&self) -> i64 {
        self.inner.high
    }

    #[getter]
    const fn point_of_control(&self) -> i64 {
        self.inner.point_of_control
    }

    #[getter]
    const fn value_low(&self) -> i64 {
        self.inner.value_low
    }

    #[getter]
    const fn value_high(&self) -> i64 {
        self.inner.value_high
    }

    #[getter]
    const fn volume(&self) -> i128 {
        self.inner.volume
    }

    fn __repr__(&self) -> String {
        let p = &self.inner;
        format!(
            "VolumeProfile({}, point_of_control={}, value_low={}, value_high={}, volume={})",
            p.scope.name(),
            p.point_of_control,
            p.value_low,
            p.value_high,
            p.volume
        )
    }
}

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyVolumeProfile>()
}
