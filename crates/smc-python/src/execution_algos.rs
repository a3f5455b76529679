//! Schedules, the router and microstructure, as Python sees them.

use pyo3::prelude::*;

mod microstructure;
mod router;
mod schedule;

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    schedule::register(module)?;
    router::register(module)?;
    microstructure::register(module)
}
