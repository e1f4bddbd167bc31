//! Rows of guilds' audit logs.

use guildhall_model::audit::{AuditEntry, AuditFrom, AuditQuery};
use guildhall_model::snowflake::Generator;
use guildhall_model::{AuditEntryId, GuildId, Timestamp, limits};
use sqlx::SqliteConnection;

use crate::sqlite::rows::error::SqlError;
use crate::sqlite::rows::{blob, id_floor};

/// An entry as it is written.
pub(super) struct AuditRow {
    guild_id: GuildId,
    entry: AuditEntry,
    /// Older entries of the guild are dropped.
    oldest: AuditEntryId,
}

impl AuditRow {
    pub(super) fn new(guild_id: GuildId, entry: &AuditEntry, at: Timestamp) -> Self {
        let age = i64::try_from(limits::AUDIT_AGE_MS).unwrap_or(i64::MAX);
        Self {
            guild_id,
            entry: entry.clone(),
            oldest: Generator::new(0, 0).mint(at.plus_ms(-age)),
        }
    }
}

/// Writes an entry, and drops those of the guild that nobody may look for any more.
pub(super) async fn put(tx: &mut SqliteConnection, row: &AuditRow) -> Result<(), SqlError> {
    let AuditRow {
        guild_id,
        entry,
        oldest,
    } = row;
    sqlx::query(
        "INSERT INTO audit_entries (id, guild_id, by_id, target, kind, body)
         VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(entry.id.as_i64())
    .bind(guild_id.as_i64())
    .bind(entry.by.as_i64())
    .bind(entry.deed.target().map(u64::cast_signed))
    .bind(entry.deed.kind().word())
    .bind(blob::encode(entry))
    .execute(&mut *tx)
    .await?;
    sqlx::query("DELETE FROM audit_entries WHERE guild_id = ? AND id < ?")
        .bind(guild_id.as_i64())
        .bind(oldest.as_i64())
        .execute(tx)
        .await?;
    Ok(())
}

/// Drops the entries of a guild that has ended.
pub(super) async fn end(tx: &mut SqliteConnection, guild: GuildId) -> Result<(), SqlError> {
    let newest: Option<i64> =
        sqlx::query_scalar("SELECT MAX(id) FROM audit_entries WHERE guild_id = ?")
            .bind(guild.as_i64())
            .fetch_one(&mut *tx)
            .await?;
    if let Some(newest) = newest.and_then(AuditEntryId::from_i64) {
        id_floor::raise(tx, newest).await?;
    }
    sqlx::query("DELETE FROM audit_entries WHERE guild_id = ?")
        .bind(guild.as_i64())
        .execute(tx)
        .await?;
    Ok(())
}

const OLDER: &str = "SELECT body FROM audit_entries
     WHERE guild_id = ?1 AND id < ?2 AND (?3 IS NULL OR by_id = ?3)
         AND (?4 IS NULL OR target = ?4) AND (?5 IS NULL OR kind = ?5)
     ORDER BY id DESC LIMIT ?6";
const NEWER: &str = "SELECT body FROM audit_entries
     WHERE guild_id = ?1 AND id > ?2 AND (?3 IS NULL OR by_id = ?3)
         AND (?4 IS NULL OR target = ?4) AND (?5 IS NULL OR kind = ?5)
     ORDER BY id LIMIT ?6";

/// A page of a guild's entries, from its beginning on.
pub(super) async fn page(
    connection: &mut SqliteConnection,
    guild: GuildId,
    query: AuditQuery,
    limit: u16,
) -> Result<Vec<AuditEntry>, SqlError> {
    let (statement, from) = match query.from {
        AuditFrom::Newest => (OLDER, i64::MAX),
        AuditFrom::Before(id) => (OLDER, id.as_i64()),
        AuditFrom::After(id) => (NEWER, id.as_i64()),
    };
    let bodies: Vec<Vec<u8>> = sqlx::query_scalar(statement)
        .bind(guild.as_i64())
        .bind(from)
        .bind(query.by.map(guildhall_model::Id::as_i64))
        .bind(query.target.map(u64::cast_signed))
        .bind(query.kind.map(guildhall_model::audit::DeedKind::word))
        .bind(limit)
        .fetch_all(connection)
        .await?;
    let entries = bodies
        .iter()
        .map(|body| blob::decode("audit_entries", body));
    entries.collect()
}
