//! Rows of reactions and their counts.

use std::borrow::Cow;

use guildhall_model::emoji::CustomEmoji;
use guildhall_model::message::{Emoji, Message, ReactionCount};
use guildhall_model::{ChannelId, MessageId, UserId};
use sqlx::SqliteConnection;

use crate::sqlite::engine;
use crate::sqlite::rows::column;
use crate::sqlite::rows::error::SqlError;

/// A user gave an emoji. Given twice, or to a message that is gone, it does nothing.
pub(super) async fn add(
    tx: &mut SqliteConnection,
    message: MessageId,
    emoji: &Emoji,
    user: UserId,
    gseq: i64,
) -> Result<(), SqlError> {
    let added = sqlx::query(
        "INSERT INTO reactions (message_id, emoji, user_id)
         SELECT id, ?, ? FROM messages WHERE id = ?
         ON CONFLICT (message_id, emoji, user_id) DO NOTHING",
    )
    .bind(key(emoji))
    .bind(user.as_i64())
    .bind(message.as_i64())
    .execute(&mut *tx)
    .await?;
    if added.rows_affected() == 0 {
        return Ok(());
    }
    let (name, is_animated) = match emoji {
        Emoji::Standard(_) => (None, false),
        Emoji::Custom(custom) => (Some(custom.name.as_str()), custom.is_animated),
    };
    sqlx::query(
        "INSERT INTO reaction_counts
             (message_id, emoji, first_gseq, custom_name, is_animated, n_users)
         VALUES (?, ?, ?, ?, ?, 1)
         ON CONFLICT (message_id, emoji) DO UPDATE SET n_users = n_users + 1",
    )
    .bind(message.as_i64())
    .bind(key(emoji))
    .bind(gseq)
    .bind(name)
    .bind(is_animated)
    .execute(tx)
    .await?;
    Ok(())
}

/// An emoji was taken back. With the last user the emoji itself goes, and loses its place.
pub(super) async fn remove(
    tx: &mut SqliteConnection,
    message: MessageId,
    emoji: &Emoji,
    user: UserId,
) -> Result<(), SqlError> {
    let removed =
        sqlx::query("DELETE FROM reactions WHERE message_id = ? AND emoji = ? AND user_id = ?")
            .bind(message.as_i64())
            .bind(key(emoji))
            .bind(user.as_i64())
            .execute(&mut *tx)
            .await?;
    if removed.rows_affected() == 0 {
        return Ok(());
    }
    sqlx::query(
        "UPDATE reaction_counts SET n_users = n_users - 1 WHERE message_id = ? AND emoji = ?",
    )
    .bind(message.as_i64())
    .bind(key(emoji))
    .execute(&mut *tx)
    .await?;
    sqlx::query("DELETE FROM reaction_counts WHERE message_id = ? AND emoji = ? AND n_users = 0")
        .bind(message.as_i64())
        .bind(key(emoji))
        .execute(tx)
        .await?;
    Ok(())
}

/// A message is gone, and its reactions with it.
pub(super) async fn erase(tx: &mut SqliteConnection, message: MessageId) -> Result<(), SqlError> {
    for sql in [
        "DELETE FROM reactions WHERE message_id = ?",
        "DELETE FROM reaction_counts WHERE message_id = ?",
    ] {
        sqlx::query(sql)
            .bind(message.as_i64())
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

/// An emoji was taken away from a message altogether.
pub(super) async fn clear(
    tx: &mut SqliteConnection,
    message: MessageId,
    emoji: &Emoji,
) -> Result<(), SqlError> {
    for sql in [
        "DELETE FROM reactions WHERE message_id = ? AND emoji = ?",
        "DELETE FROM reaction_counts WHERE message_id = ? AND emoji = ?",
    ] {
        sqlx::query(sql)
            .bind(message.as_i64())
            .bind(key(emoji))
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

/// What names an emoji in the column `emoji`.
fn key(emoji: &Emoji) -> Cow<'_, str> {
    match emoji {
        Emoji::Standard(text) => Cow::Borrowed(text),
        Emoji::Custom(custom) => Cow::Owned(custom.id.to_string()),
    }
}

#[derive(sqlx::FromRow)]
struct EmojiRow {
    emoji: String,
    custom_name: Option<String>,
    is_animated: bool,
}

impl TryFrom<EmojiRow> for Emoji {
    type Error = SqlError;

    fn try_from(row: EmojiRow) -> Result<Self, SqlError> {
        let Some(name) = row.custom_name else {
            return Ok(Self::Standard(row.emoji));
        };
        let no_id = |_| SqlError::row("reaction_counts", "a name without an id");
        Ok(Self::Custom(CustomEmoji {
            id: column::id("reaction_counts", row.emoji.parse().map_err(no_id)?)?,
            name,
            is_animated: row.is_animated,
        }))
    }
}

#[derive(sqlx::FromRow)]
struct CountRow {
    message_id: i64,
    #[sqlx(flatten)]
    emoji: EmojiRow,
    n_users: i64,
}

const COUNTS_OF_PAGE: &str =
    "SELECT reaction_counts.message_id, reaction_counts.emoji, reaction_counts.custom_name,
         reaction_counts.is_animated, reaction_counts.n_users
     FROM messages JOIN reaction_counts ON reaction_counts.message_id = messages.id
     WHERE messages.channel_id = ? AND messages.id BETWEEN ? AND ?
     ORDER BY messages.id DESC, reaction_counts.first_gseq";

/// Fills in the counts of consecutive messages of one channel, newest first.
pub(super) async fn count(
    connection: &mut SqliteConnection,
    channel: ChannelId,
    page: &mut [Message],
) -> Result<(), SqlError> {
    let (Some(newest), Some(oldest)) = (page.first(), page.last()) else {
        return Ok(());
    };
    let rows: Vec<CountRow> = sqlx::query_as(COUNTS_OF_PAGE)
        .bind(channel.as_i64())
        .bind(oldest.id.as_i64())
        .bind(newest.id.as_i64())
        .fetch_all(connection)
        .await?;
    let mut messages = page.iter_mut().peekable();
    for row in rows {
        while messages
            .next_if(|message| message.id.as_i64() > row.message_id)
            .is_some()
        {}
        // The messages were read a moment earlier: a count may have no message among them.
        let Some(message) = messages.peek_mut() else {
            break;
        };
        if message.id.as_i64() == row.message_id {
            message.reactions.push(ReactionCount {
                emoji: row.emoji.try_into()?,
                count: column::small("reaction_counts", row.n_users)?,
            });
        }
    }
    Ok(())
}

/// Users who gave an emoji, in order of their ids.
pub(super) async fn reactors(
    connection: &mut SqliteConnection,
    message: MessageId,
    emoji: &Emoji,
    after: Option<UserId>,
    limit: u16,
) -> Result<Vec<UserId>, SqlError> {
    let ids: Vec<i64> = sqlx::query_scalar(
        "SELECT user_id FROM reactions
         WHERE message_id = ? AND emoji = ? AND user_id > ?
         ORDER BY user_id LIMIT ?",
    )
    .bind(message.as_i64())
    .bind(key(emoji))
    .bind(after.map_or(0, UserId::as_i64))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    ids.into_iter()
        .map(|raw| column::id("reactions", raw))
        .collect()
}

#[derive(sqlx::FromRow)]
struct GivenRow {
    message_id: i64,
    #[sqlx(flatten)]
    emoji: EmojiRow,
}

/// By way of the counts: a message has few emoji but may have many reacting users.
const GIVEN: &str = "SELECT reaction_counts.message_id, reaction_counts.emoji,
         reaction_counts.custom_name, reaction_counts.is_animated
     FROM json_each(?) AS wanted
     JOIN reaction_counts ON reaction_counts.message_id = wanted.value
     JOIN reactions ON reactions.message_id = reaction_counts.message_id
         AND reactions.emoji = reaction_counts.emoji AND reactions.user_id = ?
     ORDER BY reactions.message_id, reaction_counts.first_gseq";

/// Which emoji a user gave to these messages.
pub(super) async fn given(
    connection: &mut SqliteConnection,
    user: UserId,
    messages: &[MessageId],
) -> Result<Vec<(MessageId, Emoji)>, SqlError> {
    let rows: Vec<GivenRow> = sqlx::query_as(GIVEN)
        .bind(engine::ids(messages))
        .bind(user.as_i64())
        .fetch_all(connection)
        .await?;
    rows.into_iter()
        .map(|row| {
            Ok((
                column::id("reactions", row.message_id)?,
                row.emoji.try_into()?,
            ))
        })
        .collect()
}
