//! What the rows need to know of PostgreSQL: the names of its types, and what other engines do in
//! another way.
//!
//! What a transaction holds are advisory locks, not rows. Ids and partitions are known before their
//! rows are, and have a lock also while they have no row; and whoever waits for a lock gets it after
//! those that were there before, where a row that is shared can be shared on and on past one who
//! waits to change it.

use guildhall_model::{EventPartition, Id};
use sqlx::{Connection as _, Postgres, Transaction};
pub(crate) use sqlx::{PgConnection as Connection, PgExecutor as Executor, Postgres as Database};

pub(crate) use crate::error::failure;
pub(crate) use crate::lending::{Lent, Pool};
use crate::rows::error::SqlError;
pub(crate) use crate::store::PostgresStore as Store;

/// What keeps partitions apart from whatever else is locked by two numbers.
const PARTITIONS: i32 = 0x4748;

/// The condition that a column is among the ids of the first parameter, which [`ids`] makes.
macro_rules! among {
    () => {
        "= ANY($1)"
    };
}
pub(crate) use among;

/// The ids in a list, as one parameter.
pub(crate) fn ids<K>(ids: &[Id<K>]) -> Vec<i64> {
    ids.iter().map(|id| id.as_i64()).collect()
}

/// A connection for more than one statement.
pub(crate) async fn lend(readers: &Pool) -> Result<Lent, SqlError> {
    Ok(readers.lend().await?)
}

/// A transaction that reads, in which all rows are of the same moment.
pub(crate) async fn moment(reader: &mut Connection) -> Result<Transaction<'_, Postgres>, SqlError> {
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    Ok(reader.begin_with(begin).await?)
}

/// What a connection was given may reach the engine after the connection is lost.
pub(crate) const COMMITS_MAY_BE_LATE: bool = true;

/// Until the transaction ends, no other one holds this id.
pub(crate) async fn hold<K>(tx: &mut Connection, id: Id<K>) -> Result<(), SqlError> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(id.as_i64())
        .execute(tx)
        .await?;
    Ok(())
}

/// Until the transaction ends, no other one holds or shares the partition.
pub(crate) async fn hold_partition(
    tx: &mut Connection,
    partition: EventPartition,
) -> Result<(), SqlError> {
    sqlx::query("SELECT pg_advisory_xact_lock($1, $2)")
        .bind(PARTITIONS)
        .bind(i32::from(partition.0))
        .execute(tx)
        .await?;
    Ok(())
}

/// Until the transaction ends, no other one holds the partition.
pub(crate) async fn share_partition(
    tx: &mut Connection,
    partition: EventPartition,
) -> Result<(), SqlError> {
    sqlx::query("SELECT pg_advisory_xact_lock_shared($1, $2)")
        .bind(PARTITIONS)
        .bind(i32::from(partition.0))
        .execute(tx)
        .await?;
    Ok(())
}
