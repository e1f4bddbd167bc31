//! Who has written what: for whoever is banned with all of it.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use guildhall_model::{ChannelId, MessageId, UserId};
use guildhall_ports::stored;
use scylla::statement::prepared::PreparedStatement;

use crate::bounds::READ_IN_FLIGHT_MAX;
use crate::bucket;
use crate::cql::Cql;
use crate::error::CqlError;
use crate::groups::Groups;
use crate::message::{MessageTable, Writing};
use crate::plan::Put;

/// The table `messages_by_author`. Its rows outlive their messages, which are looked for.
#[derive(Debug)]
pub(crate) struct AuthorTable {
    cql: Arc<Cql>,
    put: PreparedStatement,
    list: PreparedStatement,
}

impl AuthorTable {
    pub(crate) async fn prepare(cql: &Arc<Cql>) -> Result<Self, CqlError> {
        let prepare = async |text: &str| cql.prepare(text).await;
        Ok(Self {
            cql: Arc::clone(cql),
            put: prepare(
                "INSERT INTO messages_by_author (author_id, bucket, message_id, channel_id)
                 VALUES (?, ?, ?, ?) USING TIMESTAMP ?",
            )
            .await?,
            list: prepare(
                "SELECT message_id, channel_id FROM messages_by_author
                 WHERE author_id = ? AND bucket = ? AND message_id > ? LIMIT ?",
            )
            .await?,
        })
    }

    /// Notes who wrote the messages that everybody sees.
    pub(crate) fn put<'a>(&'a self, puts: impl IntoIterator<Item = &'a Put>) -> Vec<Writing<'a>> {
        let mut groups = Groups::new();
        for put in puts {
            let message = &put.message;
            if !put.is_new || message.only_for().is_some() {
                continue;
            }
            let (author, id) = (message.author.id.as_i64(), message.id.as_i64());
            let bucket = bucket::of(id);
            let row = (author, bucket, id, message.channel_id.as_i64(), put.place);
            groups.add((author, bucket), row, size_of_val(&row));
        }
        let write = |rows| -> Writing<'a> { Box::pin(self.cql.write_rows(&self.put, rows)) };
        groups.finish().map(write).collect()
    }

    /// What an author has written after a message and up to the highest one, rising.
    pub(crate) async fn list(
        &self,
        messages: &MessageTable,
        (author, after): (UserId, MessageId),
        highest: u64,
        limit: u16,
    ) -> Result<Vec<(ChannelId, MessageId)>, CqlError> {
        let last = bucket::of(highest.cast_signed());
        let (mut found, mut above) = (Vec::new(), after.as_i64());
        let mut bucket = bucket::of(above);
        while bucket <= last && found.len() < usize::from(limit) {
            let wanted = i32::from(limit);
            let values = (author.as_i64(), bucket, above, wanted);
            let rows: Vec<(i64, i64)> = self.cql.rows(&self.list, values).await?;
            let is_all = rows.len() < usize::from(limit);
            if let Some((id, _)) = rows.last() {
                above = *id;
            }
            let living = stream::iter(rows)
                .map(|row| living(messages, row))
                .buffered(READ_IN_FLIGHT_MAX);
            let living: Vec<_> = living.try_collect().await?;
            found.extend(living.into_iter().flatten());
            if is_all {
                bucket += 1;
            }
        }
        found.truncate(limit.into());
        Ok(found)
    }
}

/// The message and its channel, if it is still there.
async fn living(
    messages: &MessageTable,
    (id, channel): (i64, i64),
) -> Result<Option<(ChannelId, MessageId)>, CqlError> {
    let id: MessageId = stored::id("messages_by_author", id)?;
    let channel = stored::id("messages_by_author", channel)?;
    let found = messages.get_shown(channel, id.as_i64()).await?;
    Ok(found.map(|message| (channel, message.id)))
}
