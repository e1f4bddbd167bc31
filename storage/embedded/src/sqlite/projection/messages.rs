//! The port `Messages`.

use std::sync::Arc;

use async_trait::async_trait;
use guildhall_model::audit::{AuditEntry, AuditQuery};
use guildhall_model::event::{Record, Source};
use guildhall_model::message::{Emoji, Message, Nonce};
use guildhall_model::{ChannelId, EventPartition, GuildId, MessageId, Position, Timestamp, UserId};
use guildhall_ports::messages::{Anchor, NonceUse};
use guildhall_ports::{Failure, Messages};
use sqlx::SqliteConnection;

use super::apply::{self, Apply};
use super::{Projection, audit, message, nonce, reaction};
use crate::sqlite::rows::column;
use crate::sqlite::rows::error::SqlError;

#[async_trait]
impl Messages for Projection {
    async fn apply(
        &self,
        partition: EventPartition,
        records: &[Arc<Record>],
        upto: Position,
    ) -> Result<(), Failure> {
        let apply = Apply::new(partition, records, upto)?;
        self.database.write(apply).await
    }

    async fn applied(&self, partition: EventPartition) -> Result<Position, Failure> {
        Ok(apply::cursor(&mut *self.reader().await?, partition).await?)
    }

    async fn last_gseq(&self, source: Source) -> Result<u64, Failure> {
        let place = apply::last_place(&mut *self.reader().await?, source).await?;
        Ok(column::small("sources", place)?)
    }

    async fn page(
        &self,
        channel: ChannelId,
        anchor: Anchor,
        limit: u16,
    ) -> Result<Vec<Message>, Failure> {
        let mut reader = self.reader().await?;
        let mut page = message::page(&mut reader, channel, anchor, limit).await?;
        reaction::count(&mut reader, channel, &mut page).await?;
        Ok(page)
    }

    async fn pins(
        &self,
        channel: ChannelId,
        before: Timestamp,
        limit: u16,
    ) -> Result<Vec<Message>, Failure> {
        let mut reader = self.reader().await?;
        let mut pins = message::pins(&mut reader, channel, before, limit).await?;
        for pin in &mut pins {
            reaction::count(&mut reader, channel, std::slice::from_mut(pin)).await?;
        }
        Ok(pins)
    }

    async fn get(&self, id: MessageId) -> Result<Option<Message>, Failure> {
        let mut reader = self.reader().await?;
        let found = message::get(&mut reader, id).await?;
        Ok(counted(&mut reader, found).await?)
    }

    async fn by_nonce(
        &self,
        channel: ChannelId,
        author: UserId,
        nonce: &Nonce,
        oldest: MessageId,
    ) -> Result<Option<NonceUse>, Failure> {
        let mut reader = self.reader().await?;
        let found = message::by_nonce(&mut reader, channel, author, nonce, oldest).await?;
        if let Some(message) = counted(&mut reader, found).await? {
            return Ok(Some(NonceUse::Message(Box::new(message))));
        }
        let is_spent = nonce::is_spent(&mut reader, (channel, author), nonce, oldest).await?;
        Ok(is_spent.then_some(NonceUse::Deleted))
    }

    async fn reactors(
        &self,
        message: MessageId,
        emoji: &Emoji,
        after: Option<UserId>,
        limit: u16,
    ) -> Result<Vec<UserId>, Failure> {
        let mut reader = self.reader().await?;
        Ok(reaction::reactors(&mut reader, message, emoji, after, limit).await?)
    }

    async fn reactions_by(
        &self,
        user: UserId,
        messages: &[MessageId],
    ) -> Result<Vec<(MessageId, Emoji)>, Failure> {
        Ok(reaction::given(&mut *self.reader().await?, user, messages).await?)
    }

    async fn written_by(
        &self,
        author: UserId,
        after: MessageId,
        limit: u16,
    ) -> Result<Vec<(ChannelId, MessageId)>, Failure> {
        Ok(message::written_by(&mut *self.reader().await?, author, after, limit).await?)
    }

    async fn audit_entries(
        &self,
        guild: GuildId,
        query: AuditQuery,
        limit: u16,
    ) -> Result<Vec<AuditEntry>, Failure> {
        Ok(audit::page(&mut *self.reader().await?, guild, query, limit).await?)
    }

    async fn highest_id(&self) -> Result<u64, Failure> {
        Ok(message::highest_id(&mut *self.reader().await?).await?)
    }
}

async fn counted(
    reader: &mut SqliteConnection,
    found: Option<Message>,
) -> Result<Option<Message>, SqlError> {
    let Some(mut message) = found else {
        return Ok(None);
    };
    let channel = message.channel_id;
    reaction::count(reader, channel, std::slice::from_mut(&mut message)).await?;
    Ok(Some(message))
}
