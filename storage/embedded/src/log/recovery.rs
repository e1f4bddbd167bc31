//! Opens a log's directory: finds its segments, checks the last one, cuts what a crash tore.
//!
//! A crash can tear only the batch that was being written, because the one before it was stable
//! by then. So unreadable bytes are a torn tail when nothing that was written later stands behind
//! them, and damage when something does. Older segments are trusted until they are read.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use guildhall_ports::crash::{self, Point};
use guildhall_ports::{Failure, Random};

use super::catalog::{Active, Closed, written_at};
use super::config::{BATCH_BYTES_MAX, Topic};
use super::disk::Disk;
use super::record::{self, Header};
use super::scan::{Scanner, WINDOW_BYTES};
use super::segment;
use super::summary::{self, Summary};
use super::writer;
use crate::files;

/// A log's directory and what it takes to open it.
pub(super) struct Recovery<'r> {
    pub(super) topic: Topic,
    pub(super) dir: &'r Path,
    pub(super) disk: &'r dyn Disk,
    pub(super) random: &'r dyn Random,
}

/// What was found, ready to be read and written on.
pub(super) struct Recovered {
    pub(super) closed: Vec<Closed>,
    pub(super) active: Active,
}

/// A segment's file as it lies there.
struct Found {
    path: PathBuf,
    base: u64,
    length: u64,
}

/// How far the last segment can be read.
struct Readable {
    /// Everything before this is whole.
    end: u64,
    /// Where the last batch begins.
    batch: u64,
    summary: Summary,
}

impl Recovery<'_> {
    /// Opens what is there, or begins a log.
    pub(super) fn run(&self) -> Result<Recovered, Failure> {
        files::remove_unfinished(self.dir, "").map_err(|error| self.failure(&error))?;
        let mut found = self.find().map_err(|error| self.failure(&error))?;
        self.check_gaps(&found)?;
        let last = found.pop();
        let closed = found
            .into_iter()
            .map(Self::closed)
            .collect::<io::Result<_>>()
            .map_err(|error| self.failure(&error))?;
        let active = match last {
            Some(last) => self.open_last(&last)?,
            None => self.begin(0)?,
        };
        Ok(Recovered { closed, active })
    }

    /// The segments, rising. Summaries whose segments were trimmed are removed on the way.
    fn find(&self) -> io::Result<Vec<Found>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.dir)? {
            let entry = entry?;
            let path = entry.path();
            if let Some(base) = entry.file_name().to_str().and_then(segment::base_of) {
                let length = entry.metadata()?.len();
                found.push(Found { path, base, length });
            } else if path == summary::file(&path) && !path.with_extension("seg").exists() {
                fs::remove_file(path)?;
            }
        }
        found.sort_unstable_by_key(|segment| segment.base);
        Ok(found)
    }

    fn check_gaps(&self, found: &[Found]) -> Result<(), Failure> {
        for pair in found.windows(2) {
            let end = pair[0].base.checked_add(pair[0].length);
            if end != Some(pair[1].base) {
                let why = format!(
                    "{} has {} bytes, but the next segment is {}: a file is missing or was cut; \
                     restore the log's directory from a backup",
                    pair[0].path.display(),
                    pair[0].length,
                    pair[1].path.display()
                );
                return Err(Failure::damaged(self.topic.what(), why));
            }
        }
        Ok(())
    }

    fn closed(found: Found) -> io::Result<Closed> {
        let written_at = written_at(&File::open(&found.path)?)?;
        Ok(Closed {
            end: found.base + found.length,
            path: found.path,
            base: found.base,
            written_at,
            summary: OnceLock::new(),
        })
    }

    fn begin(&self, base: u64) -> Result<Active, Failure> {
        let begun = writer::begin(self.disk, self.dir, base, self.random);
        let (file, seed) = begun.map_err(|error| self.failure(&error))?;
        Ok(Active {
            file: Arc::new(file),
            path: segment::path(self.dir, base),
            base,
            seed,
            end: segment::first_record(base),
            summary: Summary::default(),
        })
    }

    fn open_last(&self, last: &Found) -> Result<Active, Failure> {
        // No record is written before the header is durable, so nothing is lost with a short file.
        if last.length < segment::HEADER_BYTES as u64 {
            return self.begin(last.base);
        }
        let opened = Self::open(&last.path).map_err(|error| self.failure(&error))?;
        let (file, header) = opened;
        let Some(seed) = segment::read_header(&header, last.base) else {
            if last.length == segment::HEADER_BYTES as u64 {
                return self.begin(last.base);
            }
            return Err(segment::damaged(
                self.topic,
                &last.path,
                0,
                "no segment's header",
            ));
        };
        let readable = self.check(last, &file, seed)?;
        self.settle(last, &file, &readable)?;
        Ok(Active {
            file: Arc::new(file),
            path: last.path.clone(),
            base: last.base,
            seed,
            end: readable.end,
            summary: readable.summary,
        })
    }

    fn open(path: &Path) -> io::Result<(File, [u8; segment::HEADER_BYTES])> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let mut header = [0; segment::HEADER_BYTES];
        file.read_exact_at(&mut header, 0)?;
        Ok((file, header))
    }

    /// Reads the last segment whole, up to its end or to a tail that may be cut.
    fn check(&self, last: &Found, file: &File, seed: u32) -> Result<Readable, Failure> {
        let end = last.base + last.length;
        let mut scanner = Scanner::new(file, last.base, end, seed, WINDOW_BYTES);
        let mut readable = Readable {
            end: segment::first_record(last.base),
            batch: segment::first_record(last.base),
            summary: Summary::default(),
        };
        while let Some(header) =
            whole_record(&mut scanner, readable.end).map_err(|error| self.failure(&error))?
        {
            readable.summary.note(header.partition, readable.end);
            readable.batch = header.batch.max(readable.batch);
            readable.end = header.next(readable.end);
        }
        let tail = Tail {
            begin: readable.end,
            end,
        };
        if tail
            .holds_later_batch(file, last.base, seed)
            .map_err(|error| self.failure(&error))?
        {
            let offset = readable.end - last.base;
            let found = "no whole record, but later ones behind it";
            return Err(segment::damaged(self.topic, &last.path, offset, found));
        }
        Ok(readable)
    }

    /// Cuts a torn tail and makes stable what is left, before anybody reads it.
    fn settle(&self, last: &Found, file: &File, readable: &Readable) -> Result<(), Failure> {
        let torn = last.base + last.length - readable.end;
        if torn > 0 {
            tracing::warn!(
                topic = self.topic.name(),
                bytes = torn,
                "cutting {torn} bytes of a batch that was not written to its end from {}",
                last.path.display()
            );
        }
        self.rewrite(last, file, readable)
            .inspect(|()| crash::pass(Point::TailRewritten))
            .and_then(|()| self.disk.cut(file, readable.end - last.base))
            .inspect(|()| crash::pass(Point::TailCut))
            .and_then(|()| self.disk.sync(file))
            .map_err(|error| self.failure(&error))
    }

    /// Writes the last batch again as it is. If its sync failed and the process was started anew,
    /// the system may hold its pages as clean though the disk has never got them; a sync alone
    /// would pass over them.
    fn rewrite(&self, last: &Found, file: &File, readable: &Readable) -> io::Result<()> {
        let mut batch = vec![0; usize::try_from(readable.end - readable.batch).unwrap_or(0)];
        let offset = readable.batch - last.base;
        file.read_exact_at(&mut batch, offset)?;
        self.disk.write(file, &batch, offset)
    }

    fn failure(&self, error: &io::Error) -> Failure {
        files::failure(self.topic.what(), error)
    }
}

fn whole_record(scanner: &mut Scanner<'_>, position: u64) -> io::Result<Option<Header>> {
    let Some(header) = scanner.header(position)? else {
        return Ok(None);
    };
    let payload = scanner.payload(position, &header)?;
    Ok(payload.is_some().then_some(header))
}

/// Bytes at the end of the last segment that do not begin with a whole record.
struct Tail {
    begin: u64,
    end: u64,
}

impl Tail {
    /// Whether the tail holds bytes of a batch that was written after the one it begins in: then
    /// that one was stable, and the tail is damage.
    fn holds_later_batch(&self, file: &File, base: u64, seed: u32) -> io::Result<bool> {
        let Ok(length) = usize::try_from(self.end - self.begin) else {
            return Ok(true);
        };
        if length > BATCH_BYTES_MAX {
            return Ok(true);
        }
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, self.begin - base)?;
        let found = (self.begin..)
            .zip(bytes.windows(record::HEADER_BYTES))
            .skip(1)
            .filter_map(|(position, bytes)| {
                let bytes = bytes.try_into().expect("a window has its length");
                Header::decode(bytes, seed, position)
            })
            .any(|header| header.batch > self.begin);
        Ok(found)
    }
}
