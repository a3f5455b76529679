//! Events, zones, and the detector of one timeframe, as Python sees them.

mod analyzer;
mod batch;
mod config;
mod confluence;
mod divergence;
mod readings;

use numpy::{PyArray1, PyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use smc_core::features::{FeatureDetector, COLUMNS};
use smc_core::market::Timeframe;
use smc_core::smc::{Detector, Event, EventKind, Region, Scope, Zone, ZoneKind, ZoneState};

use crate::market::{parse_timeframe, value_error, PyBar, PyBars};
use crate::snapshot;

pub(crate) use config::parse_config;
pub(crate) use divergence::parse_divergence;

/// One fact about market structure, appended and never edited.
#[pyclass(name = "Event", module = "smc_trading_agent._core", frozen, eq, hash)]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PyEvent {
    pub inner: Event,
}

#[pymethods]
impl PyEvent {
    #[getter]
    fn id(&self) -> u64 {
        self.inner.id
    }

    #[getter]
    fn kind(&self) -> &'static str {
        self.inner.kind.name()
    }

    #[getter]
    fn direction(&self) -> i8 {
        self.inner.direction
    }

    #[getter]
    fn side(&self) -> i8 {
        self.inner.side
    }

    #[getter]
    fn scope(&self) -> &'static str {
        self.inner.scope.name()
    }

    #[getter]
    fn timeframe(&self) -> &'static str {
        self.inner.timeframe.name()
    }

    #[getter]
    fn formed_at(&self) -> i64 {
        self.inner.formed_at
    }

    #[getter]
    fn confirmed_at(&self) -> i64 {
        self.inner.confirmed_at
    }

    #[getter]
    fn low(&self) -> i64 {
        self.inner.low
    }

    #[getter]
    fn high(&self) -> i64 {
        self.inner.high
    }

    #[getter]
    fn zone_id(&self) -> u64 {
        self.inner.zone_id
    }

    #[getter]
    fn source_id(&self) -> u64 {
        self.inner.source_id
    }

    #[getter]
    fn ambiguous(&self) -> bool {
        self.inner.ambiguous
    }

    fn __repr__(&self) -> String {
        let e = &self.inner;
        format!(
            "Event({}, {} {}, direction={}, low={}, high={}, formed_at={}, confirmed_at={})",
            e.id,
            e.timeframe,
            e.kind.name(),
            e.direction,
            e.low,
            e.high,
            e.formed_at,
            e.confirmed_at
        )
    }
}

pub(crate) fn wrap_events(events: &[Event]) -> Vec<PyEvent> {
    events.iter().map(|&inner| PyEvent { inner }).collect()
}

/// A live order block, fair value gap or liquidity pool.
#[pyclass(name = "Zone", module = "smc_trading_agent._core", frozen, eq)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PyZone {
    inner: Zone,
    timeframe: Timeframe,
}

#[pymethods]
impl PyZone {
    #[getter]
    fn id(&self) -> u64 {
        self.inner.id
    }

    #[getter]
    fn kind(&self) -> &'static str {
        self.inner.kind.name()
    }

    #[getter]
    fn direction(&self) -> i8 {
        self.inner.direction
    }

    #[getter]
    fn side(&self) -> i8 {
        self.inner.side
    }

    #[getter]
    fn scope(&self) -> &'static str {
        self.inner.scope.name()
    }

    #[getter]
    fn timeframe(&self) -> &'static str {
        self.timeframe.name()
    }

    #[getter]
    fn state(&self) -> &'static str {
        self.inner.state.name()
    }

    #[getter]
    fn touches(&self) -> u32 {
        self.inner.touches
    }

    #[getter]
    fn formed_at(&self) -> i64 {
        self.inner.formed_at
    }

    #[getter]
    fn confirmed_at(&self) -> i64 {
        self.inner.confirmed_at
    }

    #[getter]
    fn low(&self) -> i64 {
        self.inner.low
    }

    #[getter]
    fn high(&self) -> i64 {
        self.inner.high
    }

    #[getter]
    fn source_id(&self) -> u64 {
        self.inner.source_id
    }

    fn __repr__(&self) -> String {
        let z = &self.inner;
        format!(
            "Zone({}, {} {}, direction={}, state={}, low={}, high={})",
            z.id,
            self.timeframe,
            z.kind.name(),
            z.direction,
            z.state.name(),
            z.low,
            z.high
        )
    }
}

pub(crate) fn wrap_zones(detector: &Detector) -> Vec<PyZone> {
    let timeframe = detector.timeframe();
    detector.zones().into_iter().map(|inner| PyZone { inner, timeframe }).collect()
}

pub(crate) fn parse_scope(name: &str) -> PyResult<Scope> {
    match name {
        "internal" => Ok(Scope::Internal),
        "swing" => Ok(Scope::Swing),
        _ => Err(PyValueError::new_err(format!("scope {name:?} is neither \"internal\" nor \"swing\""))),
    }
}

/// All concepts on one timeframe, streaming: one closed bar in, the facts it made knowable out.
#[pyclass(name = "Detector", module = "smc_trading_agent._core")]
pub struct PyDetector {
    inner: FeatureDetector,
}

#[pymethods]
impl PyDetector {
    #[new]
    #[pyo3(signature = (timeframe, config_json = "{}"))]
    fn new(timeframe: &str, config_json: &str) -> PyResult<Self> {
        let config = parse_config(config_json)?;
        let detector = Detector::new(parse_timeframe(timeframe)?, config).map_err(value_error)?;
        Ok(Self { inner: FeatureDetector::new(detector) })
    }

    fn update(&mut self, bar: &PyBar) -> PyResult<Vec<PyEvent>> {
        let mut events = Vec::new();
        self.inner.update(&bar.inner, &mut events).map_err(value_error)?;
        Ok(wrap_events(&events))
    }

    fn run(&mut self, py: Python<'_>, bars: &PyBars) -> PyResult<Vec<PyEvent>> {
        let detector = &mut self.inner;
        let events = py.detach(|| {
            let mut events = Vec::new();
            bars.inner.iter().try_for_each(|bar| detector.update(bar, &mut events)).map(|()| events)
        });
        Ok(wrap_events(&events.map_err(value_error)?))
    }

    fn run_columns<'py>(&mut self, py: Python<'py>, bars: &PyBars) -> PyResult<(u64, Bound<'py, PyDict>)> {
        batch::events(py, &mut self.inner, &bars.inner)
    }

    fn run_features<'py>(&mut self, py: Python<'py>, bars: &PyBars) -> PyResult<Bound<'py, PyArray2<f64>>> {
        batch::features(py, &mut self.inner, &bars.inner)
    }

    fn zones(&self) -> Vec<PyZone> {
        wrap_zones(self.inner.detector())
    }

    fn features<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        let mut values = Vec::new();
        self.inner.view([None, None]).write(&mut values);
        PyArray1::from_vec(py, values)
    }

    fn bias(&self, scope: &str) -> PyResult<i8> {
        Ok(self.inner.detector().bias(parse_scope(scope)?))
    }

    #[getter]
    fn timeframe(&self) -> &'static str {
        self.inner.detector().timeframe().name()
    }

    #[getter]
    fn config_json(&self) -> PyResult<String> {
        config::to_json(self.inner.detector().config())
    }

    fn dealing_range(&self) -> Option<(i64, i64)> {
        self.inner.detector().dealing_range().map(|range| (range.low, range.high))
    }

    fn region(&self, price: i64) -> Option<&'static str> {
        self.inner.detector().region(price).map(Region::name)
    }

    fn trailing_extreme(&self, scope: &str, side: i8) -> PyResult<Option<readings::Extreme>> {
        let side = readings::parse_side(side)?;
        Ok(self.inner.detector().trailing_extreme(parse_scope(scope)?, side).map(readings::extreme))
    }

    fn draw_on_liquidity(&self, scope: &str) -> PyResult<Option<PyZone>> {
        let timeframe = self.inner.detector().timeframe();
        let draw = self.inner.detector().draw_on_liquidity(parse_scope(scope)?);
        Ok(draw.map(|&inner| PyZone { inner, timeframe }))
    }

    fn reference_open(&self, scope: &str) -> PyResult<Option<i64>> {
        Ok(self.inner.detector().reference_open(readings::parse_reference(scope)?).map(|open| open.price))
    }

    fn in_session(&self, scope: &str) -> PyResult<bool> {
        Ok(self.inner.detector().in_session(readings::parse_session(scope)?))
    }

    fn volume_profile(&self) -> Option<readings::PyVolumeProfile> {
        self.inner.detector().volume_profile().map(|inner| readings::PyVolumeProfile { inner })
    }

    #[getter]
    fn bars_seen(&self) -> u64 {
        self.inner.detector().bars_seen()
    }

    fn snapshot(&self) -> PyResult<Vec<u8>> {
        snapshot::encode(*b"SMCD", &self.inner)
    }

    #[staticmethod]
    fn from_snapshot(data: &[u8]) -> PyResult<Self> {
        Ok(Self { inner: snapshot::decode(*b"SMCD", "detector", data)? })
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add_class::<PyEvent>()?;
    module.add_class::<PyZone>()?;
    module.add_class::<PyDetector>()?;
    analyzer::register(module)?;
    confluence::register(module)?;
    divergence::register(module)?;
    config::register(module)?;
    readings::register(module)?;
    let words = |name: &str, texts: Vec<&'static str>| module.add(name, PyTuple::new(py, texts)?);
    words("EVENT_KINDS", EventKind::ALL.iter().map(|kind| kind.name()).collect())?;
    words("EVENT_DOCS", EventKind::ALL.iter().map(|kind| kind.doc()).collect())?;
    words("SCOPES", Scope::ALL.iter().map(|scope| scope.name()).collect())?;
    words("SCOPE_DOCS", Scope::ALL.iter().map(|scope| scope.doc()).collect())?;
    words("ZONE_KINDS", ZoneKind::ALL.iter().map(|kind| kind.name()).collect())?;
    words("ZONE_STATES", ZoneState::ALL.iter().map(|state| state.name()).collect())?;
    words("ZONE_STATE_DOCS", ZoneState::ALL.iter().map(|state| state.doc()).collect())?;
    words("FEATURE_NAMES", COLUMNS.iter().map(|column| column.name).collect())?;
    words("FEATURE_DOCS", COLUMNS.iter().map(|column| column.doc).collect())
}
