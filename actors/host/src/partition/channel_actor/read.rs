//! Reading a channel: from its actor's memory, or from the store once it has caught up.

use std::sync::Arc;

use guildhall_model::message::{Anchor, Emoji, Message};
use guildhall_model::rejection::Noun;
use guildhall_model::{MessageId, Permissions, Rejection, Timestamp, UserId, limits};
use guildhall_ports::{Failure, Messages};

use super::handle::Reply;
use super::{ChannelActor, Room};
use crate::error::Refused;

impl ChannelActor {
    /// A message of this channel's history, from memory or from the store.
    pub(super) async fn find(&self, room: &Room, id: MessageId) -> Result<Arc<Message>, Refused> {
        let window = room.channel.window();
        if window.get(id).is_none() && window.covers(id) {
            return Err(unknown());
        }
        let found = self.find_any(room, id).await?;
        Some(found)
            .filter(|message| message.only_for().is_none())
            .ok_or_else(unknown)
    }

    /// The same, and what only this reader sees.
    pub(super) async fn find_for(
        &self,
        room: &Room,
        reader: UserId,
        id: MessageId,
    ) -> Result<Arc<Message>, Refused> {
        let found = self.find_any(room, id).await?;
        let is_shown = |message: &Arc<Message>| message.only_for().is_none_or(|it| it == reader);
        Some(found).filter(is_shown).ok_or_else(unknown)
    }

    /// A message of this channel, whoever sees it. What one user alone sees is never in memory.
    pub(super) async fn find_any(
        &self,
        room: &Room,
        id: MessageId,
    ) -> Result<Arc<Message>, Refused> {
        if let Some(message) = room.channel.window().get(id) {
            return Ok(Arc::clone(message));
        }
        self.projected(room).await?;
        let message = self.node.inner.stores.messages.get(id).await?;
        let here = message.filter(|message| message.channel_id == room.id);
        here.map(Arc::new).ok_or_else(unknown)
    }

    pub(super) async fn has_reaction(
        &self,
        room: &Room,
        user: UserId,
        message: MessageId,
        emoji: &Emoji,
    ) -> Result<bool, Failure> {
        self.projected(room).await?;
        let messages = &self.node.inner.stores.messages;
        let given = messages.reactions_by(user, &[message]).await?;
        Ok(given.iter().any(|(_, held)| held == emoji))
    }

    /// Those of these messages that are in this channel, rising.
    pub(super) async fn present(
        &self,
        room: &Room,
        ids: &[MessageId],
    ) -> Result<Vec<MessageId>, Failure> {
        let mut present = Vec::new();
        for id in ids {
            match self.find(room, *id).await {
                Ok(message) => present.push(message.id),
                Err(Refused::Rejection(_)) => {}
                Err(Refused::Failure(failure)) => return Err(failure),
            }
        }
        present.sort_unstable();
        present.dedup();
        Ok(present)
    }

    /// All that is pinned, the last one first.
    pub(super) async fn all_pins(&self, room: &Room) -> Result<Vec<Message>, Failure> {
        self.projected(room).await?;
        let limit = u16::try_from(limits::PINS_MAX).unwrap_or(u16::MAX);
        let messages = &self.node.inner.stores.messages;
        messages.pins(room.id, Timestamp(i64::MAX), limit).await
    }

    /// Waits until the store holds everything that was submitted so far.
    pub(super) async fn projected(&self, room: &Room) -> Result<(), Failure> {
        let end = room.log.readable().await?;
        room.partition.projection.wait(end).await
    }

    pub(super) fn page(
        &self,
        room: &Room,
        reader: UserId,
        (anchor, limit): (Anchor, u16),
        reply: Reply<Vec<Arc<Message>>>,
    ) {
        match self.may_read_history(room, reader) {
            Ok(true) => {}
            Ok(false) => return drop(reply.send(Ok(Vec::new()))),
            Err(rejection) => return drop(reply.send(Err(rejection.into()))),
        }
        if let Some(page) = room.channel.window().page(anchor, limit) {
            return answer_when_stable(room, page, reply);
        }
        let id = room.id;
        self.read_stored(room, reply, async move |messages| {
            messages.page(id, anchor, limit).await
        });
    }

    /// What is pinned, the last one first, from what was pinned before this time.
    pub(super) fn pins(
        &self,
        room: &Room,
        reader: UserId,
        (before, limit): (Timestamp, u16),
        reply: Reply<Vec<Arc<Message>>>,
    ) {
        match self.may_read_history(room, reader) {
            Ok(true) => {}
            Ok(false) => return drop(reply.send(Ok(Vec::new()))),
            Err(rejection) => return drop(reply.send(Err(rejection.into()))),
        }
        let id = room.id;
        self.read_stored(room, reply, async move |messages| {
            messages.pins(id, before, limit).await
        });
    }

    fn may_read_history(&self, room: &Room, reader: UserId) -> Result<bool, Rejection> {
        match room.writer(reader, self.node.inner.env.now()) {
            Ok(writer) if writer.access.contains(Permissions::VIEW_CHANNEL) => {
                Ok(writer.access.contains(Permissions::READ_MESSAGE_HISTORY))
            }
            _ => Err(Rejection::Unknown(Noun::Channel)),
        }
    }

    /// Answers from the store, once it holds everything that was submitted so far. Nobody else
    /// waits for it.
    fn read_stored<F>(
        &self,
        room: &Room,
        reply: Reply<Vec<Arc<Message>>>,
        read: impl FnOnce(Arc<dyn Messages>) -> F + Send + 'static,
    ) where
        F: Future<Output = Result<Vec<Message>, Failure>> + Send,
    {
        let (partition, log) = (Arc::clone(&room.partition), room.log.clone());
        let messages = Arc::clone(&self.node.inner.stores.messages);
        tokio::spawn(async move {
            let found = async {
                partition.projection.wait(log.readable().await?).await?;
                read(messages).await
            };
            let found = found.await;
            let found = found.map(|found| found.into_iter().map(Arc::new).collect());
            let _ = reply.send(found.map_err(Refused::from));
        });
    }
}

fn unknown() -> Refused {
    Rejection::Unknown(Noun::Message).into()
}

/// What memory holds may not be stable yet; nobody reads what a crash could take back.
pub(super) fn answer_when_stable<T: Send + 'static>(room: &Room, answer: T, reply: Reply<T>) {
    if room.is_for_reading || room.log.is_idle() {
        let _ = reply.send(Ok(answer));
        return;
    }
    let log = room.log.clone();
    tokio::spawn(async move {
        let stable = log.barrier().await;
        let _ = reply.send(stable.map(|_| answer).map_err(Refused::from));
    });
}
