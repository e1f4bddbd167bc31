//! The port `Membership`: one row per node, and one of the coordinator's lease.
//!
//! Each call is one statement, and every time is the engine's own. Its clock may be set: back
//! makes a lease longer, ahead ends it early. Nothing but the time without a coordinator, or with
//! one that is about to notice, hangs on it.

use async_trait::async_trait;
use guildhall_model::{NodeId, NodeRoles};
use guildhall_ports::membership::{ADDRESS_BYTES_MAX, Heard, Member};
use guildhall_ports::{Failure, Membership};

use crate::rows::column;
use crate::rows::error::SqlError;
use crate::store::PostgresStore;

const TABLE: &str = "nodes";
const LEASE: &str = "coordinator";

#[async_trait]
impl Membership for PostgresStore {
    async fn beat(&self, member: &Member) -> Result<(), Failure> {
        if member.address.len() > ADDRESS_BYTES_MAX {
            return Err(Failure::unavailable(TABLE, "the address is too long"));
        }
        if self.read(beat(self, member)).await? {
            Ok(())
        } else {
            Err(Failure::Stale { what: TABLE })
        }
    }

    async fn leave(&self, node: NodeId, incarnation: u64) -> Result<(), Failure> {
        self.read(leave(self, node, incarnation)).await
    }

    async fn members(&self) -> Result<Vec<Heard>, Failure> {
        self.read(members(self)).await
    }

    async fn lead(&self, node: NodeId, incarnation: u64, ms: u32) -> Result<bool, Failure> {
        self.read(lead(self, node, incarnation, ms)).await
    }

    async fn resign(&self, node: NodeId, incarnation: u64) -> Result<(), Failure> {
        self.read(resign(self, node, incarnation)).await
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    node: i64,
    incarnation: i64,
    address: String,
    weight: i64,
    roles: String,
    is_draining: bool,
    silent_ms: i64,
}

impl Row {
    fn heard(self) -> Result<Heard, SqlError> {
        Ok(Heard {
            member: Member {
                node: NodeId(column::small(TABLE, self.node)?),
                incarnation: column::small(TABLE, self.incarnation)?,
                address: self.address,
                weight: column::small(TABLE, self.weight)?,
                roles: roles(&self.roles)?,
                is_draining: self.is_draining,
            },
            silent_ms: column::small(TABLE, self.silent_ms)?,
        })
    }
}

fn roles(names: &str) -> Result<NodeRoles, SqlError> {
    let parsed: Result<NodeRoles, _> = names.parse();
    parsed.map_err(|_| SqlError::row(TABLE, format!("{names:?} names no roles")))
}

/// False if a later process has the number. The time is taken when the row is held: two signs of
/// life that wait for each other are heard in the order in which they are written.
async fn beat(store: &PostgresStore, member: &Member) -> Result<bool, SqlError> {
    let written = sqlx::query(
        "INSERT INTO nodes (node, incarnation, address, weight, roles, is_draining, heard_at)
         VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp())
         ON CONFLICT (node) DO UPDATE
         SET incarnation = excluded.incarnation, address = excluded.address,
             weight = excluded.weight, roles = excluded.roles,
             is_draining = excluded.is_draining, heard_at = clock_timestamp()
         WHERE nodes.incarnation <= excluded.incarnation",
    )
    .bind(i64::from(member.node.0))
    .bind(column::count(TABLE, member.incarnation)?)
    .bind(&member.address)
    .bind(i64::from(member.weight))
    .bind(member.roles.to_string())
    .bind(member.is_draining)
    .execute(store.signs())
    .await?;
    Ok(written.rows_affected() > 0)
}

async fn leave(store: &PostgresStore, node: NodeId, incarnation: u64) -> Result<(), SqlError> {
    sqlx::query("DELETE FROM nodes WHERE node = $1 AND incarnation <= $2")
        .bind(i64::from(node.0))
        .bind(column::count(TABLE, incarnation)?)
        .execute(store.signs())
        .await?;
    Ok(())
}

/// Nobody has been silent for less than no time, though the engine's clock may say so.
async fn members(store: &PostgresStore) -> Result<Vec<Heard>, SqlError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT node, incarnation, address, weight, roles, is_draining,
             GREATEST(0, FLOOR(1000 * EXTRACT(EPOCH FROM clock_timestamp() - heard_at)))::BIGINT
                 AS silent_ms
         FROM nodes ORDER BY node",
    )
    .fetch_all(store.signs())
    .await?;
    rows.into_iter().map(Row::heard).collect()
}

/// False if another process has the lease. Its end is counted from when the row is held, which is
/// after the call began: whoever counts from there stops in time.
async fn lead(
    store: &PostgresStore,
    node: NodeId,
    incarnation: u64,
    ms: u32,
) -> Result<bool, SqlError> {
    let written = sqlx::query(
        "INSERT INTO coordinator (one, node, incarnation, ends_at)
         VALUES (1, $1, $2, clock_timestamp() + $3 * INTERVAL '1 millisecond')
         ON CONFLICT (one) DO UPDATE
         SET node = excluded.node, incarnation = excluded.incarnation,
             ends_at = clock_timestamp() + $3 * INTERVAL '1 millisecond'
         WHERE coordinator.ends_at <= clock_timestamp()
             OR (coordinator.node = excluded.node
                 AND coordinator.incarnation = excluded.incarnation)",
    )
    .bind(i64::from(node.0))
    .bind(column::count(LEASE, incarnation)?)
    .bind(i64::from(ms))
    .execute(store.signs())
    .await?;
    Ok(written.rows_affected() > 0)
}

async fn resign(store: &PostgresStore, node: NodeId, incarnation: u64) -> Result<(), SqlError> {
    sqlx::query("DELETE FROM coordinator WHERE node = $1 AND incarnation = $2")
        .bind(i64::from(node.0))
        .bind(column::count(LEASE, incarnation)?)
        .execute(store.signs())
        .await?;
    Ok(())
}
