//! A topic of the log on Kafka: partition for partition, without groups and without commits.

mod follow;
mod retention;
mod slices;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::{self, BoxFuture};
use futures_util::stream::{self, BoxStream};
use guildhall_model::{Epoch, Position};
use guildhall_ports::log::Slice;
use guildhall_ports::{Failure, Log};
use tokio::task;

use self::follow::Follower;
use self::retention::Floors;
use crate::config::{LogConfig, RECORD_OVERHEAD_BYTES, Topic};
use crate::connection::Kafka;
use crate::lanes::Lanes;
use crate::place::Place;
use crate::producer::Producer;
use crate::readers::{Bounds, Source};
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
            (kafka.away.clone(), kafka.known.clone()),
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
        slices::read(&self.kafka, &source, from, bytes_max).await
    }

    fn follow(
        &self,
        partition: u16,
        from: Position,
        bytes_max: usize,
    ) -> BoxStream<'static, Result<Slice, Failure>> {
        let source = match self.source(partition) {
            Ok(source) => source,
            Err(failure) => return stream::iter([Err(failure)]).boxed(),
        };
        let follower = Follower::new(Arc::clone(&self.kafka), source, from, bytes_max);
        stream::try_unfold(follower, |mut follower| async {
            let slice = follower.slice().await?;
            Ok(Some((slice, follower)))
        })
        .boxed()
    }

    async fn end(&self, partition: u16) -> Result<Position, Failure> {
        let bounds = self.bounds(partition).await?;
        Ok(Place::of_offset(bounds.end).position())
    }

    async fn ends(&self, partitions: &[u16]) -> Result<Vec<Position>, Failure> {
        let sources = partitions.iter().map(|&partition| self.source(partition));
        let sources = sources.collect::<Result<Vec<_>, _>>()?;
        let Some(first) = sources.first().cloned() else {
            return Ok(Vec::new());
        };
        let ends = self
            .kafka
            .readers
            .run(&first, move |reader, _, deadline| {
                reader.ends(&sources, deadline)
            })
            .await?;
        let position = |end| Place::of_offset(end).position();
        Ok(ends.into_iter().map(position).collect())
    }

    async fn start(&self, partition: u16) -> Result<Position, Failure> {
        let bounds = self.bounds(partition).await?;
        Ok(Place::of_offset(bounds.start).position())
    }

    fn back(&self, from: Position, records: u32) -> Position {
        Place::of(from).back(records).position()
    }

    fn is_next(&self, behind: Position, at: Position) -> bool {
        Place::of(at).follows(Place::of(behind))
    }

    async fn release(&self, partition: u16, before: Position) -> Result<(), Failure> {
        self.source(partition)?;
        self.floors.raise(partition, Place::of(before).offset);
        Ok(())
    }
}
