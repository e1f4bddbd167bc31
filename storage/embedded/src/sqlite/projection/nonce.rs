//! Nonces as columns, and those that have outlived their messages.

use guildhall_model::message::Nonce;
use guildhall_model::snowflake::Generator;
use guildhall_model::{ChannelId, Id, MessageId, Timestamp, UserId, limits};
use sqlx::SqliteConnection;

use crate::sqlite::error::SqlError;

/// A nonce as a column: the first letter keeps numbers and texts apart.
pub(super) fn to_column(nonce: &Nonce) -> String {
    match nonce {
        Nonce::Text(text) => format!("t{text}"),
        Nonce::Number(number) => format!("n{number}"),
        Nonce::Interaction(id) => format!("i{id}"),
    }
}

pub(super) fn from_column(column: &str) -> Result<Nonce, SqlError> {
    if let Some(text) = column.strip_prefix('t') {
        return Ok(Nonce::Text(text.to_owned()));
    }
    let number = column.strip_prefix('n').and_then(|n| n.parse().ok());
    let interaction = || column.strip_prefix('i').and_then(|n| n.parse().ok());
    number
        .map(Nonce::Number)
        .or_else(|| Id::new(interaction()?).map(Nonce::Interaction))
        .ok_or_else(|| SqlError::row("messages", "a nonce is neither text nor number"))
}

/// How long spent nonces are kept: those of posts count for less, but answers to an interaction
/// are asked for as long as they may be followed.
const KEPT_MS: u64 = if limits::NONCE_AGE_MS < limits::INTERACTION_AGE_MS {
    limits::INTERACTION_AGE_MS
} else {
    limits::NONCE_AGE_MS
};

/// The oldest message whose nonce is kept at this time.
pub(super) fn oldest(at: Timestamp) -> MessageId {
    let age = i64::try_from(KEPT_MS).unwrap_or(i64::MAX);
    Generator::new(0, 0).mint(at.plus_ms(-age))
}

/// Keeps the nonce of a message that is about to be erased, and lets go of those that are older
/// than `oldest`.
pub(super) async fn spend(
    tx: &mut SqliteConnection,
    erased: MessageId,
    oldest: MessageId,
) -> Result<(), SqlError> {
    forget(tx, oldest).await?;
    sqlx::query(
        "INSERT INTO spent_nonces (id, channel_id, author_id, nonce)
         SELECT id, channel_id, author_id, nonce FROM messages
         WHERE id = ? AND id >= ? AND nonce IS NOT NULL",
    )
    .bind(erased.as_i64())
    .bind(oldest.as_i64())
    .execute(tx)
    .await?;
    Ok(())
}

/// Notes a nonce that was used for no message, in the place of one.
pub(super) async fn use_up(
    tx: &mut SqliteConnection,
    place: MessageId,
    (channel, author): (ChannelId, UserId),
    nonce: &Nonce,
    oldest: MessageId,
) -> Result<(), SqlError> {
    forget(tx, oldest).await?;
    sqlx::query(
        "INSERT INTO spent_nonces (id, channel_id, author_id, nonce) VALUES (?, ?, ?, ?)
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(place.as_i64())
    .bind(channel.as_i64())
    .bind(author.as_i64())
    .bind(to_column(nonce))
    .execute(tx)
    .await?;
    Ok(())
}

async fn forget(tx: &mut SqliteConnection, oldest: MessageId) -> Result<(), SqlError> {
    sqlx::query("DELETE FROM spent_nonces WHERE id < ?")
        .bind(oldest.as_i64())
        .execute(tx)
        .await?;
    Ok(())
}

/// An author used this nonce for a message, not older than `oldest`, that is deleted.
pub(super) async fn is_spent(
    connection: &mut SqliteConnection,
    (channel, author): (ChannelId, UserId),
    nonce: &Nonce,
    oldest: MessageId,
) -> Result<bool, SqlError> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT id FROM spent_nonces
         WHERE channel_id = ? AND author_id = ? AND nonce = ? AND id >= ? LIMIT 1",
    )
    .bind(channel.as_i64())
    .bind(author.as_i64())
    .bind(to_column(nonce))
    .bind(oldest.as_i64())
    .fetch_optional(connection)
    .await?;
    Ok(found.is_some())
}
