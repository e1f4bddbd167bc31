//! Pages of a channel: from bucket to bucket until there are enough messages.

use std::collections::VecDeque;

use guildhall_model::ChannelId;
use guildhall_model::message::{Anchor, Message};

use crate::bounds::BUCKETS_AT_ONCE;
use crate::bucket;
use crate::error::CqlError;
use crate::message::{MessageRow, MessageTable};

/// Where a walk goes.
#[derive(Clone, Copy, Debug)]
enum Walk {
    /// To older messages, below this id.
    Down(i64),
    /// To newer messages, above this id.
    Up(i64),
}

impl MessageTable {
    /// A page of a channel's messages, newest first.
    pub(crate) async fn page(
        &self,
        channel: ChannelId,
        anchor: Anchor,
        limit: u16,
    ) -> Result<Vec<Message>, CqlError> {
        let limit = usize::from(limit);
        match anchor {
            Anchor::Newest => self.walk(channel, Walk::Down(i64::MAX), limit).await,
            Anchor::Before(id) => self.walk(channel, Walk::Down(id.as_i64()), limit).await,
            Anchor::After(id) => {
                let mut page = self.walk(channel, Walk::Up(id.as_i64()), limit).await?;
                page.reverse();
                Ok(page)
            }
            Anchor::Around(id) => {
                let id = id.as_i64();
                let above = self.walk(channel, Walk::Up(id), limit / 2);
                let here = Walk::Down(id.saturating_add(1));
                let below = self.walk(channel, here, limit - limit / 2);
                let (mut page, below) = futures_util::try_join!(above, below)?;
                page.reverse();
                page.extend(below);
                Ok(page)
            }
        }
    }

    /// Up to `limit` messages in the order of the walk.
    async fn walk(
        &self,
        channel: ChannelId,
        mut walk: Walk,
        limit: usize,
    ) -> Result<Vec<Message>, CqlError> {
        let mut found = Vec::new();
        let mut buckets = VecDeque::new();
        let mut next = Some(match walk {
            Walk::Down(below) => bucket::of(below),
            Walk::Up(above) => bucket::of(above),
        });
        while found.len() < limit {
            if buckets.is_empty() {
                let Some(from) = next else { break };
                buckets = self.buckets(channel, walk, from).await?;
                // Fewer than were asked for: there are no more.
                let is_all = buckets.len() < BUCKETS_AT_ONCE.unsigned_abs() as usize;
                next = buckets.back().filter(|_| !is_all).map(|last| match walk {
                    Walk::Down(_) => last - 1,
                    Walk::Up(_) => last + 1,
                });
            }
            let Some(bucket) = buckets.front().copied() else {
                break;
            };
            let wanted = limit - found.len();
            let rows = self.rows(channel, bucket, walk, wanted).await?;
            if rows.len() < wanted {
                buckets.pop_front();
            }
            if let Some(last) = rows.last() {
                walk = match walk {
                    Walk::Down(_) => Walk::Down(last.message_id),
                    Walk::Up(_) => Walk::Up(last.message_id),
                };
            }
            for row in rows {
                found.extend(row.into_message(channel)?);
            }
        }
        Ok(found)
    }

    async fn buckets(
        &self,
        channel: ChannelId,
        walk: Walk,
        from: i32,
    ) -> Result<VecDeque<i32>, CqlError> {
        let statement = match walk {
            Walk::Down(_) => &self.buckets_down,
            Walk::Up(_) => &self.buckets_up,
        };
        let values = (channel.as_i64(), from, BUCKETS_AT_ONCE);
        let rows: Vec<(i32,)> = self.cql.rows(statement, values).await?;
        Ok(rows.into_iter().map(|(bucket,)| bucket).collect())
    }

    async fn rows(
        &self,
        channel: ChannelId,
        bucket: i32,
        walk: Walk,
        limit: usize,
    ) -> Result<Vec<MessageRow>, CqlError> {
        let (statement, anchor) = match walk {
            Walk::Down(below) => (&self.below, below),
            Walk::Up(above) => (&self.above, above),
        };
        let limit = i32::try_from(limit).unwrap_or(i32::MAX);
        let values = (channel.as_i64(), bucket, anchor, limit);
        self.cql.rows(statement, values).await
    }
}
