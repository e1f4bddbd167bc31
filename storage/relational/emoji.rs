//! Rows of guilds' own emojis.

use guildhall_model::emoji::{EmojiChange, GuildEmoji};
use guildhall_model::{EmojiId, GuildId};

use super::engine::{Connection, Pool};
use super::error::SqlError;
use super::{column, id_floor};

#[derive(sqlx::FromRow)]
struct EmojiRow {
    id: i64,
    guild_id: i64,
    name: String,
    is_animated: bool,
    creator_id: i64,
}

#[derive(sqlx::FromRow)]
struct RoleRow {
    emoji_id: i64,
    role_id: i64,
}

impl TryFrom<EmojiRow> for GuildEmoji {
    type Error = SqlError;

    fn try_from(row: EmojiRow) -> Result<Self, SqlError> {
        Ok(Self {
            id: column::id("emojis", row.id)?,
            guild_id: column::id("emojis", row.guild_id)?,
            name: row.name,
            is_animated: row.is_animated,
            roles: Vec::new(),
            creator_id: column::id("emojis", row.creator_id)?,
        })
    }
}

/// All emojis of a guild, each with its roles in order of their ids.
pub(super) async fn of_guild(
    tx: &mut Connection,
    guild: GuildId,
) -> Result<Vec<GuildEmoji>, SqlError> {
    let rows: Vec<EmojiRow> =
        sqlx::query_as("SELECT * FROM emojis WHERE guild_id = $1 ORDER BY id")
            .bind(guild.as_i64())
            .fetch_all(&mut *tx)
            .await?;
    let mut emojis: Vec<GuildEmoji> = rows
        .into_iter()
        .map(GuildEmoji::try_from)
        .collect::<Result<_, _>>()?;
    let roles: Vec<RoleRow> = sqlx::query_as(
        "SELECT emoji_roles.*
         FROM emojis JOIN emoji_roles ON emoji_roles.emoji_id = emojis.id
         WHERE emojis.guild_id = $1
         ORDER BY emoji_roles.emoji_id, emoji_roles.role_id",
    )
    .bind(guild.as_i64())
    .fetch_all(tx)
    .await?;
    for row in &roles {
        let place = emojis
            .binary_search_by_key(&row.emoji_id, |emoji| emoji.id.as_i64())
            .map_err(|_| SqlError::row("emoji_roles", "a row without its emoji"))?;
        emojis[place]
            .roles
            .push(column::id("emoji_roles", row.role_id)?);
    }
    Ok(emojis)
}

/// The guild of an emoji, unless it has ended.
pub(super) async fn guild_of(readers: &Pool, emoji: EmojiId) -> Result<Option<GuildId>, SqlError> {
    let guild: Option<i64> = sqlx::query_scalar(
        "SELECT guilds.id FROM emojis JOIN guilds ON guilds.id = emojis.guild_id
         WHERE emojis.id = $1 AND guilds.deleted = FALSE",
    )
    .bind(emoji.as_i64())
    .fetch_optional(readers)
    .await?;
    guild.map(|raw| column::id("emojis", raw)).transpose()
}

/// [`guildhall_model::event::Event::EmojisChanged`]
pub(super) async fn changed(tx: &mut Connection, change: &EmojiChange) -> Result<(), SqlError> {
    match change {
        EmojiChange::Created(emoji) => created(tx, emoji).await,
        EmojiChange::Updated(change) => updated(tx, &change.after).await,
        EmojiChange::Deleted(emoji) => deleted(tx, emoji.id).await,
    }
}

async fn created(tx: &mut Connection, emoji: &GuildEmoji) -> Result<(), SqlError> {
    sqlx::query(
        "INSERT INTO emojis (id, guild_id, name, is_animated, creator_id) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(emoji.id.as_i64())
    .bind(emoji.guild_id.as_i64())
    .bind(&emoji.name)
    .bind(emoji.is_animated)
    .bind(emoji.creator_id.as_i64())
    .execute(&mut *tx)
    .await?;
    insert_roles(tx, emoji).await
}

async fn updated(tx: &mut Connection, emoji: &GuildEmoji) -> Result<(), SqlError> {
    let written = sqlx::query("UPDATE emojis SET name = $1 WHERE id = $2")
        .bind(&emoji.name)
        .bind(emoji.id.as_i64())
        .execute(&mut *tx)
        .await?;
    if written.rows_affected() == 0 {
        return Err(SqlError::row("emojis", format!("{} is missing", emoji.id)));
    }
    sqlx::query("DELETE FROM emoji_roles WHERE emoji_id = $1")
        .bind(emoji.id.as_i64())
        .execute(&mut *tx)
        .await?;
    insert_roles(tx, emoji).await
}

/// The roles go by the foreign key.
async fn deleted(tx: &mut Connection, id: EmojiId) -> Result<(), SqlError> {
    sqlx::query("DELETE FROM emojis WHERE id = $1")
        .bind(id.as_i64())
        .execute(&mut *tx)
        .await?;
    id_floor::raise(tx, id).await
}

async fn insert_roles(tx: &mut Connection, emoji: &GuildEmoji) -> Result<(), SqlError> {
    for role in &emoji.roles {
        sqlx::query("INSERT INTO emoji_roles (emoji_id, role_id) VALUES ($1, $2)")
            .bind(emoji.id.as_i64())
            .bind(role.as_i64())
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}
