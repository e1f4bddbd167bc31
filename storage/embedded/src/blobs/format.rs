//! What stands in a blob's file before its bytes: `format (8 bytes) | length of the content (u64)
//! | length of the media type (u8) | media type (127 bytes) | crc32c of all that (u32)`, numbers
//! little-endian.
//!
//! The content itself has no checksum: it is read in parts, and the file system's own checks are
//! what a part can be held against.

use guildhall_ports::blobs::{BlobInfo, MEDIA_TYPE_BYTES_MAX};

const FORMAT: [u8; 8] = *b"GHBLOB\0\x01";
const TYPE_LENGTH_AT: usize = 16;
const TYPE_AT: usize = 17;
const CRC_AT: usize = TYPE_AT + MEDIA_TYPE_BYTES_MAX;

/// Bytes before the content.
pub(super) const HEADER_BYTES: usize = CRC_AT + 4;

/// What is known of a blob before its length is.
#[derive(Clone, Debug)]
pub(super) struct Header {
    media_type: String,
}

impl Header {
    /// `None` if the media type is too long.
    pub(super) fn new(media_type: &str) -> Option<Self> {
        let fits = media_type.len() <= MEDIA_TYPE_BYTES_MAX;
        fits.then(|| Self {
            media_type: media_type.to_owned(),
        })
    }

    /// The header of a blob of this length.
    pub(super) fn bytes(&self, length: u64) -> [u8; HEADER_BYTES] {
        let media_type = self.media_type.as_bytes();
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(&FORMAT);
        bytes[8..TYPE_LENGTH_AT].copy_from_slice(&length.to_le_bytes());
        bytes[TYPE_LENGTH_AT] =
            u8::try_from(media_type.len()).expect("a media type has at most 127 bytes");
        bytes[TYPE_AT..TYPE_AT + media_type.len()].copy_from_slice(media_type);
        let crc = crc32c::crc32c(&bytes[..CRC_AT]);
        bytes[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }
}

/// Reads a header back. `None` if it is not as it was written.
pub(super) fn read(bytes: &[u8; HEADER_BYTES]) -> Option<BlobInfo> {
    let (length, type_length) = (bytes.get(8..TYPE_LENGTH_AT)?, bytes.get(TYPE_LENGTH_AT)?);
    let media_type = bytes
        .get(TYPE_AT..CRC_AT)?
        .get(..usize::from(*type_length))?;
    let media_type = std::str::from_utf8(media_type).ok()?;
    let length = u64::from_le_bytes(length.try_into().ok()?);
    // One comparison refuses another format, another checksum and what stands behind the type.
    let is_whole = Header::new(media_type)?.bytes(length) == *bytes;
    is_whole.then(|| BlobInfo {
        length,
        media_type: media_type.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back_and_every_flipped_bit_is_noticed() {
        let longest = "x".repeat(MEDIA_TYPE_BYTES_MAX);
        for media_type in ["", "image/png", &longest] {
            let bytes = Header::new(media_type).unwrap().bytes(0x1234_5678_9ABC);
            let info = read(&bytes).unwrap();
            assert_eq!(info.length, 0x1234_5678_9ABC);
            assert_eq!(info.media_type, media_type);
            for bit in 0..HEADER_BYTES * 8 {
                let mut flipped = bytes;
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(read(&flipped), None, "bit {bit}");
            }
        }
        assert!(Header::new(&(longest + "x")).is_none());
    }
}
