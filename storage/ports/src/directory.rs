//! The directory: which node owns which partition, under which epoch.

use async_trait::async_trait;
use guildhall_model::{Epoch, EventPartition, NodeId, NodeRole, SessionPartition};
use serde::{Deserialize, Serialize};

use crate::error::Failure;

/// A partition of either kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Partition {
    /// Of guilds, direct-message channels and users.
    Event(EventPartition),
    /// Of gateway sessions.
    Session(SessionPartition),
}

impl Partition {
    /// Which nodes own partitions of this kind: those that have this role.
    pub const fn role(self) -> NodeRole {
        match self {
            Self::Event(_) => NodeRole::Worker,
            Self::Session(_) => NodeRole::Gateway,
        }
    }
}

/// Who owns a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ownership {
    /// The owner.
    pub node: NodeId,
    /// Under which number.
    pub epoch: Epoch,
}

/// The authority on ownership: one row per partition, changed by compare-and-set only.
///
/// A claim may come at any time, also while the former owner still runs: epochs inside the logs'
/// records make early takeover safe.
#[async_trait]
pub trait Directory: Send + Sync {
    /// The present owner, if there ever was one.
    async fn owner(&self, partition: Partition) -> Result<Option<Ownership>, Failure>;

    /// All partitions that ever had an owner, in their order, with the present ones, as of one
    /// moment after the call began.
    async fn owners(&self) -> Result<Vec<(Partition, Ownership)>, Failure>;

    /// Makes `node` the owner under the next epoch, provided that the present epoch is
    /// `expected` (`None`: there is none yet). `Stale` if it is not.
    async fn claim(
        &self,
        partition: Partition,
        node: NodeId,
        expected: Option<Epoch>,
    ) -> Result<Epoch, Failure>;

    /// Whether `node` owns the partition under `epoch`, as of a moment after the call began.
    async fn confirm(
        &self,
        partition: Partition,
        node: NodeId,
        epoch: Epoch,
    ) -> Result<bool, Failure>;
}
