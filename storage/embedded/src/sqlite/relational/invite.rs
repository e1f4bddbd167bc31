//! Rows of invites.

use guildhall_model::invite::Invite;
use guildhall_model::{GuildId, Timestamp};
use sqlx::{SqliteConnection, SqlitePool};

use crate::sqlite::column;
use crate::sqlite::error::SqlError;

#[derive(sqlx::FromRow)]
struct InviteRow {
    code: String,
    guild_id: i64,
    channel_id: i64,
    inviter_id: i64,
    uses: i64,
    max_uses: i64,
    max_age_s: i64,
    temporary: bool,
    created_at: i64,
}

impl TryFrom<InviteRow> for Invite {
    type Error = SqlError;

    fn try_from(row: InviteRow) -> Result<Self, SqlError> {
        Ok(Self {
            code: row.code,
            guild_id: column::id("invites", row.guild_id)?,
            channel_id: column::id("invites", row.channel_id)?,
            inviter_id: column::id("invites", row.inviter_id)?,
            uses: column::small("invites", row.uses)?,
            max_uses: column::small("invites", row.max_uses)?,
            max_age_s: column::small("invites", row.max_age_s)?,
            temporary: row.temporary,
            created_at: Timestamp(row.created_at),
        })
    }
}

/// All invites of a guild, spent ones included.
pub(super) async fn of_guild(
    tx: &mut SqliteConnection,
    guild: GuildId,
) -> Result<Vec<Invite>, SqlError> {
    let rows: Vec<InviteRow> = sqlx::query_as("SELECT * FROM invites WHERE guild_id = ?")
        .bind(guild.as_i64())
        .fetch_all(tx)
        .await?;
    rows.into_iter().map(Invite::try_from).collect()
}

/// The guild of an invite, unless it has ended.
pub(super) async fn guild_of(
    readers: &SqlitePool,
    code: &str,
) -> Result<Option<GuildId>, SqlError> {
    let guild: Option<i64> = sqlx::query_scalar(
        "SELECT guilds.id FROM invites JOIN guilds ON guilds.id = invites.guild_id
         WHERE invites.code = ? AND guilds.deleted = 0",
    )
    .bind(code)
    .fetch_optional(readers)
    .await?;
    guild.map(|raw| column::id("invites", raw)).transpose()
}

/// [`guildhall_model::event::Event::InviteCreated`]
pub(super) async fn created(tx: &mut SqliteConnection, invite: &Invite) -> Result<(), SqlError> {
    sqlx::query(
        "INSERT INTO invites
             (code, guild_id, channel_id, inviter_id, uses, max_uses, max_age_s, temporary,
              created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&invite.code)
    .bind(invite.guild_id.as_i64())
    .bind(invite.channel_id.as_i64())
    .bind(invite.inviter_id.as_i64())
    .bind(invite.uses)
    .bind(invite.max_uses)
    .bind(invite.max_age_s)
    .bind(invite.temporary)
    .bind(invite.created_at.0)
    .execute(tx)
    .await?;
    Ok(())
}

/// An invite was used once more than it says.
pub(super) async fn used(tx: &mut SqliteConnection, invite: &Invite) -> Result<(), SqlError> {
    sqlx::query("UPDATE invites SET uses = ? WHERE code = ?")
        .bind(i64::from(invite.uses) + 1)
        .bind(&invite.code)
        .execute(tx)
        .await?;
    Ok(())
}

/// [`guildhall_model::event::Event::InviteDeleted`]
pub(super) async fn deleted(tx: &mut SqliteConnection, code: &str) -> Result<(), SqlError> {
    sqlx::query("DELETE FROM invites WHERE code = ?")
        .bind(code)
        .execute(tx)
        .await?;
    Ok(())
}
