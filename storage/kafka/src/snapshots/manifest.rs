//! A manifest as bytes: what makes a snapshot visible.
//!
//! ```text
//! key:   position: u64
//! value: version: u8 = 1 | bytes: u64 | crc32c: u32 | offset of each part: i64 …
//! ```
//!
//! Numbers are big-endian.

use bytes::{Buf, BufMut};
use guildhall_model::Position;

const VERSION: u8 = 1;
const HEADER_BYTES: usize = 1 + 8 + 4;
const OFFSET_BYTES: usize = 8;

/// Where the content of a snapshot is, and how to know it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Manifest {
    /// Of the content.
    pub(super) bytes: u64,
    checksum: u32,
    /// The offsets of the parts, in the order of the content.
    pub(super) parts: Vec<i64>,
}

impl Manifest {
    pub(super) fn of(content: &[u8], parts: Vec<i64>) -> Self {
        Self {
            bytes: content.len() as u64,
            checksum: crc32c::crc32c(content),
            parts,
        }
    }

    /// This is the content.
    pub(super) fn is_of(&self, content: &[u8]) -> bool {
        self.bytes == content.len() as u64 && self.checksum == crc32c::crc32c(content)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut value = Vec::with_capacity(HEADER_BYTES + self.parts.len() * OFFSET_BYTES);
        value.put_u8(VERSION);
        value.put_u64(self.bytes);
        value.put_u32(self.checksum);
        for &part in &self.parts {
            value.put_i64(part);
        }
        value
    }

    /// Reads a manifest; the error says what is wrong with it.
    pub(super) fn decode(mut value: &[u8]) -> Result<Self, String> {
        if value.len() < HEADER_BYTES || !(value.len() - HEADER_BYTES).is_multiple_of(OFFSET_BYTES)
        {
            return Err(format!("{} bytes are no manifest", value.len()));
        }
        let version = value.get_u8();
        if version != VERSION {
            return Err(format!("version {version} is not known"));
        }
        let (bytes, checksum) = (value.get_u64(), value.get_u32());
        let mut parts = Vec::with_capacity(value.len() / OFFSET_BYTES);
        while value.has_remaining() {
            parts.push(value.get_i64());
        }
        if parts.iter().any(|&offset| offset < 0) {
            return Err("it names a part before the first".to_owned());
        }
        Ok(Self {
            bytes,
            checksum,
            parts,
        })
    }
}

/// The key under which a snapshot's manifest stands.
pub(super) const fn key_of(upto: Position) -> [u8; 8] {
    upto.0.to_be_bytes()
}

/// The position that a key names.
pub(super) fn position_of(key: &[u8]) -> Option<Position> {
    let key = key.try_into().ok()?;
    Some(Position(u64::from_be_bytes(key)))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn decode_inverts_encode(content in vec(any::<u8>(), 0..99), parts in vec(0..i64::MAX, 0..9)) {
            let manifest = Manifest::of(&content, parts);
            let decoded = Manifest::decode(&manifest.encode()).unwrap();
            prop_assert!(decoded.is_of(&content));
            prop_assert_eq!(decoded, manifest);
        }

        #[test]
        fn foreign_bytes_are_refused_without_a_panic(mut bytes in vec(any::<u8>(), 0..60)) {
            let _ = Manifest::decode(&bytes);
            if let Some(version) = bytes.first_mut() {
                *version = VERSION;
            }
            let _ = Manifest::decode(&bytes);
        }

        #[test]
        fn other_content_is_recognized(content in vec(any::<u8>(), 1..99), flipped: prop::sample::Index) {
            let manifest = Manifest::of(&content, vec![1]);
            let mut other = content.clone();
            other[flipped.index(content.len())] ^= 1;
            prop_assert!(!manifest.is_of(&other));
            prop_assert!(!manifest.is_of(&content[1..]));
        }
    }
}
