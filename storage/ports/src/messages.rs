//! Messages, reactions and audit logs: a projection of the events log.

use std::sync::Arc;

use async_trait::async_trait;
use guildhall_model::audit::{AuditEntry, AuditQuery};
use guildhall_model::event::{Record, Source};
pub use guildhall_model::message::Anchor;
use guildhall_model::message::{Emoji, Message, Nonce};
use guildhall_model::{ChannelId, EventPartition, GuildId, MessageId, Position, Timestamp, UserId};

use crate::error::Failure;

/// What a nonce was used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NonceUse {
    /// For this message.
    Message(Box<Message>),
    /// For a message that has been deleted since.
    Deleted,
}

/// The projection of messages. It may always be rebuilt from the events log, and applying a
/// record again changes nothing.
#[async_trait]
pub trait Messages: Send + Sync {
    /// Applies a partition's records in order and notes that everything before `upto` is applied.
    /// Records that are no message or reaction events are only noted.
    ///
    /// Once it has returned, every answer holds all of them. While it is at work, and after it has
    /// failed, answers may hold some of them, and [`Self::begun`] says so. Applying them again,
    /// also in other batches and by several writers at once, comes to what one pass makes.
    async fn apply(
        &self,
        partition: EventPartition,
        records: &[Arc<Record>],
        upto: Position,
    ) -> Result<(), Failure>;

    /// Everything before this position is applied.
    async fn applied(&self, partition: EventPartition) -> Result<Position, Failure>;

    /// Nothing from this position on is in any answer, not even in part; never before
    /// [`Self::applied`]. Whoever adds the log's records to an answer asks `applied` before it and
    /// this after it: only where the two are the same, nothing is added that is there already.
    ///
    /// A store that applies all or nothing need not say more than this.
    async fn begun(&self, partition: EventPartition) -> Result<Position, Failure> {
        self.applied(partition).await
    }

    /// The place of the last record of a source that was applied or noted; 0 if there is none.
    async fn last_gseq(&self, source: Source) -> Result<u64, Failure>;

    /// A page of a channel's messages, newest first, with their reaction counts.
    async fn page(
        &self,
        channel: ChannelId,
        anchor: Anchor,
        limit: u16,
    ) -> Result<Vec<Message>, Failure>;

    /// A channel's pinned messages with their reaction counts, the last pinned first, from those
    /// that were pinned before this time.
    async fn pins(
        &self,
        channel: ChannelId,
        before: Timestamp,
        limit: u16,
    ) -> Result<Vec<Message>, Failure>;

    /// The message with this id.
    async fn get(&self, id: MessageId) -> Result<Option<Message>, Failure>;

    /// What an author used this nonce for, in a message not older than `oldest`. A nonce outlives
    /// its message by [`NONCE_AGE_MS`](guildhall_model::limits::NONCE_AGE_MS) from its posting, one
    /// of an answer to an interaction by
    /// [`INTERACTION_AGE_MS`](guildhall_model::limits::INTERACTION_AGE_MS); a store may forget any
    /// that is a day old.
    async fn by_nonce(
        &self,
        channel: ChannelId,
        author: UserId,
        nonce: &Nonce,
        oldest: MessageId,
    ) -> Result<Option<NonceUse>, Failure>;

    /// Users who gave this emoji, in order of their ids, above `after`.
    async fn reactors(
        &self,
        message: MessageId,
        emoji: &Emoji,
        after: Option<UserId>,
        limit: u16,
    ) -> Result<Vec<UserId>, Failure>;

    /// Which emoji a user gave to these messages.
    async fn reactions_by(
        &self,
        user: UserId,
        messages: &[MessageId],
    ) -> Result<Vec<(MessageId, Emoji)>, Failure>;

    /// What an author has written after a message, in all channels, rising, at most `limit`.
    async fn written_by(
        &self,
        author: UserId,
        after: MessageId,
        limit: u16,
    ) -> Result<Vec<(ChannelId, MessageId)>, Failure>;

    /// Entries of a guild's audit log in the order that the query asks for, at most `limit`. Those
    /// older than [`AUDIT_AGE_MS`](guildhall_model::limits::AUDIT_AGE_MS) are dropped when newer
    /// ones come.
    async fn audit_entries(
        &self,
        guild: GuildId,
        query: AuditQuery,
        limit: u16,
    ) -> Result<Vec<AuditEntry>, Failure>;

    /// The highest id of a message or an audit entry in the store, also of those that are gone: at
    /// least that of everything before [`Self::applied`] of its partition. 0 if there is none.
    async fn highest_id(&self) -> Result<u64, Failure>;
}
