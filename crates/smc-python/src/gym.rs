//! The environment for policies of size and exit; steps release the GIL and write into the caller's arrays.

use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use smc_core::gym::{EpisodeOrder, GymTape, StepBuffers, Trade, TradeGym, SIZES, STATE_NAMES};

use crate::market::{same_length, value_error, PyBars};

type Integers<'py> = PyReadonlyArray1<'py, i64>;
type Floats<'py> = PyReadonlyArray1<'py, f32>;

fn values<'a, T: numpy::Element>(array: &'a PyReadonlyArray1<'_, T>) -> PyResult<&'a [T]> {
    array.as_slice().map_err(|_| PyValueError::new_err("an array is not contiguous; use numpy.ascontiguousarray"))
}

/// Many positions side by side, each lane going on with another trade when its own is over.
#[pyclass(name = "TradeGym", module = "smc_trading_agent._core")]
pub struct PyTradeGym {
    inner: TradeGym,
}

#[pymethods]
impl PyTradeGym {
    #[new]
    #[allow(clippy::too_many_arguments)]
    fn new(
        bars: &PyBars,
        long_view: PyReadonlyArray2<'_, f32>,
        short_view: PyReadonlyArray2<'_, f32>,
        begins: (Integers<'_>, Integers<'_>),
        side: Integers<'_>,
        levels: (Integers<'_>, Integers<'_>, Integers<'_>),
        deadline: Integers<'_>,
        cost: Floats<'_>,
        break_even: Floats<'_>,
        lanes: usize,
        seed: u64,
        shuffled: bool,
    ) -> PyResult<Self> {
        let rows = side.len();
        let (entry, stop, target) = (values(&levels.0)?, values(&levels.1)?, values(&levels.2)?);
        let (side, deadline) = (values(&side)?, values(&deadline)?);
        let (cost, break_even) = (values(&cost)?, values(&break_even)?);
        let (known, first) = (values(&begins.0)?, values(&begins.1)?);
        let lengths = [
            ("known_bar", known.len()),
            ("first_bar", first.len()),
            ("entry", entry.len()),
            ("stop", stop.len()),
            ("target", target.len()),
            ("deadline", deadline.len()),
            ("cost", cost.len()),
            ("break_even", break_even.len()),
        ];
        same_length(rows, &lengths)?;
        let trades = (0..rows).map(|row| Trade {
            known_bar: usize::try_from(known[row]).unwrap_or(usize::MAX),
            first_bar: usize::try_from(first[row]).unwrap_or(usize::MAX),
            side: i8::try_from(side[row]).unwrap_or(0),
            entry: entry[row],
            stop: stop[row],
            target: target[row],
            deadline: deadline[row],
            cost: cost[row],
            break_even: break_even[row],
        });
        let width = long_view.shape()[1];
        let view = |array: &PyReadonlyArray2<'_, f32>| array.as_array().iter().copied().collect();
        let tape = GymTape::new(bars.inner.to_vec(), view(&long_view), view(&short_view), width, trades.collect());
        let order = if shuffled { EpisodeOrder::Shuffled } else { EpisodeOrder::Sequential };
        let inner = TradeGym::new(tape.map_err(value_error)?, lanes, order, seed).map_err(value_error)?;
        Ok(Self { inner })
    }

    #[getter]
    fn lanes(&self) -> usize {
        self.inner.lanes()
    }

    #[getter]
    fn width(&self) -> usize {
        self.inner.width()
    }

    fn reset(&mut self, py: Python<'_>, observations: &Bound<'_, PyArray2<f32>>) -> PyResult<()> {
        let mut observations = observations.readwrite();
        let out = observations.as_slice_mut().map_err(value_error)?;
        let inner = &mut self.inner;
        py.detach(|| inner.reset(out)).map_err(value_error)
    }

    #[allow(clippy::too_many_arguments)]
    fn step(
        &mut self,
        py: Python<'_>,
        actions: Integers<'_>,
        observations: &Bound<'_, PyArray2<f32>>,
        terminal: &Bound<'_, PyArray2<f32>>,
        rewards: &Bound<'_, PyArray1<f32>>,
        dones: &Bound<'_, PyArray1<u8>>,
        trades: &Bound<'_, PyArray1<i64>>,
    ) -> PyResult<()> {
        let (mut observations, mut terminal) = (observations.readwrite(), terminal.readwrite());
        let (mut rewards, mut dones, mut trades) = (rewards.readwrite(), dones.readwrite(), trades.readwrite());
        let mut out = StepBuffers {
            observations: observations.as_slice_mut().map_err(value_error)?,
            terminal: terminal.as_slice_mut().map_err(value_error)?,
            rewards: rewards.as_slice_mut().map_err(value_error)?,
            dones: dones.as_slice_mut().map_err(value_error)?,
            trades: trades.as_slice_mut().map_err(value_error)?,
        };
        let actions = values(&actions)?;
        let inner = &mut self.inner;
        py.detach(|| inner.step(actions, &mut out)).map_err(value_error)
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add_class::<PyTradeGym>()?;
    module.add("GYM_SIZES", PyTuple::new(py, SIZES)?)?;
    module.add("GYM_STATE_NAMES", PyTuple::new(py, STATE_NAMES)?)
}
