//! Snapshots keep every promise of their port.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use guildhall_kafka::{Kafka, KafkaSnapshots};
use guildhall_model::{Position, SessionPartition};
use guildhall_ports::Snapshots;
use guildhall_ports::conformance::snapshots::Fixture;
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::engine;

/// What outlives the store is its cluster.
struct OnKafka {
    kafka: Arc<Kafka>,
    snapshots: Arc<KafkaSnapshots>,
}

async fn open(kafka: &Arc<Kafka>) -> Arc<KafkaSnapshots> {
    let opened = KafkaSnapshots::open(kafka, engine::PARTITIONS).await;
    Arc::new(opened.unwrap())
}

/// Writes something else than ours into a topic.
async fn meddle(kafka: &Arc<Kafka>, topic: &str, partition: u16, key: &[u8], value: &[u8]) {
    let config = kafka.config();
    let topic = format!("{}{topic}", config.topic_prefix);
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &config.brokers)
        .create()
        .unwrap();
    let record = BaseRecord::to(&topic).partition(partition.into());
    assert!(producer.send(record.key(key).payload(value)).is_ok());
    let flushed =
        tokio::task::spawn_blocking(move || producer.flush(std::time::Duration::from_secs(10)));
    flushed.await.unwrap().unwrap();
}

#[async_trait]
impl Fixture for OnKafka {
    fn snapshots(&self) -> Arc<dyn Snapshots> {
        Arc::clone(&self.snapshots) as Arc<dyn Snapshots>
    }

    async fn restart(&mut self) {
        self.kafka = engine::connect(self.kafka.config().clone());
        self.snapshots = open(&self.kafka).await;
    }

    /// What a snapshot is known by becomes illegible. Parts cannot be damaged in place: Kafka
    /// has a checksum over them.
    async fn damage(&mut self, partition: SessionPartition, upto: Position) {
        let key = upto.0.to_be_bytes();
        meddle(&self.kafka, "snap", partition.0, &key, b"no manifest").await;
    }
}

async fn fresh() -> Option<(OnKafka, ())> {
    let kafka = engine::cluster().await?;
    let snapshots = open(&kafka).await;
    Some((OnKafka { kafka, snapshots }, ()))
}

guildhall_ports::snapshots_promises!(fresh);

const PARTITION: SessionPartition = SessionPartition(1);

#[tokio::test]
async fn a_snapshot_whose_parts_are_gone_counts_as_absent() {
    let Some(kafka) = engine::cluster().await else {
        return;
    };
    let snapshots = open(&kafka).await;
    for upto in [3, 5, 7] {
        let content = Bytes::from(vec![1; 600_000]);
        snapshots
            .put(PARTITION, Position(upto), content)
            .await
            .unwrap();
    }
    // Names the first part of all under the same length, and no other.
    let manifest = snapshots_manifest(600_000, &[0]);
    let key = 5_u64.to_be_bytes();
    meddle(&kafka, "snap", PARTITION.0, &key, &manifest).await;
    assert_eq!(snapshots.get(PARTITION, Position(5)).await.unwrap(), None);
    let listed = snapshots.list(PARTITION).await.unwrap();
    assert_eq!(listed, [Position(3), Position(7)]);
    let content = Bytes::from("again");
    snapshots
        .put(PARTITION, Position(5), content.clone())
        .await
        .unwrap();
    assert_eq!(
        snapshots.get(PARTITION, Position(5)).await.unwrap(),
        Some(content)
    );
    assert_eq!(snapshots.list(PARTITION).await.unwrap().len(), 3);
}

fn snapshots_manifest(bytes: u64, parts: &[i64]) -> Vec<u8> {
    let mut manifest = vec![1];
    manifest.extend(bytes.to_be_bytes());
    manifest.extend([0; 4]);
    for part in parts {
        manifest.extend(part.to_be_bytes());
    }
    manifest
}

/// Only what later snapshots need is kept of the parts, and all of that.
#[tokio::test]
async fn dropped_snapshots_give_their_parts_back() {
    let Some(kafka) = engine::cluster().await else {
        return;
    };
    let snapshots = open(&kafka).await;
    let content = |n: u64| Bytes::from(vec![n.to_be_bytes()[7]; 1_200_000]);
    for upto in 1..=6 {
        snapshots
            .put(PARTITION, Position(upto), content(upto))
            .await
            .unwrap();
        if upto > 2 {
            snapshots
                .drop_before(PARTITION, Position(upto - 1))
                .await
                .unwrap();
        }
    }
    let other = open(&engine::connect(kafka.config().clone())).await;
    assert_eq!(
        other.list(PARTITION).await.unwrap(),
        [Position(5), Position(6)]
    );
    for upto in 5..=6 {
        let found = other.get(PARTITION, Position(upto)).await.unwrap();
        assert!(found == Some(content(upto)));
    }
    // Three parts each: of the 18, the first 12 are gone.
    assert_eq!(
        engine::first_offset(&kafka, "snap-parts", PARTITION.0).await,
        12
    );
    snapshots
        .drop_before(PARTITION, Position(100))
        .await
        .unwrap();
    assert_eq!(
        engine::first_offset(&kafka, "snap-parts", PARTITION.0).await,
        18
    );
}
