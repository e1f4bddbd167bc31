//! Dispatches that are written to one socket together.

use std::io::{self, IoSlice};

use bytes::Bytes;
use guildhall_host::session::Outgoing;

use crate::socket::Socket;

/// A body up to this size is copied behind its header, because a copy of a few kilobytes costs
/// less than one more slice of a vectored write; a larger one is written from where it is shared.
const COPIED_BYTES_MAX: usize = 4 * 1024;
/// Slices of one vectored write; the kernel takes up to 1,024.
const SLICES_MAX: usize = 64;

/// What one write carries. Its buffers are used again for other sockets.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// What the session has handed out and is not rendered yet.
    pub(crate) waiting: Vec<Outgoing>,
    /// Headers, prefixes and small bodies, one behind the other.
    pub(crate) bytes: Vec<u8>,
    /// The envelope of the dispatch that is being added.
    pub(crate) prefix: Vec<u8>,
    /// Large bodies, each with the number of `bytes` that come before it.
    shared: Vec<(usize, Bytes)>,
    written: usize,
}

impl Batch {
    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
        self.bytes.clear();
        self.shared.clear();
        self.written = 0;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Adds a body behind what stands in `bytes`.
    pub(crate) fn add_body(&mut self, body: Bytes) {
        if body.len() <= COPIED_BYTES_MAX {
            self.bytes.extend_from_slice(&body);
        } else {
            self.shared.push((self.bytes.len(), body));
        }
    }

    /// Writes on from where the last write ended, as far as the system takes it now. True when
    /// all is written.
    pub(crate) fn try_write(&mut self, socket: &Socket) -> io::Result<bool> {
        loop {
            let mut slices = [IoSlice::new(&[]); SLICES_MAX];
            let n = self.rest(&mut slices);
            if n == 0 {
                return Ok(true);
            }
            match socket.try_write(&slices[..n])? {
                Some(written) => self.written += written,
                None => return Ok(false),
            }
        }
    }

    /// Writes on until all is written. Not cancel-safe: a frame may be cut, so that the socket
    /// can only be closed.
    pub(crate) async fn write(&mut self, socket: &Socket) -> io::Result<()> {
        while !self.try_write(socket)? {
            socket.writable().await?;
        }
        Ok(())
    }

    /// The first slices of what is not written yet; how many there are.
    fn rest<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let (mut skip, mut n, mut from) = (self.written, 0, 0);
        let ends = self.shared.iter().map(|(end, body)| (*end, &body[..]));
        for (end, body) in ends.chain([(self.bytes.len(), &[][..])]) {
            for part in [&self.bytes[from..end], body] {
                let left = part.get(skip..).unwrap_or_default();
                skip = skip.saturating_sub(part.len());
                if !left.is_empty() {
                    if n == slices.len() {
                        return n;
                    }
                    slices[n] = IoSlice::new(left);
                    n += 1;
                }
            }
            from = end;
        }
        n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(parts: &[usize]) -> (Batch, Vec<u8>) {
        let (mut batch, mut whole) = (Batch::default(), Vec::new());
        for (i, &len) in parts.iter().enumerate() {
            let head = [u8::try_from(i).unwrap(); 3];
            let body = vec![0xB0 | u8::try_from(i % 16).unwrap(); len];
            whole.extend_from_slice(&head);
            whole.extend_from_slice(&body);
            batch.bytes.extend_from_slice(&head);
            batch.add_body(body.into());
        }
        (batch, whole)
    }

    fn joined(slices: &[IoSlice<'_>]) -> Vec<u8> {
        slices.iter().flat_map(|slice| slice.to_vec()).collect()
    }

    #[test]
    fn small_bodies_make_one_slice() {
        let (batch, whole) = batch(&[10, 20, COPIED_BYTES_MAX]);
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        assert_eq!(batch.rest(&mut slices), 1);
        assert_eq!(&slices[0][..], whole);
    }

    #[test]
    fn a_write_goes_on_at_every_byte() {
        let (mut batch, whole) = batch(&[10, COPIED_BYTES_MAX + 1, 0, 5, COPIED_BYTES_MAX + 2]);
        for written in 0..=whole.len() {
            batch.written = written;
            let mut slices = [IoSlice::new(&[]); SLICES_MAX];
            let n = batch.rest(&mut slices);
            assert_eq!(joined(&slices[..n]), whole[written..], "{written}");
        }
    }

    #[test]
    fn more_slices_than_one_write_takes_are_cut_in_order() {
        let (batch, whole) = batch(&[COPIED_BYTES_MAX + 1; SLICES_MAX]);
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        assert_eq!(batch.rest(&mut slices), SLICES_MAX);
        let first = joined(&slices);
        assert_eq!(first, whole[..first.len()]);
    }
}
