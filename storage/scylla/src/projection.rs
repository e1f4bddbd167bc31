//! The port `Messages`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use guildhall_model::audit::{AuditEntry, AuditQuery};
use guildhall_model::event::{Record, Source};
use guildhall_model::message::{Emoji, Message, Nonce};
use guildhall_model::{ChannelId, EventPartition, GuildId, MessageId, Position, Timestamp, UserId};
use guildhall_ports::messages::{Anchor, NonceUse};
use guildhall_ports::{Failure, Messages, Standing};
use tokio::time::timeout;

use crate::audit::AuditTable;
use crate::author::AuthorTable;
use crate::bounds::{APPLY_MAX, LOOK_MAX, READ_MAX};
use crate::cql::Cql;
use crate::cursor::CursorTable;
use crate::error::{CqlError, ENGINE, small};
use crate::message::MessageTable;
use crate::migrate;
use crate::nonce::NonceTable;
use crate::pin::PinTable;
use crate::reaction::ReactionTable;
use crate::settings::Settings;

/// The projection of messages.
#[derive(Debug)]
pub struct Projection {
    tables: Tables,
    standing: Standing,
}

/// What the keyspace holds.
#[derive(Debug)]
pub(crate) struct Tables {
    pub(crate) messages: MessageTable,
    pub(crate) reactions: ReactionTable,
    pub(crate) pins: PinTable,
    pub(crate) nonces: NonceTable,
    pub(crate) cursors: CursorTable,
    pub(crate) audits: AuditTable,
    pub(crate) authors: AuthorTable,
}

impl Tables {
    async fn prepare(cql: &Arc<Cql>) -> Result<Self, CqlError> {
        Ok(Self {
            messages: MessageTable::prepare(cql).await?,
            reactions: ReactionTable::prepare(cql).await?,
            pins: PinTable::prepare(cql).await?,
            nonces: NonceTable::prepare(cql).await?,
            cursors: CursorTable::prepare(cql).await?,
            audits: AuditTable::prepare(cql).await?,
            authors: AuthorTable::prepare(cql).await?,
        })
    }
}

impl Projection {
    /// Connects to the engine. Its keyspace must be there with the tables of this version; see
    /// [`migrate`].
    pub async fn open(settings: &Settings) -> Result<Self, Failure> {
        let cql = Arc::new(Cql::connect(settings).await?);
        let status = migrate::status_of(&cql, &settings.keyspace).await?;
        if let Some(why) = status.objection() {
            return Err(Failure::unavailable(ENGINE, why));
        }
        let keyspace = &settings.keyspace;
        cql.choose(keyspace).await?;
        Ok(Self {
            tables: Box::pin(Tables::prepare(&cql)).await?,
            standing: Standing::default(),
        })
    }

    /// Whether the engine can be reached, as what this process asks of it tells.
    pub fn standing(&self) -> Standing {
        self.standing.clone()
    }

    /// Reads a row as others are read, for the sake of [`Self::standing`]. It takes two seconds at
    /// most.
    pub async fn look(&self) {
        let reading = self.tables.cursors.applied(EventPartition(0));
        // The outcome is noted.
        let _ = self.within(LOOK_MAX, reading).await;
    }

    /// Nobody waits longer, whatever the engine does.
    async fn within<T>(
        &self,
        bound: Duration,
        work: impl Future<Output = Result<T, CqlError>> + Send,
    ) -> Result<T, Failure> {
        let bounded = async {
            match timeout(bound, work).await {
                Ok(outcome) => Ok(outcome?),
                Err(elapsed) => Err(CqlError::from(elapsed).into()),
            }
        };
        self.standing.watch(bounded).await
    }
}

#[async_trait]
impl Messages for Projection {
    async fn apply(
        &self,
        partition: EventPartition,
        records: &[Arc<Record>],
        upto: Position,
    ) -> Result<(), Failure> {
        self.within(APPLY_MAX, self.tables.apply(partition, records, upto))
            .await
    }

    async fn applied(&self, partition: EventPartition) -> Result<Position, Failure> {
        self.within(READ_MAX, self.tables.cursors.applied(partition))
            .await
    }

    async fn begun(&self, partition: EventPartition) -> Result<Position, Failure> {
        self.within(READ_MAX, self.tables.cursors.begun(partition))
            .await
    }

    async fn last_gseq(&self, source: Source) -> Result<u64, Failure> {
        let place = self
            .within(READ_MAX, self.tables.cursors.place(source))
            .await?;
        Ok(small("sources", place)?)
    }

    async fn page(
        &self,
        channel: ChannelId,
        anchor: Anchor,
        limit: u16,
    ) -> Result<Vec<Message>, Failure> {
        self.within(READ_MAX, self.tables.messages.page(channel, anchor, limit))
            .await
    }

    async fn pins(
        &self,
        channel: ChannelId,
        before: Timestamp,
        limit: u16,
    ) -> Result<Vec<Message>, Failure> {
        let Tables { pins, messages, .. } = &self.tables;
        self.within(READ_MAX, pins.list(messages, channel, before, limit))
            .await
    }

    async fn get(&self, id: MessageId) -> Result<Option<Message>, Failure> {
        self.within(READ_MAX, self.tables.messages.get(id)).await
    }

    async fn by_nonce(
        &self,
        channel: ChannelId,
        author: UserId,
        nonce: &Nonce,
        oldest: MessageId,
    ) -> Result<Option<NonceUse>, Failure> {
        let Tables {
            nonces, messages, ..
        } = &self.tables;
        let found = nonces.find(messages, (channel, author), nonce, oldest);
        self.within(READ_MAX, found).await
    }

    async fn reactors(
        &self,
        message: MessageId,
        emoji: &Emoji,
        after: Option<UserId>,
        limit: u16,
    ) -> Result<Vec<UserId>, Failure> {
        let reactions = &self.tables.reactions;
        self.within(READ_MAX, reactions.reactors(message, emoji, after, limit))
            .await
    }

    async fn reactions_by(
        &self,
        user: UserId,
        messages: &[MessageId],
    ) -> Result<Vec<(MessageId, Emoji)>, Failure> {
        self.within(READ_MAX, self.tables.reactions.given_by(user, messages))
            .await
    }

    async fn written_by(
        &self,
        author: UserId,
        after: MessageId,
        limit: u16,
    ) -> Result<Vec<(ChannelId, MessageId)>, Failure> {
        let Tables {
            authors,
            messages,
            cursors,
            ..
        } = &self.tables;
        self.within(READ_MAX, async {
            let highest = cursors.floor().await?;
            authors
                .list(messages, (author, after), highest, limit)
                .await
        })
        .await
    }

    async fn audit_entries(
        &self,
        guild: GuildId,
        query: AuditQuery,
        limit: u16,
    ) -> Result<Vec<AuditEntry>, Failure> {
        self.within(READ_MAX, self.tables.audits.page(guild, query, limit))
            .await
    }

    async fn highest_id(&self) -> Result<u64, Failure> {
        self.within(READ_MAX, self.tables.cursors.floor()).await
    }
}
