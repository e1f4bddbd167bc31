//! The ways of appends to Kafka: one lane for each partition, with one Kafka record on its way.
//!
//! What is appended while a record is on its way forms the next one. So the order of a partition
//! is the order of the calls, whatever is retried beneath, and a failure takes everything with it
//! that was called before it was known: nothing that follows a lost append is stored.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use guildhall_model::{Epoch, Position};
use guildhall_ports::{Failure, crash};
use parking_lot::Mutex;
use rdkafka::error::KafkaError;
use tokio::sync::oneshot;

use crate::config::{FETCH_BYTES, LogConfig, RECORD_BYTES_MAX, Topic};
use crate::failure::unavailable;
use crate::frame;
use crate::metrics::Metrics;
use crate::place::{Place, RECORDS_MAX};
use crate::producer::{Parcel, Producer};

/// Bytes of the longest payload that can be appended.
pub(crate) const PAYLOAD_BYTES_MAX: usize = RECORD_BYTES_MAX - 64;
/// Bytes of records that share a Kafka record. It bounds what a read of one of them costs.
const BATCH_BYTES: usize = FETCH_BYTES;

/// What became of an append.
pub(crate) type Outcome = Result<Vec<Position>, Failure>;

/// All lanes of a topic.
pub(crate) struct Lanes {
    topic: Topic,
    /// As Kafka knows the topic.
    name: String,
    config: LogConfig,
    producer: Producer,
    fill: Mutex<Fill>,
    by_partition: Vec<Mutex<Lane>>,
    is_closed: AtomicBool,
    metrics: Metrics,
}

/// What waits and is on its way, together.
#[derive(Default)]
struct Fill {
    appends: usize,
    bytes: usize,
}

#[derive(Default)]
struct Lane {
    waiting: VecDeque<Job>,
    is_busy: bool,
}

/// Records of one call that share a Kafka record.
struct Job {
    epoch: Epoch,
    records: Vec<Bytes>,
    /// As they stand in a frame.
    bytes: usize,
    /// Nobody may be listening any more.
    done: oneshot::Sender<Outcome>,
}

/// A Kafka record on its way.
struct Flight {
    partition: u16,
    jobs: Vec<Job>,
    began: Instant,
}

impl Flight {
    fn bytes(&self) -> usize {
        self.jobs.iter().map(|job| job.bytes).sum()
    }

    fn records(&self) -> usize {
        self.jobs.iter().map(|job| job.records.len()).sum()
    }
}

impl Lanes {
    pub(crate) fn new(topic: Topic, name: String, config: LogConfig, producer: Producer) -> Self {
        Self {
            topic,
            name,
            config,
            producer,
            fill: Mutex::default(),
            by_partition: (0..config.partitions).map(|_| Mutex::default()).collect(),
            is_closed: AtomicBool::new(false),
            metrics: Metrics::of(topic),
        }
    }

    /// Lines up an append as one job or, if it is long, several. Takes all or none, and never
    /// waits.
    pub(crate) fn push(
        self: &Arc<Self>,
        partition: u16,
        epoch: Epoch,
        records: Vec<Bytes>,
    ) -> Result<Vec<oneshot::Receiver<Outcome>>, Failure> {
        if self.is_closed.load(Ordering::Acquire) {
            return Err(Failure::Closing);
        }
        let lane = self.lane(partition)?;
        let long = records
            .iter()
            .find(|record| record.len() > PAYLOAD_BYTES_MAX);
        if let Some(long) = long {
            let why = format!(
                "a record of {} bytes is over the bound of {PAYLOAD_BYTES_MAX}",
                long.len()
            );
            return Err(Failure::unavailable(self.topic.what(), why));
        }
        let (jobs, answers) = split(epoch, records);
        self.take_room(&jobs)?;
        let mut lane = lane.lock();
        lane.waiting.extend(jobs);
        if !lane.is_busy {
            self.depart(partition, &mut lane);
        }
        Ok(answers)
    }

    fn lane(&self, partition: u16) -> Result<&Mutex<Lane>, Failure> {
        self.by_partition
            .get(usize::from(partition))
            .ok_or_else(|| {
                let why = format!(
                    "partition {partition} is beyond the {} of the cluster",
                    self.config.partitions
                );
                Failure::unavailable(self.topic.what(), why)
            })
    }

    fn take_room(&self, jobs: &[Job]) -> Result<(), Failure> {
        let bytes: usize = jobs.iter().map(|job| job.bytes).sum();
        let mut fill = self.fill.lock();
        if fill.appends + jobs.len() > self.config.queue_appends_max
            || fill.bytes + bytes > self.config.queue_bytes_max
        {
            return Err(Failure::unavailable(
                self.topic.what(),
                "too many appends wait for Kafka",
            ));
        }
        fill.appends += jobs.len();
        fill.bytes += bytes;
        Ok(())
    }

    fn give_room(&self, jobs: &[Job]) {
        let bytes: usize = jobs.iter().map(|job| job.bytes).sum();
        let mut fill = self.fill.lock();
        fill.appends -= jobs.len();
        fill.bytes -= bytes;
    }

    /// Sends what waits, as far as one Kafka record holds it.
    fn depart(self: &Arc<Self>, partition: u16, lane: &mut Lane) {
        lane.is_busy = false;
        while !lane.waiting.is_empty() {
            let flight = Flight {
                partition,
                jobs: lane.next_batch(),
                began: Instant::now(),
            };
            if flight.records() == 0 {
                self.land(flight, Place::of_offset(0));
                continue;
            }
            let Err((failure, flight)) = self.send(flight) else {
                lane.is_busy = true;
                return;
            };
            self.crash_land(flight.jobs, &failure);
            self.crash_land(lane.waiting.drain(..).collect(), &failure);
        }
    }

    fn send(self: &Arc<Self>, flight: Flight) -> Result<(), (Failure, Flight)> {
        let epoch = flight.jobs.first().map(|job| job.epoch).unwrap_or_default();
        let records = flight.jobs.iter().flat_map(|job| &job.records);
        let frame = frame::encode(epoch, records);
        let parcel = Parcel {
            topic: &self.name,
            partition: flight.partition,
            key: &[],
            value: Some(&frame),
        };
        // The flight is held twice, because a refusal does not give it back.
        let flight = Arc::new(Mutex::new(Some(flight)));
        let (lanes, carried) = (Arc::downgrade(self), Arc::clone(&flight));
        let on_delivery = Box::new(move |delivered| {
            if let Some(flight) = carried.lock().take() {
                arrive(&lanes, flight, delivered);
            }
        });
        let sent = self.producer.send(&parcel, on_delivery);
        crash::pass(self.topic.written());
        match sent {
            Ok(()) => Ok(()),
            Err(failure) => match flight.lock().take() {
                Some(flight) => Err((failure, flight)),
                None => Ok(()),
            },
        }
    }

    fn arrived(self: &Arc<Self>, flight: Flight, delivered: Result<i64, KafkaError>) {
        let partition = flight.partition;
        let failure = match delivered {
            Ok(offset) if offset >= 0 => {
                crash::pass(self.topic.synced());
                self.land(flight, Place::of_offset(offset));
                if let Ok(lane) = self.lane(partition) {
                    self.depart(partition, &mut lane.lock());
                }
                return;
            }
            // librdkafka says so where a broker knows a retry only as an old duplicate.
            Ok(_) => Failure::unavailable(self.topic.what(), "stored at a place nobody knows"),
            Err(error) => unavailable(self.topic.what(), &error),
        };
        let mut jobs = flight.jobs;
        if let Ok(lane) = self.lane(partition) {
            let mut lane = lane.lock();
            jobs.extend(lane.waiting.drain(..));
            lane.is_busy = false;
        }
        self.crash_land(jobs, &failure);
    }

    /// Answers a flight whose Kafka record stands at a place.
    fn land(&self, flight: Flight, first: Place) {
        let (records, bytes) = (flight.records(), flight.bytes());
        if records > 0 {
            self.metrics
                .acknowledged(records, bytes, flight.began.elapsed());
        }
        self.give_room(&flight.jobs);
        let mut index = first.index;
        for job in flight.jobs {
            let places = index..index + job.records.len();
            index = places.end;
            let positions = places.map(|index| Place { index, ..first }.position());
            // Who called may be gone, which changes nothing.
            let _ = job.done.send(Ok(positions.collect()));
        }
    }

    fn crash_land(&self, jobs: Vec<Job>, failure: &Failure) {
        if jobs.is_empty() {
            return;
        }
        self.metrics.failed();
        self.give_room(&jobs);
        for job in jobs {
            let _ = job.done.send(Err(failure.clone()));
        }
    }

    /// Refuses further appends and waits until those before are answered. Blocks.
    pub(crate) fn close(&self, patience: Duration) -> Result<(), Failure> {
        self.is_closed.store(true, Ordering::Release);
        let deadline = Instant::now() + patience;
        // One flush per departure: what waits departs when what is on its way has arrived.
        while self.fill.lock().appends > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let why = "appends wait that nobody acknowledges";
                return Err(Failure::unavailable(self.topic.what(), why));
            }
            self.producer.flush(left)?;
            thread::yield_now();
        }
        Ok(())
    }
}

fn arrive(lanes: &Weak<Lanes>, flight: Flight, delivered: Result<i64, KafkaError>) {
    if let Some(lanes) = lanes.upgrade() {
        lanes.arrived(flight, delivered);
    } else {
        for job in flight.jobs {
            let _ = job.done.send(Err(Failure::Closing));
        }
    }
}

impl Lane {
    /// Takes as many jobs of one epoch as a Kafka record holds, and at least one.
    fn next_batch(&mut self) -> Vec<Job> {
        let mut batch: Vec<Job> = Vec::new();
        let (mut bytes, mut records) = (0, 0);
        while let Some(job) = self.waiting.front() {
            bytes += job.bytes;
            records += job.records.len();
            let fits = bytes <= BATCH_BYTES && records <= RECORDS_MAX;
            let is_alike = batch.first().is_none_or(|first| first.epoch == job.epoch);
            let may_join = batch.is_empty() || fits && is_alike;
            if !may_join {
                break;
            }
            batch.extend(self.waiting.pop_front());
        }
        batch
    }
}

/// Cuts an append into jobs of about [`BATCH_BYTES`]. There is always one, so that an empty
/// append is answered in its turn.
fn split(epoch: Epoch, records: Vec<Bytes>) -> (Vec<Job>, Vec<oneshot::Receiver<Outcome>>) {
    let mut jobs = Vec::new();
    let mut answers = Vec::new();
    let mut cut = |records, bytes| {
        let (done, answer) = oneshot::channel();
        jobs.push(Job {
            epoch,
            records,
            bytes,
            done,
        });
        answers.push(answer);
    };
    let (mut part, mut part_bytes) = (Vec::new(), frame::head_bytes());
    for record in records {
        let bytes = frame::bytes_of(&record);
        let is_full = part_bytes + bytes > BATCH_BYTES || part.len() == RECORDS_MAX;
        if is_full && !part.is_empty() {
            cut(std::mem::take(&mut part), part_bytes);
            part_bytes = frame::head_bytes();
        }
        part.push(record);
        part_bytes += bytes;
    }
    cut(part, part_bytes);
    (jobs, answers)
}

#[cfg(test)]
mod tests;
