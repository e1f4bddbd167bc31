//! Rows of guilds' channels with their overwrites.

use guildhall_model::channel::{Channel, ChannelKind, Overwrite, OverwriteTarget};
use guildhall_model::{ChannelId, GuildId, Permissions};
use sqlx::QueryBuilder;

use super::engine::{Connection, Database, Pool};
use super::error::SqlError;
use super::{column, id_floor};

/// The kind of an overwrite that binds a role. Roles come before members, as in
/// [`OverwriteTarget`]'s order.
pub(super) const ROLE_TARGET: i64 = 0;
const MEMBER_TARGET: i64 = 1;
/// Overwrites that one statement writes: connections remember as many statements.
const OVERWRITES_AT_ONCE: usize = 16;

#[derive(sqlx::FromRow)]
struct ChannelRow {
    id: i64,
    guild_id: i64,
    kind: i64,
    name: String,
    topic: Option<String>,
    position: i64,
    parent_id: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct OverwriteRow {
    channel_id: i64,
    target_kind: i64,
    target_id: i64,
    allow_bits: i64,
    deny_bits: i64,
}

impl TryFrom<ChannelRow> for Channel {
    type Error = SqlError;

    fn try_from(row: ChannelRow) -> Result<Self, SqlError> {
        Ok(Self {
            id: column::id("channels", row.id)?,
            guild_id: column::id("channels", row.guild_id)?,
            kind: kind(row.kind)?,
            name: row.name,
            topic: row.topic,
            position: column::small("channels", row.position)?,
            parent_id: row
                .parent_id
                .map(|raw| column::id("channels", raw))
                .transpose()?,
            overwrites: Vec::new(),
        })
    }
}

impl TryFrom<&OverwriteRow> for Overwrite {
    type Error = SqlError;

    fn try_from(row: &OverwriteRow) -> Result<Self, SqlError> {
        let target = match row.target_kind {
            ROLE_TARGET => OverwriteTarget::Role(column::id("overwrites", row.target_id)?),
            MEMBER_TARGET => OverwriteTarget::Member(column::id("overwrites", row.target_id)?),
            other => return Err(SqlError::row("overwrites", format!("{other} is no target"))),
        };
        Ok(Self {
            target,
            allow: Permissions::from_bits_retain(row.allow_bits.cast_unsigned()),
            deny: Permissions::from_bits_retain(row.deny_bits.cast_unsigned()),
        })
    }
}

const fn kind_column(kind: ChannelKind) -> i64 {
    match kind {
        ChannelKind::Text => 0,
        ChannelKind::Voice => 1,
        ChannelKind::Category => 2,
    }
}

fn kind(raw: i64) -> Result<ChannelKind, SqlError> {
    match raw {
        0 => Ok(ChannelKind::Text),
        1 => Ok(ChannelKind::Voice),
        2 => Ok(ChannelKind::Category),
        _ => Err(SqlError::row("channels", format!("{raw} is no kind"))),
    }
}

fn target_columns(target: OverwriteTarget) -> (i64, i64) {
    match target {
        OverwriteTarget::Role(id) => (ROLE_TARGET, id.as_i64()),
        OverwriteTarget::Member(id) => (MEMBER_TARGET, id.as_i64()),
    }
}

/// All channels of a guild, each with its overwrites in order of their targets.
pub(super) async fn of_guild(
    tx: &mut Connection,
    guild: GuildId,
) -> Result<Vec<Channel>, SqlError> {
    let rows: Vec<ChannelRow> =
        sqlx::query_as("SELECT * FROM channels WHERE guild_id = $1 ORDER BY id")
            .bind(guild.as_i64())
            .fetch_all(&mut *tx)
            .await?;
    let mut channels: Vec<Channel> = rows
        .into_iter()
        .map(Channel::try_from)
        .collect::<Result<_, _>>()?;
    let overwrites: Vec<OverwriteRow> = sqlx::query_as(
        "SELECT overwrites.*
         FROM channels JOIN overwrites ON overwrites.channel_id = channels.id
         WHERE channels.guild_id = $1
         ORDER BY overwrites.channel_id, overwrites.target_kind, overwrites.target_id",
    )
    .bind(guild.as_i64())
    .fetch_all(tx)
    .await?;
    for row in &overwrites {
        let place = channels
            .binary_search_by_key(&row.channel_id, |channel| channel.id.as_i64())
            .map_err(|_| SqlError::row("overwrites", "a row without its channel"))?;
        channels[place].overwrites.push(row.try_into()?);
    }
    Ok(channels)
}

/// The guild of a channel, unless it has ended.
pub(super) async fn guild_of(
    readers: &Pool,
    channel: ChannelId,
) -> Result<Option<GuildId>, SqlError> {
    let guild: Option<i64> = sqlx::query_scalar(
        "SELECT guilds.id FROM channels JOIN guilds ON guilds.id = channels.guild_id
         WHERE channels.id = $1 AND guilds.deleted = FALSE",
    )
    .bind(channel.as_i64())
    .fetch_optional(readers)
    .await?;
    guild.map(|raw| column::id("channels", raw)).transpose()
}

/// [`guildhall_model::event::Event::ChannelCreated`]
pub(super) async fn created(tx: &mut Connection, channel: &Channel) -> Result<(), SqlError> {
    sqlx::query(
        "INSERT INTO channels (id, guild_id, kind, name, topic, position, parent_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(channel.id.as_i64())
    .bind(channel.guild_id.as_i64())
    .bind(kind_column(channel.kind))
    .bind(&channel.name)
    .bind(&channel.topic)
    .bind(i64::from(channel.position))
    .bind(channel.parent_id.map(ChannelId::as_i64))
    .execute(&mut *tx)
    .await?;
    insert_overwrites(tx, channel).await
}

/// [`guildhall_model::event::Event::ChannelUpdated`]
pub(super) async fn updated(tx: &mut Connection, channel: &Channel) -> Result<(), SqlError> {
    let written = sqlx::query(
        "UPDATE channels SET kind = $1, name = $2, topic = $3, position = $4, parent_id = $5
         WHERE id = $6",
    )
    .bind(kind_column(channel.kind))
    .bind(&channel.name)
    .bind(&channel.topic)
    .bind(i64::from(channel.position))
    .bind(channel.parent_id.map(ChannelId::as_i64))
    .bind(channel.id.as_i64())
    .execute(&mut *tx)
    .await?;
    if written.rows_affected() == 0 {
        let why = format!("{} is missing", channel.id);
        return Err(SqlError::row("channels", why));
    }
    sqlx::query("DELETE FROM overwrites WHERE channel_id = $1")
        .bind(channel.id.as_i64())
        .execute(&mut *tx)
        .await?;
    insert_overwrites(tx, channel).await
}

/// [`guildhall_model::event::Event::ChannelDeleted`]: the overwrites go by the foreign key.
pub(super) async fn deleted(tx: &mut Connection, id: ChannelId) -> Result<(), SqlError> {
    sqlx::query("DELETE FROM channels WHERE id = $1")
        .bind(id.as_i64())
        .execute(&mut *tx)
        .await?;
    id_floor::raise(tx, id).await
}

async fn insert_overwrites(tx: &mut Connection, channel: &Channel) -> Result<(), SqlError> {
    for some in channel.overwrites.chunks(OVERWRITES_AT_ONCE) {
        let mut insert = QueryBuilder::<Database>::new(
            "INSERT INTO overwrites (channel_id, target_kind, target_id, allow_bits, deny_bits) ",
        );
        insert.push_values(some, |mut row, overwrite| {
            let (target_kind, target_id) = target_columns(overwrite.target);
            row.push_bind(channel.id.as_i64())
                .push_bind(target_kind)
                .push_bind(target_id)
                .push_bind(overwrite.allow.bits().cast_signed())
                .push_bind(overwrite.deny.bits().cast_signed());
        });
        insert.build().execute(&mut *tx).await?;
    }
    Ok(())
}
