//! The gate that raw candle rows pass.

use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use smc_core::market::{Bar, QualityGate, RawBar, Rejection};

use super::{column, parse_timeframe, same_length, PyBars, PyInstrument};

/// Admits raw candle rows in order; quarantines what cannot be a bar, and says why.
#[pyclass(name = "QualityGate", module = "smc_trading_agent._core")]
pub struct PyQualityGate {
    inner: QualityGate,
}

#[pymethods]
impl PyQualityGate {
    #[new]
    fn new(instrument: &PyInstrument, timeframe: &str) -> PyResult<Self> {
        Ok(Self { inner: QualityGate::new(&instrument.inner, parse_timeframe(timeframe)?) })
    }

    #[pyo3(signature = (open_time, open, high, low, close, volume, taker_buy_volume = None, trades = None))]
    #[allow(clippy::too_many_arguments)]
    fn admit(
        &mut self,
        py: Python<'_>,
        open_time: PyReadonlyArray1<'_, i64>,
        open: PyReadonlyArray1<'_, f64>,
        high: PyReadonlyArray1<'_, f64>,
        low: PyReadonlyArray1<'_, f64>,
        close: PyReadonlyArray1<'_, f64>,
        volume: PyReadonlyArray1<'_, f64>,
        taker_buy_volume: Option<PyReadonlyArray1<'_, f64>>,
        trades: Option<PyReadonlyArray1<'_, i64>>,
    ) -> PyResult<PyBars> {
        let open_time = column(&open_time);
        let (open, high, low, close) = (column(&open), column(&high), column(&low), column(&close));
        let volume = column(&volume);
        let bought = taker_buy_volume.as_ref().map(column);
        let trades = trades.as_ref().map(column);
        let rows = open_time.len();
        same_length(
            rows,
            &[
                ("open", open.len()),
                ("high", high.len()),
                ("low", low.len()),
                ("close", close.len()),
                ("volume", volume.len()),
                ("taker_buy_volume", bought.as_ref().map_or(rows, |column| column.len())),
                ("trades", trades.as_ref().map_or(rows, |column| column.len())),
            ],
        )?;
        let gate = &mut self.inner;
        let bars: Vec<Bar> = py.detach(|| {
            let rows = (0..rows).map(|row| RawBar {
                open_time: open_time[row],
                open: open[row],
                high: high[row],
                low: low[row],
                close: close[row],
                volume: volume[row],
                taker_buy_volume: bought.as_ref().map_or(0.0, |column| column[row]),
                trades: trades.as_ref().map_or(0, |column| column[row]),
            });
            // A refused row is counted and quarantined by the gate itself.
            rows.filter_map(|raw| gate.admit(&raw).ok()).collect()
        });
        Ok(PyBars::wrap(self.inner.timeframe(), bars))
    }

    #[getter]
    fn rows(&self) -> u64 {
        self.inner.rows()
    }

    #[getter]
    fn admitted(&self) -> u64 {
        self.inner.admitted()
    }

    #[getter]
    fn rejected(&self) -> std::collections::BTreeMap<&'static str, u64> {
        let counts = Rejection::ALL.iter().map(|&rejection| (rejection.name(), self.inner.rejected(rejection)));
        counts.filter(|&(_, count)| count > 0).collect()
    }

    #[getter]
    fn quarantine(&self) -> Vec<(u64, i64, &'static str)> {
        self.inner.quarantine().iter().map(|kept| (kept.row, kept.open_time, kept.rejection.name())).collect()
    }

    #[getter]
    fn gaps(&self) -> Vec<(i64, u64)> {
        self.inner.gaps().iter().map(|gap| (gap.after, gap.missing)).collect()
    }

    #[getter]
    fn gap_count(&self) -> u64 {
        self.inner.gap_count()
    }

    #[getter]
    fn missing_bars(&self) -> u64 {
        self.inner.missing_bars()
    }
}
