//! Writes an object: in one request if it fits a part, in parts otherwise.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Buf, Bytes};
use guildhall_ports::Failure;
use guildhall_ports::blobs::{BlobKey, BlobWriter, WriteError};

use crate::blobs::Store;
use crate::error::{ENGINE, failure};
use crate::multipart::Upload;

/// Bytes of every part but the last, and what a writer holds in memory at most beside what it is
/// being given. No engine takes smaller ones.
pub(crate) const PART_BYTES: usize = 5 * 1024 * 1024;
/// Parts of an object, as engines have it.
const PARTS_MAX: u64 = 10_000;
/// Bytes of the longest object.
const OBJECT_BYTES_MAX: u64 = PARTS_MAX * PART_BYTES as u64;

pub(crate) struct Writer {
    key: BlobKey,
    bytes_max: u64,
    length: u64,
    /// Gone while it is written to, so that a write that was given up half-way cannot be followed
    /// by another.
    object: Result<Unfinished, WriteError>,
}

/// An object that nobody sees yet.
struct Unfinished {
    store: Arc<Store>,
    key: BlobKey,
    headers: HashMap<String, String>,
    collected: Vec<u8>,
    /// There from the second part on.
    upload: Option<Upload>,
}

impl Writer {
    pub(crate) fn begin(
        store: Arc<Store>,
        key: BlobKey,
        headers: HashMap<String, String>,
        bytes_max: u64,
    ) -> Self {
        Self {
            key,
            bytes_max: bytes_max.min(OBJECT_BYTES_MAX),
            length: 0,
            object: Ok(Unfinished {
                store,
                key,
                headers,
                collected: Vec::new(),
                upload: None,
            }),
        }
    }

    /// Takes the object out for as long as it is worked on.
    fn take(&mut self) -> Result<Unfinished, WriteError> {
        let why = format!("a write of {} was given up half-way", self.key);
        let given_up = Failure::unavailable(ENGINE, why);
        match std::mem::replace(&mut self.object, Err(given_up.into())) {
            Ok(object) => Ok(object),
            Err(error) => {
                self.object = Err(error.clone());
                Err(error)
            }
        }
    }
}

#[async_trait]
impl BlobWriter for Writer {
    async fn write(&mut self, bytes: Bytes) -> Result<(), WriteError> {
        let mut object = self.take()?;
        self.length = self.length.saturating_add(bytes.len() as u64);
        let outcome = if self.bytes_max < self.length {
            let max = self.bytes_max;
            Err(WriteError::TooLong { max })
        } else {
            object.append(bytes).await.map_err(WriteError::from)
        };
        self.object = outcome.map(|()| object);
        self.object.as_ref().map(|_| ()).map_err(WriteError::clone)
    }

    async fn finish(mut self: Box<Self>) -> Result<u64, WriteError> {
        self.take()?.finish().await?;
        Ok(self.length)
    }
}

impl Unfinished {
    /// A part is sent when there is more than it: the last one may be of any length but none.
    async fn append(&mut self, mut bytes: Bytes) -> Result<(), Failure> {
        while !bytes.is_empty() {
            if self.collected.len() == PART_BYTES {
                self.send_part().await?;
            }
            let room = PART_BYTES.saturating_sub(self.collected.len());
            let piece = bytes.split_to(room.min(bytes.remaining()));
            self.collect(&piece);
        }
        Ok(())
    }

    /// Grows by doubling, but never over a part: most files are small, and many are written at once.
    fn collect(&mut self, piece: &[u8]) {
        let wanted = self.collected.len().saturating_add(piece.len());
        if self.collected.capacity() < wanted {
            let doubled = self.collected.capacity().saturating_mul(2);
            let capacity = doubled.min(PART_BYTES).max(wanted);
            let more = capacity.saturating_sub(self.collected.len());
            self.collected.reserve_exact(more);
        }
        self.collected.extend_from_slice(piece);
    }

    async fn send_part(&mut self) -> Result<(), Failure> {
        let bytes = Bytes::from(std::mem::take(&mut self.collected));
        let (store, key) = (Arc::clone(&self.store), self.key);
        let (upload, headers) = (self.upload.take(), self.headers.clone());
        let sending = async move {
            let mut upload = match upload {
                Some(upload) => upload,
                None => Upload::begin(store, key, headers).await?,
            };
            upload.send(bytes).await?;
            Ok(upload)
        };
        let sent = self.store.watch(Box::pin(to_its_end(sending))).await;
        self.upload = Some(sent?);
        Ok(())
    }

    async fn finish(mut self) -> Result<(), Failure> {
        if self.upload.is_some() {
            self.send_part().await?;
        }
        if let Some(upload) = self.upload {
            let completing = to_its_end(upload.complete());
            return self.store.watch(Box::pin(completing)).await;
        }
        let put = self.store.client.put_object();
        let put = put
            .bucket(&self.store.bucket)
            .key(self.key.to_string())
            .set_metadata(Some(self.headers))
            .body(self.collected.into());
        let putting = async { put.send().await.map_err(|error| failure(&error)) };
        self.store.watch(Box::pin(putting)).await.map(|_| ())
    }
}

/// Goes on though the caller leaves: an upload that is given up while a part is under way could keep
/// that part.
async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<T, Failure> {
    // The runtime is going down.
    tokio::spawn(work).await.unwrap_or(Err(Failure::Closing))
}
