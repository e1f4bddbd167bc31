//! Blobs in memory.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream;
use parking_lot::Mutex;

use super::Outage;
use crate::blobs::{
    BlobInfo, BlobKey, BlobKind, BlobWriter, Blobs, MEDIA_TYPE_BYTES_MAX, OpenBlob, WriteError,
};
use crate::error::Failure;

const WHAT: &str = "blobs";
/// Pieces in which a blob is read: small, so that tests meet their borders.
const PIECE_BYTES: usize = 1_000;

/// Blobs that can be made unreachable, and a disk that can be made small. Clones are the same
/// store.
#[derive(Clone, Default)]
pub struct FakeBlobs {
    store: Arc<Store>,
}

#[derive(Default)]
struct Store {
    outage: Outage,
    kept: Mutex<BTreeMap<BlobKey, Blob>>,
    room: Mutex<Option<usize>>,
    taken: AtomicU64,
}

#[derive(Clone)]
struct Blob {
    media_type: String,
    bytes: Bytes,
}

impl FakeBlobs {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every call fails like this from now on; `None` ends it.
    pub fn fail(&self, failure: Option<Failure>) {
        self.store.outage.set(failure);
    }

    /// Only so many bytes fit from now on, finished or not; `None` ends it.
    pub fn leave_room(&self, bytes: Option<usize>) {
        *self.store.room.lock() = bytes;
    }

    /// Bytes that were ever taken from writers.
    pub fn bytes_taken(&self) -> u64 {
        self.store.taken.load(Ordering::Relaxed)
    }

    /// The keys of all blobs.
    pub fn keys(&self) -> Vec<BlobKey> {
        self.store.kept.lock().keys().copied().collect()
    }
}

impl fmt::Debug for FakeBlobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FakeBlobs")
    }
}

impl Store {
    fn get(&self, key: BlobKey) -> Result<Option<Blob>, Failure> {
        self.outage.check()?;
        Ok(self.kept.lock().get(&key).cloned())
    }

    fn claim(&self, bytes: usize) -> Result<(), Failure> {
        self.outage.check()?;
        if let Some(room) = &mut *self.room.lock() {
            *room = room
                .checked_sub(bytes)
                .ok_or(Failure::Full { what: WHAT })?;
        }
        self.taken.fetch_add(bytes as u64, Ordering::Relaxed);
        Ok(())
    }
}

impl Blob {
    fn info(&self) -> BlobInfo {
        BlobInfo {
            length: self.bytes.len() as u64,
            media_type: self.media_type.clone(),
        }
    }

    fn part(&self, range: &Range<u64>) -> Bytes {
        let at = |place: u64| {
            usize::try_from(place)
                .unwrap_or(usize::MAX)
                .min(self.bytes.len())
        };
        let (start, end) = (at(range.start), at(range.end));
        self.bytes.slice(start..end.max(start))
    }
}

#[async_trait]
impl Blobs for FakeBlobs {
    async fn put(
        &self,
        key: BlobKey,
        media_type: &str,
        bytes_max: u64,
    ) -> Result<Box<dyn BlobWriter>, Failure> {
        self.store.outage.check()?;
        if media_type.len() > MEDIA_TYPE_BYTES_MAX {
            return Err(Failure::unavailable(WHAT, "the media type is too long"));
        }
        Ok(Box::new(Writer {
            store: Arc::clone(&self.store),
            key,
            media_type: media_type.to_owned(),
            bytes: BytesMut::new(),
            bytes_max,
            broken: None,
        }))
    }

    async fn info(&self, key: BlobKey) -> Result<Option<BlobInfo>, Failure> {
        Ok(self.store.get(key)?.as_ref().map(Blob::info))
    }

    async fn open(&self, key: BlobKey, range: Range<u64>) -> Result<Option<OpenBlob>, Failure> {
        let Some(blob) = self.store.get(key)? else {
            return Ok(None);
        };
        let part = blob.part(&range);
        let pieces: Vec<_> = (0..part.len())
            .step_by(PIECE_BYTES)
            .map(|at| Ok(part.slice(at..part.len().min(at + PIECE_BYTES))))
            .collect();
        Ok(Some(OpenBlob {
            info: blob.info(),
            bytes: stream::iter(pieces).boxed(),
        }))
    }

    async fn rename(&self, from: BlobKey, to: BlobKey) -> Result<bool, Failure> {
        self.store.outage.check()?;
        let mut kept = self.store.kept.lock();
        let Some(blob) = kept.remove(&from) else {
            return Ok(false);
        };
        kept.insert(to, blob);
        Ok(true)
    }

    async fn delete(&self, key: BlobKey) -> Result<(), Failure> {
        self.store.outage.check()?;
        self.store.kept.lock().remove(&key);
        Ok(())
    }

    async fn list(&self, kind: BlobKind, limit: usize) -> Result<Vec<BlobKey>, Failure> {
        self.store.outage.check()?;
        let kept = self.store.kept.lock();
        let of_kind = kept.keys().filter(|key| key.kind() == kind);
        Ok(of_kind.take(limit).copied().collect())
    }
}

struct Writer {
    store: Arc<Store>,
    key: BlobKey,
    media_type: String,
    bytes: BytesMut,
    bytes_max: u64,
    broken: Option<WriteError>,
}

impl Writer {
    fn take(&mut self, bytes: &Bytes) -> Result<(), WriteError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let length = self.bytes.len() as u64 + bytes.len() as u64;
        if self.bytes_max < length {
            let max = self.bytes_max;
            return Err(WriteError::TooLong { max });
        }
        self.store.claim(bytes.len())?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }
}

#[async_trait]
impl BlobWriter for Writer {
    async fn write(&mut self, bytes: Bytes) -> Result<(), WriteError> {
        let outcome = self.take(&bytes);
        self.broken = outcome.clone().err();
        outcome
    }

    async fn finish(self: Box<Self>) -> Result<u64, WriteError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        self.store.outage.check()?;
        let blob = Blob {
            media_type: self.media_type,
            bytes: self.bytes.freeze(),
        };
        let length = blob.bytes.len() as u64;
        self.store.kept.lock().insert(self.key, blob);
        Ok(length)
    }
}
