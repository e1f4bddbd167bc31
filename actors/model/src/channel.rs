//! Channels and their permission overwrites.

use serde::{Deserialize, Serialize};

use crate::id::{ChannelId, GuildId, RoleId, UserId};
use crate::permission::Permissions;

/// A channel of a guild. When it was made is in its id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Channel {
    /// Names the channel.
    pub id: ChannelId,
    /// The guild that it belongs to.
    pub guild_id: GuildId,
    /// What happens in it.
    pub kind: ChannelKind,
    /// 1 to 100 characters.
    pub name: String,
    /// Up to 1,024 characters.
    pub topic: Option<String>,
    /// Order among the guild's channels; equal positions sort by id.
    pub position: u16,
    /// The category that it stands in, of the same guild. Categories stand in none.
    pub parent_id: Option<ChannelId>,
    /// At most one per role or member.
    pub overwrites: Vec<Overwrite>,
}

/// What happens in a guild's channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ChannelKind {
    /// Messages.
    Text,
    /// Calls.
    Voice,
    /// Other channels under one heading.
    Category,
}

/// What one role or member is allowed or denied in one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Overwrite {
    /// Whom it binds.
    pub target: OverwriteTarget,
    /// Bits that are granted. Wins over `deny` of the same overwrite.
    pub allow: Permissions,
    /// Bits that are taken.
    pub deny: Permissions,
}

/// Whom an overwrite binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum OverwriteTarget {
    /// Everybody who has the role; `@everyone` included.
    Role(RoleId),
    /// One member.
    Member(UserId),
}

/// The direct-message channel of two users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DirectChannel {
    /// Names the channel.
    pub id: ChannelId,
    /// Both users, the smaller id first.
    pub users: [UserId; 2],
}

impl DirectChannel {
    /// The user at the other end of the channel from `user`.
    pub fn other(&self, user: UserId) -> UserId {
        if self.users[0] == user {
            self.users[1]
        } else {
            self.users[0]
        }
    }

    /// The two ids in the order in which a pair is stored.
    pub fn pair(a: UserId, b: UserId) -> [UserId; 2] {
        if a < b { [a, b] } else { [b, a] }
    }
}
