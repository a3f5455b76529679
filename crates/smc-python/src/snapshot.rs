//! State as bytes: a tag, the format's version, a checksum, then postcard.
//!
//! Bytes that are damaged, of another class or of another version are refused; the state is then rebuilt by
//! replaying bars.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde::{de::DeserializeOwned, Serialize};

/// Raised with every change of a serialized field.
const VERSION: u16 = 3;
const HEADER: usize = 4 + 2 + 8;

/// FNV-1a, 64 bits.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The state of a class with the given tag, as bytes.
pub(crate) fn encode<T: Serialize>(tag: [u8; 4], value: &T) -> PyResult<Vec<u8>> {
    let payload = postcard::to_stdvec(value)
        .map_err(|error| PyValueError::new_err(format!("cannot write the state: {error}")))?;
    let mut bytes = Vec::with_capacity(HEADER + payload.len());
    bytes.extend_from_slice(&tag);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&checksum(&payload).to_le_bytes());
    bytes.extend_from_slice(&payload);
    Ok(bytes)
}

/// The state that [`encode`] wrote with the same tag; `what` names the class in errors.
pub(crate) fn decode<T: DeserializeOwned>(tag: [u8; 4], what: &str, bytes: &[u8]) -> PyResult<T> {
    let refuse =
        |why: String| PyValueError::new_err(format!("not a usable {what} snapshot: {why}; replay bars instead"));
    let (header, payload) = bytes.split_at_checked(HEADER).ok_or_else(|| refuse("it is cut short".to_owned()))?;
    if header[..4] != tag {
        return Err(refuse("it belongs to another class".to_owned()));
    }
    let version = u16::from_le_bytes([header[4], header[5]]);
    if version != VERSION {
        return Err(refuse(format!("its version is {version}, this build reads {VERSION}")));
    }
    if header[6..] != checksum(payload).to_le_bytes() {
        return Err(refuse("its checksum does not match".to_owned()));
    }
    postcard::from_bytes(payload).map_err(|error| refuse(error.to_string()))
}
