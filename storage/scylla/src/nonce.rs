//! What nonces were used for.

use std::sync::Arc;

use guildhall_model::message::Nonce;
use guildhall_model::{ChannelId, MessageId, UserId};
use guildhall_ports::messages::NonceUse as Found;
use guildhall_ports::stored;
use guildhall_ports::stored::message::nonce_column;
use scylla::statement::prepared::PreparedStatement;

use crate::bounds::SAME_NONCE_MAX;
use crate::cql::Cql;
use crate::error::CqlError;
use crate::message::{MessageTable, Writing};
use crate::plan::NonceUse;

/// The table `nonces`.
#[derive(Debug)]
pub(crate) struct NonceTable {
    cql: Arc<Cql>,
    put: PreparedStatement,
    list: PreparedStatement,
}

impl NonceTable {
    pub(crate) async fn prepare(cql: &Arc<Cql>) -> Result<Self, CqlError> {
        let prepare = async |text: &str| cql.prepare(text).await;
        Ok(Self {
            cql: Arc::clone(cql),
            put: prepare(
                "INSERT INTO nonces (channel_id, author_id, nonce, message_id) VALUES (?, ?, ?, ?)
                 USING TIMESTAMP ?",
            )
            .await?,
            list: prepare(
                "SELECT message_id FROM nonces
                 WHERE channel_id = ? AND author_id = ? AND nonce = ? AND message_id >= ?
                 ORDER BY message_id ASC LIMIT ?",
            )
            .await?,
        })
    }

    /// Notes that a nonce was used. Its row outlives the message.
    pub(crate) fn put(&self, used: &NonceUse) -> Writing<'_> {
        let values = (
            used.channel.as_i64(),
            used.author.as_i64(),
            nonce_column(&used.nonce),
            used.message.as_i64(),
            used.place,
        );
        Box::pin(self.cql.write(&self.put, values))
    }

    /// What an author used a nonce for, in a message not older than `oldest`.
    pub(crate) async fn find(
        &self,
        messages: &MessageTable,
        (channel, author): (ChannelId, UserId),
        nonce: &Nonce,
        oldest: MessageId,
    ) -> Result<Option<Found>, CqlError> {
        let values = (
            channel.as_i64(),
            author.as_i64(),
            nonce_column(nonce),
            oldest.as_i64(),
            SAME_NONCE_MAX,
        );
        let rows: Vec<(i64,)> = self.cql.rows(&self.list, values).await?;
        let is_used = !rows.is_empty();
        for (id,) in rows {
            if let Some(message) = messages.get(stored::id("nonces", id)?).await? {
                return Ok(Some(Found::Message(Box::new(message))));
            }
        }
        Ok(is_used.then_some(Found::Deleted))
    }
}
