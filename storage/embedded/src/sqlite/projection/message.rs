//! Rows of messages, and pages of them.

use std::sync::LazyLock;

use guildhall_model::message::{Message, Nonce};
use guildhall_model::{ChannelId, MessageId, Timestamp, UserId};
use guildhall_ports::messages::Anchor;
use guildhall_ports::stored::message::{MessageColumns, nonce_column};
use sqlx::SqliteConnection;

use super::nonce;
use crate::sqlite::rows::column;
use crate::sqlite::rows::error::SqlError;

/// A message as it is written. Reactions have rows of their own.
pub(super) struct MessageRow {
    id: i64,
    channel_id: i64,
    author_id: i64,
    only_for: Option<i64>,
    columns: MessageColumns,
}

impl From<&Message> for MessageRow {
    fn from(message: &Message) -> Self {
        Self {
            id: message.id.as_i64(),
            channel_id: message.channel_id.as_i64(),
            author_id: message.author.id.as_i64(),
            only_for: message.only_for().map(guildhall_model::Id::as_i64),
            columns: message.into(),
        }
    }
}

/// A message as it is read.
#[derive(sqlx::FromRow)]
struct StoredMessage {
    id: i64,
    channel_id: i64,
    content: String,
    edited_at: Option<i64>,
    nonce: Option<String>,
    pinned_at: Option<i64>,
    body: Vec<u8>,
}

impl TryFrom<StoredMessage> for Message {
    type Error = SqlError;

    fn try_from(row: StoredMessage) -> Result<Self, SqlError> {
        let columns = MessageColumns {
            content: row.content,
            edited_at: row.edited_at,
            nonce: row.nonce,
            pinned_at: row.pinned_at,
            body: row.body,
        };
        Ok(columns.into_message(row.id, row.channel_id)?)
    }
}

const PUT: &str = "INSERT INTO messages
         (id, channel_id, author_id, content, edited_at, nonce, pinned_at, only_for, version,
          body)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE
     SET content = excluded.content, edited_at = excluded.edited_at, nonce = excluded.nonce,
         pinned_at = excluded.pinned_at, version = excluded.version, body = excluded.body
     WHERE version < excluded.version";
const PUT_ROW: &str = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// The same for 1, 2, 4, … messages at once: few enough to stay prepared. The largest has 320
/// parameters, far below SQLite's 32,766.
static PUTS: LazyLock<[String; 6]> = LazyLock::new(|| {
    std::array::from_fn(|n| PUT.replace(PUT_ROW, &[PUT_ROW].repeat(1 << n).join(", ")))
});

/// Writes messages in order, each as the event at its version left it.
pub(super) async fn put(
    tx: &mut SqliteConnection,
    mut rows: &[(&MessageRow, i64)],
) -> Result<(), SqlError> {
    while let Some(n) = rows.len().checked_ilog2() {
        let n = PUTS.len().min(n as usize + 1) - 1;
        let (now, later) = rows.split_at(1 << n);
        let mut query = sqlx::query(PUTS[n].as_str());
        for (row, version) in now {
            query = query
                .bind(row.id)
                .bind(row.channel_id)
                .bind(row.author_id)
                .bind(&row.columns.content)
                .bind(row.columns.edited_at)
                .bind(&row.columns.nonce)
                .bind(row.columns.pinned_at)
                .bind(row.only_for)
                .bind(version)
                .bind(&row.columns.body);
        }
        query.execute(&mut *tx).await?;
        rows = later;
    }
    Ok(())
}

/// Removes a message. Its nonce stays used.
pub(super) async fn erase(
    tx: &mut SqliteConnection,
    id: MessageId,
    oldest_nonce: MessageId,
) -> Result<(), SqlError> {
    nonce::spend(tx, id, oldest_nonce).await?;
    sqlx::query("DELETE FROM messages WHERE id = ?")
        .bind(id.as_i64())
        .execute(tx)
        .await?;
    Ok(())
}

const NEWEST: &str = "SELECT id, channel_id, content, edited_at, nonce, pinned_at, body
     FROM messages WHERE channel_id = ? AND only_for IS NULL ORDER BY id DESC LIMIT ?";
const BEFORE: &str = "SELECT id, channel_id, content, edited_at, nonce, pinned_at, body
     FROM messages WHERE channel_id = ? AND id < ? AND only_for IS NULL
     ORDER BY id DESC LIMIT ?";
/// The oldest first: they are the ones nearest to the anchor.
const AFTER: &str = "SELECT id, channel_id, content, edited_at, nonce, pinned_at, body
     FROM messages WHERE channel_id = ? AND id > ? AND only_for IS NULL
     ORDER BY id LIMIT ?";
/// Channel, anchor, how many above it, how many from it on downwards.
const AROUND: &str = "SELECT * FROM (
         SELECT id, channel_id, content, edited_at, nonce, pinned_at, body
         FROM messages WHERE channel_id = ?1 AND id > ?2 AND only_for IS NULL
         ORDER BY id LIMIT ?3
     ) AS above
     UNION ALL
     SELECT * FROM (
         SELECT id, channel_id, content, edited_at, nonce, pinned_at, body
         FROM messages WHERE channel_id = ?1 AND id <= ?2 AND only_for IS NULL
         ORDER BY id DESC LIMIT ?4
     ) AS below";

/// A page of a channel's messages, newest first, without reactions.
pub(super) async fn page(
    connection: &mut SqliteConnection,
    channel: ChannelId,
    anchor: Anchor,
    limit: u16,
) -> Result<Vec<Message>, SqlError> {
    let query = match anchor {
        Anchor::Newest => sqlx::query_as(NEWEST).bind(channel.as_i64()).bind(limit),
        Anchor::Before(id) => sqlx::query_as(BEFORE)
            .bind(channel.as_i64())
            .bind(id.as_i64())
            .bind(limit),
        Anchor::After(id) => sqlx::query_as(AFTER)
            .bind(channel.as_i64())
            .bind(id.as_i64())
            .bind(limit),
        Anchor::Around(id) => sqlx::query_as(AROUND)
            .bind(channel.as_i64())
            .bind(id.as_i64())
            .bind(limit / 2)
            .bind(limit - limit / 2),
    };
    let mut rows: Vec<StoredMessage> = query.fetch_all(connection).await?;
    rows.sort_unstable_by_key(|row| std::cmp::Reverse(row.id));
    rows.into_iter().map(Message::try_from).collect()
}

/// A channel's pinned messages, the last pinned first, pinned before this time, without reactions.
pub(super) async fn pins(
    connection: &mut SqliteConnection,
    channel: ChannelId,
    before: Timestamp,
    limit: u16,
) -> Result<Vec<Message>, SqlError> {
    let rows: Vec<StoredMessage> = sqlx::query_as(
        "SELECT id, channel_id, content, edited_at, nonce, pinned_at, body
         FROM messages WHERE channel_id = ? AND pinned_at < ? AND only_for IS NULL
         ORDER BY pinned_at DESC, id DESC LIMIT ?",
    )
    .bind(channel.as_i64())
    .bind(before.0)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Message::try_from).collect()
}

/// The message with this id, without reactions.
pub(super) async fn get(
    connection: &mut SqliteConnection,
    id: MessageId,
) -> Result<Option<Message>, SqlError> {
    let row: Option<StoredMessage> = sqlx::query_as(
        "SELECT id, channel_id, content, edited_at, nonce, pinned_at, body
         FROM messages WHERE id = ?",
    )
    .bind(id.as_i64())
    .fetch_optional(connection)
    .await?;
    row.map(Message::try_from).transpose()
}

const BY_NONCE: &str = "SELECT id, channel_id, content, edited_at, nonce, pinned_at, body
     FROM messages
     WHERE channel_id = ? AND author_id = ? AND nonce = ? AND id >= ?
     ORDER BY id LIMIT 1";

/// The oldest message that an author posted with this nonce from `oldest` on, without reactions.
pub(super) async fn by_nonce(
    connection: &mut SqliteConnection,
    channel: ChannelId,
    author: UserId,
    nonce: &Nonce,
    oldest: MessageId,
) -> Result<Option<Message>, SqlError> {
    let row: Option<StoredMessage> = sqlx::query_as(BY_NONCE)
        .bind(channel.as_i64())
        .bind(author.as_i64())
        .bind(nonce_column(nonce))
        .bind(oldest.as_i64())
        .fetch_optional(connection)
        .await?;
    row.map(Message::try_from).transpose()
}

/// What an author has written after a message, rising.
pub(super) async fn written_by(
    connection: &mut SqliteConnection,
    author: UserId,
    after: MessageId,
    limit: u16,
) -> Result<Vec<(ChannelId, MessageId)>, SqlError> {
    let rows: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT channel_id, id FROM messages WHERE author_id = ? AND id > ? AND only_for IS NULL
         ORDER BY id LIMIT ?",
    )
    .bind(author.as_i64())
    .bind(after.as_i64())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    let named = |(channel, id)| {
        Ok((
            column::id("messages", channel)?,
            column::id("messages", id)?,
        ))
    };
    rows.into_iter().map(named).collect()
}

/// The highest id that a message or an audit entry has or had.
pub(super) async fn highest_id(connection: &mut SqliteConnection) -> Result<u64, SqlError> {
    let highest: i64 = sqlx::query_scalar(
        "SELECT COALESCE(MAX(id), 0) FROM (
             SELECT MAX(id) AS id FROM messages UNION ALL
             SELECT MAX(id) FROM audit_entries UNION ALL
             SELECT MAX(highest) FROM id_floor
         ) AS any_kind",
    )
    .fetch_one(connection)
    .await?;
    column::small("messages", highest)
}
