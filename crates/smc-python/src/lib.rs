//! The Python module `smc_trading_agent._core`: thin wrappers over `smc-core`.

use pyo3::prelude::*;

mod audit;
mod book_venue;
mod execution;
mod execution_algos;
mod gym;
mod latency;
mod legacy;
mod market;
mod risk;
mod rows;
mod sim;
mod smc;
mod snapshot;
mod study;

/// Columns come and go with every call; the system's allocator gives such memory back at once, and a new page for each
/// 4 KiB costs more than what is computed into it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    market::register(module)?;
    smc::register(module)?;
    audit::register(module)?;
    execution::register(module)?;
    execution_algos::register(module)?;
    sim::register(module)?;
    book_venue::register(module)?;
    latency::register(module)?;
    gym::register(module)?;
    rows::register(module)?;
    legacy::register(module)?;
    risk::register(module)?;
    study::register(module)
}
