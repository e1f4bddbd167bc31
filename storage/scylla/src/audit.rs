//! Audit logs of guilds: a partition each, of what was done in the last weeks.

use std::sync::Arc;

use guildhall_model::audit::{AuditEntry, AuditFrom, AuditQuery};
use guildhall_model::{AuditEntryId, GuildId};
use guildhall_ports::stored;
use scylla::statement::prepared::PreparedStatement;
use scylla::value::MaybeUnset;

use crate::bounds::AUDIT_AT_ONCE;
use crate::cql::Cql;
use crate::error::CqlError;
use crate::message::{FINAL, Writing};
use crate::plan::Audited;

/// The table `audit_entries`.
#[derive(Debug)]
pub(crate) struct AuditTable {
    cql: Arc<Cql>,
    put: PreparedStatement,
    drop_older: PreparedStatement,
    end: PreparedStatement,
    older: PreparedStatement,
    newer: PreparedStatement,
}

/// An entry as it is read.
type EntryRow = (i64, i64, Option<i64>, String, Vec<u8>);

impl AuditTable {
    pub(crate) async fn prepare(cql: &Arc<Cql>) -> Result<Self, CqlError> {
        let select = |rest: &str| {
            format!(
                "SELECT entry_id, by_id, target, kind, body FROM audit_entries
                 WHERE guild_id = ? AND {rest} LIMIT ?"
            )
        };
        let prepare = async |text: &str| cql.prepare(text).await;
        Ok(Self {
            cql: Arc::clone(cql),
            put: prepare(
                "INSERT INTO audit_entries (guild_id, entry_id, by_id, target, kind, body)
                 VALUES (?, ?, ?, ?, ?, ?) USING TIMESTAMP ?",
            )
            .await?,
            drop_older: prepare(
                "DELETE FROM audit_entries USING TIMESTAMP ? WHERE guild_id = ? AND entry_id < ?",
            )
            .await?,
            end: prepare("DELETE FROM audit_entries USING TIMESTAMP ? WHERE guild_id = ?").await?,
            older: prepare(&select("entry_id < ?")).await?,
            newer: prepare(&select("entry_id > ? ORDER BY entry_id ASC")).await?,
        })
    }

    /// Writes an entry, and drops those of the guild that nobody may look for any more.
    pub(crate) fn put<'a>(&'a self, audited: &'a Audited) -> [Writing<'a>; 2] {
        let (guild, entry) = (audited.guild.as_i64(), &audited.entry);
        let row = (
            guild,
            entry.id.as_i64(),
            entry.by.as_i64(),
            MaybeUnset::from_option(entry.deed.target().map(u64::cast_signed)),
            entry.deed.kind().word(),
            stored::encode(entry),
            audited.place,
        );
        let older = (FINAL, guild, audited.oldest.as_i64());
        [
            Box::pin(self.cql.write(&self.put, row)),
            Box::pin(self.cql.write(&self.drop_older, older)),
        ]
    }

    /// Drops the log of a guild that has ended.
    pub(crate) fn end(&self, guild: GuildId) -> Writing<'_> {
        Box::pin(self.cql.write(&self.end, (FINAL, guild.as_i64())))
    }

    /// A page of a guild's entries, from its beginning on.
    pub(crate) async fn page(
        &self,
        guild: GuildId,
        query: AuditQuery,
        limit: u16,
    ) -> Result<Vec<AuditEntry>, CqlError> {
        let (statement, mut from) = match query.from {
            AuditFrom::Newest => (&self.older, i64::MAX),
            AuditFrom::Before(id) => (&self.older, id.as_i64()),
            AuditFrom::After(id) => (&self.newer, id.as_i64()),
        };
        let mut found = Vec::new();
        loop {
            let values = (guild.as_i64(), from, AUDIT_AT_ONCE);
            let rows: Vec<EntryRow> = self.cql.rows(statement, values).await?;
            let is_last = rows.len() < AUDIT_AT_ONCE.unsigned_abs() as usize;
            for (id, by, target, kind, body) in rows {
                from = id;
                let fits = query.by.is_none_or(|wanted| wanted.as_i64() == by)
                    && query
                        .target
                        .is_none_or(|it| Some(it.cast_signed()) == target)
                    && query.kind.is_none_or(|wanted| wanted.word() == kind);
                if fits && found.len() < usize::from(limit) {
                    found.push(stored::decode("audit_entries", &body)?);
                }
            }
            if is_last || found.len() >= usize::from(limit) {
                return Ok(found);
            }
        }
    }
}

/// The oldest entry that is kept at this time.
pub(crate) fn oldest(at: guildhall_model::Timestamp) -> AuditEntryId {
    let age = i64::try_from(guildhall_model::limits::AUDIT_AGE_MS).unwrap_or(i64::MAX);
    guildhall_model::snowflake::Generator::new(0, 0).mint(at.plus_ms(-age))
}
