//! Rows of guilds.

use guildhall_model::GuildId;
use guildhall_model::event::Founding;
use guildhall_model::guild::Guild;
use guildhall_model::picture::Picture;

use super::column;
use super::engine::Connection;
use super::error::SqlError;
use super::{channel, member, role};

#[derive(sqlx::FromRow)]
struct GuildRow {
    id: i64,
    name: String,
    owner_id: i64,
    description: Option<String>,
    icon: Option<String>,
    is_public: bool,
    deleted: bool,
}

/// The guild, and whether it has ended.
pub(super) async fn read(
    tx: &mut Connection,
    id: GuildId,
) -> Result<Option<(Guild, bool)>, SqlError> {
    let row: Option<GuildRow> = sqlx::query_as("SELECT * FROM guilds WHERE id = $1")
        .bind(id.as_i64())
        .fetch_optional(tx)
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let guild = Guild {
        id: column::id("guilds", row.id)?,
        name: row.name,
        owner_id: column::id("guilds", row.owner_id)?,
        description: row.description,
        icon: row.icon.map(Picture::read),
        is_public: row.is_public,
    };
    Ok(Some((guild, row.deleted)))
}

/// [`guildhall_model::event::Event::GuildCreated`]
pub(super) async fn created(tx: &mut Connection, founding: &Founding) -> Result<(), SqlError> {
    let guild = &founding.guild;
    sqlx::query(
        "INSERT INTO guilds (id, name, owner_id, description, icon, is_public)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(guild.id.as_i64())
    .bind(&guild.name)
    .bind(guild.owner_id.as_i64())
    .bind(&guild.description)
    .bind(guild.icon.as_ref().map(Picture::to_string))
    .bind(guild.is_public)
    .execute(&mut *tx)
    .await?;
    role::created(tx, &founding.everyone).await?;
    channel::created(tx, &founding.channel).await?;
    member::joined(tx, guild.id, &founding.owner, None).await
}

/// [`guildhall_model::event::Event::GuildUpdated`]
pub(super) async fn updated(tx: &mut Connection, guild: &Guild) -> Result<(), SqlError> {
    let written = sqlx::query(
        "UPDATE guilds
         SET name = $1, owner_id = $2, description = $3, icon = $4, is_public = $5
         WHERE id = $6",
    )
    .bind(&guild.name)
    .bind(guild.owner_id.as_i64())
    .bind(&guild.description)
    .bind(guild.icon.as_ref().map(Picture::to_string))
    .bind(guild.is_public)
    .bind(guild.id.as_i64())
    .execute(tx)
    .await?;
    if written.rows_affected() == 0 {
        return Err(SqlError::row("guilds", format!("{} is missing", guild.id)));
    }
    Ok(())
}

/// [`guildhall_model::event::Event::GuildDeleted`]: only a mark. A job erases the rows later,
/// because a large guild has too many of them for one transaction.
pub(super) async fn deleted(tx: &mut Connection, id: GuildId) -> Result<(), SqlError> {
    sqlx::query("UPDATE guilds SET deleted = TRUE WHERE id = $1")
        .bind(id.as_i64())
        .execute(tx)
        .await?;
    Ok(())
}
