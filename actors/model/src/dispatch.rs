//! What a session is told: an event of the log, or something made for that session.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::channel::{Channel, DirectChannel};
use crate::event::Record;
use crate::guild::GuildSnapshot;
use crate::id::{ApplicationId, ChannelId, GuildId, UserId};
use crate::intent::Intents;
use crate::limits;
use crate::member::Member;
use crate::time::Timestamp;
use crate::user::{Appearance, User};

/// The content of one dispatch (op 0). `gateway/wire` renders it in either dialect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dispatch {
    /// READY, the first of every session.
    Ready(Box<Ready>),
    /// A guild that the session can see from now on.
    GuildAvailable(Box<GuildSnapshot>),
    /// A guild that the session has lost: left, removed, or deleted.
    GuildGone(GuildId),
    /// A channel that the session can see from now on, though it is not new.
    ChannelShown(Box<Channel>),
    /// A channel that the session can no longer see, though it exists.
    ChannelHidden(Box<Channel>),
    /// Part of the answer to a request for members (op 8).
    MembersChunk(Box<MembersChunk>),
    /// A record of the events log.
    Event(Arc<Record>),
    /// Volatile: how a user appears in one guild. Never numbered or replayed.
    Presence {
        /// Where.
        guild_id: GuildId,
        /// Who.
        user_id: UserId,
        /// How.
        appearance: Appearance,
    },
    /// Volatile: somebody writes a message. Never numbered or replayed.
    Typing(Box<Typing>),
    /// The soundboard sounds of a guild (op 31), of which there are none.
    Sounds(GuildId),
    /// What the channels of a guild are about at present (op 43), which none of them says.
    ChannelInfo(GuildId),
}

/// Somebody writes a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typing {
    /// Where.
    pub channel_id: ChannelId,
    /// Who.
    pub user_id: UserId,
    /// Since when.
    pub since: Timestamp,
    /// The channel's guild and who writes as its member; `None` for direct messages.
    pub member: Option<(GuildId, Member)>,
}

/// What a session learns at its start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// Who the session belongs to.
    pub user: User,
    /// The address; people only.
    pub email: Option<String>,
    /// What RESUME names.
    pub session_id: String,
    /// Where RESUME goes; an origin without path or query.
    pub resume_url: String,
    /// The guilds that follow, one GUILD_CREATE each.
    pub guilds: Vec<GuildId>,
    /// The user's direct-message channels with the user at the other end.
    pub direct_channels: Vec<(DirectChannel, User)>,
    /// Which share of a bot's guilds this session gets.
    pub shard: Option<Shard>,
    /// The bot's application, with the privileged intents that it may use.
    pub application: Option<(ApplicationId, Intents)>,
    /// The version of the protocol that the client speaks.
    pub version: u8,
}

/// A client's share of its guilds: `(guild_id >> 22) % count == index`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Shard {
    /// From 0.
    pub index: u32,
    /// At least 1.
    pub count: u32,
}

impl Shard {
    /// The one share of a client that does not shard.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// The guild falls into this share.
    pub fn has_guild(self, guild: GuildId) -> bool {
        (guild.get() >> 22) % u64::from(self.count) == u64::from(self.index)
    }

    /// Direct messages and the user's own affairs go to the first share.
    pub const fn has_directs(self) -> bool {
        self.index == 0
    }
}

/// Part of the answer to a request for members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembersChunk {
    /// The guild that was asked about.
    pub guild_id: GuildId,
    /// At most [`crate::limits::CHUNK_MEMBERS_MAX`].
    pub members: Vec<Member>,
    /// From 0.
    pub index: u32,
    /// How many chunks answer the request.
    pub count: u32,
    /// Ids of the request that are no members.
    pub not_found: Vec<UserId>,
    /// How the members appear, if that was asked for.
    pub presences: Option<Vec<(UserId, Appearance)>>,
    /// The request's mark.
    pub nonce: Option<String>,
}

/// What decides how a session sees a dispatch, beside its dialect and encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Viewer {
    /// Whose session it is.
    pub user_id: UserId,
    /// A bot's intents; `None` for people, who need none.
    pub intents: Option<Intents>,
    /// Guilds with more members than this are told without them, see
    /// [`limits::LARGE_THRESHOLD`].
    pub large_threshold: u8,
}

impl Viewer {
    /// A person, who sees as many members at once as anybody may.
    pub const fn person(user_id: UserId) -> Self {
        let (_, large_threshold) = limits::LARGE_THRESHOLD;
        Self {
            user_id,
            intents: None,
            large_threshold,
        }
    }

    /// Gets events that need `intent`.
    pub fn wants(&self, intent: Intents) -> bool {
        self.intents.is_none_or(|held| held.contains(intent))
    }

    /// The content of this dispatch must be blanked for the viewer (MESSAGE_CONTENT).
    pub fn must_blank(&self, dispatch: &Dispatch) -> bool {
        use crate::event::Event;
        use crate::message::Place;

        let Dispatch::Event(record) = dispatch else {
            return false;
        };
        let (Event::MessageCreated(message) | Event::MessageUpdated(message)) = &record.event
        else {
            return false;
        };
        !self.wants(Intents::MESSAGE_CONTENT)
            && matches!(message.place, Place::Guild { .. })
            && !message.concerns(self.user_id)
    }
}
