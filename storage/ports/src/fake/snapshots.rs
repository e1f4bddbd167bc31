//! Snapshots in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use guildhall_model::{Position, SessionPartition};
use parking_lot::Mutex;

use super::Outage;
use crate::error::Failure;
use crate::snapshots::Snapshots;

/// Snapshots that can be lost or made unreachable. Clones are the same store.
#[derive(Clone, Default)]
pub struct FakeSnapshots {
    store: Arc<Store>,
}

#[derive(Default)]
struct Store {
    outage: Outage,
    kept: Mutex<BTreeMap<(SessionPartition, Position), Bytes>>,
}

impl FakeSnapshots {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every call fails like this from now on; `None` ends it.
    pub fn fail(&self, failure: Option<Failure>) {
        self.store.outage.set(failure);
    }

    /// Damages a snapshot, which therefore counts as absent.
    pub fn damage(&self, partition: SessionPartition, upto: Position) {
        self.store.kept.lock().remove(&(partition, upto));
    }
}

#[async_trait]
impl Snapshots for FakeSnapshots {
    async fn put(
        &self,
        partition: SessionPartition,
        upto: Position,
        snapshot: Bytes,
    ) -> Result<(), Failure> {
        self.store.outage.check()?;
        self.store.kept.lock().insert((partition, upto), snapshot);
        Ok(())
    }

    async fn list(&self, partition: SessionPartition) -> Result<Vec<Position>, Failure> {
        self.store.outage.check()?;
        let kept = self.store.kept.lock();
        let of_partition = kept.keys().filter(|(of, _)| *of == partition);
        Ok(of_partition.map(|&(_, upto)| upto).collect())
    }

    async fn get(
        &self,
        partition: SessionPartition,
        upto: Position,
    ) -> Result<Option<Bytes>, Failure> {
        self.store.outage.check()?;
        Ok(self.store.kept.lock().get(&(partition, upto)).cloned())
    }

    async fn drop_before(
        &self,
        partition: SessionPartition,
        before: Position,
    ) -> Result<(), Failure> {
        self.store.outage.check()?;
        let mut kept = self.store.kept.lock();
        kept.retain(|&(of, upto), _| of != partition || before <= upto);
        Ok(())
    }
}
