//! Writes a blob's file under another name, and gives it its own at the end.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use guildhall_ports::Failure;
use guildhall_ports::blobs::{BlobKey, BlobWriter, WriteError};
use guildhall_ports::crash::{self, Point};

use super::format::{HEADER_BYTES, Header};
use super::{Store, WHAT, failure};
use crate::blocking;

/// Bytes that are collected before they are written: a client that sends byte by byte must not
/// make a system call of each.
const COLLECTED_BYTES: usize = 64 * 1024;

pub(super) struct Writer {
    key: BlobKey,
    header: Header,
    bytes_max: u64,
    length: u64,
    collected: Vec<u8>,
    /// What the file is while nothing is wrong with it; gone while it is written to, so that a
    /// write that was given up half-way cannot be followed by another.
    file: Result<Unfinished, WriteError>,
}

/// A file that is removed unless it is finished.
struct Unfinished {
    store: Arc<Store>,
    path: PathBuf,
    file: File,
    is_published: bool,
}

impl Writer {
    /// Makes the file. Blocks on the file system.
    pub(super) fn begin(
        store: Arc<Store>,
        key: BlobKey,
        header: Header,
        bytes_max: u64,
    ) -> io::Result<Self> {
        let path = store.unfinished_path();
        let file = File::options().write(true).create_new(true).open(&path)?;
        let mut unfinished = Unfinished {
            store,
            path,
            file,
            is_published: false,
        };
        unfinished.file.write_all(&[0; HEADER_BYTES])?;
        Ok(Self {
            key,
            header,
            bytes_max,
            length: 0,
            collected: Vec::new(),
            file: Ok(unfinished),
        })
    }

    /// Runs a step on the file, which is lost if the step fails.
    async fn step(
        &mut self,
        work: impl FnOnce(&mut Unfinished) -> io::Result<()> + Send + 'static,
    ) -> Result<(), WriteError> {
        let given_up = Failure::unavailable(WHAT, "a write was given up half-way");
        let mut file = std::mem::replace(&mut self.file, Err(given_up.into()))?;
        let worked = blocking::run(WHAT, move || {
            let outcome = work(&mut file);
            outcome.map_err(|error| failure(&error))?;
            Ok(file)
        });
        self.file = worked.await.map_err(WriteError::from);
        self.file.as_ref().map(|_| ()).map_err(WriteError::clone)
    }

    async fn flush(&mut self) -> Result<(), WriteError> {
        let bytes = std::mem::take(&mut self.collected);
        self.step(move |unfinished| unfinished.file.write_all(&bytes))
            .await
    }
}

#[async_trait]
impl BlobWriter for Writer {
    async fn write(&mut self, bytes: Bytes) -> Result<(), WriteError> {
        if let Err(error) = &self.file {
            return Err(error.clone());
        }
        self.length += bytes.len() as u64;
        if self.bytes_max < self.length {
            let max = self.bytes_max;
            self.file = Err(WriteError::TooLong { max });
            return Err(WriteError::TooLong { max });
        }
        if self.collected.len() + bytes.len() < COLLECTED_BYTES {
            self.collected.extend_from_slice(&bytes);
            return Ok(());
        }
        self.flush().await?;
        self.step(move |unfinished| unfinished.file.write_all(&bytes))
            .await
    }

    async fn finish(mut self: Box<Self>) -> Result<u64, WriteError> {
        let (key, header) = (self.key, self.header.bytes(self.length));
        self.flush().await?;
        self.step(move |unfinished| {
            unfinished.file.write_all_at(&header, 0)?;
            unfinished.file.sync_all()?;
            crash::pass(Point::FileWritten);
            unfinished.store.publish(&unfinished.path, key)?;
            unfinished.is_published = true;
            Ok(())
        })
        .await?;
        Ok(self.length)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_published {
            // One call that removes a name: not worth a thread. What stays is removed at the next
            // start, whatever the reason.
            let _ = fs::remove_file(&self.path);
        }
    }
}
