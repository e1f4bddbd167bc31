//! Rows of webhooks.

use guildhall_model::picture::Picture;
use guildhall_model::webhook::{Webhook, WebhookToken};
use guildhall_model::{GuildId, Id, WebhookId};

use super::engine::{Connection, Pool};
use super::error::SqlError;
use super::{column, id_floor};

#[derive(sqlx::FromRow)]
struct WebhookRow {
    id: i64,
    guild_id: i64,
    channel_id: i64,
    name: String,
    avatar: Option<String>,
    token: String,
    creator_id: i64,
    application_id: Option<i64>,
}

impl TryFrom<WebhookRow> for Webhook {
    type Error = SqlError;

    fn try_from(row: WebhookRow) -> Result<Self, SqlError> {
        let application = row.application_id;
        // An error must not show the token.
        let broken = || SqlError::row("webhooks", "a token has another shape");
        Ok(Self {
            id: column::id("webhooks", row.id)?,
            guild_id: column::id("webhooks", row.guild_id)?,
            channel_id: column::id("webhooks", row.channel_id)?,
            name: row.name,
            avatar: row.avatar.map(Picture::read),
            token: WebhookToken::parse(&row.token).ok_or_else(broken)?,
            creator_id: column::id("webhooks", row.creator_id)?,
            application_id: application
                .map(|raw| column::id("webhooks", raw))
                .transpose()?,
        })
    }
}

/// All webhooks of a guild.
pub(super) async fn of_guild(
    tx: &mut Connection,
    guild: GuildId,
) -> Result<Vec<Webhook>, SqlError> {
    let rows: Vec<WebhookRow> = sqlx::query_as("SELECT * FROM webhooks WHERE guild_id = $1")
        .bind(guild.as_i64())
        .fetch_all(tx)
        .await?;
    rows.into_iter().map(Webhook::try_from).collect()
}

/// The guild of a webhook, unless it has ended.
pub(super) async fn guild_of(
    readers: &Pool,
    webhook: WebhookId,
) -> Result<Option<GuildId>, SqlError> {
    let guild: Option<i64> = sqlx::query_scalar(
        "SELECT guilds.id FROM webhooks JOIN guilds ON guilds.id = webhooks.guild_id
         WHERE webhooks.id = $1 AND guilds.deleted = FALSE",
    )
    .bind(webhook.as_i64())
    .fetch_optional(readers)
    .await?;
    guild.map(|raw| column::id("webhooks", raw)).transpose()
}

/// [`guildhall_model::event::Event::WebhookCreated`]
pub(super) async fn created(tx: &mut Connection, webhook: &Webhook) -> Result<(), SqlError> {
    sqlx::query(
        "INSERT INTO webhooks
             (id, guild_id, channel_id, name, avatar, token, creator_id, application_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(webhook.id.as_i64())
    .bind(webhook.guild_id.as_i64())
    .bind(webhook.channel_id.as_i64())
    .bind(&webhook.name)
    .bind(webhook.avatar.as_ref().map(Picture::to_string))
    .bind(webhook.token.reveal())
    .bind(webhook.creator_id.as_i64())
    .bind(webhook.application_id.map(Id::as_i64))
    .execute(tx)
    .await?;
    Ok(())
}

/// [`guildhall_model::event::Event::WebhookUpdated`]: what may change.
pub(super) async fn updated(tx: &mut Connection, webhook: &Webhook) -> Result<(), SqlError> {
    let written = sqlx::query(
        "UPDATE webhooks SET channel_id = $1, name = $2, avatar = $3, token = $4 WHERE id = $5",
    )
    .bind(webhook.channel_id.as_i64())
    .bind(&webhook.name)
    .bind(webhook.avatar.as_ref().map(Picture::to_string))
    .bind(webhook.token.reveal())
    .bind(webhook.id.as_i64())
    .execute(tx)
    .await?;
    if written.rows_affected() == 0 {
        let why = format!("{} is missing", webhook.id);
        return Err(SqlError::row("webhooks", why));
    }
    Ok(())
}

/// [`guildhall_model::event::Event::WebhookDeleted`]
pub(super) async fn deleted(tx: &mut Connection, id: WebhookId) -> Result<(), SqlError> {
    sqlx::query("DELETE FROM webhooks WHERE id = $1")
        .bind(id.as_i64())
        .execute(&mut *tx)
        .await?;
    id_floor::raise(tx, id).await
}
