//! What a partition's owner is asked for: one list, carried out in place or sent to another node.

pub(crate) mod carry_out;
mod route;
pub(crate) mod wire;

use std::sync::Arc;

use guildhall_model::account::Account;
use guildhall_model::audit::By;
use guildhall_model::command::{ChannelCommand, GuildCommand};
use guildhall_model::event::{Event, Record};
use guildhall_model::message::{Anchor, Message};
use guildhall_model::{ChannelId, EventPartition, GuildId, MessageId, Timestamp, UserId};
use guildhall_ports::Failure;
use serde::{Deserialize, Serialize};

use crate::node::Written;

/// A request that only the owner of an event partition can carry out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Call {
    /// Whose owner is asked.
    pub(crate) partition: EventPartition,
    /// For what.
    pub(crate) ask: Ask,
}

/// What is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    /// Have a guild's command decided.
    Command {
        guild: GuildId,
        by: By,
        command: GuildCommand,
    },
    /// Write into a channel.
    Write {
        channel: ChannelId,
        by: By,
        command: Box<ChannelCommand>,
    },
    /// A page of a channel's history.
    Page {
        channel: ChannelId,
        reader: UserId,
        anchor: Anchor,
        limit: u16,
    },
    /// What is pinned in a channel.
    Pins {
        channel: ChannelId,
        reader: UserId,
        before: Timestamp,
        limit: u16,
    },
    /// A message that stands in a channel.
    Message {
        channel: ChannelId,
        reader: UserId,
        id: MessageId,
    },
    /// Wait until the message store has all that is stable in the partition now.
    CatchUp,
    /// Commit an event whose source is known to be at rest.
    Commit(Box<Record>),
    /// Commit a changed profile.
    UpdateUser(Box<Account>),
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// Events that are durable.
    Events(Vec<Event>),
    /// What was written into a channel.
    Written(Written),
    /// A message as it is now.
    Message(Arc<Message>),
    /// Messages in the order that was asked for.
    Messages(Vec<Arc<Message>>),
    /// Yes or no.
    Whether(bool),
    /// It is done, or was so already.
    Done,
}

/// What is answered when another node's answer is none to the question.
pub(crate) fn misunderstood() -> Failure {
    Failure::unavailable("the partition's owner", "its answer makes no sense")
}
