//! A topic of the log as segment files on one disk.
//!
//! All partitions of a topic share one sequence of files, so that one write and one sync commit
//! what all of them have to say. A [`Position`] is the offset of a record's first byte in that
//! sequence. What a crash can tear, and how that is told from damage, is in [`recovery`]'s page;
//! the bytes are described in [`segment`] and [`record`].

mod catalog;
mod config;
mod disk;
mod follow;
mod metrics;
mod queue;
mod reader;
mod record;
mod recovery;
mod retention;
mod scan;
mod segment;
mod summary;
mod writer;

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::{self, BoxFuture};
use futures_util::stream::{self, BoxStream};
use guildhall_model::{Epoch, Position, Timestamp};
use guildhall_ports::log::Slice;
use guildhall_ports::{Failure, Log, Random};
use parking_lot::Mutex;

use self::catalog::Catalog;
pub use self::config::{Durability, LogConfig, RECORD_BYTES_MAX, Topic};
use self::disk::{Disk, OsDisk};
use self::follow::{Follower, Wakes};
use self::metrics::Metrics;
use self::queue::Queue;
use self::reader::Request;
use self::recovery::Recovery;
pub use self::retention::Trimmed;
use self::writer::{Segment, Writer};
use crate::{blocking, files};

/// The file whose lock keeps other processes out of a log's directory.
const LOCK_FILE: &str = "lock";

/// How a log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Batches are written.
    Working,
    /// The disk had no room for a batch. Appends are tried all the same, and the disk is asked
    /// for more room than one takes after [`LogConfig::full_retry_ms`].
    Full,
    /// A sync failed, so that nobody knows what is on the disk. Appends are refused until the
    /// log is opened anew; reads go on.
    Broken,
}

/// One topic of the log, on the disk of this machine.
pub struct SegmentLog {
    topic: Topic,
    config: LogConfig,
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<()>>>,
    lock: Mutex<Option<File>>,
}

/// What the writer's thread and the callers share.
struct Shared {
    queue: Queue,
    catalog: Catalog,
    wakes: Wakes,
    health: Mutex<Health>,
    /// Only one may trim at a time.
    trimming: Mutex<()>,
}

impl SegmentLog {
    /// Opens the log in `dir`, or begins one there. Blocks on the file system, for as long as it
    /// takes to read one segment. `Damaged` if acknowledged records cannot be read any more,
    /// `Unavailable` if another process has the directory open.
    pub fn open(
        dir: &Path,
        topic: Topic,
        config: LogConfig,
        random: Arc<dyn Random>,
    ) -> Result<Self, Failure> {
        Self::open_on(Box::new(OsDisk), dir, topic, config, random)
    }

    fn open_on(
        disk: Box<dyn Disk>,
        dir: &Path,
        topic: Topic,
        config: LogConfig,
        random: Arc<dyn Random>,
    ) -> Result<Self, Failure> {
        let what = topic.what();
        files::create_dir(dir).map_err(|error| files::failure(what, &error))?;
        let lock = lock(dir, what)?;
        let recovery = Recovery {
            topic,
            dir,
            disk: disk.as_ref(),
            random: random.as_ref(),
        };
        let recovered = recovery.run()?;
        let segment = Segment {
            file: Arc::clone(&recovered.active.file),
            base: recovered.active.base,
            seed: recovered.active.seed,
            end: recovered.active.end,
        };
        let shared = Arc::new(Shared {
            queue: Queue::new(topic, &config),
            catalog: Catalog::new(topic, recovered.closed, recovered.active),
            wakes: Wakes::default(),
            health: Mutex::new(Health::Working),
            trimming: Mutex::default(),
        });
        let writer = Writer {
            topic,
            config,
            dir: dir.to_owned(),
            shared: Arc::clone(&shared),
            disk,
            random,
            segment,
            metrics: Metrics::of(topic),
            asked_for_room: None,
            buffer: Vec::new(),
        };
        let thread = thread::Builder::new()
            .name(format!("log-{}", topic.name()))
            .spawn(move || writer.run())
            .map_err(|error| files::failure(what, &error))?;
        Ok(Self {
            topic,
            config,
            shared,
            writer: Mutex::new(Some(thread)),
            lock: Mutex::new(Some(lock)),
        })
    }

    /// How the log is at present.
    pub fn health(&self) -> Health {
        *self.shared.health.lock()
    }

    /// Drops the oldest segments, as long as each is released by all partitions that have
    /// records in it and was closed at least the retention time before `now`. To be called every
    /// minute or so.
    pub async fn trim(&self, now: Timestamp) -> Result<Trimmed, Failure> {
        let shared = Arc::clone(&self.shared);
        let (topic, config) = (self.topic, self.config);
        blocking::run(topic.what(), move || {
            let _trimming = shared.trimming.lock();
            retention::trim(topic, &shared.catalog, config.retention_ms, now)
        })
        .await
    }

    /// Refuses further appends, waits until those that were called before are stable, and lets
    /// go of the directory. Reads still work; followers hear what there is, and then that the log
    /// is closing.
    pub async fn close(&self) -> Result<(), Failure> {
        self.shared.queue.close(Failure::Closing);
        let writer = self.writer.lock().take();
        blocking::run(self.topic.what(), move || {
            join(writer);
            Ok(())
        })
        .await?;
        self.lock.lock().take();
        Ok(())
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Catalog) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let shared = Arc::clone(&self.shared);
        blocking::run(self.topic.what(), move || work(&shared.catalog)).await
    }
}

impl Drop for SegmentLog {
    fn drop(&mut self) {
        self.shared.queue.close(Failure::Closing);
        join(self.writer.lock().take());
    }
}

#[async_trait]
impl Log for SegmentLog {
    fn append(
        &self,
        partition: u16,
        epoch: Epoch,
        records: Vec<Bytes>,
    ) -> BoxFuture<'static, Result<Vec<Position>, Failure>> {
        let what = self.topic.what();
        let answers = match self.shared.queue.push(partition, epoch, records) {
            Ok(answers) => answers,
            Err(failure) => return Box::pin(future::ready(Err(failure))),
        };
        Box::pin(async move {
            let mut positions = Vec::new();
            for answer in answers {
                let gone = |_| Failure::unavailable(what, "the writer has ended");
                positions.extend(answer.await.map_err(gone)??);
            }
            Ok(positions)
        })
    }

    async fn read(
        &self,
        partition: u16,
        from: Position,
        bytes_max: usize,
    ) -> Result<Slice, Failure> {
        let topic = self.topic;
        let request = Request {
            partition,
            from: from.0,
            bytes_max,
        };
        self.run(move |catalog| reader::read(topic, catalog, request))
            .await
    }

    fn follow(
        &self,
        partition: u16,
        from: Position,
        bytes_max: usize,
    ) -> BoxStream<'static, Result<Slice, Failure>> {
        let request = Request {
            partition,
            from: from.0,
            bytes_max,
        };
        let follower = Follower::new(self.topic, &self.shared, request);
        stream::try_unfold(follower, |mut follower| async {
            let slice = follower.slice().await?;
            Ok(Some((slice, follower)))
        })
        .boxed()
    }

    async fn end(&self, _partition: u16) -> Result<Position, Failure> {
        Ok(Position(self.shared.catalog.end()))
    }

    async fn start(&self, partition: u16) -> Result<Position, Failure> {
        self.run(move |catalog| reader::start(catalog, partition).map(Position))
            .await
    }

    fn is_next(&self, _behind: Position, _at: Position) -> bool {
        // The directory is locked.
        true
    }

    async fn release(&self, partition: u16, before: Position) -> Result<(), Failure> {
        self.shared.catalog.release(partition, before.0);
        Ok(())
    }
}

fn lock(dir: &Path, what: &'static str) -> Result<File, Failure> {
    let path = dir.join(LOCK_FILE);
    let file = File::create(&path).map_err(|error| files::failure(what, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let why = format!("another process has locked {}", path.display());
            Err(Failure::unavailable(what, why))
        }
        Err(TryLockError::Error(error)) => Err(files::failure(what, &error)),
    }
}

fn join(writer: Option<JoinHandle<()>>) {
    if let Some(writer) = writer
        && writer.join().is_err()
    {
        tracing::error!("a log's writer has panicked");
    }
}

#[cfg(test)]
mod tests;
