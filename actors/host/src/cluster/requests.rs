//! What nodes ask and tell each other.

use guildhall_cluster::coordinator::Order;
use guildhall_model::channel::DirectChannel;
use guildhall_model::user::Appearance;
use guildhall_model::{ChannelId, Epoch, GuildId, LoginId, NodeId, Timestamp, UserId};
use guildhall_ports::directory::Partition;
use serde::{Deserialize, Serialize};

use crate::calls::Call;

/// Something that is answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    /// Only the owner of a partition can do it.
    Call(Call),
    /// The coordinator, or an owner that hands over, wants a partition moved.
    Order(Order),
    /// A login was revoked: its sessions end.
    EndLogin(LoginId),
    /// Does the user have a session there?
    HasSessions(UserId),
}

/// Something that may be lost.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Told {
    /// A partition was taken over.
    Owns {
        partition: Partition,
        node: NodeId,
        epoch: Epoch,
    },
    /// Users appear so on the node that tells.
    Appear(Vec<(UserId, Appearance)>),
    /// A member writes in a channel of a guild.
    Typing {
        guild: GuildId,
        channel: ChannelId,
        user: UserId,
        since: Timestamp,
    },
    /// One of two users writes in their channel.
    TypingDirectly {
        channel: DirectChannel,
        user: UserId,
        since: Timestamp,
    },
}
