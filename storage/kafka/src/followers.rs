//! One consumer for all that a process follows, whatever the topic and however many.
//!
//! It hears of every record of the partitions that somebody follows, from the time on when the
//! first one came, and puts it into the partition's [`Tail`]. Its thread never waits for who reads
//! the tails. Another thread [`watch`]es: a broker that is away says nothing by itself.

pub(crate) mod tail;
mod watch;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use guildhall_ports::Failure;
use parking_lot::Mutex;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, TopicPartitionList};
use tracing::{debug, warn};

use self::tail::Tail;
use crate::away::Away;
use crate::config::{ClusterConfig, FETCH_BYTES, RECORD_BYTES_MAX};
use crate::known::Known;
use crate::readers::{Raw, Source, at};

/// How often the thread looks whether it is still wanted, and which partitions are.
const TURN: Duration = Duration::from_millis(100);

/// The consumer. Its threads end with it.
pub(crate) struct Followers {
    shared: Arc<Shared>,
    /// Whose end the watcher hears.
    _watched: SyncSender<()>,
}

/// What the threads and the followers share.
pub(crate) struct Shared {
    consumer: BaseConsumer<Away>,
    away: Away,
    known: Known,
    tails: Mutex<Tails>,
    /// Some tail has lost its last follower.
    is_left: AtomicBool,
    is_over: AtomicBool,
}

/// The tails by topic and partition.
type Tails = HashMap<Arc<str>, HashMap<u16, Followed>>;

/// A partition that is assigned to the consumer.
struct Followed {
    source: Source,
    tail: Arc<Tail>,
    followers: usize,
}

/// A follower's place at a tail; the partition is let go of when the last one has left.
pub(crate) struct Seat {
    shared: Arc<Shared>,
    source: Source,
    tail: Arc<Tail>,
}

impl Followers {
    pub(crate) fn start(cluster: &ClusterConfig, away: &Away, known: &Known) -> KafkaResult<Self> {
        let shared = Arc::new(Shared {
            consumer: settings(cluster).create_with_context(away.clone())?,
            away: away.clone(),
            known: known.clone(),
            tails: Mutex::default(),
            is_left: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
        });
        let failed = |error: std::io::Error| KafkaError::ClientCreation(error.to_string());
        let heard = Arc::clone(&shared);
        let thread = thread::Builder::new().name("kafka-follower".to_owned());
        thread.spawn(move || heard.serve()).map_err(failed)?;
        let (watched, end) = sync_channel(0);
        let (seen, patience) = (Arc::clone(&shared), cluster.request_timeout());
        let thread = thread::Builder::new().name("kafka-watcher".to_owned());
        let watch = move || watch::watch(&seen, &end, patience);
        thread.spawn(watch).map_err(failed)?;
        Ok(Self {
            shared,
            _watched: watched,
        })
    }

    /// For the thread that looks up where a partition ends.
    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }
}

impl Drop for Followers {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
    }
}

fn settings(cluster: &ClusterConfig) -> rdkafka::ClientConfig {
    let mut settings = cluster.consumer();
    settings
        // Where a place was dropped meanwhile it goes on with the first record that is kept.
        .set("auto.offset.reset", "earliest")
        // A partition that is followed anew is asked for once the request under way is answered.
        // While nothing is written, that takes this long.
        .set("fetch.wait.max.ms", "100")
        // Bytes of all partitions that one answer has at most. It has to fit the longest record.
        .set("fetch.max.bytes", (2 * RECORD_BYTES_MAX).to_string())
        // Bytes of each partition that may wait for our thread, which takes them at once.
        .set(
            "queued.max.messages.kbytes",
            (2 * FETCH_BYTES / 1024).to_string(),
        )
        // If they had to wait, not for the default of a second.
        .set("fetch.queue.backoff.ms", "2");
    settings
}

impl Shared {
    /// A place at the tail of a partition that somebody follows already.
    pub(crate) fn join(self: &Arc<Self>, source: &Source) -> Option<Seat> {
        let mut tails = self.tails.lock();
        let followed = tails.get_mut(&source.topic)?.get_mut(&source.partition)?;
        followed.followers += 1;
        Some(self.seat(followed))
    }

    /// The same, or at a new tail that hears of everything from an offset on. Blocks for a moment.
    pub(crate) fn follow(self: &Arc<Self>, source: &Source, first: i64) -> KafkaResult<Seat> {
        if let Some(seat) = self.join(source) {
            return Ok(seat);
        }
        let mut tails = self.tails.lock();
        let of_topic = tails.entry(Arc::clone(&source.topic)).or_default();
        if !of_topic.contains_key(&source.partition) {
            self.consumer.incremental_assign(&at(source, first)?)?;
        }
        let followed = of_topic
            .entry(source.partition)
            .or_insert_with(|| Followed {
                source: source.clone(),
                tail: Arc::new(Tail::new(first)),
                followers: 0,
            });
        followed.followers += 1;
        Ok(self.seat(followed))
    }

    fn seat(self: &Arc<Self>, followed: &Followed) -> Seat {
        Seat {
            shared: Arc::clone(self),
            source: followed.source.clone(),
            tail: Arc::clone(&followed.tail),
        }
    }

    fn serve(&self) {
        while !self.is_over.load(Ordering::Relaxed) {
            match self.consumer.poll(TURN) {
                Some(Ok(message)) => self.hand_on(&message),
                // The library goes on trying by itself, and the watcher sees what stays away.
                Some(Err(error)) => debug!(%error, "following"),
                None => {}
            }
            if self.is_left.swap(false, Ordering::Relaxed) {
                self.release(|followed| followed.followers == 0);
            }
        }
    }

    fn hand_on(&self, message: &BorrowedMessage<'_>) {
        self.away.is_back();
        let next = message.offset() + 1;
        self.known.raise(message.topic(), message.partition(), next);
        let tail = {
            let tails = self.tails.lock();
            let of_topic = tails.get(message.topic());
            let partition = u16::try_from(message.partition()).ok();
            let followed = of_topic.zip(partition).and_then(|(of, p)| of.get(&p));
            followed.map(|followed| Arc::clone(&followed.tail))
        };
        if let Some(tail) = tail {
            tail.push(Raw::of(message));
        }
    }

    /// The partitions that are followed.
    fn followed(&self) -> Vec<(Source, Arc<Tail>)> {
        let tails = self.tails.lock();
        let followed = tails.values().flat_map(HashMap::values);
        followed
            .map(|followed| (followed.source.clone(), Arc::clone(&followed.tail)))
            .collect()
    }

    /// Ends all followers of a partition, and lets go of it.
    fn fail(&self, tail: &Arc<Tail>, failure: Failure) {
        self.release(|followed| Arc::ptr_eq(&followed.tail, tail));
        tail.fail(failure);
    }

    /// Lets go of partitions. Blocks for a moment.
    fn release(&self, is_over: impl Fn(&Followed) -> bool) {
        let mut released = TopicPartitionList::new();
        let mut tails = self.tails.lock();
        for of_topic in tails.values_mut() {
            of_topic.retain(|_, followed| {
                let is_over = is_over(followed);
                if is_over {
                    let partition = followed.source.partition.into();
                    released.add_partition(&followed.source.topic, partition);
                }
                !is_over
            });
        }
        if released.count() == 0 {
            return;
        }
        if let Err(error) = self.consumer.incremental_unassign(&released) {
            warn!(%error, "Kafka's client does not let go of partitions");
        }
    }
}

impl Seat {
    pub(crate) fn tail(&self) -> &Tail {
        &self.tail
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut tails = self.shared.tails.lock();
        let of_topic = tails.get_mut(&self.source.topic);
        let followed = of_topic.and_then(|of_topic| of_topic.get_mut(&self.source.partition));
        // After a failure another tail may be in its place.
        if let Some(followed) = followed.filter(|it| Arc::ptr_eq(&it.tail, &self.tail)) {
            followed.followers -= 1;
            if followed.followers == 0 {
                self.shared.is_left.store(true, Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests;
