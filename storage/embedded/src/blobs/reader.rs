//! Reads a blob's file: its header, then the part that is asked for, piece by piece.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use guildhall_ports::Failure;
use guildhall_ports::blobs::{BlobInfo, BlobKey};

use super::format::{self, HEADER_BYTES};
use super::{WHAT, failure};
use crate::blocking;

/// What one reader holds in memory.
const PIECE_BYTES: u64 = 64 * 1024;

/// Opens a blob's file, if there is one. Blocks on the file system.
pub(super) fn open(path: &Path, key: BlobKey) -> Result<Option<(File, BlobInfo)>, Failure> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failure(&error)),
    };
    let mut header = [0; HEADER_BYTES];
    match file.read_exact(&mut header) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            return Err(damaged(key, "the file is cut off"));
        }
        Err(error) => return Err(failure(&error)),
    }
    let info = format::read(&header).ok_or_else(|| damaged(key, "its header is wrong"))?;
    let length = file.metadata().map_err(|error| failure(&error))?.len();
    if length.checked_sub(HEADER_BYTES as u64) != Some(info.length) {
        return Err(damaged(key, "the file has another length than it says"));
    }
    Ok(Some((file, info)))
}

/// The bytes of the content within `range`, which ends within it.
pub(super) fn pieces(
    file: File,
    key: BlobKey,
    range: Range<u64>,
) -> BoxStream<'static, Result<Bytes, Failure>> {
    let file = Arc::new(file);
    stream::unfold(Some(range), move |left| {
        let file = Arc::clone(&file);
        async move {
            let left = left.filter(|left| left.start < left.end)?;
            let end = left.end.min(left.start + PIECE_BYTES);
            let piece = left.start..end;
            let read = blocking::run(WHAT, move || read(&file, key, &piece)).await;
            let next = read.is_ok().then_some(end..left.end);
            Some((read, next))
        }
    })
    .boxed()
}

fn read(file: &File, key: BlobKey, piece: &Range<u64>) -> Result<Bytes, Failure> {
    let length = usize::try_from(piece.end - piece.start).unwrap_or_default();
    let mut bytes = vec![0; length];
    match file.read_exact_at(&mut bytes, piece.start + HEADER_BYTES as u64) {
        Ok(()) => Ok(bytes.into()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(damaged(key, "the file was cut off while it was read"))
        }
        Err(error) => Err(failure(&error)),
    }
}

fn damaged(key: BlobKey, why: &str) -> Failure {
    Failure::damaged(WHAT, format!("{key}: {why}; restore it from a backup"))
}
