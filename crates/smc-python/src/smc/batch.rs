//! A run over many bars whose readings become columns: no Python object an event.

use numpy::npyffi::NPY_ORDER;
use numpy::{PyArray1, PyArray2, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use smc_core::features::{FeatureDetector, COLUMNS};
use smc_core::market::Bar;
use smc_core::smc::{DetectorError, Event};

use crate::market::value_error;

/// Events, a column a field; their ids follow each other from `first_id` on. Rows are those of the bars of the run, -1 for a bar before.
#[derive(Default)]
struct EventColumns {
    first_id: Option<u64>,
    kind: Vec<u8>,
    direction: Vec<i8>,
    side: Vec<i8>,
    scope: Vec<u8>,
    formed_at: Vec<i64>,
    formed_row: Vec<i32>,
    confirmed_row: Vec<i32>,
    low: Vec<i64>,
    high: Vec<i64>,
    zone_id: Vec<u64>,
    source_id: Vec<u64>,
    ambiguous: Vec<bool>,
}

impl EventColumns {
    fn push(&mut self, event: &Event, bars: &[Bar], row: usize) {
        self.first_id.get_or_insert(event.id);
        self.kind.push(event.kind as u8);
        self.direction.push(event.direction);
        self.side.push(event.side);
        self.scope.push(event.scope as u8);
        self.formed_at.push(event.formed_at);
        self.formed_row.push(row_of(&bars[..=row], event.formed_at).map_or(-1, |row| row as i32));
        self.confirmed_row.push(row as i32);
        self.low.push(event.low);
        self.high.push(event.high);
        self.zone_id.push(event.zone_id);
        self.source_id.push(event.source_id);
        self.ambiguous.push(event.ambiguous);
    }

    fn into_dict(self, py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
        let columns = PyDict::new(py);
        columns.set_item("kind", PyArray1::from_vec(py, self.kind))?;
        columns.set_item("direction", PyArray1::from_vec(py, self.direction))?;
        columns.set_item("side", PyArray1::from_vec(py, self.side))?;
        columns.set_item("scope", PyArray1::from_vec(py, self.scope))?;
        columns.set_item("formed_at", PyArray1::from_vec(py, self.formed_at))?;
        columns.set_item("formed_row", PyArray1::from_vec(py, self.formed_row))?;
        columns.set_item("confirmed_row", PyArray1::from_vec(py, self.confirmed_row))?;
        columns.set_item("low", PyArray1::from_vec(py, self.low))?;
        columns.set_item("high", PyArray1::from_vec(py, self.high))?;
        columns.set_item("zone_id", PyArray1::from_vec(py, self.zone_id))?;
        columns.set_item("source_id", PyArray1::from_vec(py, self.source_id))?;
        columns.set_item("ambiguous", PyArray1::from_vec(py, self.ambiguous))?;
        Ok(columns)
    }
}

/// Row of the bar that opened at `time`, looked for from the last one backwards: most events are young.
fn row_of(bars: &[Bar], time: i64) -> Option<usize> {
    let mut reach = 1;
    let from = loop {
        let from = bars.len().saturating_sub(reach);
        if from == 0 || bars[from].open_time <= time {
            break from;
        }
        reach *= 2;
    };
    bars[from..].binary_search_by_key(&time, |bar| bar.open_time).ok().map(|row| from + row)
}

/// Feeds the bars and gives the id of the first event (0 without any) and the events as columns.
pub(super) fn events<'py>(
    py: Python<'py>,
    detector: &mut FeatureDetector,
    bars: &[Bar],
) -> PyResult<(u64, Bound<'py, PyDict>)> {
    let columns = py.detach(|| {
        let (mut columns, mut events) = (EventColumns::default(), Vec::new());
        for (row, bar) in bars.iter().enumerate() {
            events.clear();
            detector.update(bar, &mut events)?;
            events.iter().for_each(|event| columns.push(event, bars, row));
        }
        Ok::<_, DetectorError>(columns)
    });
    let columns = columns.map_err(value_error)?;
    Ok((columns.first_id.unwrap_or(0), columns.into_dict(py)?))
}

/// Feeds the bars and gives the features at each close, of shape (bars, features), each column in one piece.
pub(super) fn features<'py>(
    py: Python<'py>,
    detector: &mut FeatureDetector,
    bars: &[Bar],
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let rows = bars.len();
    let matrix = py.detach(|| {
        let mut matrix = vec![0.0; rows * COLUMNS.len()];
        let (mut events, mut values) = (Vec::new(), Vec::new());
        for (row, bar) in bars.iter().enumerate() {
            events.clear();
            detector.update(bar, &mut events)?;
            detector.view([None, None]).write(&mut values);
            values.iter().enumerate().for_each(|(column, &value)| matrix[column * rows + row] = value);
        }
        Ok::<_, DetectorError>(matrix)
    });
    let matrix = PyArray1::from_vec(py, matrix.map_err(value_error)?);
    matrix.reshape_with_order([rows, COLUMNS.len()], NPY_ORDER::NPY_FORTRANORDER)
}
