//! The functions behind `smc_trading_agent.smc_detector.compat`, over NumPy columns; the GIL is released.

use std::borrow::Cow;

use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use smc_core::legacy::{self, Breaking, Candles, Column, KnownSwing, LegacyError, Period, Window};

use crate::market::{column, same_length, value_error};

type Columns<'py> = Vec<Bound<'py, PyArray1<f64>>>;
type Input<'py> = PyReadonlyArray1<'py, f64>;
/// Open, high, low, close.
type PriceInputs<'py> = (Input<'py>, Input<'py>, Input<'py>, Input<'py>);
/// HighLow, Level and, where the swings are causal, AnchorIndex.
type SwingInputs<'py> = (Input<'py>, Input<'py>, Option<Input<'py>>);

fn outputs(py: Python<'_>, columns: Vec<Column>) -> Columns<'_> {
    columns.into_iter().map(|values| PyArray1::from_vec(py, values)).collect()
}

struct Prices<'a> {
    open: Cow<'a, [f64]>,
    high: Cow<'a, [f64]>,
    low: Cow<'a, [f64]>,
    close: Cow<'a, [f64]>,
}

impl<'a> Prices<'a> {
    fn read((open, high, low, close): &'a PriceInputs<'_>) -> PyResult<Self> {
        let prices = Self { open: column(open), high: column(high), low: column(low), close: column(close) };
        let lengths = [("high", prices.high.len()), ("low", prices.low.len()), ("close", prices.close.len())];
        same_length(prices.open.len(), &lengths)?;
        Ok(prices)
    }

    fn candles(&self) -> Candles<'_> {
        Candles { open: &self.open, high: &self.high, low: &self.low, close: &self.close }
    }
}

struct Swings<'a> {
    side: Cow<'a, [f64]>,
    level: Cow<'a, [f64]>,
    anchor: Option<Cow<'a, [f64]>>,
}

impl<'a> Swings<'a> {
    fn read((side, level, anchor): &'a SwingInputs<'_>, rows: usize) -> PyResult<Self> {
        let swings = Self { side: column(side), level: column(level), anchor: anchor.as_ref().map(column) };
        let anchors = swings.anchor.as_ref().map_or(rows, |anchor| anchor.len());
        let lengths = [("HighLow", swings.side.len()), ("Level", swings.level.len()), ("AnchorIndex", anchors)];
        same_length(rows, &lengths)?;
        Ok(swings)
    }

    /// The swings with the rows that made them knowable, if the columns have anchors.
    fn known(&self) -> Result<Option<Vec<KnownSwing>>, LegacyError> {
        self.anchor.as_ref().map(|anchor| legacy::known_swings(&self.side, &self.level, anchor)).transpose()
    }
}

#[pyfunction]
fn legacy_fvg<'py>(py: Python<'py>, prices: PriceInputs<'py>, join: bool, causal: bool) -> PyResult<Columns<'py>> {
    let prices = Prices::read(&prices)?;
    let found = py.detach(|| match causal {
        true => legacy::fvg_causal(&prices.candles(), join).into(),
        false => legacy::fvg(&prices.candles(), join).into(),
    });
    Ok(outputs(py, found))
}

#[pyfunction]
fn legacy_swings<'py>(
    py: Python<'py>,
    high: Input<'py>,
    low: Input<'py>,
    size: usize,
    causal: bool,
) -> PyResult<Columns<'py>> {
    let (high, low) = (column(&high), column(&low));
    same_length(high.len(), &[("low", low.len())])?;
    if size == 0 || size > usize::MAX / 4 {
        return Err(PyValueError::new_err(format!("swing_length is {size}; use 1 or more bars")));
    }
    let found = py.detach(|| match causal {
        true => legacy::swings_causal(&high, &low, size).into(),
        false => legacy::swings(&high, &low, size).into(),
    });
    Ok(outputs(py, found))
}

#[pyfunction]
fn legacy_structure<'py>(
    py: Python<'py>,
    above: Input<'py>,
    below: Input<'py>,
    swings: SwingInputs<'py>,
) -> PyResult<Columns<'py>> {
    let (above, below) = (column(&above), column(&below));
    same_length(above.len(), &[("below", below.len())])?;
    let swings = Swings::read(&swings, above.len())?;
    let prices = Breaking { above: &above, below: &below };
    let known = swings.known().map_err(value_error)?;
    let found = py.detach(|| match known {
        Some(known) => legacy::structure_causal(prices, &known).into(),
        None => legacy::structure(prices, &swings.side, &swings.level).into(),
    });
    Ok(outputs(py, found))
}

#[pyfunction]
fn legacy_order_blocks<'py>(
    py: Python<'py>,
    prices: PriceInputs<'py>,
    volume: Input<'py>,
    swings: SwingInputs<'py>,
    by_body: bool,
) -> PyResult<Columns<'py>> {
    let (prices, volume) = (Prices::read(&prices)?, column(&volume));
    let candles = prices.candles();
    same_length(candles.open.len(), &[("volume", volume.len())])?;
    let swings = Swings::read(&swings, candles.open.len())?;
    let known = swings.known().map_err(value_error)?;
    let found = py.detach(|| match known {
        Some(known) => legacy::order_blocks_causal(&candles, &volume, &known, by_body).into(),
        None => legacy::order_blocks(&candles, &volume, &swings.side, by_body).into(),
    });
    Ok(outputs(py, found))
}

#[pyfunction]
fn legacy_liquidity<'py>(
    py: Python<'py>,
    high: Input<'py>,
    low: Input<'py>,
    swings: SwingInputs<'py>,
    range_percent: f64,
) -> PyResult<Columns<'py>> {
    let (high, low) = (column(&high), column(&low));
    same_length(high.len(), &[("low", low.len())])?;
    if !(range_percent >= 0.0 && range_percent.is_finite()) {
        let message = format!("range_percent is {range_percent}; use a share of the range, such as 0.01");
        return Err(PyValueError::new_err(message));
    }
    let swings = Swings::read(&swings, high.len())?;
    let known = swings.known().map_err(value_error)?;
    let found = py.detach(|| match known {
        Some(known) => legacy::liquidity_causal(&high, &low, &known, range_percent).into(),
        None => legacy::liquidity(&high, &low, &swings.side, &swings.level, range_percent).into(),
    });
    Ok(outputs(py, found))
}

#[pyfunction]
fn legacy_previous_high_low<'py>(
    py: Python<'py>,
    time: PyReadonlyArray1<'py, i64>,
    high: Input<'py>,
    low: Input<'py>,
    period: &str,
    causal: bool,
) -> PyResult<Columns<'py>> {
    let (time, high, low) = (column(&time), column(&high), column(&low));
    same_length(time.len(), &[("high", high.len()), ("low", low.len())])?;
    let period = Period::parse(period).map_err(value_error)?;
    let found = py.detach(|| legacy::previous_high_low(&time, &high, &low, period, causal)).map_err(value_error)?;
    Ok(outputs(py, found.into()))
}

#[pyfunction]
fn legacy_sessions<'py>(
    py: Python<'py>,
    time: PyReadonlyArray1<'py, i64>,
    high: Input<'py>,
    low: Input<'py>,
    window: (i64, i64),
    causal: bool,
) -> PyResult<Columns<'py>> {
    let (time, high, low) = (column(&time), column(&high), column(&low));
    same_length(time.len(), &[("high", high.len()), ("low", low.len())])?;
    let window = Window { start: window.0, end: window.1 };
    let found = py.detach(|| match causal {
        true => legacy::sessions_causal(&time, &high, &low, window).into(),
        false => legacy::sessions(&time, &high, &low, window).into(),
    });
    Ok(outputs(py, found))
}

#[pyfunction]
fn legacy_retracements<'py>(
    py: Python<'py>,
    high: Input<'py>,
    low: Input<'py>,
    swings: SwingInputs<'py>,
) -> PyResult<Columns<'py>> {
    let (high, low) = (column(&high), column(&low));
    same_length(high.len(), &[("low", low.len())])?;
    let swings = Swings::read(&swings, high.len())?;
    let known = swings.known().map_err(value_error)?;
    let found = py.detach(|| match known {
        Some(known) => legacy::retracements_causal(&high, &low, &known).into(),
        None => legacy::retracements(&high, &low, &swings.side, &swings.level).into(),
    });
    Ok(outputs(py, found))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(legacy_fvg, module)?)?;
    module.add_function(wrap_pyfunction!(legacy_swings, module)?)?;
    module.add_function(wrap_pyfunction!(legacy_structure, module)?)?;
    module.add_function(wrap_pyfunction!(legacy_order_blocks, module)?)?;
    module.add_function(wrap_pyfunction!(legacy_liquidity, module)?)?;
    module.add_function(wrap_pyfunction!(legacy_previous_high_low, module)?)?;
    module.add_function(wrap_pyfunction!(legacy_sessions, module)?)?;
    module.add_function(wrap_pyfunction!(legacy_retracements, module)?)
}
