//! Snapshots of a session partition: they bound restarts and index the frames log.

use async_trait::async_trait;
use bytes::Bytes;
use guildhall_model::{Position, SessionPartition};

use crate::error::Failure;

/// Keeps whole snapshots by the position of the frames log up to which they hold.
#[async_trait]
pub trait Snapshots: Send + Sync {
    /// Stores a snapshot. When this returns it is durable and wholly there, or else not at all.
    async fn put(
        &self,
        partition: SessionPartition,
        upto: Position,
        snapshot: Bytes,
    ) -> Result<(), Failure>;

    /// The positions of the kept snapshots, rising.
    async fn list(&self, partition: SessionPartition) -> Result<Vec<Position>, Failure>;

    /// The snapshot at exactly this position.
    async fn get(
        &self,
        partition: SessionPartition,
        upto: Position,
    ) -> Result<Option<Bytes>, Failure>;

    /// Drops all snapshots before this position.
    async fn drop_before(
        &self,
        partition: SessionPartition,
        before: Position,
    ) -> Result<(), Failure>;
}
