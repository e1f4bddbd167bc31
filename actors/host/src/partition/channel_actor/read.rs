//! Reading a channel: from its actor's memory, or from the store once it has caught up.

use std::sync::Arc;

use guildhall_model::message::{Anchor, Emoji, Message};
use guildhall_model::rejection::Noun;
use guildhall_model::{MessageId, Permissions, Rejection, UserId};
use guildhall_ports::Failure;

use super::handle::Reply;
use super::{ChannelActor, Room};
use crate::error::Refused;

impl ChannelActor {
    /// A message of this channel, from memory or from the store.
    pub(super) async fn find(&self, room: &Room, id: MessageId) -> Result<Arc<Message>, Refused> {
        let unknown = || Refused::from(Rejection::Unknown(Noun::Message));
        if let Some(message) = room.channel.window().get(id) {
            return Ok(Arc::clone(message));
        }
        if room.channel.window().covers(id) {
            return Err(unknown());
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

    /// Waits until the store holds everything that was submitted so far.
    async fn projected(&self, room: &Room) -> Result<(), Failure> {
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
        let access = match room.writer(reader, self.node.inner.env.now()) {
            Ok(writer) if writer.access.contains(Permissions::VIEW_CHANNEL) => writer.access,
            _ => return drop(reply.send(Err(Rejection::Unknown(Noun::Channel).into()))),
        };
        if !access.contains(Permissions::READ_MESSAGE_HISTORY) {
            return drop(reply.send(Ok(Vec::new())));
        }
        if let Some(page) = room.channel.window().page(anchor, limit) {
            return answer_when_stable(room, page, reply);
        }
        let (partition, log, id) = (Arc::clone(&room.partition), room.log.clone(), room.id);
        let inner = Arc::clone(&self.node.inner);
        tokio::spawn(async move {
            let read = async {
                partition.projection.wait(log.readable().await?).await?;
                inner.stores.messages.page(id, anchor, limit).await
            };
            let page = read
                .await
                .map(|page| page.into_iter().map(Arc::new).collect());
            let _ = reply.send(page.map_err(Refused::from));
        });
    }
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
