//! Channels and messages: writing through their owners, reading what is stable.

use std::sync::Arc;

use futures_util::future::try_join_all;
use guildhall_model::audit::{AuditEntry, AuditQuery, By};
use guildhall_model::command::ChannelCommand;
use guildhall_model::event::Source;
use guildhall_model::message::{Anchor, Emoji, Message};
use guildhall_model::rejection::Noun;
use guildhall_model::{
    ChannelId, EventPartition, GuildId, MessageId, Rejection, Timestamp, UserId,
};
use guildhall_ports::Failure;
use guildhall_ports::guilds::Home;

use super::{Node, Written};
use crate::calls::{Answer, Ask, misunderstood};
use crate::error::Refused;

impl Node {
    /// Writes into a channel and waits until it is durable.
    pub async fn write(
        &self,
        channel: ChannelId,
        by: impl Into<By>,
        command: ChannelCommand,
    ) -> Result<Written, Refused> {
        let by = by.into();
        let command = Box::new(command);
        let ask = Ask::Write {
            channel,
            by,
            command,
        };
        match self.ask_of_channel(channel, ask).await? {
            Answer::Written(written) => Ok(written),
            _ => Err(misunderstood().into()),
        }
    }

    /// A page of history, newest first; empty without READ_MESSAGE_HISTORY.
    pub async fn page(
        &self,
        channel: ChannelId,
        reader: UserId,
        anchor: Anchor,
        limit: u16,
    ) -> Result<Vec<Arc<Message>>, Refused> {
        let ask = Ask::Page {
            channel,
            reader,
            anchor,
            limit,
        };
        messages(self.ask_of_channel(channel, ask).await?)
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
        let ask = Ask::Pins {
            channel,
            reader,
            before,
            limit,
        };
        messages(self.ask_of_channel(channel, ask).await?)
    }

    /// A message that the reader may see.
    pub async fn message(&self, id: MessageId, reader: UserId) -> Result<Arc<Message>, Refused> {
        let channel = self.channel_of(id).await?;
        let unknown = |refused| match refused {
            Refused::Rejection(Rejection::Unknown(_)) => Rejection::Unknown(Noun::Message).into(),
            other => other,
        };
        let ask = Ask::Message {
            channel,
            reader,
            id,
        };
        match self.ask_of_channel(channel, ask).await.map_err(unknown)? {
            Answer::Message(message) => Ok(message),
            _ => Err(misunderstood().into()),
        }
    }

    /// The channel that a message stands in.
    pub async fn channel_of(&self, id: MessageId) -> Result<ChannelId, Refused> {
        let messages = &self.inner.stores.messages;
        if let Some(message) = messages.get(id).await? {
            return Ok(message.channel_id);
        }
        // The store may lag behind the log.
        let partitions = (0..self.inner.config.event_partitions).map(EventPartition);
        try_join_all(partitions.map(|partition| self.ask_partition(partition, Ask::CatchUp)))
            .await?;
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
        match self.ask(source, Ask::CatchUp).await {
            Ok(_) => Ok(()),
            Err(Refused::Failure(failure)) => Err(failure),
            Err(Refused::Rejection(rejection)) => {
                Err(Failure::unavailable("message store", rejection))
            }
        }
    }

    async fn ask_of_channel(&self, id: ChannelId, ask: Ask) -> Result<Answer, Refused> {
        let home = self.inner.home_of(id).await?;
        let source = match home.ok_or(Rejection::Unknown(Noun::Channel))? {
            Home::Guild(guild) => Source::Guild(guild),
            Home::Direct(direct) => Source::Direct(direct.id),
        };
        self.ask(source, ask).await
    }
}

fn messages(answer: Answer) -> Result<Vec<Arc<Message>>, Refused> {
    match answer {
        Answer::Messages(messages) => Ok(messages),
        _ => Err(misunderstood().into()),
    }
}
