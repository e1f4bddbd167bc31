//! Which messages of a channel are pinned: a list of candidates, and the messages themselves.
//!
//! The rows of messages say what is pinned. This list only says where to look, so an end that was
//! noted by nobody, or too early, does no harm.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use guildhall_model::message::Message;
use guildhall_model::{ChannelId, Timestamp};
use scylla::statement::prepared::PreparedStatement;

use crate::bounds::{PINS_READ_MAX, READ_IN_FLIGHT_MAX};
use crate::cql::Cql;
use crate::error::CqlError;
use crate::message::{FINAL, MessageTable, Writing};
use crate::plan::{Place, Plan, Put};

/// The table `pins`.
#[derive(Debug)]
pub(crate) struct PinTable {
    cql: Arc<Cql>,
    put: PreparedStatement,
    erase: PreparedStatement,
    list: PreparedStatement,
    among: PreparedStatement,
}

impl PinTable {
    pub(crate) async fn prepare(cql: &Arc<Cql>) -> Result<Self, CqlError> {
        let prepare = async |text: &str| cql.prepare(text).await;
        Ok(Self {
            cql: Arc::clone(cql),
            put: prepare(
                "INSERT INTO pins (channel_id, message_id, pinned_at) VALUES (?, ?, ?)
                 USING TIMESTAMP ?",
            )
            .await?,
            erase: prepare(
                "DELETE FROM pins USING TIMESTAMP ? WHERE channel_id = ? AND message_id = ?",
            )
            .await?,
            list: prepare(
                "SELECT message_id, pinned_at FROM pins WHERE channel_id = ?
                 ORDER BY message_id DESC LIMIT ?",
            )
            .await?,
            among: prepare("SELECT message_id FROM pins WHERE channel_id = ? AND message_id = ?")
                .await?,
        })
    }

    /// A channel's pinned messages, the last pinned first, from those pinned before this time.
    pub(crate) async fn list(
        &self,
        messages: &MessageTable,
        channel: ChannelId,
        before: Timestamp,
        limit: u16,
    ) -> Result<Vec<Message>, CqlError> {
        let most = i32::try_from(PINS_READ_MAX).unwrap_or(i32::MAX);
        let values = (channel.as_i64(), most);
        let mut rows: Vec<(i64, Option<i64>)> = self.cql.rows(&self.list, values).await?;
        rows.retain(|(_, at)| at.is_some_and(|at| at < before.0));
        rows.sort_unstable_by_key(|&(id, at)| std::cmp::Reverse((at, id)));
        let limit = usize::from(limit);
        let mut pins = Vec::new();
        for some in rows.chunks(limit.max(1)) {
            if limit <= pins.len() {
                break;
            }
            let read = some.iter().copied().map(|(id, at)| async move {
                let found = messages.get_shown(channel, id).await?;
                let is_pinned = |message: &Message| message.pinned_at.map(|at| at.0) == at;
                Ok::<_, CqlError>(found.filter(is_pinned))
            });
            let found: Vec<Option<Message>> = stream::iter(read)
                .buffered(READ_IN_FLIGHT_MAX)
                .try_collect()
                .await?;
            pins.extend(found.into_iter().flatten());
        }
        pins.truncate(limit);
        Ok(pins)
    }

    /// What a batch of records changes.
    pub(crate) fn writings<'a>(&'a self, plan: &'a Plan) -> Vec<Writing<'a>> {
        let mut writings: Vec<Writing<'a>> = Vec::new();
        let mut ended: BTreeMap<(i64, i64), Place> = BTreeMap::new();
        for (id, put) in &plan.puts {
            match pinned_at(put) {
                Some(at) => writings.push(Box::pin(self.put(put, at))),
                None if put.is_edit => {
                    ended.insert((put.message.channel_id.as_i64(), id.as_i64()), put.place);
                }
                None => {}
            }
        }
        for (id, erased) in &plan.erased {
            ended.insert((erased.channel.as_i64(), id.as_i64()), FINAL);
        }
        for (key, place) in ended {
            writings.push(Box::pin(self.erase_if_listed(key, place)));
        }
        writings
    }

    async fn put(&self, put: &Put, at: Timestamp) -> Result<(), CqlError> {
        let (channel, id) = (put.message.channel_id.as_i64(), put.message.id.as_i64());
        let values = (channel, id, at.0, put.place);
        self.cql.write(&self.put, values).await
    }

    /// Most messages were never pinned: a mark of their end would be one more row for all readers
    /// of the list to step over.
    async fn erase_if_listed(&self, key: (i64, i64), place: Place) -> Result<(), CqlError> {
        let listed: Option<(i64,)> = self.cql.row(&self.among, key).await?;
        if listed.is_none() {
            return Ok(());
        }
        self.cql.write(&self.erase, (place, key.0, key.1)).await
    }
}

fn pinned_at(put: &Put) -> Option<Timestamp> {
    let is_hidden = put.message.only_for().is_some();
    put.message.pinned_at.filter(|_| !is_hidden)
}
