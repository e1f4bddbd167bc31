//! Nonces that have outlived their messages.

use guildhall_model::message::Nonce;
use guildhall_model::{ChannelId, MessageId, UserId};
use guildhall_ports::stored::message::nonce_column;
use sqlx::SqliteConnection;

use crate::sqlite::rows::error::SqlError;

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
    .bind(nonce_column(nonce))
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
    .bind(nonce_column(nonce))
    .bind(oldest.as_i64())
    .fetch_optional(connection)
    .await?;
    Ok(found.is_some())
}
