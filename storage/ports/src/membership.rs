//! Who is in the cluster: nodes that say from time to time that they live, and which of them
//! coordinates the others.
//!
//! None of it decides who may write what: that is the [`Directory`](crate::Directory), and epochs
//! in the logs. A wrong belief about who lives costs availability, never a message.

use async_trait::async_trait;
use guildhall_model::{NodeId, NodeRole, NodeRoles};

use crate::error::Failure;

/// Bytes of a node's address.
pub const ADDRESS_BYTES_MAX: usize = 255;

/// A node as it says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its number, which no other living node has.
    pub node: NodeId,
    /// Which of the node's successive processes it is: the later one has the higher number.
    pub incarnation: u64,
    /// Where other nodes reach it, at most [`ADDRESS_BYTES_MAX`].
    pub address: String,
    /// How much it takes beside the others; 0 owns no partitions.
    pub weight: u32,
    /// What it does.
    pub roles: NodeRoles,
    /// It is leaving.
    pub is_draining: bool,
}

impl Member {
    /// How much it takes of the partitions that nodes with this role own; 0 owns none of them.
    pub const fn weight_as(&self, role: NodeRole) -> u32 {
        if self.roles.contains(role) {
            self.weight
        } else {
            0
        }
    }
}

/// A node with how long nothing was heard of it, by the store's own clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// What it said last.
    pub member: Member,
    /// Since then, in milliseconds.
    pub silent_ms: u64,
}

/// The list of nodes. Times are the store's: nodes' clocks need not agree.
#[async_trait]
pub trait Membership: Send + Sync {
    /// Says that a node lives, and how it is. `Stale` if a later process has its number: then this
    /// one must stop. An address over [`ADDRESS_BYTES_MAX`] is a mistake of the caller's and refused
    /// as `Unavailable`.
    async fn beat(&self, member: &Member) -> Result<(), Failure>;

    /// Takes a node off the list, unless a later process has its number.
    async fn leave(&self, node: NodeId, incarnation: u64) -> Result<(), Failure>;

    /// All nodes that have not left, by number.
    async fn members(&self) -> Result<Vec<Heard>, Failure>;

    /// Takes the lease of the coordinator for so many milliseconds from now, or keeps it. False if
    /// another process holds it.
    async fn lead(&self, node: NodeId, incarnation: u64, ms: u32) -> Result<bool, Failure>;

    /// Gives the lease back, if this process holds it.
    async fn resign(&self, node: NodeId, incarnation: u64) -> Result<(), Failure>;
}
