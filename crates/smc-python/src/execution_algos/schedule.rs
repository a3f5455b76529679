//! How one parent order becomes many in time.

use crate::market::value_error;
use pyo3::prelude::*;
use smc_core::execution::schedule::{
    self, AdaptiveShortfall, AlmgrenChriss, CatchUp, Iceberg, Jitter, LinearImpact, LiveMarket, ObizhaevaWang, Pacer,
    Pov, PovLimit, PovSettings, Schedule, SliceBound, VolumeCurve,
};

#[pyfunction]
fn twap(total: i64, slices: usize) -> PyResult<Vec<i64>> {
    schedule::twap(total, slices).map_err(value_error)
}

#[pyfunction]
fn apportion(total: i64, weights: Vec<f64>) -> PyResult<Vec<i64>> {
    schedule::apportion(total, &weights).map_err(value_error)
}

#[pyfunction]
fn vwap_next(remaining: i64, expected: Vec<f64>) -> PyResult<i64> {
    schedule::vwap_next(remaining, &expected).map_err(value_error)
}

#[pyfunction]
fn least_lots(min_notional: i128, price: i64, lot: i64) -> PyResult<i64> {
    schedule::least_lots(min_notional, price, lot).map_err(value_error)
}

#[pyfunction]
fn square_root_impact(coefficient: f64, volatility: f64, quantity: f64, volume: f64) -> PyResult<f64> {
    schedule::square_root_impact(coefficient, volatility, quantity, volume).map_err(value_error)
}

#[pyclass(name = "AlmgrenChriss", module = "smc_trading_agent._core", frozen)]
pub struct PyAlmgrenChriss {
    inner: AlmgrenChriss,
}

#[pymethods]
impl PyAlmgrenChriss {
    #[new]
    #[pyo3(signature = (*, volatility, temporary, risk_aversion, step, slices, permanent = 0.0, fixed = 0.0))]
    fn new(
        volatility: f64,
        temporary: f64,
        risk_aversion: f64,
        step: f64,
        slices: usize,
        permanent: f64,
        fixed: f64,
    ) -> PyResult<Self> {
        let impact = LinearImpact { volatility, permanent, temporary, fixed };
        Ok(Self { inner: AlmgrenChriss::new(impact, risk_aversion, step, slices).map_err(value_error)? })
    }

    #[getter]
    fn urgency(&self) -> f64 {
        self.inner.urgency()
    }

    fn holdings(&self) -> Vec<f64> {
        self.inner.holdings()
    }

    fn lots(&self, total: i64) -> PyResult<Vec<i64>> {
        self.inner.lots(total).map_err(value_error)
    }

    fn expected_cost(&self, trades: Vec<f64>) -> f64 {
        self.inner.expected_cost(&trades)
    }

    fn variance(&self, trades: Vec<f64>) -> f64 {
        self.inner.variance(&trades)
    }
}

#[pyclass(name = "ObizhaevaWang", module = "smc_trading_agent._core", frozen)]
pub struct PyObizhaevaWang {
    inner: ObizhaevaWang,
}

#[pymethods]
impl PyObizhaevaWang {
    #[new]
    fn new(resilience: f64, step: f64, trades: usize) -> PyResult<Self> {
        Ok(Self { inner: ObizhaevaWang::new(resilience, step, trades).map_err(value_error)? })
    }

    fn weights(&self) -> Vec<f64> {
        self.inner.weights()
    }

    fn lots(&self, total: i64) -> PyResult<Vec<i64>> {
        self.inner.lots(total).map_err(value_error)
    }

    fn cost(&self, trades: Vec<f64>) -> f64 {
        self.inner.cost(&trades)
    }
}

#[pyclass(name = "AdaptiveShortfall", module = "smc_trading_agent._core", frozen)]
pub struct PyAdaptiveShortfall {
    inner: AdaptiveShortfall,
}

#[pymethods]
impl PyAdaptiveShortfall {
    #[new]
    #[pyo3(signature = (baseline, *, risk_aversion, step, band, most_participation))]
    fn new(baseline: Vec<i64>, risk_aversion: f64, step: f64, band: i64, most_participation: f64) -> PyResult<Self> {
        let made = AdaptiveShortfall::new(&baseline, risk_aversion, step, band, most_participation);
        Ok(Self { inner: made.map_err(value_error)? })
    }

    #[pyo3(signature = (number, done, *, volatility, temporary, others_volume, permanent = 0.0, adverse_drift = 0.0))]
    #[allow(clippy::too_many_arguments)]
    fn slice(
        &self,
        number: usize,
        done: i64,
        volatility: f64,
        temporary: f64,
        others_volume: f64,
        permanent: f64,
        adverse_drift: f64,
    ) -> PyResult<(i64, &'static str)> {
        let impact = LinearImpact { volatility, permanent, temporary, fixed: 0.0 };
        let live = LiveMarket { impact, adverse_drift, others_volume };
        let slice = self.inner.slice(number, done, &live).map_err(value_error)?;
        let bound = match slice.bound {
            SliceBound::Optimum => "optimum",
            SliceBound::Band => "band",
            SliceBound::Participation => "participation",
        };
        Ok((slice.lots, bound))
    }
}

#[pyclass(name = "Schedule", module = "smc_trading_agent._core", frozen)]
pub struct PySchedule {
    inner: Schedule,
}

#[pymethods]
impl PySchedule {
    #[new]
    fn new(start: i64, end: i64, lots: Vec<i64>) -> PyResult<Self> {
        Ok(Self { inner: Schedule::spread(start, end, &lots).map_err(value_error)? })
    }

    #[getter]
    fn slices(&self) -> Vec<(i64, i64, i64)> {
        self.inner.slices().iter().map(|slice| (slice.at, slice.deadline, slice.quantity)).collect()
    }

    #[getter]
    fn total(&self) -> i64 {
        self.inner.total()
    }

    fn planned(&self, now: i64) -> i64 {
        self.inner.planned(now)
    }

    #[pyo3(signature = (seed, time_share = Jitter::USUAL.time_share, size_share = Jitter::USUAL.size_share))]
    fn jittered(&self, seed: u64, time_share: f64, size_share: f64) -> PyResult<Self> {
        let jitter = Jitter { time_share, size_share };
        Ok(Self { inner: self.inner.jittered(jitter, seed).map_err(value_error)? })
    }

    fn merged(&self, least: i64) -> Self {
        Self { inner: self.inner.merged(least) }
    }
}

#[pyclass(name = "Pacer", module = "smc_trading_agent._core")]
pub struct PyPacer {
    inner: Pacer,
}

#[pymethods]
impl PyPacer {
    #[new]
    fn new(schedule: &PySchedule, most_of_slice: f64, finish: bool) -> PyResult<Self> {
        let rule = CatchUp { most_of_slice, finish };
        Ok(Self { inner: Pacer::new(schedule.inner.clone(), rule).map_err(value_error)? })
    }

    fn due(&mut self, now: i64, committed: i64) -> i64 {
        self.inner.due(now, committed)
    }
}

#[pyclass(name = "Iceberg", module = "smc_trading_agent._core")]
pub struct PyIceberg {
    inner: Iceberg,
}

#[pymethods]
impl PyIceberg {
    #[new]
    fn new(total: i64, shown: i64, variation: f64, least: i64, seed: u64) -> PyResult<Self> {
        Ok(Self { inner: Iceberg::new(total, shown, variation, least, seed).map_err(value_error)? })
    }

    #[getter]
    const fn remaining(&self) -> i64 {
        self.inner.remaining()
    }

    fn refill(&mut self) -> i64 {
        self.inner.refill()
    }

    fn expected_seconds(&self, queue: f64, outflow: f64) -> PyResult<f64> {
        self.inner.expected_seconds(queue, outflow).map_err(value_error)
    }
}

#[pyclass(name = "Pov", module = "smc_trading_agent._core")]
pub struct PyPov {
    inner: Pov,
}

#[pymethods]
impl PyPov {
    #[new]
    #[pyo3(signature = (*, total, rate_ppm, most_ppm, window_ns, band, stale_ns, start, end, progress_ppm = 0))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        total: i64,
        rate_ppm: i64,
        most_ppm: i64,
        window_ns: i64,
        band: i64,
        stale_ns: i64,
        start: i64,
        end: i64,
        progress_ppm: i64,
    ) -> PyResult<Self> {
        let settings = PovSettings { total, rate_ppm, most_ppm, window_ns, band, stale_ns, start, end, progress_ppm };
        Ok(Self { inner: Pov::new(settings).map_err(value_error)? })
    }

    fn on_print(&mut self, time: i64, lots: i64) -> PyResult<()> {
        self.inner.on_print(time, lots).map_err(value_error)
    }

    fn on_fill(&mut self, time: i64, lots: i64) -> PyResult<()> {
        self.inner.on_fill(time, lots).map_err(value_error)
    }

    #[getter]
    fn others(&self) -> i128 {
        self.inner.others()
    }

    fn due(&mut self, now: i64, working: i64) -> (i64, &'static str) {
        let due = self.inner.due(now, working);
        let limit = match due.limit {
            PovLimit::Target => "target",
            PovLimit::Window => "window",
            PovLimit::Stale => "stale",
            PovLimit::Done => "done",
        };
        (due.lots, limit)
    }
}

#[pyclass(name = "VolumeCurve", module = "smc_trading_agent._core")]
pub struct PyVolumeCurve {
    inner: VolumeCurve,
}

#[pymethods]
impl PyVolumeCurve {
    #[new]
    fn new(memory_weeks: u32, persistence: f64) -> PyResult<Self> {
        Ok(Self { inner: VolumeCurve::new(memory_weeks, persistence).map_err(value_error)? })
    }

    fn record(&mut self, time: i64, market: i64, own: i64) -> PyResult<()> {
        self.inner.record(time, market, own).map_err(value_error)
    }

    fn mean(&self, hour: usize) -> Option<f64> {
        self.inner.mean(hour)
    }

    fn expected(&self, start: i64, end: i64) -> Option<f64> {
        self.inner.expected(start, end)
    }

    fn slots(&self, start: i64, end: i64, slices: usize) -> Option<Vec<f64>> {
        self.inner.slots(start, end, slices)
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(twap, module)?)?;
    module.add_function(wrap_pyfunction!(apportion, module)?)?;
    module.add_function(wrap_pyfunction!(vwap_next, module)?)?;
    module.add_function(wrap_pyfunction!(least_lots, module)?)?;
    module.add_function(wrap_pyfunction!(square_root_impact, module)?)?;
    module.add_class::<PyAlmgrenChriss>()?;
    module.add_class::<PyObizhaevaWang>()?;
    module.add_class::<PyAdaptiveShortfall>()?;
    module.add_class::<PySchedule>()?;
    module.add_class::<PyPacer>()?;
    module.add_class::<PyIceberg>()?;
    module.add_class::<PyPov>()?;
    module.add_class::<PyVolumeCurve>()
}
