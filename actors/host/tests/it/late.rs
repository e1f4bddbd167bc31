//! A message store that carries out a killed owner's last writes only when its successor has begun.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use guildhall_embedded::sqlite::Projection;
use guildhall_model::audit::{AuditEntry, AuditQuery};
use guildhall_model::event::{Record, Source};
use guildhall_model::message::{Anchor, Emoji, Message, Nonce};
use guildhall_model::{ChannelId, EventPartition, GuildId, MessageId, Position, Timestamp, UserId};
use guildhall_ports::messages::NonceUse;
use guildhall_ports::{Failure, Messages};
use parking_lot::Mutex;
use tokio::sync::watch;

type Write = (EventPartition, Vec<Arc<Record>>, Position);

/// A store whose writes can be held back until somebody who begins asks how far it has come.
pub(crate) struct LateMessages {
    store: Projection,
    /// What is held back, while writes are.
    held: Mutex<Option<Vec<Write>>>,
    /// How often somebody has asked what a nonce was used for.
    nonces_asked: AtomicUsize,
    is_away: AtomicBool,
    is_late: watch::Sender<bool>,
}

impl LateMessages {
    pub(crate) fn new(store: Projection) -> Self {
        Self {
            store,
            held: Mutex::new(None),
            nonces_asked: AtomicUsize::new(0),
            is_away: AtomicBool::new(false),
            is_late: watch::Sender::new(false),
        }
    }

    /// From now on writes wait. They are carried out after the next answer to
    /// `highest_id` or `applied`.
    pub(crate) fn hold(&self) {
        *self.held.lock() = Some(Vec::new());
    }

    pub(crate) fn nonces_asked(&self) -> usize {
        self.nonces_asked.load(Ordering::Relaxed)
    }

    /// Whether the store is away and answers nobody.
    pub(crate) fn be_away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::Relaxed);
    }

    /// Whether writes wait for their turn.
    pub(crate) fn be_late(&self, is_late: bool) {
        self.is_late.send_replace(is_late);
    }

    fn store(&self) -> Result<&Projection, Failure> {
        if self.is_away.load(Ordering::Relaxed) {
            return Err(Failure::unavailable("messages", "they are away"));
        }
        Ok(&self.store)
    }

    /// Whether a write waits.
    pub(crate) fn is_holding_some(&self) -> bool {
        let held = self.held.lock();
        held.as_ref().is_some_and(|writes| !writes.is_empty())
    }

    async fn carry_out(&self) -> Result<(), Failure> {
        let held = self.held.lock().take();
        for (partition, records, upto) in held.into_iter().flatten() {
            self.store()?.apply(partition, &records, upto).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Messages for LateMessages {
    async fn apply(
        &self,
        partition: EventPartition,
        records: &[Arc<Record>],
        upto: Position,
    ) -> Result<(), Failure> {
        let mut is_late = self.is_late.subscribe();
        let _ = is_late.wait_for(|is_late| !is_late).await;
        if let Some(held) = &mut *self.held.lock() {
            held.push((partition, records.to_vec(), upto));
        } else {
            return self.store()?.apply(partition, records, upto).await;
        }
        // Its writer does not live long enough to be answered.
        std::future::pending().await
    }

    async fn applied(&self, partition: EventPartition) -> Result<Position, Failure> {
        let applied = self.store()?.applied(partition).await;
        self.carry_out().await?;
        applied
    }

    async fn last_gseq(&self, source: Source) -> Result<u64, Failure> {
        self.store()?.last_gseq(source).await
    }

    async fn page(
        &self,
        channel: ChannelId,
        anchor: Anchor,
        limit: u16,
    ) -> Result<Vec<Message>, Failure> {
        self.store()?.page(channel, anchor, limit).await
    }

    async fn pins(
        &self,
        channel: ChannelId,
        before: Timestamp,
        limit: u16,
    ) -> Result<Vec<Message>, Failure> {
        self.store()?.pins(channel, before, limit).await
    }

    async fn get(&self, id: MessageId) -> Result<Option<Message>, Failure> {
        self.store()?.get(id).await
    }

    async fn by_nonce(
        &self,
        channel: ChannelId,
        author: UserId,
        nonce: &Nonce,
        oldest: MessageId,
    ) -> Result<Option<NonceUse>, Failure> {
        self.nonces_asked.fetch_add(1, Ordering::Relaxed);
        self.store()?.by_nonce(channel, author, nonce, oldest).await
    }

    async fn reactors(
        &self,
        message: MessageId,
        emoji: &Emoji,
        after: Option<UserId>,
        limit: u16,
    ) -> Result<Vec<UserId>, Failure> {
        self.store()?.reactors(message, emoji, after, limit).await
    }

    async fn reactions_by(
        &self,
        user: UserId,
        messages: &[MessageId],
    ) -> Result<Vec<(MessageId, Emoji)>, Failure> {
        self.store()?.reactions_by(user, messages).await
    }

    async fn written_by(
        &self,
        author: UserId,
        after: MessageId,
        limit: u16,
    ) -> Result<Vec<(ChannelId, MessageId)>, Failure> {
        self.store()?.written_by(author, after, limit).await
    }

    async fn audit_entries(
        &self,
        guild: GuildId,
        query: AuditQuery,
        limit: u16,
    ) -> Result<Vec<AuditEntry>, Failure> {
        self.store()?.audit_entries(guild, query, limit).await
    }

    async fn highest_id(&self) -> Result<u64, Failure> {
        let highest = self.store()?.highest_id().await;
        self.carry_out().await?;
        highest
    }
}
