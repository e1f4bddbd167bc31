//! A guild as plain data: what the whole community shares.

use serde::{Deserialize, Serialize};

use crate::channel::Channel;
use crate::emoji::GuildEmoji;
use crate::id::{GuildId, UserId};
use crate::invite::Invite;
use crate::member::{Ban, Member};
use crate::picture::Picture;
use crate::role::Role;
use crate::webhook::Webhook;

/// A community of channels; "server" in the native dialect. When it was made is in its id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Guild {
    /// Names the guild.
    pub id: GuildId,
    /// 2 to 100 characters.
    pub name: String,
    /// Holds every permission.
    pub owner_id: UserId,
    /// Up to 1,000 characters.
    pub description: Option<String>,
    /// The picture.
    pub icon: Option<Picture>,
    /// Anybody may join without an invite.
    pub is_public: bool,
}

/// A guild with all that one member may see of it, at one point of its event stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuildSnapshot {
    /// The guild itself.
    pub guild: Guild,
    /// All roles, `@everyone` first.
    pub roles: Vec<Role>,
    /// The channels that the receiver may view.
    pub channels: Vec<Channel>,
    /// The receiver itself and, up to a bound, others.
    pub members: Vec<Member>,
    /// How many members there are in all.
    pub member_count: u32,
    /// `members` holds only some of them.
    pub large: bool,
    /// All emojis, by id.
    pub emojis: Vec<GuildEmoji>,
    /// The receiver's own membership.
    pub me: UserId,
}

/// All rows of a guild as of one point of its stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuildRows {
    /// The guild.
    pub guild: Guild,
    /// It has ended; its rows are kept until a job erases them.
    pub deleted: bool,
    /// `@everyone` included, in any order.
    pub roles: Vec<Role>,
    /// In any order.
    pub channels: Vec<Channel>,
    /// In any order, with their users' present profiles.
    pub members: Vec<Member>,
    /// In any order.
    pub bans: Vec<Ban>,
    /// In any order, spent ones included.
    pub invites: Vec<Invite>,
    /// In any order.
    pub webhooks: Vec<Webhook>,
    /// In any order.
    pub emojis: Vec<GuildEmoji>,
    /// The place of the last event that these rows hold. Messages have later ones.
    pub gseq: u64,
}
