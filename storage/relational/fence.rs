//! Fences: a former owner of an event partition commits nothing more.

use guildhall_model::EventPartition;
use guildhall_ports::Failure;
use guildhall_ports::guilds::FencingToken;

use super::engine::{self, Connection};
use super::error::SqlError;
use super::write::Write;

/// Raises a partition's fence. It waits for the commits that have found the fence open, so that all
/// that came before have been committed when this one is.
pub(super) struct Fence(pub(super) FencingToken);

impl Write for Fence {
    type Done = ();
    type Error = SqlError;

    async fn run(&self, tx: &mut Connection) -> Result<(), SqlError> {
        let Self(token) = self;
        engine::hold_partition(tx, token.partition).await?;
        if !is_open(tx, *token).await? {
            return Err(Failure::Stale {
                what: "the event partition's owner",
            }
            .into());
        }
        sqlx::query(
            "INSERT INTO fences (partition, epoch) VALUES ($1, $2)
             ON CONFLICT (partition) DO UPDATE SET epoch = excluded.epoch",
        )
        .bind(i64::from(token.partition.0))
        .bind(i64::from(token.epoch.0))
        .execute(tx)
        .await?;
        Ok(())
    }
}

/// No later epoch has fenced the partition, and none does until the transaction ends.
pub(super) async fn is_open(tx: &mut Connection, token: FencingToken) -> Result<bool, SqlError> {
    engine::share_partition(tx, token.partition).await?;
    let fence = epoch(tx, token.partition).await?;
    Ok(fence.is_none_or(|fence| fence <= i64::from(token.epoch.0)))
}

async fn epoch(tx: &mut Connection, partition: EventPartition) -> Result<Option<i64>, SqlError> {
    let epoch = sqlx::query_scalar("SELECT epoch FROM fences WHERE partition = $1")
        .bind(i64::from(partition.0))
        .fetch_optional(tx)
        .await?;
    Ok(epoch)
}
