//! Reads a partition's stable records.

use std::fs::File;
use std::io;
use std::path::Path;

use bytes::Bytes;
use guildhall_model::Position;
use guildhall_ports::Failure;
use guildhall_ports::log::{LogRecord, Slice};

use super::catalog::{Catalog, Opened, View};
use super::config::Topic;
use super::scan::{Scanner, WINDOW_BYTES};
use super::segment;
use super::summary::Extent;
use crate::files;

/// Bytes of a window that reads little: one record or two.
const WINDOW_BYTES_MIN: usize = 4 * 1024;

/// What to read.
#[derive(Clone, Copy)]
pub(super) struct Request {
    pub(super) partition: u16,
    pub(super) from: u64,
    pub(super) bytes_max: usize,
}

/// One segment's part of a read.
struct Part<'p> {
    file: &'p File,
    path: &'p Path,
    base: u64,
    end: u64,
    seed: u32,
    extent: Extent,
}

/// What has been read so far.
struct Reading {
    topic: Topic,
    request: Request,
    records: Vec<LogRecord>,
    bytes: usize,
    next: u64,
}

/// Reads a slice. Blocks on the file system.
pub(super) fn read(topic: Topic, catalog: &Catalog, request: Request) -> Result<Slice, Failure> {
    // A segment that is trimmed meanwhile is not in the next view, so this ends.
    loop {
        let view = catalog.view(request.partition, request.from);
        if let Some(slice) = read_view(topic, catalog, &view, request)? {
            return Ok(slice);
        }
    }
}

/// The position of the partition's oldest record, or the end. Blocks on the file system.
pub(super) fn start(catalog: &Catalog, partition: u16) -> Result<u64, Failure> {
    let view = catalog.view(partition, 0);
    for closed in &view.closed {
        if let Some(summary) = catalog.summary(closed)?
            && let Some(extent) = summary.extent(partition)
        {
            return Ok(extent.first);
        }
    }
    Ok(view.active_extent.map_or(view.end, |extent| extent.first))
}

/// Reads what a view shows; `None` if a part of it has been trimmed meanwhile.
fn read_view(
    topic: Topic,
    catalog: &Catalog,
    view: &View,
    request: Request,
) -> Result<Option<Slice>, Failure> {
    let mut reading = Reading {
        topic,
        request,
        records: Vec::new(),
        bytes: 0,
        next: request.from,
    };
    for closed in &view.closed {
        let Some(summary) = catalog.summary(closed)? else {
            return Ok(None);
        };
        let Some(extent) = summary.extent(request.partition) else {
            continue;
        };
        let Opened::File(file, seed) = catalog.open(closed)? else {
            return Ok(None);
        };
        reading.take(&Part {
            file: &file,
            path: &closed.path,
            base: closed.base,
            end: closed.end,
            seed,
            extent,
        })?;
        if reading.is_full() {
            return Ok(Some(reading.slice()));
        }
    }
    if let Some(extent) = view.active_extent {
        reading.take(&Part {
            file: &view.active,
            path: &view.active_path,
            base: view.active_base,
            end: view.end,
            seed: view.active_seed,
            extent,
        })?;
    }
    if !reading.is_full() {
        reading.next = request.from.max(view.end);
    }
    Ok(Some(reading.slice()))
}

impl Reading {
    fn is_full(&self) -> bool {
        !self.records.is_empty() && self.bytes >= self.request.bytes_max
    }

    fn slice(self) -> Slice {
        Slice {
            records: self.records,
            next: Position(self.next),
        }
    }

    /// Reads one segment's records of the partition from the request's beginning on.
    fn take(&mut self, part: &Part<'_>) -> Result<(), Failure> {
        if part.extent.last < self.request.from {
            return Ok(());
        }
        let window_bytes = self.request.bytes_max.clamp(WINDOW_BYTES_MIN, WINDOW_BYTES);
        let mut scanner = Scanner::new(part.file, part.base, part.end, part.seed, window_bytes);
        let mut position = self.first(part, &mut scanner)?;
        while position <= part.extent.last && !self.is_full() {
            let header = self.io(scanner.header(position))?;
            let header = header.ok_or_else(|| self.damaged(part, position))?;
            let next = header.next(position);
            if header.partition == self.request.partition && position >= self.request.from {
                let payload = self.io(scanner.payload(position, &header))?;
                let payload = payload.ok_or_else(|| self.damaged(part, position))?;
                self.bytes += payload.len();
                self.records.push(LogRecord {
                    position: Position(position),
                    epoch: header.epoch,
                    // A copy, so that a kept record does not keep a whole window.
                    payload: Bytes::copy_from_slice(payload),
                });
            }
            position = next;
            self.next = next;
        }
        Ok(())
    }

    /// Where to begin: at the place asked for when a record begins there, as it does for every
    /// position that a slice or an append has told; at the partition's first record if not.
    fn first(&self, part: &Part<'_>, scanner: &mut Scanner<'_>) -> Result<u64, Failure> {
        let from = self.request.from;
        if from <= part.extent.first || self.io(scanner.header(from))?.is_none() {
            return Ok(part.extent.first);
        }
        Ok(from)
    }

    fn io<T>(&self, outcome: io::Result<T>) -> Result<T, Failure> {
        outcome.map_err(|error| files::failure(self.topic.what(), &error))
    }

    fn damaged(&self, part: &Part<'_>, position: u64) -> Failure {
        segment::damaged(
            self.topic,
            part.path,
            position - part.base,
            "no whole record",
        )
    }
}
