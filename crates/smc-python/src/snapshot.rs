//! State as bytes, with errors as Python sees them; the format is [`smc_core::snapshot`]'s.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde::{de::DeserializeOwned, Serialize};
use smc_core::snapshot;

/// Raised with every change of a serialized field.
const VERSION: u16 = 5;

/// The state of a class with the given tag, as bytes.
pub(crate) fn encode<T: Serialize>(tag: [u8; 4], value: &T) -> PyResult<Vec<u8>> {
    snapshot::encode(tag, VERSION, value).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// The state that [`encode`] wrote with the same tag; `what` names the class in errors.
pub(crate) fn decode<T: DeserializeOwned>(tag: [u8; 4], what: &str, bytes: &[u8]) -> PyResult<T> {
    snapshot::decode(tag, VERSION, bytes)
        .map_err(|error| PyValueError::new_err(format!("not a usable {what} snapshot: {error}; replay bars instead")))
}
