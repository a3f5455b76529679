//! State as bytes: a tag, the format's version, a checksum, then postcard.
//!
//! Bytes that are damaged, of another class or of another version are refused; the state is then rebuilt by
//! replaying bars. The checksum guards against damage, not against forgery: restore what you stored yourself.

use serde::{de::DeserializeOwned, Serialize};

const HEADER: usize = 4 + 2 + 8;

/// Why bytes are no usable state, or a state cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// The state has no stored form.
    #[error("cannot write the state: {0}")]
    Unwritable(postcard::Error),
    /// Fewer bytes than a header.
    #[error("it is cut short")]
    CutShort,
    /// The tag is another one.
    #[error("it belongs to another class")]
    OtherClass,
    /// The format has changed.
    #[error("its version is {given}, this build reads {wanted}")]
    OtherVersion {
        /// Version of the bytes.
        given: u16,
        /// Version that is read.
        wanted: u16,
    },
    /// Bytes were changed.
    #[error("its checksum does not match")]
    Damaged,
    /// The bytes do not spell the state, or spell more.
    #[error("{0}")]
    Unreadable(String),
}

/// FNV-1a, 64 bits.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Puts the header before a payload.
#[must_use]
pub fn sealed(tag: [u8; 4], version: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + payload.len());
    bytes.extend_from_slice(&tag);
    bytes.extend_from_slice(&version.to_le_bytes());
    bytes.extend_from_slice(&checksum(payload).to_le_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// The state of a class with the given tag, as bytes.
///
/// # Errors
/// [`SnapshotError::Unwritable`].
pub fn encode<T: Serialize>(tag: [u8; 4], version: u16, value: &T) -> Result<Vec<u8>, SnapshotError> {
    let payload = postcard::to_stdvec(value).map_err(SnapshotError::Unwritable)?;
    Ok(sealed(tag, version, &payload))
}

/// The state that [`encode`] wrote with the same tag and version.
///
/// # Errors
/// [`SnapshotError`] naming what is wrong with the bytes.
pub fn decode<T: DeserializeOwned>(tag: [u8; 4], version: u16, bytes: &[u8]) -> Result<T, SnapshotError> {
    let (header, payload) = bytes.split_at_checked(HEADER).ok_or(SnapshotError::CutShort)?;
    if header[..4] != tag {
        return Err(SnapshotError::OtherClass);
    }
    let given = u16::from_le_bytes([header[4], header[5]]);
    if given != version {
        return Err(SnapshotError::OtherVersion { given, wanted: version });
    }
    if header[6..] != checksum(payload).to_le_bytes() {
        return Err(SnapshotError::Damaged);
    }
    let unreadable = |error: postcard::Error| SnapshotError::Unreadable(error.to_string());
    let (value, rest) = postcard::take_from_bytes(payload).map_err(unreadable)?;
    if rest.is_empty() {
        return Ok(value);
    }
    Err(SnapshotError::Unreadable(format!("{} bytes follow the state", rest.len())))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    const TAG: [u8; 4] = *b"TEST";

    #[test]
    fn what_was_written_is_read() {
        let bytes = encode(TAG, 3, &(7u64, "seven")).unwrap();
        assert_eq!(decode::<(u64, String)>(TAG, 3, &bytes), Ok((7, "seven".to_owned())));
    }

    #[test]
    fn what_is_wrong_with_the_bytes_is_named() {
        let bytes = encode(TAG, 3, &300u64).unwrap();
        let read = |bytes: &[u8]| decode::<u64>(TAG, 3, bytes);
        assert_eq!(read(&bytes[..13]), Err(SnapshotError::CutShort));
        assert_eq!(decode::<u64>(*b"REST", 3, &bytes), Err(SnapshotError::OtherClass));
        assert_eq!(decode::<u64>(TAG, 4, &bytes), Err(SnapshotError::OtherVersion { given: 3, wanted: 4 }));
        for at in 6..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(read(&damaged), Err(SnapshotError::Damaged));
        }
        assert!(matches!(read(&sealed(TAG, 3, &[0x80])), Err(SnapshotError::Unreadable(_))));
        let longer = read(&sealed(TAG, 3, &[1, 2, 3]));
        assert_eq!(longer, Err(SnapshotError::Unreadable("2 bytes follow the state".to_owned())));
    }
}
