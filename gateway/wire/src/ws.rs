//! WebSocket framing (RFC 6455 §5): the headers that the server writes, and the reader of what
//! clients send.
//!
//! Dispatches go to the socket as a header, a session's own prefix and a shared body, many in one
//! write; a WebSocket library writes each frame by itself.

pub mod reader;

use crate::close_code::CloseCode;
use crate::encode::{Compression, Encoding};

/// Bytes of the longest header that a server writes: it never masks.
pub const HEADER_BYTES_MAX: usize = 10;
/// Bytes of a reason in a close frame: control frames hold 125 and the code takes two.
pub const CLOSE_REASON_BYTES_MAX: usize = 123;

/// What a frame holds. Every frame of the server is a whole message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FrameKind {
    /// UTF-8.
    Text = 1,
    /// Bytes.
    Binary = 2,
    /// The end, with a [`close_payload`].
    Close = 8,
    /// The answer to a ping; repeats its payload.
    Pong = 10,
}

impl FrameKind {
    /// What a connection's payloads travel in: text only where they are readable text.
    pub const fn of(encoding: Encoding, compression: Compression) -> Self {
        match (encoding, compression) {
            (Encoding::Json, Compression::None) => Self::Text,
            _ => Self::Binary,
        }
    }
}

/// The bit of a frame that ends its message.
const FINAL: u8 = 0x80;
/// The bit of a client's frame, which is masked.
const MASKED: u8 = 0x80;

/// What stands in the place of a length that follows in as many bytes.
const LENGTH_IN_2_BYTES: u8 = 0x7E;
const LENGTH_IN_8_BYTES: u8 = 0x7F;

/// Writes the header of an unmasked, unfragmented frame whose payload has `len` bytes.
pub fn header(kind: FrameKind, len: usize, out: &mut Vec<u8>) {
    out.push(FINAL | kind as u8);
    length(0, len, out);
}

/// Writes the length of a payload in its shortest form, with the bit for a mask or without.
fn length(mask: u8, len: usize, out: &mut Vec<u8>) {
    if let Ok(len) = u8::try_from(len)
        && len < LENGTH_IN_2_BYTES
    {
        out.push(mask | len);
    } else if let Ok(len) = u16::try_from(len) {
        out.push(mask | LENGTH_IN_2_BYTES);
        out.extend_from_slice(&len.to_be_bytes());
    } else {
        out.push(mask | LENGTH_IN_8_BYTES);
        out.extend_from_slice(&(len as u64).to_be_bytes());
    }
}

/// Writes a message as a client may send it, for a node that goes on with the client's socket.
pub fn client_frame(kind: FrameKind, payload: &[u8], out: &mut Vec<u8>) {
    masked(FINAL | kind as u8, payload, out);
}

/// Writes a client's frame. It has to be masked, but nothing says with what: zeros leave the
/// payload as it is.
fn masked(flags: u8, payload: &[u8], out: &mut Vec<u8>) {
    out.push(flags);
    length(MASKED, payload.len(), out);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
}

/// A whole frame of the server's.
pub fn frame(kind: FrameKind, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_BYTES_MAX + payload.len());
    header(kind, payload.len(), &mut out);
    out.extend_from_slice(payload);
    out
}

/// The payload of the close frame that answers a client's: its own code, as RFC 6455 §5.5.1 has
/// it.
pub fn close_answer(code: Option<u16>) -> Vec<u8> {
    code.map_or_else(Vec::new, |code| code.to_be_bytes().to_vec())
}

/// The payload of a close frame: the code and as much of the reason as fits.
pub fn close_payload(code: CloseCode, reason: &str) -> Vec<u8> {
    let mut payload = u16::from(code).to_be_bytes().to_vec();
    let fits = reason.floor_char_boundary(CLOSE_REASON_BYTES_MAX);
    payload.extend_from_slice(&reason.as_bytes()[..fits]);
    payload
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header_of(kind: FrameKind, len: usize) -> Vec<u8> {
        let mut out = Vec::new();
        header(kind, len, &mut out);
        out
    }

    #[test]
    fn lengths_take_the_shortest_form() {
        assert_eq!(header_of(FrameKind::Text, 0), [0x81, 0]);
        assert_eq!(header_of(FrameKind::Text, 125), [0x81, 125]);
        assert_eq!(header_of(FrameKind::Binary, 126), [0x82, 126, 0, 126]);
        assert_eq!(
            header_of(FrameKind::Binary, 65_535),
            [0x82, 126, 0xFF, 0xFF]
        );
        assert_eq!(
            header_of(FrameKind::Binary, 65_536),
            [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]
        );
        assert_eq!(header_of(FrameKind::Pong, 4), [0x8A, 4]);
        assert_eq!(
            header_of(FrameKind::Binary, 1 << 20).len(),
            HEADER_BYTES_MAX
        );
    }

    #[test]
    fn a_close_frame_tells_code_and_reason() {
        let payload = close_payload(CloseCode::RateLimited, "Rate limited.");
        assert_eq!(payload[..2], 4008_u16.to_be_bytes());
        assert_eq!(&payload[2..], b"Rate limited.");
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let payload = close_payload(CloseCode::UnknownError, &"é".repeat(100));
        assert!(payload.len() <= 125);
        assert_eq!(
            std::str::from_utf8(&payload[2..]).unwrap().chars().count(),
            61
        );
    }

    #[test]
    fn only_plain_json_travels_as_text() {
        assert_eq!(
            FrameKind::of(Encoding::Json, Compression::None),
            FrameKind::Text
        );
        for compression in [Compression::Zlib, Compression::Zstd] {
            assert_eq!(
                FrameKind::of(Encoding::Json, compression),
                FrameKind::Binary
            );
        }
        assert_eq!(
            FrameKind::of(Encoding::Msgpack, Compression::None),
            FrameKind::Binary
        );
    }
}
