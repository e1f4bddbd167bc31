//! The port `Directory`: one row per partition, changed by compare-and-set.
//!
//! Each answer comes from the primary and is one statement, which sees all that was committed before
//! it began. Two primaries at once would be two authorities: whoever promotes a standby has to make
//! sure that the former primary serves no more.

use async_trait::async_trait;
use guildhall_model::{Epoch, EventPartition, NodeId, SessionPartition};
use guildhall_ports::directory::{Ownership, Partition};
use guildhall_ports::{Directory, Failure};

use crate::rows::column;
use crate::rows::error::SqlError;
use crate::store::PostgresStore;

const TABLE: &str = "directory";

#[async_trait]
impl Directory for PostgresStore {
    async fn owner(&self, partition: Partition) -> Result<Option<Ownership>, Failure> {
        self.read(owner(self, partition)).await
    }

    async fn owners(&self) -> Result<Vec<(Partition, Ownership)>, Failure> {
        self.read(owners(self)).await
    }

    async fn claim(
        &self,
        partition: Partition,
        node: NodeId,
        expected: Option<Epoch>,
    ) -> Result<Epoch, Failure> {
        let epoch = expected.map_or(Epoch(1), Epoch::next);
        let claimed = match expected {
            None => {
                self.read(insert(self, partition, Ownership { node, epoch }))
                    .await
            }
            Some(expected) => {
                let ownership = Ownership { node, epoch };
                self.read(replace(self, partition, expected, ownership))
                    .await
            }
        };
        if claimed? {
            Ok(epoch)
        } else {
            Err(Failure::Stale { what: TABLE })
        }
    }

    async fn confirm(
        &self,
        partition: Partition,
        node: NodeId,
        epoch: Epoch,
    ) -> Result<bool, Failure> {
        let owner = self.read(owner(self, partition)).await?;
        Ok(owner == Some(Ownership { node, epoch }))
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    node: i64,
    epoch: i64,
}

/// A row of the whole table.
#[derive(sqlx::FromRow)]
struct OwnedRow {
    kind: i64,
    partition: i64,
    #[sqlx(flatten)]
    owner: Row,
}

impl Row {
    fn ownership(&self) -> Result<Ownership, SqlError> {
        Ok(Ownership {
            node: NodeId(column::small(TABLE, self.node)?),
            epoch: Epoch(column::small(TABLE, self.epoch)?),
        })
    }
}

impl OwnedRow {
    fn partition(&self) -> Result<Partition, SqlError> {
        let number = column::small(TABLE, self.partition)?;
        match self.kind {
            0 => Ok(Partition::Event(EventPartition(number))),
            1 => Ok(Partition::Session(SessionPartition(number))),
            kind => Err(SqlError::row(TABLE, format!("{kind} is no kind"))),
        }
    }
}

fn columns(partition: Partition) -> (i64, i64) {
    match partition {
        Partition::Event(EventPartition(number)) => (0, number.into()),
        Partition::Session(SessionPartition(number)) => (1, number.into()),
    }
}

async fn owner(store: &PostgresStore, partition: Partition) -> Result<Option<Ownership>, SqlError> {
    let (kind, number) = columns(partition);
    let row: Option<Row> =
        sqlx::query_as("SELECT node, epoch FROM directory WHERE kind = $1 AND partition = $2")
            .bind(kind)
            .bind(number)
            .fetch_optional(store.readers())
            .await?;
    row.map(|row| row.ownership()).transpose()
}

/// The order of the columns is that of the partitions.
async fn owners(store: &PostgresStore) -> Result<Vec<(Partition, Ownership)>, SqlError> {
    let rows: Vec<OwnedRow> = sqlx::query_as(
        "SELECT kind, partition, node, epoch FROM directory ORDER BY kind, partition",
    )
    .fetch_all(store.readers())
    .await?;
    rows.iter()
        .map(|row| Ok((row.partition()?, row.owner.ownership()?)))
        .collect()
}

/// The first claim of a partition. False if there has been one.
async fn insert(
    store: &PostgresStore,
    partition: Partition,
    first: Ownership,
) -> Result<bool, SqlError> {
    let (kind, number) = columns(partition);
    let written = sqlx::query(
        "INSERT INTO directory (kind, partition, node, epoch) VALUES ($1, $2, $3, $4)
         ON CONFLICT (kind, partition) DO NOTHING",
    )
    .bind(kind)
    .bind(number)
    .bind(i64::from(first.node.0))
    .bind(i64::from(first.epoch.0))
    .execute(store.readers())
    .await?;
    Ok(written.rows_affected() > 0)
}

/// A later claim. False if the present epoch is not `expected`.
async fn replace(
    store: &PostgresStore,
    partition: Partition,
    expected: Epoch,
    next: Ownership,
) -> Result<bool, SqlError> {
    let (kind, number) = columns(partition);
    let written = sqlx::query(
        "UPDATE directory SET node = $1, epoch = $2
         WHERE kind = $3 AND partition = $4 AND epoch = $5",
    )
    .bind(i64::from(next.node.0))
    .bind(i64::from(next.epoch.0))
    .bind(kind)
    .bind(number)
    .bind(i64::from(expected.0))
    .execute(store.readers())
    .await?;
    Ok(written.rows_affected() > 0)
}
