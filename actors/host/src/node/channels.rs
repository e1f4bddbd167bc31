//! Channels and messages: writing through their owners, reading what is stable.

use std::sync::Arc;

use guildhall_model::audit::{AuditEntry, AuditQuery, By};
use guildhall_model::command::ChannelCommand;
use guildhall_model::event::Source;
use guildhall_model::message::{Anchor, Emoji, Message};
use guildhall_model::rejection::Noun;
use guildhall_model::{ChannelId, GuildId, MessageId, Rejection, Timestamp, UserId};
use guildhall_ports::Failure;
use guildhall_ports::guilds::Home;

use super::{Node, Written};
use crate::error::Refused;
use crate::partition::channel_actor::ChannelHandle;

impl Node {
    /// Writes into a channel and waits until it is durable.
    pub async fn write(
        &self,
        channel: ChannelId,
        by: impl Into<By>,
        command: ChannelCommand,
    ) -> Result<Written, Refused> {
        self.channel(channel).await?.write(by.into(), command).await
    }

    /// A page of history, newest first; empty without READ_MESSAGE_HISTORY.
    pub async fn page(
        &self,
        channel: ChannelId,
        reader: UserId,
        anchor: Anchor,
        limit: u16,
    ) -> Result<Vec<Arc<Message>>, Refused> {
        self.channel(channel)
            .await?
            .page(reader, anchor, limit)
            .await
    }

    /// What is pinned in a channel, the last one first, from what was pinned before this time;
    /// empty without READ_MESSAGE_HISTORY.
    pub async fn pins(
        &self,
        channel: ChannelId,
        reader: UserId,
        before: Timestamp,
        limit: u16,
    ) -> Result<Vec<Arc<Message>>, Refused> {
        self.channel(channel)
            .await?
            .pins(reader, before, limit)
            .await
    }

    /// A message that the reader may see.
    pub async fn message(&self, id: MessageId, reader: UserId) -> Result<Arc<Message>, Refused> {
        let channel = self.channel_of(id).await?;
        let unknown = |refused| match refused {
            Refused::Rejection(Rejection::Unknown(_)) => Rejection::Unknown(Noun::Message).into(),
            other => other,
        };
        let handle = self.channel(channel).await.map_err(unknown)?;
        handle.get(reader, id).await.map_err(unknown)
    }

    /// The channel that a message stands in.
    pub async fn channel_of(&self, id: MessageId) -> Result<ChannelId, Refused> {
        let messages = &self.inner.stores.messages;
        if let Some(message) = messages.get(id).await? {
            return Ok(message.channel_id);
        }
        // The store may lag behind the log.
        for partition in self.inner.event_partitions() {
            let end = partition.writer().readable().await?;
            partition.projection.wait(end).await?;
        }
        let message = messages
            .get(id)
            .await?
            .ok_or(Rejection::Unknown(Noun::Message))?;
        Ok(message.channel_id)
    }

    /// Users who gave an emoji to a message that the reader may see, by id, above `after`.
    pub async fn reactors(
        &self,
        message: MessageId,
        reader: UserId,
        emoji: &Emoji,
        after: Option<UserId>,
        limit: u16,
    ) -> Result<Vec<UserId>, Refused> {
        let message = self.message(message, reader).await?;
        self.projected(&message).await?;
        Ok(self
            .inner
            .stores
            .messages
            .reactors(message.id, emoji, after, limit)
            .await?)
    }

    /// Which emoji a user gave to these messages of one channel. The store is waited for: counts
    /// come from memory, and a reader who has just reacted must find itself among them.
    pub async fn own_reactions(
        &self,
        user: UserId,
        messages: &[Arc<Message>],
    ) -> Result<Vec<(MessageId, Emoji)>, Failure> {
        let reacted = messages
            .iter()
            .filter(|message| !message.reactions.is_empty());
        let ids: Vec<MessageId> = reacted.map(|message| message.id).collect();
        let (Some(any), false) = (messages.first(), ids.is_empty()) else {
            return Ok(Vec::new());
        };
        self.projected(any).await?;
        self.inner.stores.messages.reactions_by(user, &ids).await
    }

    /// What an author has written after a message, rising, at most `limit`; whatever was posted in
    /// this guild before is among it.
    pub async fn written_by(
        &self,
        guild: GuildId,
        author: UserId,
        after: MessageId,
        limit: u16,
    ) -> Result<Vec<(ChannelId, MessageId)>, Failure> {
        self.caught_up(Source::Guild(guild)).await?;
        let messages = &self.inner.stores.messages;
        messages.written_by(author, after, limit).await
    }

    /// Entries of a guild's audit log, at most `limit`; whatever was done before is among them.
    pub async fn audit_entries(
        &self,
        guild: GuildId,
        query: AuditQuery,
        limit: u16,
    ) -> Result<Vec<AuditEntry>, Failure> {
        self.caught_up(Source::Guild(guild)).await?;
        let messages = &self.inner.stores.messages;
        messages.audit_entries(guild, query, limit).await
    }

    async fn projected(&self, message: &Message) -> Result<(), Failure> {
        let source = message.place.source(message.channel_id);
        self.caught_up(source).await
    }

    /// Waits until the message store has all of a stream that is stable now.
    async fn caught_up(&self, source: Source) -> Result<(), Failure> {
        let partition = self.inner.event_partition(source);
        let end = partition.writer().readable().await?;
        partition.projection.wait(end).await
    }

    async fn channel(&self, id: ChannelId) -> Result<ChannelHandle, Refused> {
        let unknown = Rejection::Unknown(Noun::Channel);
        let home = self.inner.home_of(id).await?.ok_or(unknown.clone())?;
        let source = match home {
            Home::Guild(guild) => Source::Guild(guild),
            Home::Direct(direct) => Source::Direct(direct.id),
        };
        let partition = self.inner.event_partition(source);
        Ok(partition.channel(self, id, home).await?.ok_or(unknown)?)
    }
}
