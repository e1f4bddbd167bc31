//! Snapshots of session partitions on Kafka.
//!
//! The content of a snapshot goes in parts into the topic `snap-parts`. When all of them are
//! stable a manifest goes into the compacted topic `snap` under the snapshot's position: it names
//! the parts by their offsets, and makes the snapshot visible at once and as a whole. Manifests
//! are few and small, so that listing reads them all and nothing is kept in memory.

mod manifest;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use guildhall_model::{Position, SessionPartition};
use guildhall_ports::{Failure, Snapshots};
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tracing::warn;

use self::manifest::Manifest;
use crate::connection::Kafka;
use crate::failure::unavailable;
use crate::producer::{Parcel, Producer};
use crate::readers::Source;
use crate::topics::{Cleanup, SNAPSHOT_PARTS, SNAPSHOTS};

const WHAT: &str = "snapshots";
/// Bounds what a snapshot can make a reader hold.
const SNAPSHOT_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Bytes of one part.
const PART_BYTES: usize = 512 * 1024;
/// Parts of one snapshot that are on their way at a time.
const PARTS_AT_ONCE: usize = 4;

/// The snapshots of a cluster.
pub struct KafkaSnapshots {
    kafka: Arc<Kafka>,
    partitions: u16,
    producer: Producer,
    /// What was found damaged, by partition and position, so that it is not listed again. Bounded
    /// by what is listed: an entry ends with its manifest.
    damaged: Mutex<BTreeMap<u16, BTreeSet<Manifest>>>,
}

impl KafkaSnapshots {
    /// Opens the snapshots whose topics [`Kafka::prepare`] has made. Fails as
    /// [`crate::KafkaLog::open`] does.
    pub async fn open(kafka: &Arc<Kafka>, partitions: u16) -> Result<Self, Failure> {
        kafka
            .check(SNAPSHOTS, partitions, Cleanup::Compaction)
            .await?;
        kafka
            .check(SNAPSHOT_PARTS, partitions, Cleanup::Nothing)
            .await?;
        let at_once = usize::from(partitions) * PARTS_AT_ONCE * PART_BYTES;
        let seen = (kafka.away.clone(), kafka.known.clone());
        let producer = Producer::start(WHAT, &kafka.config, at_once, seen)?;
        Ok(Self {
            kafka: Arc::clone(kafka),
            partitions,
            producer,
            damaged: Mutex::default(),
        })
    }

    fn source(&self, topic: &str, partition: SessionPartition) -> Result<Source, Failure> {
        if partition.0 < self.partitions {
            return Ok(self.kafka.source(WHAT, topic, partition.0));
        }
        let why = format!(
            "partition {} is beyond the {} of the cluster",
            partition.0, self.partitions
        );
        Err(Failure::unavailable(WHAT, why))
    }

    /// Stores a record and says at which offset.
    async fn store(
        &self,
        source: &Source,
        key: &[u8],
        value: Option<Bytes>,
    ) -> Result<i64, Failure> {
        let (done, answer) = oneshot::channel();
        let parcel = Parcel {
            topic: &source.topic,
            partition: source.partition,
            key,
            value: value.as_deref(),
        };
        let on_delivery = Box::new(move |delivered| {
            // Who put it may have given up.
            let _ = done.send(delivered);
        });
        self.producer.send(&parcel, on_delivery)?;
        let delivered = answer.await.map_err(|_| Failure::Closing)?;
        match delivered {
            Ok(offset) if offset >= 0 => Ok(offset),
            Ok(_) => Err(Failure::unavailable(WHAT, "stored at a place nobody knows")),
            Err(error) => Err(unavailable(WHAT, &error)),
        }
    }

    /// The manifests of a partition. One that cannot be read counts as absent.
    async fn manifests(
        &self,
        partition: SessionPartition,
    ) -> Result<BTreeMap<Position, Manifest>, Failure> {
        let source = self.source(SNAPSHOTS, partition)?;
        let mut manifests = BTreeMap::new();
        let mut from = 0;
        loop {
            let fetched = self
                .kafka
                .readers
                .run(&source, move |reader, source, deadline| {
                    reader.read(source, from, usize::MAX, deadline)
                })
                .await?;
            let Some(last) = fetched.records.last() else {
                return Ok(manifests);
            };
            from = last.offset + 1;
            for raw in fetched.records {
                let Some(upto) = manifest::position_of(&raw.key) else {
                    warn!(
                        offset = raw.offset,
                        "skipping a manifest with a foreign key"
                    );
                    continue;
                };
                match raw.value.as_ref().map(|value| Manifest::decode(value)) {
                    Some(Ok(manifest)) => drop(manifests.insert(upto, manifest)),
                    None => drop(manifests.remove(&upto)),
                    Some(Err(why)) => {
                        warn!(session_partition = partition.0, %upto, "skipping a manifest: {why}");
                        manifests.remove(&upto);
                    }
                }
            }
        }
    }

    /// The content that a manifest names; `None` if it is not all there.
    async fn content(
        &self,
        partition: SessionPartition,
        manifest: &Manifest,
    ) -> Result<Option<Bytes>, Failure> {
        if manifest.bytes > SNAPSHOT_BYTES_MAX as u64 {
            return Ok(None);
        }
        let source = self.source(SNAPSHOT_PARTS, partition)?;
        let mut content = BytesMut::new();
        for &offset in &manifest.parts {
            let fetched = self
                .kafka
                .readers
                .run(&source, move |reader, source, deadline| {
                    reader.read(source, offset, 1, deadline)
                })
                .await?;
            let part = fetched.records.into_iter().next();
            let Some(part) = part.filter(|part| part.offset == offset) else {
                return Ok(None);
            };
            content.extend_from_slice(&part.value.unwrap_or_default());
            if content.len() as u64 > manifest.bytes {
                return Ok(None);
            }
        }
        Ok(manifest.is_of(&content).then(|| content.freeze()))
    }

    fn note_damaged(&self, partition: SessionPartition, manifest: Manifest) {
        let mut damaged = self.damaged.lock();
        damaged.entry(partition.0).or_default().insert(manifest);
    }

    /// Parts before the first one that is needed are given back.
    async fn drop_parts(
        &self,
        partition: SessionPartition,
        kept: &BTreeMap<Position, Manifest>,
        dropped: &BTreeMap<Position, Manifest>,
    ) -> Result<(), Failure> {
        let needed = kept.values().flat_map(|manifest| &manifest.parts).min();
        // Beyond the last part that was dropped somebody may just be putting a snapshot.
        let last = dropped.values().flat_map(|manifest| &manifest.parts).max();
        let before = match (needed, last) {
            (Some(needed), _) => *needed,
            (None, Some(last)) => *last + 1,
            (None, None) => return Ok(()),
        };
        let source = self.source(SNAPSHOT_PARTS, partition)?;
        self.kafka.delete_before(&source, before).await
    }
}

#[async_trait]
impl Snapshots for KafkaSnapshots {
    async fn put(
        &self,
        partition: SessionPartition,
        upto: Position,
        snapshot: Bytes,
    ) -> Result<(), Failure> {
        if snapshot.len() > SNAPSHOT_BYTES_MAX {
            let why = format!(
                "a snapshot of {} bytes is over the bound of {SNAPSHOT_BYTES_MAX}",
                snapshot.len()
            );
            return Err(Failure::unavailable(WHAT, why));
        }
        let source = self.source(SNAPSHOT_PARTS, partition)?;
        let key = manifest::key_of(upto);
        let starts = (0..snapshot.len()).step_by(PART_BYTES);
        let parts = starts.map(|at| snapshot.slice(at..snapshot.len().min(at + PART_BYTES)));
        let stored = parts.map(|part| self.store(&source, &key, Some(part)));
        let stored = stream::iter(stored).buffered(PARTS_AT_ONCE);
        let parts: Vec<i64> = stored.try_collect().await?;
        let manifest = Bytes::from(Manifest::of(&snapshot, parts).encode());
        let source = self.source(SNAPSHOTS, partition)?;
        self.store(&source, &key, Some(manifest)).await?;
        Ok(())
    }

    async fn list(&self, partition: SessionPartition) -> Result<Vec<Position>, Failure> {
        let manifests = self.manifests(partition).await?;
        let mut damaged = self.damaged.lock();
        if let Some(damaged) = damaged.get_mut(&partition.0) {
            damaged.retain(|known| manifests.values().any(|manifest| manifest == known));
        }
        let known = damaged.get(&partition.0);
        let whole = manifests
            .into_iter()
            .filter(|(_, manifest)| known.is_none_or(|damaged| !damaged.contains(manifest)));
        Ok(whole.map(|(upto, _)| upto).collect())
    }

    async fn get(
        &self,
        partition: SessionPartition,
        upto: Position,
    ) -> Result<Option<Bytes>, Failure> {
        let Some(manifest) = self.manifests(partition).await?.remove(&upto) else {
            return Ok(None);
        };
        let content = self.content(partition, &manifest).await?;
        if content.is_none() {
            warn!(session_partition = partition.0, %upto, "a snapshot is damaged, it counts as absent");
            self.note_damaged(partition, manifest);
        }
        Ok(content)
    }

    async fn drop_before(
        &self,
        partition: SessionPartition,
        before: Position,
    ) -> Result<(), Failure> {
        let mut dropped = self.manifests(partition).await?;
        let kept = dropped.split_off(&before);
        if dropped.is_empty() {
            return Ok(());
        }
        let source = self.source(SNAPSHOTS, partition)?;
        for upto in dropped.keys() {
            self.store(&source, &manifest::key_of(*upto), None).await?;
        }
        self.drop_parts(partition, &kept, &dropped).await
    }
}
