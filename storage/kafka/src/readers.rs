//! Threads that read: a few consumers for all topics of a process, each with what it read last.
//!
//! A read is one shot: it asks the partition's leader where the log ends, and only if there is
//! something it points the consumer there and takes what one fetch brings. No consumer is in a
//! group, and none of these follows a partition: between reads nothing is assigned.

pub(crate) mod ends;
mod shape;
mod window;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use guildhall_ports::Failure;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, Offset, TopicPartitionList};
use tokio::sync::oneshot;

use self::ends::Asker;
pub(crate) use self::shape::Shape;
use self::window::Windows;
use crate::away::Away;
use crate::config::{ClusterConfig, FETCH_BYTES};
use crate::failure::unavailable;
use crate::known::Known;

/// Reads that wait for one thread at most; one more is refused.
const QUEUE_MAX: usize = 256;
/// How often an idle consumer's own events are heard.
const IDLE: Duration = Duration::from_secs(1);

/// What a thread is asked to do.
type Work = Box<dyn FnOnce(&mut Reader) + Send>;

/// A partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Source {
    pub(crate) what: &'static str,
    pub(crate) topic: Arc<str>,
    pub(crate) partition: u16,
}

/// A Kafka record.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    pub(crate) offset: i64,
    pub(crate) key: Bytes,
    /// `None` is a tombstone.
    pub(crate) value: Option<Bytes>,
}

impl Raw {
    /// A copy of what a consumer has fetched.
    pub(crate) fn of(message: &BorrowedMessage<'_>) -> Self {
        Self {
            offset: message.offset(),
            key: Bytes::copy_from_slice(message.key().unwrap_or_default()),
            value: message.payload().map(Bytes::copy_from_slice),
        }
    }

    /// What it weighs; records without content have a weight, too.
    pub(crate) fn weight(&self) -> usize {
        64 + self.key.len() + self.value.as_ref().map_or(0, Bytes::len)
    }
}

/// What a read found.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// In order, empty only at the end.
    pub(crate) records: Vec<Raw>,
    /// Where the partition ended, at some time during the read.
    pub(crate) end: i64,
}

/// What a partition keeps: the offsets `start..end`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) start: i64,
    pub(crate) end: i64,
}

/// The threads. A partition is always read by the same one.
pub(crate) struct Readers {
    patience: Duration,
    away: Away,
    threads: Vec<SyncSender<Work>>,
}

impl Readers {
    pub(crate) fn start(
        cluster: &ClusterConfig,
        count: usize,
        away: &Away,
        known: &Known,
    ) -> KafkaResult<Self> {
        let seen = || (away.clone(), known.clone());
        let threads = (0..count.max(1)).map(|n| start(n, cluster, seen()));
        Ok(Self {
            patience: cluster.request_timeout(),
            away: away.clone(),
            threads: threads.collect::<KafkaResult<_>>()?,
        })
    }

    /// Lets the partition's thread do something. It has until the deadline that it is told.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        source: &Source,
        work: impl FnOnce(&mut Reader, &Source, Instant) -> KafkaResult<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let what = source.what;
        let (asked, deadline) = (self.away.ask(), Instant::now() + self.patience);
        let (done, answer) = oneshot::channel();
        let source = source.clone();
        let n = usize::from(source.partition) % self.threads.len().max(1);
        let work = Box::new(move |reader: &mut Reader| {
            // Who waited in vain behind others shall not keep those behind it waiting as well.
            let worked = if Instant::now() < deadline {
                work(reader, &source, deadline)
            } else {
                Err(timed_out())
            };
            if let Err(error) = &worked {
                reader.away.has_failed(asked, error);
            }
            let _ = done.send(worked);
        });
        let thread = self.threads.get(n).ok_or(Failure::Closing)?;
        match thread.try_send(work) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                return Err(Failure::unavailable(what, "too many reads wait for Kafka"));
            }
            Err(TrySendError::Disconnected(_)) => return Err(Failure::Closing),
        }
        let worked = answer.await.map_err(|_| Failure::Closing)?;
        worked.map_err(|error| unavailable(what, &error))
    }
}

pub(crate) fn timed_out() -> KafkaError {
    KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut)
}

fn start(
    n: usize,
    cluster: &ClusterConfig,
    (away, known): (Away, Known),
) -> KafkaResult<SyncSender<Work>> {
    let mut settings = cluster.consumer();
    settings
        .set("auto.offset.reset", "error")
        // One fetch at a time, and none ahead: what is read next may be another partition.
        .set("queued.min.messages", "1")
        // A partition whose queue was full rests for this long, also for the next read of it.
        // The default of a second was the p99 of all reads.
        .set("fetch.queue.backoff.ms", "1")
        // A fetch ahead that finds nothing keeps the next read waiting for at most this.
        .set("fetch.wait.max.ms", "10");
    let consumer = settings.create_with_context(away.clone())?;
    let reader = Reader {
        consumer,
        away,
        known,
        windows: Windows::default(),
    };
    let (queue, inbox) = sync_channel(QUEUE_MAX);
    let thread = thread::Builder::new().name(format!("kafka-reader-{n}"));
    let started = thread.spawn(move || reader.serve(&inbox));
    started.map_err(|error| KafkaError::ClientCreation(error.to_string()))?;
    Ok(queue)
}

/// One thread's consumer.
pub(crate) struct Reader {
    consumer: BaseConsumer<Away>,
    away: Away,
    known: Known,
    windows: Windows,
}

impl Reader {
    fn serve(mut self, inbox: &Receiver<Work>) {
        loop {
            match inbox.recv_timeout(IDLE) {
                Ok(work) => work(&mut self),
                // Nothing is assigned, so there are only the client's own events.
                Err(RecvTimeoutError::Timeout) => drop(self.consumer.poll(Duration::ZERO)),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// What the partition keeps now, in its leader's words: everything that was acknowledged
    /// before is within.
    pub(crate) fn bounds(&self, source: &Source, deadline: Instant) -> KafkaResult<Bounds> {
        let bounds = self.asker().bounds(source, deadline)?;
        self.away.is_back();
        Ok(bounds)
    }

    /// The same for the ends of some partitions, by one request to each leader.
    pub(crate) fn ends(&self, sources: &[Source], deadline: Instant) -> KafkaResult<Vec<i64>> {
        let ends = self.asker().ends(sources, deadline)?;
        self.away.is_back();
        Ok(ends)
    }

    const fn asker(&self) -> Asker<'_> {
        Asker {
            consumer: &self.consumer,
            known: &self.known,
        }
    }

    /// The first offset whose record is at least as new as a time in milliseconds; `None` if all
    /// are older.
    pub(crate) fn offset_at(
        &self,
        source: &Source,
        time_ms: i64,
        deadline: Instant,
    ) -> KafkaResult<Option<i64>> {
        let times = at(source, time_ms)?;
        let offsets = self.consumer.offsets_for_times(times, left(deadline))?;
        let found = offsets.find_partition(&source.topic, source.partition.into());
        let found = found.ok_or_else(timed_out)?;
        found.error()?;
        Ok(match found.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        })
    }

    /// Reads records from the one at an offset or the first one after it, at least one if there
    /// is one and about `bytes_max` bytes at most.
    pub(crate) fn read(
        &mut self,
        source: &Source,
        from: i64,
        bytes_max: usize,
        deadline: Instant,
    ) -> KafkaResult<Fetched> {
        if let Some(known) = self.windows.read(source, from, bytes_max) {
            return Ok(known);
        }
        let mut known_end = self.windows.end(source);
        loop {
            let bounds = match known_end.take().filter(|end| from < *end) {
                Some(end) => Bounds { start: from, end },
                None => self.bounds(source, deadline)?,
            };
            if from >= bounds.end || bounds.start >= bounds.end {
                return Ok(Fetched {
                    records: Vec::new(),
                    end: bounds.end,
                });
            }
            let first = from.max(bounds.start);
            match self.fetch(source, first, bounds.end, deadline) {
                // It was dropped meanwhile: what is kept now is looked up anew.
                Err(error) if is_out_of_range(&error) && Instant::now() < deadline => {}
                Err(error) => return Err(error),
                Ok(records) => {
                    self.away.is_back();
                    self.windows.keep(source, first, bounds.end, records);
                    let known = self.windows.read(source, first, bytes_max);
                    return known.ok_or_else(timed_out);
                }
            }
        }
    }

    /// Forgets what was read of a partition, because some of it is dropped.
    pub(crate) fn forget(&mut self, source: &Source) {
        self.windows.forget(source);
    }

    /// What one fetch brings from an offset below the end: at least one record.
    fn fetch(
        &self,
        source: &Source,
        first: i64,
        end: i64,
        deadline: Instant,
    ) -> KafkaResult<Vec<Raw>> {
        self.consumer.assign(&at(source, first)?)?;
        let fetched = self.poll(source, first, end, deadline);
        self.consumer.unassign()?;
        fetched
    }

    fn poll(
        &self,
        source: &Source,
        first: i64,
        end: i64,
        deadline: Instant,
    ) -> KafkaResult<Vec<Raw>> {
        let mut records: Vec<Raw> = Vec::new();
        let mut bytes = 0;
        let mut trouble = None;
        loop {
            let patience = if records.is_empty() {
                left(deadline)
            } else {
                Duration::ZERO
            };
            match self.consumer.poll(patience) {
                Some(Ok(message)) => {
                    if message.topic() != &*source.topic
                        || message.partition() != i32::from(source.partition)
                        || message.offset() < first
                    {
                        continue;
                    }
                    let raw = Raw::of(&message);
                    bytes += raw.key.len() + raw.value.as_ref().map_or(0, Bytes::len);
                    let offset = raw.offset;
                    records.push(raw);
                    if bytes >= FETCH_BYTES || offset + 1 >= end {
                        return Ok(records);
                    }
                }
                Some(Err(error)) if is_out_of_range(&error) => return Err(error),
                // The library goes on trying by itself.
                Some(Err(error)) => trouble = Some(error),
                None if !records.is_empty() => return Ok(records),
                None if Instant::now() >= deadline => {
                    return Err(trouble.unwrap_or_else(timed_out));
                }
                None => {}
            }
        }
    }
}

fn is_out_of_range(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange)
    )
}

pub(crate) fn at(source: &Source, offset: i64) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(
        &source.topic,
        source.partition.into(),
        Offset::Offset(offset),
    )?;
    Ok(list)
}

pub(crate) fn left(deadline: Instant) -> Duration {
    deadline
        .saturating_duration_since(Instant::now())
        .max(Duration::from_millis(1))
}
