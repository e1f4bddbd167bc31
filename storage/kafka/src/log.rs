//! A topic of the log on Kafka: partition for partition, without groups and without commits.

mod retention;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::{self, BoxFuture};
use guildhall_model::{Epoch, Position};
use guildhall_ports::log::{LogRecord, Slice};
use guildhall_ports::{Failure, Log};
use tokio::task;

use self::retention::Floors;
use crate::config::{LogConfig, RECORD_OVERHEAD_BYTES, Topic};
use crate::connection::Kafka;
use crate::frame;
use crate::lanes::Lanes;
use crate::place::Place;
use crate::producer::Producer;
use crate::readers::{Bounds, Fetched, Raw, Source};
use crate::topics::Cleanup;

/// One of the two logs of a cluster.
///
/// Whoever may reach the brokers may append to any partition: readers tell the losers of a
/// takeover by the epoch in each record.
pub struct KafkaLog {
    kafka: Arc<Kafka>,
    topic: Topic,
    config: LogConfig,
    lanes: Arc<Lanes>,
    floors: Floors,
}

impl KafkaLog {
    /// Opens a log whose topic [`Kafka::prepare`] has made. `Damaged` if the topic has another
    /// number of partitions or drops records on its own, `Unavailable` if it is not there or
    /// Kafka is away.
    pub async fn open(
        kafka: &Arc<Kafka>,
        topic: Topic,
        config: LogConfig,
    ) -> Result<Self, Failure> {
        kafka
            .check(topic.name(), config.partitions, Cleanup::Nothing)
            .await?;
        let producer = Producer::start(
            topic.what(),
            &kafka.config,
            config.queue_bytes_max + usize::from(config.partitions) * RECORD_OVERHEAD_BYTES,
            kafka.away.clone(),
        )?;
        let name = kafka.config.topic(topic.name());
        Ok(Self {
            kafka: Arc::clone(kafka),
            topic,
            config,
            lanes: Arc::new(Lanes::new(topic, name, config, producer)),
            floors: Floors::default(),
        })
    }

    /// Refuses further appends and waits until those that were called before are answered, which
    /// takes as long as an append may take. Reads still work.
    pub async fn close(&self) -> Result<(), Failure> {
        let lanes = Arc::clone(&self.lanes);
        let patience = Duration::from_millis(self.kafka.config.ack_timeout_ms);
        task::spawn_blocking(move || lanes.close(patience))
            .await
            .map_err(|_| Failure::Closing)?
    }

    fn source(&self, partition: u16) -> Result<Source, Failure> {
        if partition < self.config.partitions {
            let source = self
                .kafka
                .source(self.topic.what(), self.topic.name(), partition);
            return Ok(source);
        }
        let why = format!(
            "partition {partition} is beyond the {} of the cluster",
            self.config.partitions
        );
        Err(Failure::unavailable(self.topic.what(), why))
    }

    async fn bounds(&self, partition: u16) -> Result<Bounds, Failure> {
        let source = self.source(partition)?;
        self.kafka
            .readers
            .run(&source, |reader, source, deadline| {
                reader.bounds(source, deadline)
            })
            .await
    }

    async fn fetch(
        &self,
        source: &Source,
        from: i64,
        bytes_max: usize,
    ) -> Result<Fetched, Failure> {
        self.kafka
            .readers
            .run(source, move |reader, source, deadline| {
                reader.read(source, from, bytes_max, deadline)
            })
            .await
    }

    fn damaged(&self, source: &Source, raw: &Raw, why: &str) -> Failure {
        let Source {
            topic, partition, ..
        } = source;
        let why = format!("{topic}/{partition} at offset {}: {why}", raw.offset);
        Failure::damaged(self.topic.what(), why)
    }

    /// Adds the records of a Kafka record from a place on, and says where to read on.
    fn unpack(
        &self,
        (source, raw): (&Source, &Raw),
        from: Place,
        bytes_max: usize,
        taken: &mut Taken,
    ) -> Result<Place, Failure> {
        let damaged = |why: &str| self.damaged(source, raw, why);
        let value = raw.value.clone().ok_or_else(|| damaged("it is empty"))?;
        let (epoch, payloads) = frame::decode(value).map_err(|why| damaged(&why))?;
        for (index, payload) in payloads.into_iter().enumerate() {
            let place = Place {
                index,
                ..Place::of_offset(raw.offset)
            };
            if place < from {
                continue;
            }
            if !taken.records.is_empty() && taken.bytes >= bytes_max {
                return Ok(place);
            }
            taken.bytes += payload.len();
            taken.records.push(LogRecord {
                position: place.position(),
                epoch,
                payload,
            });
        }
        Ok(Place::of_offset(raw.offset + 1))
    }
}

/// What a read has so far.
#[derive(Default)]
struct Taken {
    records: Vec<LogRecord>,
    bytes: usize,
}

#[async_trait]
impl Log for KafkaLog {
    fn append(
        &self,
        partition: u16,
        epoch: Epoch,
        records: Vec<Bytes>,
    ) -> BoxFuture<'static, Result<Vec<Position>, Failure>> {
        let answers = match self.lanes.push(partition, epoch, records) {
            Ok(answers) => answers,
            Err(failure) => return Box::pin(future::ready(Err(failure))),
        };
        Box::pin(async move {
            let mut positions = Vec::new();
            for answer in answers {
                positions.extend(answer.await.map_err(|_| Failure::Closing)??);
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
        let source = self.source(partition)?;
        let place = Place::of(from);
        let mut next = place;
        let mut taken = Taken::default();
        loop {
            let fetched = self.fetch(&source, next.offset, bytes_max).await?;
            if fetched.records.is_empty() {
                let end = Place::of_offset(fetched.end).position();
                return Ok(Slice {
                    records: Vec::new(),
                    next: from.max(end),
                });
            }
            for raw in &fetched.records {
                next = self.unpack((&source, raw), place, bytes_max, &mut taken)?;
                if taken.bytes >= bytes_max && !taken.records.is_empty() {
                    break;
                }
            }
            // Behind the last record of a Kafka record there is nothing in it: the next one.
            if !taken.records.is_empty() {
                return Ok(Slice {
                    records: taken.records,
                    next: next.position(),
                });
            }
        }
    }

    async fn end(&self, partition: u16) -> Result<Position, Failure> {
        let bounds = self.bounds(partition).await?;
        Ok(Place::of_offset(bounds.end).position())
    }

    async fn start(&self, partition: u16) -> Result<Position, Failure> {
        let bounds = self.bounds(partition).await?;
        Ok(Place::of_offset(bounds.start).position())
    }

    async fn release(&self, partition: u16, before: Position) -> Result<(), Failure> {
        self.source(partition)?;
        self.floors.raise(partition, Place::of(before).offset);
        Ok(())
    }
}
