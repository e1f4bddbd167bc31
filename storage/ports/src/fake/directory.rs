//! A directory in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use guildhall_model::{Epoch, NodeId};
use parking_lot::Mutex;

use super::Outage;
use crate::directory::{Directory, Ownership, Partition};
use crate::error::Failure;

/// A directory that can be made unreachable. Clones are the same directory.
#[derive(Clone, Default)]
pub struct FakeDirectory {
    store: Arc<Store>,
}

#[derive(Default)]
struct Store {
    outage: Outage,
    owners: Mutex<BTreeMap<Partition, Ownership>>,
}

impl FakeDirectory {
    /// An empty directory.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every call fails like this from now on; `None` ends it.
    pub fn fail(&self, failure: Option<Failure>) {
        self.store.outage.set(failure);
    }
}

#[async_trait]
impl Directory for FakeDirectory {
    async fn owner(&self, partition: Partition) -> Result<Option<Ownership>, Failure> {
        self.store.outage.check()?;
        Ok(self.store.owners.lock().get(&partition).copied())
    }

    async fn owners(&self) -> Result<Vec<(Partition, Ownership)>, Failure> {
        self.store.outage.check()?;
        let owners = self.store.owners.lock();
        Ok(owners.iter().map(|(&at, &owner)| (at, owner)).collect())
    }

    async fn claim(
        &self,
        partition: Partition,
        node: NodeId,
        expected: Option<Epoch>,
    ) -> Result<Epoch, Failure> {
        self.store.outage.check()?;
        let mut owners = self.store.owners.lock();
        if owners.get(&partition).map(|owner| owner.epoch) != expected {
            return Err(Failure::Stale { what: "directory" });
        }
        let epoch = expected.map_or(Epoch(1), Epoch::next);
        owners.insert(partition, Ownership { node, epoch });
        Ok(epoch)
    }

    async fn confirm(
        &self,
        partition: Partition,
        node: NodeId,
        epoch: Epoch,
    ) -> Result<bool, Failure> {
        let owner = self.owner(partition).await?;
        Ok(owner == Some(Ownership { node, epoch }))
    }
}
