//! What the rows need to know of SQLite: the names of its types, and what other engines do in
//! another way. Its transactions that write are one after the other, so nothing has to be held.

use std::future::{Ready, ready};

use guildhall_model::{EventPartition, Id};
use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, Sqlite, Transaction};
pub(super) use sqlx::{
    Sqlite as Database, SqliteConnection as Connection, SqliteExecutor as Executor,
    SqlitePool as Pool,
};

pub(super) use super::error::failure;
pub(super) use super::relational::Relational as Store;
use super::rows::error::SqlError;

/// The condition that a column is among the ids of the first parameter, which [`ids`] makes.
macro_rules! among {
    () => {
        "IN (SELECT value FROM json_each($1))"
    };
}
pub(super) use among;

/// The ids in a list, as one parameter: a JSON array that `json_each` unpacks.
pub(super) fn ids<K>(ids: &[Id<K>]) -> String {
    let numbers: Vec<String> = ids.iter().map(Id::to_string).collect();
    format!("[{}]", numbers.join(","))
}

/// A write that has failed has rolled back, in this process.
pub(super) const COMMITS_MAY_BE_LATE: bool = false;

/// A connection for more than one statement.
pub(super) async fn lend(readers: &Pool) -> Result<PoolConnection<Sqlite>, SqlError> {
    Ok(readers.acquire().await?)
}

/// A transaction that reads, in which all rows are of the same moment.
pub(super) async fn moment(reader: &mut Connection) -> Result<Transaction<'_, Sqlite>, SqlError> {
    Ok(reader.begin().await?)
}

/// Until the transaction ends, no other one holds this id.
pub(super) fn hold<K>(_tx: &mut Connection, _id: Id<K>) -> Ready<Result<(), SqlError>> {
    ready(Ok(()))
}

/// Until the transaction ends, no other one holds or shares the partition.
pub(super) fn hold_partition(
    _tx: &mut Connection,
    _partition: EventPartition,
) -> Ready<Result<(), SqlError>> {
    ready(Ok(()))
}

/// Until the transaction ends, no other one holds the partition.
pub(super) fn share_partition(
    _tx: &mut Connection,
    _partition: EventPartition,
) -> Ready<Result<(), SqlError>> {
    ready(Ok(()))
}
