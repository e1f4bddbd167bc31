//! How a topic is stored, as the brokers tell it.

use std::time::Instant;

use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::metadata::MetadataTopic;

use super::{Reader, left};

/// How a topic is stored, and by how many brokers it could be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// None if there is no such topic.
    pub(crate) partitions: usize,
    /// Brokers that store each partition, at least.
    pub(crate) replicas: u16,
    /// Brokers that there are; those that are away are not among them.
    pub(crate) brokers: u16,
}

impl Reader {
    /// How a topic is stored now.
    pub(crate) fn shape(&self, topic: &str, deadline: Instant) -> KafkaResult<Shape> {
        let metadata = self.consumer.fetch_metadata(Some(topic), left(deadline))?;
        let found = metadata.topics().first();
        let partitions = match found.and_then(|it| it.error().map(RDKafkaErrorCode::from)) {
            None => found.map(MetadataTopic::partitions).unwrap_or_default(),
            Some(RDKafkaErrorCode::UnknownTopicOrPartition) => &[],
            Some(code) => return Err(KafkaError::MetadataFetch(code)),
        };
        let replicas = partitions.iter().map(|it| it.replicas().len()).min();
        let count = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
        Ok(Shape {
            partitions: partitions.len(),
            replicas: count(replicas.unwrap_or_default()),
            brokers: count(metadata.brokers().len()),
        })
    }
}
