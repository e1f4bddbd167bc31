//! The bytes of one record: a checked header, then the payload.
//!
//! Header, numbers little-endian: crc32c of the rest of the header (u32), crc32c of the payload
//! (u32), length of the payload (u32), epoch (u32), position of the first record of the batch
//! that was written at once with this one (u64), partition (u16), mark (u16).
//!
//! The header's checksum begins with its segment's secret salt and the record's own position, so
//! bytes that stand elsewhere are no record, and nobody can post a message that contains one. It
//! covers the payload's checksum, so other partitions' records are skipped by their headers.

use guildhall_model::Epoch;

use super::config::RECORD_BYTES_MAX;

/// Bytes of a header.
pub(super) const HEADER_BYTES: usize = 28;
/// Tells headers from most other bytes before a checksum is computed.
const MARK: u16 = 0x4752;

/// What stands before a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) partition: u16,
    pub(super) epoch: Epoch,
    /// Where the batch begins that this record was written with.
    pub(super) batch: u64,
    length: u32,
    payload_crc: u32,
}

impl Header {
    /// The header of `payload`, which has at most [`RECORD_BYTES_MAX`] bytes.
    pub(super) fn of(payload: &[u8], partition: u16, epoch: Epoch, batch: u64) -> Self {
        assert!(payload.len() <= RECORD_BYTES_MAX, "the queue refuses more");
        Self {
            partition,
            epoch,
            batch,
            length: u32::try_from(payload.len()).expect("far below 32 bits"),
            payload_crc: crc32c::crc32c(payload),
        }
    }

    /// The header's bytes at `position` of a segment with this `seed`.
    pub(super) fn encode(&self, seed: u32, position: u64) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[4..8].copy_from_slice(&self.payload_crc.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.length.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.epoch.0.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.batch.to_le_bytes());
        bytes[24..26].copy_from_slice(&self.partition.to_le_bytes());
        bytes[26..28].copy_from_slice(&MARK.to_le_bytes());
        let crc = header_crc(&bytes, seed, position);
        bytes[0..4].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads back what [`Self::encode`] gave at the same position and seed; `None` for all other
    /// bytes.
    pub(super) fn decode(bytes: &[u8; HEADER_BYTES], seed: u32, position: u64) -> Option<Self> {
        let u16_at = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let u32_at = |at: usize| {
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let header = Self {
            partition: u16_at(24),
            epoch: Epoch(u32_at(12)),
            batch: u64::from(u32_at(16)) | u64::from(u32_at(20)) << 32,
            length: u32_at(8),
            payload_crc: u32_at(4),
        };
        let possible = u16_at(26) == MARK
            && header.batch <= position
            && header.payload_bytes() <= RECORD_BYTES_MAX;
        (possible && u32_at(0) == header_crc(bytes, seed, position)).then_some(header)
    }

    /// Whether these are the bytes that were appended.
    pub(super) fn matches(&self, payload: &[u8]) -> bool {
        payload.len() == self.payload_bytes() && crc32c::crc32c(payload) == self.payload_crc
    }

    /// Bytes of the payload.
    pub(super) fn payload_bytes(&self) -> usize {
        self.length as usize
    }

    /// Where the record behind the one at `position` begins.
    pub(super) fn next(&self, position: u64) -> u64 {
        position + HEADER_BYTES as u64 + u64::from(self.length)
    }
}

fn header_crc(header: &[u8; HEADER_BYTES], seed: u32, position: u64) -> u32 {
    let crc = crc32c::crc32c_append(seed, &position.to_le_bytes());
    crc32c::crc32c_append(crc, &header[4..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn decode_inverts_encode_at_its_own_place_only(
            payload in prop::collection::vec(any::<u8>(), 0..100),
            partition: u16, epoch: u32, seed: u32,
            batch in 0_u64..1 << 60,
            offset in 0_u64..1 << 20,
            flip in 0_usize..HEADER_BYTES * 8,
        ) {
            let position = batch + offset;
            let header = Header::of(&payload, partition, Epoch(epoch), batch);
            let bytes = header.encode(seed, position);
            prop_assert_eq!(Header::decode(&bytes, seed, position), Some(header));
            prop_assert!(header.matches(&payload));
            prop_assert_eq!(Header::decode(&bytes, seed, position + 1), None);
            prop_assert_eq!(Header::decode(&bytes, seed ^ 1, position), None);
            let mut flipped = bytes;
            flipped[flip / 8] ^= 1 << (flip % 8);
            prop_assert_eq!(Header::decode(&flipped, seed, position), None);
        }

        #[test]
        fn other_bytes_are_no_header(bytes: [u8; HEADER_BYTES], seed: u32, position: u64) {
            prop_assert_eq!(Header::decode(&bytes, seed, position), None);
        }
    }

    #[test]
    fn zeros_are_no_header() {
        assert_eq!(Header::decode(&[0; HEADER_BYTES], 0, 0), None);
    }
}
