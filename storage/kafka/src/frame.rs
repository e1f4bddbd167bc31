//! The bytes of a Kafka record: some records of the log under one epoch.
//!
//! ```text
//! version: u8 = 1 | epoch: u32 | count: u16 | length: u32 … | payloads
//! ```
//!
//! Numbers are big-endian. Kafka has a checksum over all of it, which brokers and consumers check.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use guildhall_model::Epoch;

use crate::place::RECORDS_MAX;

const VERSION: u8 = 1;
const HEADER_BYTES: usize = 1 + 4 + 2;
const LENGTH_BYTES: usize = 4;

/// Bytes that a record takes in a frame.
pub(crate) const fn bytes_of(payload: &Bytes) -> usize {
    LENGTH_BYTES + payload.len()
}

/// Bytes of a frame's head.
pub(crate) const fn head_bytes() -> usize {
    HEADER_BYTES
}

/// Writes a frame. There are between one and [`RECORDS_MAX`] records.
pub(crate) fn encode<'a>(epoch: Epoch, records: impl Iterator<Item = &'a Bytes> + Clone) -> Bytes {
    let mut count = 0_u16;
    let mut bytes = HEADER_BYTES;
    for record in records.clone() {
        count += 1;
        bytes += bytes_of(record);
    }
    let mut frame = BytesMut::with_capacity(bytes);
    frame.put_u8(VERSION);
    frame.put_u32(epoch.0);
    frame.put_u16(count);
    for record in records.clone() {
        // A record is below 4 MiB.
        frame.put_u32(u32::try_from(record.len()).unwrap_or(u32::MAX));
    }
    for record in records {
        frame.put_slice(record);
    }
    frame.freeze()
}

/// Reads a frame: its epoch and its payloads, which share the frame's memory. The error says what
/// is wrong with it.
pub(crate) fn decode(mut frame: Bytes) -> Result<(Epoch, Vec<Bytes>), String> {
    if frame.len() < HEADER_BYTES {
        return Err(format!("{} bytes are no frame", frame.len()));
    }
    let version = frame.get_u8();
    if version != VERSION {
        return Err(format!(
            "version {version} is not known, only {VERSION}: an older program reads what a newer \
             one has written"
        ));
    }
    let epoch = Epoch(frame.get_u32());
    let count = usize::from(frame.get_u16());
    if count == 0 || count > RECORDS_MAX {
        return Err(format!("it counts {count} records"));
    }
    let mut lengths = frame.clone();
    if frame.len() < count * LENGTH_BYTES {
        return Err("it ends within its lengths".to_owned());
    }
    frame.advance(count * LENGTH_BYTES);
    let mut payloads = Vec::with_capacity(count);
    for _ in 0..count {
        let length = usize::try_from(lengths.get_u32()).unwrap_or(usize::MAX);
        if frame.len() < length {
            return Err("it ends within a record".to_owned());
        }
        payloads.push(frame.split_to(length));
    }
    if frame.is_empty() {
        Ok((epoch, payloads))
    } else {
        Err(format!("{} bytes follow its records", frame.len()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn decode_inverts_encode(epoch: u32, records in vec(vec(any::<u8>(), 0..40), 1..20)) {
            let records: Vec<_> = records.into_iter().map(Bytes::from).collect();
            let frame = encode(Epoch(epoch), records.iter());
            let bytes: usize = records.iter().map(bytes_of).sum();
            prop_assert_eq!(frame.len(), head_bytes() + bytes);
            prop_assert_eq!(decode(frame), Ok((Epoch(epoch), records)));
        }

        #[test]
        fn foreign_bytes_are_refused_without_a_panic(mut bytes in vec(any::<u8>(), 0..60)) {
            let _ = decode(Bytes::from(bytes.clone()));
            if let Some(version) = bytes.first_mut() {
                *version = VERSION;
            }
            let _ = decode(Bytes::from(bytes));
        }

        #[test]
        fn a_frame_that_was_cut_is_refused(records in vec(vec(any::<u8>(), 0..9), 1..9), cut: prop::sample::Index) {
            let records: Vec<_> = records.into_iter().map(Bytes::from).collect();
            let frame = encode(Epoch(7), records.iter());
            prop_assert!(decode(frame.slice(..cut.index(frame.len()))).is_err());
        }
    }

    #[test]
    fn a_frame_of_a_later_version_is_refused() {
        let frame = encode(Epoch(1), [Bytes::from("x")].iter());
        let mut later = frame.to_vec();
        later[0] = VERSION + 1;
        let refused = decode(Bytes::from(later)).unwrap_err();
        assert!(refused.contains("version 2"), "{refused}");
    }

    #[test]
    fn a_frame_has_the_bytes_that_the_page_says() {
        let frame = encode(Epoch(0x0102_0304), [Bytes::from("ab"), Bytes::new()].iter());
        assert_eq!(
            &frame[..],
            b"\x01\x01\x02\x03\x04\x00\x02\0\0\0\x02\0\0\0\0ab"
        );
    }
}
