//! Instruments, bars and the gate that raw candles pass, as Python sees them.

pub mod book;
mod quality;
mod trade_bars;

use std::borrow::Cow;
use std::sync::Arc;

use numpy::{Element, PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use smc_core::market::{Bar, GridError, Instrument, Timeframe};

/// A Rust error as the `ValueError` that carries its message.
pub(crate) fn value_error(error: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Parses a timeframe name, or raises the `ValueError` that lists the known ones.
pub(crate) fn parse_timeframe(name: &str) -> PyResult<Timeframe> {
    name.parse().map_err(value_error)
}

/// The values of a one-dimensional array, copied only where it is strided.
pub(crate) fn column<'a, T: Element + Copy>(array: &'a PyReadonlyArray1<'_, T>) -> Cow<'a, [T]> {
    array.as_slice().map_or_else(|_| array.as_array().iter().copied().collect(), Cow::Borrowed)
}

/// Refuses columns of unequal length, naming the first that differs.
pub(crate) fn same_length(expected: usize, columns: &[(&str, usize)]) -> PyResult<()> {
    match columns.iter().find(|(_, length)| *length != expected) {
        Some((name, length)) => Err(PyValueError::new_err(format!(
            "column {name} has {length} values where the first column has {expected}; give equal lengths"
        ))),
        None => Ok(()),
    }
}

/// One tradable symbol with exact price and quantity grids.
#[pyclass(name = "Instrument", module = "smc_trading_agent._core", frozen, eq)]
#[derive(Clone, PartialEq, Eq)]
pub struct PyInstrument {
    pub inner: Instrument,
}

#[pymethods]
impl PyInstrument {
    #[new]
    #[pyo3(signature = (venue, symbol, tick_size, lot_size, min_notional = "0"))]
    fn new(venue: &str, symbol: &str, tick_size: &str, lot_size: &str, min_notional: &str) -> PyResult<Self> {
        let inner = Instrument::new(venue, symbol, tick_size, lot_size, min_notional).map_err(value_error)?;
        Ok(Self { inner })
    }

    #[getter]
    fn venue(&self) -> &str {
        &self.inner.venue
    }

    #[getter]
    fn symbol(&self) -> &str {
        &self.inner.symbol
    }

    #[getter]
    fn key(&self) -> String {
        self.inner.key()
    }

    #[getter]
    fn tick_size(&self) -> String {
        self.inner.tick.format(1)
    }

    #[getter]
    fn lot_size(&self) -> String {
        self.inner.lot.format(1)
    }

    #[getter]
    fn min_notional(&self) -> i128 {
        self.inner.min_notional
    }

    fn price_to_ticks(&self, price: f64) -> PyResult<i64> {
        let ticks = self.inner.tick.exact(price).map_err(value_error)?;
        if ticks <= 0 {
            return Err(PyValueError::new_err(format!("price {price} is not positive")));
        }
        Ok(ticks)
    }

    fn round_price(&self, price: f64) -> PyResult<i64> {
        self.inner.tick.nearest(price).map_err(value_error)
    }

    fn ticks_to_price(&self, ticks: i64) -> f64 {
        self.inner.tick.value(ticks)
    }

    fn ticks_to_prices<'py>(&self, py: Python<'py>, ticks: PyReadonlyArray1<'py, i64>) -> Bound<'py, PyArray1<f64>> {
        let ticks = column(&ticks);
        PyArray1::from_iter(py, ticks.iter().map(|&ticks| self.inner.tick.value(ticks)))
    }

    fn quantity_to_lots(&self, quantity: f64) -> PyResult<i64> {
        floor_lots(&self.inner, quantity).map_err(value_error)
    }

    fn lots_to_quantity(&self, lots: i64) -> f64 {
        self.inner.lot.value(lots)
    }

    fn quote_from_str(&self, amount: &str) -> PyResult<i128> {
        self.inner.quote_from_str(amount).map_err(value_error)
    }

    fn quote_to_float(&self, units: i128) -> f64 {
        self.inner.quote_to_f64(units)
    }

    fn format_price(&self, ticks: i64) -> String {
        self.inner.tick.format(ticks)
    }

    fn format_quantity(&self, lots: i64) -> String {
        self.inner.lot.format(lots)
    }

    fn format_quote(&self, units: i128) -> String {
        self.inner.format_quote(units)
    }

    fn __repr__(&self) -> String {
        format!("Instrument({}, tick={}, lot={})", self.inner.key(), self.tick_size(), self.lot_size())
    }
}

/// Whole lots within `quantity`; a quantity on the grid up to double rounding keeps its last lot.
fn floor_lots(instrument: &Instrument, quantity: f64) -> Result<i64, GridError> {
    if let Ok(exact) = instrument.lot.exact(quantity) {
        return Ok(exact);
    }
    let nearest = instrument.lot.nearest(quantity)?;
    Ok(if instrument.lot.value(nearest) > quantity { nearest - 1 } else { nearest })
}

/// Length in nanoseconds of a named timeframe.
#[pyfunction]
fn timeframe_ns(timeframe: &str) -> PyResult<i64> {
    Ok(parse_timeframe(timeframe)?.ns())
}

/// One closed candle.
#[pyclass(name = "Bar", module = "smc_trading_agent._core", frozen, eq)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PyBar {
    pub inner: Bar,
}

#[pymethods]
impl PyBar {
    #[new]
    #[pyo3(signature = (open_time, close_time, open, high, low, close, volume = 0, taker_buy_volume = 0, trades = 0))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        open_time: i64,
        close_time: i64,
        open: i64,
        high: i64,
        low: i64,
        close: i64,
        volume: i64,
        taker_buy_volume: i64,
        trades: u32,
    ) -> PyResult<Self> {
        let inner = Bar { open_time, close_time, open, high, low, close, volume, taker_buy_volume, trades };
        inner.validate().map_err(value_error)?;
        Ok(Self { inner })
    }

    #[getter]
    fn open_time(&self) -> i64 {
        self.inner.open_time
    }

    #[getter]
    fn close_time(&self) -> i64 {
        self.inner.close_time
    }

    #[getter]
    fn open(&self) -> i64 {
        self.inner.open
    }

    #[getter]
    fn high(&self) -> i64 {
        self.inner.high
    }

    #[getter]
    fn low(&self) -> i64 {
        self.inner.low
    }

    #[getter]
    fn close(&self) -> i64 {
        self.inner.close
    }

    #[getter]
    fn volume(&self) -> i64 {
        self.inner.volume
    }

    #[getter]
    fn taker_buy_volume(&self) -> i64 {
        self.inner.taker_buy_volume
    }

    #[getter]
    fn trades(&self) -> u32 {
        self.inner.trades
    }

    fn __repr__(&self) -> String {
        let b = &self.inner;
        format!("Bar(open_time={}, open={}, high={}, low={}, close={})", b.open_time, b.open, b.high, b.low, b.close)
    }
}

/// An immutable run of bars of one timeframe, oldest first; slices share nothing with Python.
#[pyclass(name = "Bars", module = "smc_trading_agent._core", frozen)]
#[derive(Clone)]
pub struct PyBars {
    pub inner: Arc<[Bar]>,
    pub timeframe: Timeframe,
}

impl PyBars {
    /// Wraps bars that a trusted builder made.
    pub(crate) fn wrap(timeframe: Timeframe, bars: Vec<Bar>) -> Self {
        Self { inner: bars.into(), timeframe }
    }

    /// The bars `start..stop`, or an `IndexError` that names the bounds.
    pub fn slice_of(&self, start: usize, stop: usize) -> PyResult<&[Bar]> {
        self.inner
            .get(start..stop)
            .ok_or_else(|| PyIndexError::new_err(format!("slice {start}..{stop} lies outside 0..{}", self.inner.len())))
    }
}

#[pymethods]
impl PyBars {
    #[staticmethod]
    fn from_list(timeframe: &str, bars: Vec<PyRef<'_, PyBar>>) -> PyResult<Self> {
        let timeframe = parse_timeframe(timeframe)?;
        let bars: Vec<Bar> = bars.iter().map(|bar| bar.inner).collect();
        for bar in &bars {
            let aligned = timeframe.open_of(bar.open_time) == bar.open_time;
            if !aligned || bar.close_time.saturating_sub(bar.open_time) != timeframe.ns() {
                return Err(PyValueError::new_err(format!(
                    "bar {}..{} is not an aligned {timeframe} bar",
                    bar.open_time, bar.close_time
                )));
            }
        }
        if let Some(pair) = bars.windows(2).find(|pair| pair[1].open_time <= pair[0].open_time) {
            return Err(PyValueError::new_err(format!(
                "bar at {} follows bar at {}; give bars oldest first, each once",
                pair[1].open_time, pair[0].open_time
            )));
        }
        Ok(Self::wrap(timeframe, bars))
    }

    #[staticmethod]
    fn concat(parts: Vec<PyRef<'_, Self>>) -> PyResult<Self> {
        let Some(timeframe) = parts.first().map(|part| part.timeframe) else {
            return Err(PyValueError::new_err("concat needs at least one part"));
        };
        let mut bars: Vec<Bar> = Vec::with_capacity(parts.iter().map(|part| part.inner.len()).sum());
        for part in &parts {
            let (last, first) = (bars.last(), part.inner.first());
            if part.timeframe != timeframe || matches!((last, first), (Some(a), Some(b)) if b.open_time <= a.open_time)
            {
                return Err(PyValueError::new_err(format!(
                    "concat needs {timeframe} parts, oldest first, each bar once"
                )));
            }
            bars.extend_from_slice(&part.inner);
        }
        Ok(Self::wrap(timeframe, bars))
    }

    #[getter]
    fn timeframe(&self) -> &'static str {
        self.timeframe.name()
    }

    fn __len__(&self) -> usize {
        self.inner.len()
    }

    fn __getitem__(&self, index: isize) -> PyResult<PyBar> {
        let length = self.inner.len() as isize;
        let position = if index < 0 { index + length } else { index };
        usize::try_from(position)
            .ok()
            .and_then(|position| self.inner.get(position))
            .map(|&inner| PyBar { inner })
            .ok_or_else(|| PyIndexError::new_err(format!("bar {index} of {length}")))
    }

    /// A copy of the bars `start..stop`; bounds beyond the end are clipped, as Python slices are.
    fn slice(&self, start: usize, stop: usize) -> PyResult<Self> {
        let stop = stop.min(self.inner.len());
        let bars = self.slice_of(start.min(stop), stop)?;
        Ok(Self { inner: bars.into(), timeframe: self.timeframe })
    }

    fn columns<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let columns = PyDict::new(py);
        for (name, value) in COLUMNS {
            let array = PyArray1::<i64>::zeros(py, self.inner.len(), false);
            {
                let mut view = array.readwrite();
                for (slot, bar) in view.as_slice_mut()?.iter_mut().zip(self.inner.iter()) {
                    *slot = value(bar);
                }
            }
            columns.set_item(name, array)?;
        }
        Ok(columns)
    }

    fn __repr__(&self) -> String {
        format!("Bars({}, {} bars)", self.timeframe, self.inner.len())
    }
}

type Column = (&'static str, fn(&Bar) -> i64);

const COLUMNS: [Column; 9] = [
    ("open_time", |b| b.open_time),
    ("close_time", |b| b.close_time),
    ("open", |b| b.open),
    ("high", |b| b.high),
    ("low", |b| b.low),
    ("close", |b| b.close),
    ("volume", |b| b.volume),
    ("taker_buy_volume", |b| b.taker_buy_volume),
    ("trades", |b| i64::from(b.trades)),
];

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyInstrument>()?;
    module.add_class::<PyBar>()?;
    module.add_class::<PyBars>()?;
    module.add_class::<quality::PyQualityGate>()?;
    module.add_class::<trade_bars::PyTradeBarBuilder>()?;
    module.add_class::<book::PyOrderBook>()?;
    module.add_function(wrap_pyfunction!(timeframe_ns, module)?)
}
