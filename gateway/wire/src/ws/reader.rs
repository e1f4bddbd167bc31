//! Reads a client's frames and puts its messages together (RFC 6455 §5), without any I/O.
//!
//! A library's reader keeps a buffer of eight kilobytes for every connection, most of which are
//! idle, and takes frames without a mask. This one keeps nothing but the parts of a message that
//! is not complete.

use crate::close_code::CloseCode;

/// Bytes of the longest header that a client writes: flags, length and mask.
pub const CLIENT_HEADER_BYTES_MAX: usize = 14;
/// Bytes that a control frame holds at most (RFC 6455 §5.5).
const CONTROL_BYTES_MAX: usize = 125;
/// Frames that one message may come in, beside one per [`FRAGMENT_BYTES`] that it may have.
const FRAGMENTS_FREE: usize = 16;
const FRAGMENT_BYTES: usize = 16;

/// What a client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A text, which is UTF-8.
    Text(Vec<u8>),
    /// Bytes.
    Binary(Vec<u8>),
    /// To be answered with a pong of the same bytes.
    Ping(Vec<u8>),
    /// An answer to a ping, or a sign of life.
    Pong,
    /// The client closes, with its code if it gave one.
    Close(Option<u16>),
}

/// A rule of the framing that a client has broken: the connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Framing that RFC 6455 does not allow.
    #[error("{0}")]
    Protocol(&'static str),
    /// A text or the reason of a close is no UTF-8.
    #[error("a text is not UTF-8")]
    NotUtf8,
    /// A message is longer than allowed.
    #[error("a message is too long")]
    TooLong,
}

impl Violation {
    /// What the connection is closed with. Too long a payload has Discord's code.
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::Protocol(_) => CloseCode::ProtocolError,
            Self::NotUtf8 => CloseCode::InvalidPayload,
            Self::TooLong => CloseCode::DecodeError,
        }
    }
}

/// Reads the messages of one connection.
#[derive(Debug)]
pub struct Reader {
    message_bytes_max: usize,
    partial: Option<Partial>,
}

/// A message of which more frames follow.
#[derive(Debug)]
struct Partial {
    is_text: bool,
    bytes: Vec<u8>,
    frames: usize,
}

/// The first bytes of a frame.
struct Header {
    is_final: bool,
    opcode: u8,
    mask: [u8; 4],
    /// Bytes of the header itself.
    bytes: usize,
    payload_bytes: usize,
}

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

impl Reader {
    /// A reader of messages that have at most so many bytes.
    pub const fn new(message_bytes_max: usize) -> Self {
        Self {
            message_bytes_max,
            partial: None,
        }
    }

    /// Reads one frame from the front of `bytes`. Says how many bytes it had and which message it
    /// completes, if any; `None` while the frame is not complete.
    pub fn read(&mut self, bytes: &[u8]) -> Result<Option<(usize, Option<Message>)>, Violation> {
        let Some(header) = self.header(bytes)? else {
            return Ok(None);
        };
        let end = header.bytes + header.payload_bytes;
        let Some(masked) = bytes.get(header.bytes..end) else {
            return Ok(None);
        };
        let mut payload = masked.to_vec();
        unmask(&mut payload, header.mask);
        Ok(Some((end, self.take(&header, payload)?)))
    }

    /// Writes what has come of a message of which more follows, as a client's frame: another reader
    /// goes on with it.
    pub fn unfinished(&self, out: &mut Vec<u8>) {
        if let Some(partial) = &self.partial {
            let opcode = if partial.is_text { TEXT } else { BINARY };
            super::masked(opcode, &partial.bytes, out);
        }
    }

    /// The header at the front, checked against all that a header alone can break, so that nobody
    /// waits for a payload that will be refused.
    fn header(&self, bytes: &[u8]) -> Result<Option<Header>, Violation> {
        let &[flags, length, ..] = bytes else {
            return Ok(None);
        };
        let (is_final, opcode) = (flags & 0x80 != 0, flags & 0x0F);
        if flags & 0x70 != 0 {
            return Err(Violation::Protocol("reserved bits are set"));
        }
        if length & 0x80 == 0 {
            return Err(Violation::Protocol("a client's frames are masked"));
        }
        let is_control = opcode & 0x08 != 0;
        self.check_order(opcode, is_control && !is_final)?;
        let (payload_bytes, length_end) = match length & 0x7F {
            126 => match bytes.get(2..4).and_then(|b| b.try_into().ok()) {
                Some(length) => (u64::from(u16::from_be_bytes(length)), 4),
                None => return Ok(None),
            },
            127 => match bytes.get(2..10).and_then(|b| b.try_into().ok()) {
                Some(length) => (u64::from_be_bytes(length), 10),
                None => return Ok(None),
            },
            short => (u64::from(short), 2),
        };
        let payload_bytes = usize::try_from(payload_bytes).map_err(|_| Violation::TooLong)?;
        if is_control && payload_bytes > CONTROL_BYTES_MAX {
            return Err(Violation::Protocol("a control frame is too long"));
        }
        let held = self.partial.as_ref().map_or(0, |it| it.bytes.len());
        if !is_control && payload_bytes > self.message_bytes_max.saturating_sub(held) {
            return Err(Violation::TooLong);
        }
        let mask = bytes.get(length_end..length_end + 4);
        Ok(mask
            .and_then(|mask| mask.try_into().ok())
            .map(|mask| Header {
                is_final,
                opcode,
                mask,
                bytes: length_end + 4,
                payload_bytes,
            }))
    }

    fn check_order(&self, opcode: u8, is_cut_control: bool) -> Result<(), Violation> {
        let violation = match opcode {
            _ if is_cut_control => "a control frame comes in pieces",
            CONTINUATION if self.partial.is_none() => "nothing is continued",
            TEXT | BINARY if self.partial.is_some() => "a message begins within another",
            CONTINUATION | TEXT | BINARY | CLOSE | PING | PONG => return Ok(()),
            _ => "the op code is reserved",
        };
        Err(Violation::Protocol(violation))
    }

    fn take(&mut self, header: &Header, payload: Vec<u8>) -> Result<Option<Message>, Violation> {
        match header.opcode {
            CLOSE => close(&payload).map(Some),
            PING => Ok(Some(Message::Ping(payload))),
            PONG => Ok(Some(Message::Pong)),
            _ => self.take_data(header, payload),
        }
    }

    fn take_data(
        &mut self,
        header: &Header,
        payload: Vec<u8>,
    ) -> Result<Option<Message>, Violation> {
        let partial = match self.partial.take() {
            Some(mut partial) => {
                partial.bytes.extend_from_slice(&payload);
                partial.frames += 1;
                partial
            }
            None => Partial {
                is_text: header.opcode == TEXT,
                bytes: payload,
                frames: 1,
            },
        };
        if !header.is_final {
            // Empty frames would cost time for ever without ever becoming a message.
            if partial.frames > FRAGMENTS_FREE + self.message_bytes_max / FRAGMENT_BYTES {
                return Err(Violation::Protocol("a message comes in too many pieces"));
            }
            self.partial = Some(partial);
            return Ok(None);
        }
        let Partial { is_text, bytes, .. } = partial;
        if !is_text {
            return Ok(Some(Message::Binary(bytes)));
        }
        match std::str::from_utf8(&bytes) {
            Ok(_) => Ok(Some(Message::Text(bytes))),
            Err(_) => Err(Violation::NotUtf8),
        }
    }
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    for (byte, key) in payload.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= key;
    }
}

/// A close frame: nothing, or a code that a peer may send and a reason (RFC 6455 §7.4).
fn close(payload: &[u8]) -> Result<Message, Violation> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return match payload {
            [] => Ok(Message::Close(None)),
            _ => Err(Violation::Protocol("half a close code")),
        };
    };
    let code = u16::from_be_bytes(*code);
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Violation::Protocol("a close code that nobody may send"));
    }
    match std::str::from_utf8(reason) {
        Ok(_) => Ok(Message::Close(Some(code))),
        Err(_) => Err(Violation::NotUtf8),
    }
}

#[cfg(test)]
mod tests;
