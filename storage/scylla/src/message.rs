//! Rows of messages, and where each stands.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use guildhall_model::message::Message;
use guildhall_model::{ChannelId, MessageId};
use guildhall_ports::stored::message::MessageColumns;
use scylla::DeserializeRow;
use scylla::statement::prepared::PreparedStatement;
use scylla::value::MaybeUnset;

use crate::bucket;
use crate::cql::Cql;
use crate::error::CqlError;
use crate::groups::Groups;
use crate::plan::{Erased, Place, Put};
use crate::reaction;
use crate::remembered::Remembered;

/// The timestamp of deletions that are final: above every place, so that no event that comes late
/// or again brings a message back, and in ScyllaDB's eyes far from the future.
pub(crate) const FINAL: i64 = 1 << 50;

/// The timestamp of rows that never change, and of cursors, of whose values the larger one stays.
pub(crate) const EVER: i64 = 1;

/// A message as it is read.
#[derive(DeserializeRow)]
pub(crate) struct MessageRow {
    pub(crate) message_id: i64,
    content: Option<String>,
    edited_at: Option<i64>,
    nonce: Option<String>,
    pinned_at: Option<i64>,
    body: Option<Vec<u8>>,
    reactions: Option<Vec<u8>>,
}

impl MessageRow {
    /// The message, unless it is only what is left of one.
    pub(crate) fn into_message(self, channel: ChannelId) -> Result<Option<Message>, CqlError> {
        let Some(body) = self.body else {
            return Ok(None);
        };
        let columns = MessageColumns {
            content: self.content.unwrap_or_default(),
            edited_at: self.edited_at,
            nonce: self.nonce,
            pinned_at: self.pinned_at,
            body,
        };
        let mut message = columns.into_message(self.message_id, channel.as_i64())?;
        if let Some(state) = self.reactions {
            message.reactions = reaction::counts(&state)?;
        }
        Ok(Some(message))
    }
}

/// The tables `messages`, `channel_buckets` and `message_locator`.
#[derive(Debug)]
pub(crate) struct MessageTable {
    pub(crate) cql: Arc<Cql>,
    /// Buckets that are noted.
    buckets: Remembered<(i64, i32), ()>,
    put: PreparedStatement,
    put_reactions: PreparedStatement,
    put_bucket: PreparedStatement,
    put_locator: PreparedStatement,
    erase: PreparedStatement,
    erase_locator: PreparedStatement,
    get: PreparedStatement,
    locate: PreparedStatement,
    pub(crate) below: PreparedStatement,
    pub(crate) above: PreparedStatement,
    pub(crate) buckets_down: PreparedStatement,
    pub(crate) buckets_up: PreparedStatement,
}

impl MessageTable {
    pub(crate) async fn prepare(cql: &Arc<Cql>) -> Result<Self, CqlError> {
        let select = |rest: &str| {
            format!(
                "SELECT message_id, content, edited_at, nonce, pinned_at, body, reactions
                 FROM messages WHERE channel_id = ? AND bucket = ? AND {rest}"
            )
        };
        let buckets = |rest: &str| {
            format!("SELECT bucket FROM channel_buckets WHERE channel_id = ? AND {rest} LIMIT ?")
        };
        let prepare = async |text: &str| cql.prepare(text).await;
        Ok(Self {
            cql: Arc::clone(cql),
            buckets: Remembered::default(),
            put: prepare(
                "INSERT INTO messages (channel_id, bucket, message_id, content, edited_at, nonce,
                     pinned_at, body)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?",
            )
            .await?,
            put_reactions: prepare(
                "UPDATE messages USING TIMESTAMP ? SET reactions = ?
                 WHERE channel_id = ? AND bucket = ? AND message_id = ?",
            )
            .await?,
            put_bucket: prepare(
                "INSERT INTO channel_buckets (channel_id, bucket) VALUES (?, ?) USING TIMESTAMP ?",
            )
            .await?,
            put_locator: prepare(
                "INSERT INTO message_locator (message_id, channel_id, bucket) VALUES (?, ?, ?)
                 USING TIMESTAMP ?",
            )
            .await?,
            erase: prepare(
                "DELETE FROM messages USING TIMESTAMP ?
                 WHERE channel_id = ? AND bucket = ? AND message_id = ?",
            )
            .await?,
            erase_locator: prepare(
                "DELETE FROM message_locator USING TIMESTAMP ? WHERE message_id = ?",
            )
            .await?,
            get: prepare(&select("message_id = ?")).await?,
            locate: prepare("SELECT channel_id, bucket FROM message_locator WHERE message_id = ?")
                .await?,
            below: prepare(&select("message_id < ? LIMIT ?")).await?,
            above: prepare(&select("message_id > ? ORDER BY message_id ASC LIMIT ?")).await?,
            buckets_down: prepare(&buckets("bucket <= ?")).await?,
            buckets_up: prepare(&buckets("bucket >= ? ORDER BY bucket ASC")).await?,
        })
    }

    /// The message with this id.
    pub(crate) async fn get(&self, id: MessageId) -> Result<Option<Message>, CqlError> {
        let place: Option<(i64, i32)> = self.cql.row(&self.locate, (id.as_i64(),)).await?;
        let Some((channel, bucket)) = place else {
            return Ok(None);
        };
        let channel = guildhall_ports::stored::id("message_locator", channel)?;
        self.get_in(channel, bucket, id).await
    }

    /// The message with this id in this channel, if everybody sees it who may read the channel.
    pub(crate) async fn get_shown(
        &self,
        channel: ChannelId,
        id: i64,
    ) -> Result<Option<Message>, CqlError> {
        let id = guildhall_ports::stored::id("messages", id)?;
        self.get_in(channel, bucket::of_message(id, false), id)
            .await
    }

    async fn get_in(
        &self,
        channel: ChannelId,
        bucket: i32,
        id: MessageId,
    ) -> Result<Option<Message>, CqlError> {
        let key = (channel.as_i64(), bucket, id.as_i64());
        let row: Option<MessageRow> = self.cql.row(&self.get, key).await?;
        row.map_or(Ok(None), |row| row.into_message(channel))
    }

    /// Writes messages as events left them, and where each stands.
    pub(crate) fn put<'a>(&'a self, puts: impl IntoIterator<Item = &'a Put>) -> Vec<Writing<'a>> {
        let mut writings: Vec<Writing<'a>> = Vec::new();
        let mut groups = Groups::new();
        for put in puts {
            let row = row(put);
            let (channel, bucket, id) = (row.0, row.1, row.2);
            let bytes = row.3.len() + row.7.len();
            groups.add((channel, bucket), row, bytes);
            if put.is_new {
                let place = (id, channel, bucket, put.place);
                writings.push(Box::pin(self.cql.write(&self.put_locator, place)));
            }
        }
        for rows in groups.finish() {
            writings.push(Box::pin(self.cql.write_rows(&self.put, rows)));
        }
        writings
    }

    /// Notes that a bucket of a channel has messages, unless this process has done so before.
    pub(crate) async fn put_bucket(&self, channel: i64, bucket: i32) -> Result<(), CqlError> {
        if self.buckets.has(&(channel, bucket)) {
            return Ok(());
        }
        let values = (channel, bucket, EVER);
        self.cql.write(&self.put_bucket, values).await?;
        self.buckets.note((channel, bucket), ());
        Ok(())
    }

    /// Removes a message for good.
    pub(crate) fn erase(&self, id: MessageId, erased: &Erased) -> [Writing<'_>; 2] {
        let key = (FINAL, erased.channel.as_i64(), erased.bucket, id.as_i64());
        [
            Box::pin(self.cql.write(&self.erase, key)),
            Box::pin(self.cql.write(&self.erase_locator, (FINAL, id.as_i64()))),
        ]
    }

    /// Shows the counts of a message's reactions with it.
    pub(crate) async fn put_reactions(
        &self,
        channel: ChannelId,
        id: MessageId,
        (state, place): (&[u8], i64),
    ) -> Result<(), CqlError> {
        let bucket = bucket::of_message(id, false);
        let values = (place, state, channel.as_i64(), bucket, id.as_i64());
        self.cql.write(&self.put_reactions, values).await
    }
}

/// The values of `put`.
type Row = (
    i64,
    i32,
    i64,
    String,
    MaybeUnset<i64>,
    MaybeUnset<String>,
    MaybeUnset<Option<i64>>,
    Vec<u8>,
    Place,
);

fn row(put: &Put) -> Row {
    let (message, place) = (&put.message, put.place);
    let columns = MessageColumns::from(message);
    let bucket = bucket::of_message(message.id, message.only_for().is_some());
    // A value that is absent from the beginning needs no mark of its end.
    let pinned_at = match columns.pinned_at {
        None if put.is_edit => MaybeUnset::Set(None),
        pinned_at => MaybeUnset::from_option(pinned_at.map(Some)),
    };
    (
        message.channel_id.as_i64(),
        bucket,
        message.id.as_i64(),
        columns.content,
        MaybeUnset::from_option(columns.edited_at),
        MaybeUnset::from_option(columns.nonce),
        pinned_at,
        columns.body,
        place,
    )
}

/// A write that is still to be done.
pub(crate) type Writing<'a> = BoxFuture<'a, Result<(), CqlError>>;
