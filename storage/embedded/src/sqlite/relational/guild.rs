//! Rows of guilds.

use guildhall_model::GuildId;
use guildhall_model::event::Founding;
use guildhall_model::guild::Guild;
use guildhall_model::picture::Picture;
use sqlx::SqliteConnection;

use super::{channel, member, role};
use crate::sqlite::column;
use crate::sqlite::error::SqlError;

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
    tx: &mut SqliteConnection,
    id: GuildId,
) -> Result<Option<(Guild, bool)>, SqlError> {
    let row: Option<GuildRow> = sqlx::query_as("SELECT * FROM guilds WHERE id = ?")
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
pub(super) async fn created(
    tx: &mut SqliteConnection,
    founding: &Founding,
) -> Result<(), SqlError> {
    let guild = &founding.guild;
    sqlx::query(
        "INSERT INTO guilds (id, name, owner_id, description, icon, is_public)
         VALUES (?, ?, ?, ?, ?, ?)",
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
pub(super) async fn updated(tx: &mut SqliteConnection, guild: &Guild) -> Result<(), SqlError> {
    let written = sqlx::query(
        "UPDATE guilds
         SET name = ?, owner_id = ?, description = ?, icon = ?, is_public = ?
         WHERE id = ?",
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
pub(super) async fn deleted(tx: &mut SqliteConnection, id: GuildId) -> Result<(), SqlError> {
    sqlx::query("UPDATE guilds SET deleted = 1 WHERE id = ?")
        .bind(id.as_i64())
        .execute(tx)
        .await?;
    Ok(())
}
