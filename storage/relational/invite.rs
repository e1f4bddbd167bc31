//! Rows of invites.

use guildhall_model::invite::Invite;
use guildhall_model::{GuildId, Timestamp};

use super::column;
use super::engine::{Connection, Pool};
use super::error::SqlError;

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
pub(super) async fn of_guild(tx: &mut Connection, guild: GuildId) -> Result<Vec<Invite>, SqlError> {
    let rows: Vec<InviteRow> = sqlx::query_as("SELECT * FROM invites WHERE guild_id = $1")
        .bind(guild.as_i64())
        .fetch_all(tx)
        .await?;
    rows.into_iter().map(Invite::try_from).collect()
}

/// The guild of an invite, unless it has ended.
pub(super) async fn guild_of(readers: &Pool, code: &str) -> Result<Option<GuildId>, SqlError> {
    // As with the names of accounts.
    if code.contains('\0') {
        return Ok(None);
    }
    let guild: Option<i64> = sqlx::query_scalar(
        "SELECT guilds.id FROM invites JOIN guilds ON guilds.id = invites.guild_id
         WHERE invites.code = $1 AND guilds.deleted = FALSE",
    )
    .bind(code)
    .fetch_optional(readers)
    .await?;
    guild.map(|raw| column::id("invites", raw)).transpose()
}

/// [`guildhall_model::event::Event::InviteCreated`]
pub(super) async fn created(tx: &mut Connection, invite: &Invite) -> Result<(), SqlError> {
    sqlx::query(
        "INSERT INTO invites
             (code, guild_id, channel_id, inviter_id, uses, max_uses, max_age_s, temporary,
              created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(&invite.code)
    .bind(invite.guild_id.as_i64())
    .bind(invite.channel_id.as_i64())
    .bind(invite.inviter_id.as_i64())
    .bind(i64::from(invite.uses))
    .bind(i64::from(invite.max_uses))
    .bind(i64::from(invite.max_age_s))
    .bind(invite.temporary)
    .bind(invite.created_at.0)
    .execute(tx)
    .await?;
    Ok(())
}

/// An invite was used once more than it says.
pub(super) async fn used(tx: &mut Connection, invite: &Invite) -> Result<(), SqlError> {
    sqlx::query("UPDATE invites SET uses = $1 WHERE code = $2")
        .bind(i64::from(invite.uses) + 1)
        .bind(&invite.code)
        .execute(tx)
        .await?;
    Ok(())
}

/// [`guildhall_model::event::Event::InviteDeleted`]
pub(super) async fn deleted(tx: &mut Connection, code: &str) -> Result<(), SqlError> {
    sqlx::query("DELETE FROM invites WHERE code = $1")
        .bind(code)
        .execute(tx)
        .await?;
    Ok(())
}
