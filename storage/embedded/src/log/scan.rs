//! Walks the records of one segment file through a window of bytes.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::record::{self, Header};

/// Bytes of a window that reads much.
pub(super) const WINDOW_BYTES: usize = 256 * 1024;

/// Reads records of a segment up to a fixed end. What is unreadable there is `None`; who asked
/// knows whether that is damage.
pub(super) struct Scanner<'f> {
    file: &'f File,
    base: u64,
    end: u64,
    seed: u32,
    window: Vec<u8>,
    window_at: u64,
    window_bytes: usize,
}

impl<'f> Scanner<'f> {
    /// Reads `file`, whose first byte has the position `base`, up to `end`, in pieces of at least
    /// `window_bytes`.
    pub(super) fn new(file: &'f File, base: u64, end: u64, seed: u32, window_bytes: usize) -> Self {
        Self {
            file,
            base,
            end,
            seed,
            window: Vec::new(),
            window_at: 0,
            window_bytes,
        }
    }

    /// The header of the record at `position`, if one begins there and ends before the end.
    pub(super) fn header(&mut self, position: u64) -> io::Result<Option<Header>> {
        let seed = self.seed;
        let Some(bytes) = self.bytes(position, record::HEADER_BYTES)? else {
            return Ok(None);
        };
        let bytes = bytes.try_into().expect("as many bytes as were asked for");
        Ok(
            Header::decode(bytes, seed, position)
                .filter(|header| header.next(position) <= self.end),
        )
    }

    /// The payload of the record at `position`, if it is what was appended.
    pub(super) fn payload(&mut self, position: u64, header: &Header) -> io::Result<Option<&[u8]>> {
        let at = position + record::HEADER_BYTES as u64;
        let payload = self.bytes(at, header.payload_bytes())?;
        Ok(payload.filter(|payload| header.matches(payload)))
    }

    /// `length` bytes from `position`, if the file has them before the end.
    fn bytes(&mut self, position: u64, length: usize) -> io::Result<Option<&[u8]>> {
        if position < self.base || self.end < position || self.end - position < length as u64 {
            return Ok(None);
        }
        let window_end = self.window_at + self.window.len() as u64;
        if position < self.window_at || window_end < position + length as u64 {
            let left = usize::try_from(self.end - position).unwrap_or(usize::MAX);
            self.window
                .resize(length.max(self.window_bytes.min(left)), 0);
            self.window_at = position;
            let read = self
                .file
                .read_exact_at(&mut self.window, position - self.base);
            if let Err(error) = read {
                self.window.clear();
                // The file is shorter than it was: unreadable like other damage.
                return match error.kind() {
                    io::ErrorKind::UnexpectedEof => Ok(None),
                    _ => Err(error),
                };
            }
        }
        let start = usize::try_from(position - self.window_at).expect("within the window");
        Ok(Some(&self.window[start..start + length]))
    }
}
