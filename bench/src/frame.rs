//! WebSocket framing as far as both ends of a benchmark need it, and the mark that names a
//! message in its content.

use memchr::memmem::Finder;

/// Op code of a text frame.
pub(crate) const TEXT: u8 = 1;
/// Op code of a binary frame.
pub(crate) const BINARY: u8 = 2;
/// Op code of a close frame.
pub(crate) const CLOSE: u8 = 8;
/// What stands before a mark's digits.
pub(crate) const MARK: &str = "gh-bench-";
/// Digits of a mark: messages of all runs have one length.
pub(crate) const MARK_DIGITS: usize = 10;

/// What fills a content, over and over. It has no blanks: servers trim them where a content ends.
const FILLING: &[u8] = b"-the-quick-brown-fox-jumps-over-the-lazy-dog";
const EVENT: &[u8] = br#"{"t":"MESSAGE_CREATE","s":"#;

/// A whole frame that the server sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) opcode: u8,
    pub(crate) payload: &'a [u8],
}

/// Writes the header of a whole text frame that is not masked, as servers send it.
pub(crate) fn text_header(length: usize, out: &mut Vec<u8>) {
    out.push(0x80 | TEXT);
    push_length(0, length, out);
}

/// Writes a whole text frame as clients send it. The mask is zero: it protects caches from
/// scripts, and there are neither here.
pub(crate) fn masked_text(payload: &[u8], out: &mut Vec<u8>) {
    out.push(0x80 | TEXT);
    push_length(0x80, payload.len(), out);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
}

fn push_length(mask: u8, length: usize, out: &mut Vec<u8>) {
    if let Ok(short) = u8::try_from(length)
        && short < 126
    {
        out.push(mask + short);
    } else if let Ok(medium) = u16::try_from(length) {
        out.push(mask + 126);
        out.extend_from_slice(&medium.to_be_bytes());
    } else {
        out.push(mask + 127);
        out.extend_from_slice(&(length as u64).to_be_bytes());
    }
}

/// Takes the first whole frame off `bytes`, with its length on the wire; `None` if it is not
/// there completely.
pub(crate) fn split(bytes: &[u8]) -> Option<(Frame<'_>, usize)> {
    let (&[first, second], rest) = bytes.split_first_chunk()?;
    let (length, header) = match second & 0x7f {
        126 => (usize::from(u16::from_be_bytes(*rest.first_chunk()?)), 4),
        127 => {
            let length = u64::from_be_bytes(*rest.first_chunk()?);
            (usize::try_from(length).ok()?, 10)
        }
        short => (usize::from(short), 2),
    };
    let whole = length.checked_add(header)?;
    let frame = Frame {
        opcode: first & 0x0f,
        payload: bytes.get(header..whole)?,
    };
    Some((frame, whole))
}

/// The `s` of a MESSAGE_CREATE; `None` for whatever else a server sends.
pub(crate) fn message_number(text: &[u8]) -> Option<u32> {
    digits(text.strip_prefix(EVENT)?)
}

/// The `s` of any dispatch.
pub(crate) fn dispatch_number(text: &[u8]) -> Option<u32> {
    let from_name = text.strip_prefix(br#"{"t":""#)?;
    let end = memchr::memchr(b'"', from_name)?;
    digits(from_name[end..].strip_prefix(br#"","s":"#)?)
}

fn digits(text: &[u8]) -> Option<u32> {
    let end = text.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(&text[..end]).ok()?.parse().ok()
}

/// Finds marks in texts.
pub(crate) struct Marks(Finder<'static>);

impl Marks {
    pub(crate) fn new() -> Self {
        Self(Finder::new(MARK))
    }

    /// The mark of the message in `text`.
    pub(crate) fn find(&self, text: &[u8]) -> Option<u64> {
        let from = self.0.find(text)? + MARK.len();
        let digits = text.get(from..from + MARK_DIGITS)?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }
}

/// A message's content: its mark, and filling up to `bytes`.
pub(crate) fn content(mark: u64, bytes: usize, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(MARK.as_bytes());
    out.extend_from_slice(format!("{mark:010}").as_bytes());
    while out.len() - start < bytes {
        let left = bytes - (out.len() - start);
        out.extend_from_slice(&FILLING[..left.min(FILLING.len())]);
    }
}

/// The mark of a content, if it is what [`content`] writes of as many bytes.
pub(crate) fn posted(text: &[u8], bytes: usize) -> Option<u64> {
    let (digits, filling) = text
        .strip_prefix(MARK.as_bytes())?
        .split_at_checked(MARK_DIGITS)?;
    let is_filled = filling
        .chunks(FILLING.len())
        .all(|part| FILLING.starts_with(part));
    let is_as_long = text.len() == bytes.max(MARK.len() + MARK_DIGITS);
    let mark = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (is_filled && is_as_long).then_some(mark)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn split_inverts_the_header_and_waits_for_the_rest(
            payload in proptest::collection::vec(any::<u8>(), 0..70_000),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut wire = Vec::new();
            text_header(payload.len(), &mut wire);
            wire.extend_from_slice(&payload);
            let frame = Frame { opcode: TEXT, payload: &payload };
            prop_assert_eq!(split(&wire), Some((frame, wire.len())));
            prop_assert_eq!(split(&wire[..cut.index(wire.len())]), None);
        }

        #[test]
        fn a_mark_is_found_in_the_content_that_carries_it(mark in 0..10_000_000_000_u64) {
            let mut text = br#"{"d":{"content":""#.to_vec();
            content(mark, 300, &mut text);
            prop_assert_eq!(Marks::new().find(&text), Some(mark));
        }

        #[test]
        fn a_content_is_known_again_only_as_it_was_posted(
            mark in 0..10_000_000_000_u64,
            bytes in 0..2_000_usize,
            at in any::<prop::sample::Index>(),
        ) {
            let mut text = Vec::new();
            content(mark, bytes, &mut text);
            prop_assert_eq!(posted(&text, bytes), Some(mark));
            prop_assert_eq!(posted(&text[..text.len() - 1], bytes), None);
            let at = at.index(text.len());
            text[at] ^= 0x80;
            prop_assert_eq!(posted(&text, bytes), None);
        }
    }

    #[test]
    fn numbers_are_read_from_dispatches_only() {
        let message = br#"{"t":"MESSAGE_CREATE","s":42,"op":0,"d":{}}"#;
        assert_eq!(message_number(message), Some(42));
        assert_eq!(dispatch_number(message), Some(42));
        let ready = br#"{"t":"READY","s":1,"op":0,"d":{}}"#;
        assert_eq!(message_number(ready), None);
        assert_eq!(dispatch_number(ready), Some(1));
        assert_eq!(dispatch_number(br#"{"t":null,"s":null,"op":11}"#), None);
    }
}
