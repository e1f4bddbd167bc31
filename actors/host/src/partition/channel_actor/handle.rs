//! The way to a channel's actor, and what it can be asked.

use std::sync::Arc;

use guildhall_model::audit::By;
use guildhall_model::command::ChannelCommand;
use guildhall_model::message::{Anchor, Message};
use guildhall_model::{ChannelId, MessageId, Timestamp, UserId};
use tokio::sync::oneshot;

use crate::error::Refused;
use crate::mailbox::Mailbox;
use crate::node::Written;
use crate::observe::ChannelActorState;
use crate::partition::loading::Handle;
use crate::stream::Stream;
use crate::writer::Writer;

/// The way to a channel's actor.
#[derive(Clone)]
pub(crate) struct ChannelHandle {
    pub(super) id: ChannelId,
    pub(super) mailbox: Mailbox<Ask>,
    pub(super) stream: Arc<Stream>,
    pub(super) log: Writer,
}

pub(super) type Reply<T> = oneshot::Sender<Result<T, Refused>>;

/// A request with the way back.
pub(crate) enum Ask {
    Write {
        by: By,
        command: ChannelCommand,
        reply: Reply<Written>,
    },
    Page {
        reader: UserId,
        anchor: Anchor,
        limit: u16,
        reply: Reply<Vec<Arc<Message>>>,
    },
    Pins {
        reader: UserId,
        before: Timestamp,
        limit: u16,
        reply: Reply<Vec<Arc<Message>>>,
    },
    Get {
        reader: UserId,
        id: MessageId,
        reply: Reply<Arc<Message>>,
    },
}

impl Handle for ChannelHandle {
    fn retire(&self) {
        self.mailbox.retire("a successor has been loaded");
    }
}

impl ChannelHandle {
    pub(crate) async fn write(&self, by: By, command: ChannelCommand) -> Result<Written, Refused> {
        self.mailbox
            .ask(|reply| Ask::Write { by, command, reply })
            .await
    }

    pub(crate) async fn page(
        &self,
        reader: UserId,
        anchor: Anchor,
        limit: u16,
    ) -> Result<Vec<Arc<Message>>, Refused> {
        self.mailbox
            .ask(|reply| Ask::Page {
                reader,
                anchor,
                limit,
                reply,
            })
            .await
    }

    pub(crate) async fn pins(
        &self,
        reader: UserId,
        before: Timestamp,
        limit: u16,
    ) -> Result<Vec<Arc<Message>>, Refused> {
        self.mailbox
            .ask(|reply| Ask::Pins {
                reader,
                before,
                limit,
                reply,
            })
            .await
    }

    pub(crate) async fn get(&self, reader: UserId, id: MessageId) -> Result<Arc<Message>, Refused> {
        self.mailbox
            .ask(|reply| Ask::Get { reader, id, reply })
            .await
    }

    pub(crate) fn observe(&self) -> ChannelActorState {
        ChannelActorState {
            id: self.id,
            mailbox: self.mailbox.fill(),
        }
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.mailbox.is_alive() && !self.stream.is_over()
    }

    /// The way into the log that the channel was loaded with.
    pub(crate) const fn writer(&self) -> &Writer {
        &self.log
    }

    pub(crate) async fn stop(&self, why: &str) {
        self.mailbox.stop(why).await;
    }
}
