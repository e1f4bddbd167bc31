//! Fences: a former owner of an event partition commits nothing more.

use guildhall_model::EventPartition;
use guildhall_ports::Failure;
use guildhall_ports::guilds::FencingToken;
use sqlx::SqliteConnection;

use crate::sqlite::error::SqlError;
use crate::sqlite::writer::Write;

/// Raises a partition's fence. Writes happen one after the other, so that all that came before
/// have been committed when this one is.
pub(super) struct Fence(pub(super) FencingToken);

impl Write for Fence {
    type Done = ();
    type Error = Failure;

    async fn run(&self, tx: &mut SqliteConnection) -> Result<(), Failure> {
        let Self(token) = self;
        if !is_open(tx, *token).await? {
            return Err(Failure::Stale {
                what: "the event partition's owner",
            });
        }
        sqlx::query(
            "INSERT INTO fences (partition, epoch) VALUES (?, ?)
             ON CONFLICT (partition) DO UPDATE SET epoch = excluded.epoch",
        )
        .bind(token.partition.0)
        .bind(token.epoch.0)
        .execute(tx)
        .await
        .map_err(SqlError::from)?;
        Ok(())
    }
}

/// No later epoch has fenced the partition.
pub(super) async fn is_open(
    tx: &mut SqliteConnection,
    token: FencingToken,
) -> Result<bool, SqlError> {
    let fence = epoch(tx, token.partition).await?;
    Ok(fence.is_none_or(|fence| fence <= i64::from(token.epoch.0)))
}

async fn epoch(
    tx: &mut SqliteConnection,
    partition: EventPartition,
) -> Result<Option<i64>, SqlError> {
    let epoch = sqlx::query_scalar("SELECT epoch FROM fences WHERE partition = ?")
        .bind(partition.0)
        .fetch_optional(tx)
        .await?;
    Ok(epoch)
}
