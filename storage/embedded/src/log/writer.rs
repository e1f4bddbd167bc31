//! The one thread that writes a log: takes what waits, writes it at once, syncs, answers.
//!
//! While a batch is being synced the next one collects, so the batches grow with the load and the
//! cost of a sync is shared by all who wait for it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use guildhall_model::Position;
use guildhall_ports::crash::{self, Point};
use guildhall_ports::{Failure, Random};

use super::Health;
use super::Shared;
use super::catalog::Active;
use super::config::{Durability, LogConfig, Topic};
use super::disk::Disk;
use super::metrics::Metrics;
use super::queue::{Job, Work};
use super::record::Header;
use super::segment;
use super::summary::Summary;
use crate::files;

/// Bytes that are written to find out whether the disk has room again.
const PROBE_BYTES: usize = 64 * 1024;

/// The file of that; opening a log removes it if a crash left it.
const PROBE_FILE: &str = "probe.tmp";

/// The writer of one log.
pub(super) struct Writer {
    pub(super) topic: Topic,
    pub(super) config: LogConfig,
    pub(super) dir: PathBuf,
    pub(super) shared: Arc<Shared>,
    pub(super) disk: Box<dyn Disk>,
    pub(super) random: Arc<dyn Random>,
    pub(super) segment: Segment,
    pub(super) metrics: Metrics,
    /// When the disk was last asked for room in vain.
    pub(super) asked_for_room: Option<Instant>,
    /// The bytes of a batch; kept for the next one.
    pub(super) buffer: Vec<u8>,
}

/// The segment that is being written.
pub(super) struct Segment {
    pub(super) file: Arc<File>,
    pub(super) base: u64,
    pub(super) seed: u32,
    /// Everything before this is stable; the next batch begins here.
    pub(super) end: u64,
}

/// Why a batch was not committed.
enum Fault {
    /// Nothing of it is in the log, which goes on working.
    Batch(Failure),
    /// What is on the disk is unknown, so nothing may be written any more.
    Broken(Failure),
}

/// Refuses everything and ends all followers once the writer has ended, for whatever reason, a
/// panic included: nobody waits for a thread that is gone.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        if std::thread::panicking() {
            *self.0.health.lock() = Health::Broken;
        }
        let gone = Failure::unavailable("log", "its writer has ended");
        self.0.queue.close(gone);
        drop(self.0.queue.drain());
        self.0.wakes.end();
    }
}

impl Writer {
    /// Writes until the queue is closed and empty, or the log is broken.
    pub(super) fn run(mut self) {
        let _ending = Ending(Arc::clone(&self.shared));
        loop {
            let is_full = self.health() == Health::Full;
            let patience = is_full.then(|| self.patience());
            match self.shared.queue.take(patience) {
                Work::Batch(jobs) => {
                    if self.serve(jobs).is_err() {
                        return;
                    }
                }
                Work::Idle => self.probe(),
                Work::End => break,
            }
        }
        // With `Os` a clean end is made as safe as it can be; the answers are out already.
        if let Err(error) = self.disk.sync(&self.segment.file) {
            tracing::error!(
                "the {} was not synced at its end: {error}",
                self.topic.what()
            );
        }
    }

    /// Commits a batch and answers it; an error when the log is broken.
    fn serve(&mut self, jobs: Vec<Job>) -> Result<(), ()> {
        match self.commit(&jobs) {
            Ok(positions) => {
                for (job, positions) in jobs.into_iter().zip(positions) {
                    let _ = job.done.send(Ok(positions));
                }
                // The rest of a page takes a small batch, which does not mean that there is room.
                let is_time = |asked: Instant| asked.elapsed() >= self.patience();
                if self.health() == Health::Full && self.asked_for_room.is_none_or(is_time) {
                    self.probe();
                }
                Ok(())
            }
            Err(Fault::Batch(failure)) => {
                self.metrics.failed();
                self.note(&failure);
                self.refuse(jobs, &failure);
                Ok(())
            }
            Err(Fault::Broken(failure)) => {
                self.metrics.failed();
                tracing::error!("the {} is broken: {failure}", self.topic.what());
                *self.shared.health.lock() = Health::Broken;
                self.shared.queue.close(failure.clone());
                self.refuse(jobs, &failure);
                Err(())
            }
        }
    }

    /// Remembers that the disk is full, and says so once, not for every batch that finds it full.
    fn note(&self, failure: &Failure) {
        let what = self.topic.what();
        if !matches!(failure, Failure::Full { .. }) {
            tracing::error!("a batch of the {what} failed: {failure}");
            return;
        }
        let former = std::mem::replace(&mut *self.shared.health.lock(), Health::Full);
        if former != Health::Full {
            tracing::error!("{failure}: appends are refused until the disk has room again");
        }
    }

    /// Answers a failed batch, and whatever waits behind it: an append must not succeed when one
    /// that was called before it, and whose failure its caller has not seen yet, did not.
    fn refuse(&self, jobs: Vec<Job>, failure: &Failure) {
        for job in jobs.into_iter().chain(self.shared.queue.drain()) {
            let _ = job.done.send(Err(failure.clone()));
        }
    }

    fn commit(&mut self, jobs: &[Job]) -> Result<Vec<Vec<Position>>, Fault> {
        if jobs.iter().all(|job| job.records.is_empty()) {
            return Ok(jobs.iter().map(|_| Vec::new()).collect());
        }
        if self.segment.end - self.segment.base >= self.config.segment_bytes
            && self.segment.end > segment::first_record(self.segment.base)
        {
            self.roll()
                .map_err(|error| Fault::Batch(self.failure(&error)))?;
        }
        let (positions, summary) = self.encode(jobs);
        self.write()?;
        crash::pass(self.topic.written());
        if self.config.durability == Durability::Fsync {
            self.sync()?;
        }
        crash::pass(self.topic.synced());
        self.segment.end += self.buffer.len() as u64;
        self.shared.catalog.grown(self.segment.end, &summary);
        self.shared.wakes.wake(&summary);
        let records = positions.iter().map(Vec::len).sum();
        self.metrics.committed(records, self.buffer.len());
        Ok(positions)
    }

    /// Puts the bytes of a batch into the buffer and says where each record will stand.
    fn encode(&mut self, jobs: &[Job]) -> (Vec<Vec<Position>>, Summary) {
        let batch = self.segment.end;
        let mut summary = Summary::default();
        self.buffer.clear();
        let positions = jobs
            .iter()
            .map(|job| {
                let place = |payload: &bytes::Bytes| {
                    let position = batch + self.buffer.len() as u64;
                    let header = Header::of(payload, job.partition, job.epoch, batch);
                    let header = header.encode(self.segment.seed, position);
                    self.buffer.extend_from_slice(&header);
                    self.buffer.extend_from_slice(payload);
                    summary.note(job.partition, position);
                    Position(position)
                };
                job.records.iter().map(place).collect()
            })
            .collect();
        (positions, summary)
    }

    /// Writes the buffer behind the stable records, or leaves them as they were.
    fn write(&mut self) -> Result<(), Fault> {
        let offset = self.segment.end - self.segment.base;
        let written = self.disk.write(&self.segment.file, &self.buffer, offset);
        let Err(error) = written else {
            return Ok(());
        };
        let failure = self.failure(&error);
        // The cut is synced under either policy: bytes of a failed batch that came back after a
        // loss of power would follow a later segment's beginning.
        self.disk
            .cut(&self.segment.file, offset)
            .and_then(|()| self.disk.sync(&self.segment.file))
            .map_err(|error| Fault::Broken(self.broken("cutting a failed batch", &error)))?;
        Err(Fault::Batch(failure))
    }

    /// Syncs the batch. The system reports a failed write-back once and may drop the pages, so a
    /// second sync would succeed without the bytes: after one failure nothing can be promised.
    fn sync(&mut self) -> Result<(), Fault> {
        let began = Instant::now();
        self.disk
            .sync(&self.segment.file)
            .map_err(|error| Fault::Broken(self.broken("a sync", &error)))?;
        self.metrics.synced(began.elapsed());
        Ok(())
    }

    /// Begins the next segment. When this fails the former one stays, as it was.
    fn roll(&mut self) -> io::Result<()> {
        let base = self.segment.end;
        let begun = begin(self.disk.as_ref(), &self.dir, base, self.random.as_ref());
        let (file, seed) = begun?;
        crash::pass(Point::SegmentBegun);
        let file = Arc::new(file);
        self.segment = Segment {
            file: Arc::clone(&file),
            base,
            seed,
            end: segment::first_record(base),
        };
        let closed = self.shared.catalog.rolled(Active {
            file,
            path: segment::path(&self.dir, base),
            base,
            seed,
            end: self.segment.end,
            summary: Summary::default(),
        });
        crash::pass(Point::SegmentRolled);
        if let Some(summary) = closed.summary.get()
            && let Err(error) = summary.store(&closed.path)
        {
            let path = closed.path.display();
            tracing::warn!("the summary of {path} is not kept: {error}");
        }
        Ok(())
    }

    /// Finds out whether a full disk has room again.
    fn probe(&mut self) {
        let path = self.dir.join(PROBE_FILE);
        let wrote = self
            .disk
            .create(&path)
            .and_then(|file| self.disk.write(&file, &vec![0; PROBE_BYTES], 0));
        let removed = fs::remove_file(&path);
        if wrote.and(removed).is_ok() {
            *self.shared.health.lock() = Health::Working;
            self.asked_for_room = None;
        } else {
            self.asked_for_room = Some(Instant::now());
        }
    }

    fn health(&self) -> Health {
        *self.shared.health.lock()
    }

    const fn patience(&self) -> Duration {
        Duration::from_millis(self.config.full_retry_ms)
    }

    fn failure(&self, error: &io::Error) -> Failure {
        files::failure(self.topic.what(), error)
    }

    fn broken(&self, step: &str, error: &io::Error) -> Failure {
        let why = format!("{step} failed ({error}); check the disk and start the server again");
        Failure::unavailable(self.topic.what(), why)
    }
}

/// Makes the segment that begins at `base`, durably, and gives the seed of its checksums.
pub(super) fn begin(
    disk: &dyn Disk,
    dir: &Path,
    base: u64,
    random: &dyn Random,
) -> io::Result<(File, u32)> {
    let path = segment::path(dir, base);
    let (header, seed) = segment::new_header(base, random);
    let file = disk.create(&path)?;
    crash::pass(Point::SegmentCreated);
    let outcome = disk
        .write(&file, &header, 0)
        .and_then(|()| disk.sync(&file))
        .inspect(|()| crash::pass(Point::SegmentHeaded))
        .and_then(|()| disk.sync_entry(&path));
    match outcome {
        Ok(()) => Ok((file, seed)),
        Err(error) => {
            // Left behind it would be taken for the beginning of a segment, which is right too.
            let _ = fs::remove_file(&path);
            Err(error)
        }
    }
}
