//! Every durable fact, and who may learn of it.
//!
//! An event carries all that is needed to render it, to apply it and to take it back: state at an
//! earlier point of a stream is found by reverting the events after it.

use serde::{Deserialize, Serialize};

use crate::audit::AuditEntry;
use crate::channel::{Channel, DirectChannel, Overwrite};
use crate::emoji::{EmojisChange, GuildEmoji};
use crate::guild::Guild;
use crate::id::{ApplicationId, ChannelId, GuildId, InteractionId, MessageId, RoleId, UserId};
use crate::intent::Intents;
use crate::interaction::Interaction;
use crate::invite::Invite;
use crate::member::{Ban, Member};
use crate::message::{Emoji, Message, Place};
use crate::permission::Permissions;
use crate::role::Role;
use crate::time::Timestamp;
use crate::user::User;
use crate::webhook::Webhook;

/// One record of the events log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The stream that it belongs to.
    pub source: Source,
    /// Its place in that stream: rising from 1. A crash may leave a gap where messages never
    /// became stable.
    pub gseq: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}

/// A stream of events with one order of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Source {
    /// A guild with its channels, members and messages.
    Guild(GuildId),
    /// A direct-message channel.
    Direct(ChannelId),
    /// A user's own affairs.
    User(UserId),
}

impl Source {
    /// The number that decides which event partition holds the stream.
    pub const fn key(self) -> u64 {
        match self {
            Self::Guild(id) => id.get(),
            Self::Direct(id) => id.get(),
            Self::User(id) => id.get(),
        }
    }
}

/// Everything that can durably happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A guild began, with its first role, channel and member.
    GuildCreated(Box<Founding>),
    /// The guild itself changed.
    GuildUpdated(Box<GuildChange>),
    /// The guild ended.
    GuildDeleted,
    /// A channel was made.
    ChannelCreated(Channel),
    /// A channel changed.
    ChannelUpdated(Box<Change<Channel>>),
    /// A channel ended.
    ChannelDeleted(Channel),
    /// A role was made.
    RoleCreated(Role),
    /// A role changed.
    RoleUpdated(Box<Change<Role>>),
    /// A role ended; members and channels lost it at the same moment.
    RoleDeleted(Box<RoleEnd>),
    /// Somebody joined.
    MemberJoined {
        /// The new member.
        member: Box<Member>,
        /// The invite that was used, with its count before.
        invite: Option<Invite>,
    },
    /// Roles, nickname or the public identity of a member changed.
    MemberUpdated(Box<Change<Member>>),
    /// Somebody left or was removed.
    MemberRemoved {
        /// The member as of leaving.
        member: Box<Member>,
        /// How it came about.
        how: Departure,
    },
    /// Somebody was banned.
    BanAdded(Ban),
    /// A ban was lifted.
    BanRemoved(Ban),
    /// An invite was made.
    InviteCreated(Invite),
    /// An invite was revoked.
    InviteDeleted(Invite),
    /// A webhook was made.
    WebhookCreated(Box<Webhook>),
    /// A webhook changed.
    WebhookUpdated(Box<Change<Webhook>>),
    /// A webhook ended, alone or just before its channel.
    WebhookDeleted(Box<Webhook>),
    /// An emoji of the guild was made, changed or ended.
    EmojisChanged(Box<EmojisChange>),
    /// Somebody who manages the guild has done what the events before this one say.
    Audited(Box<AuditEntry>),
    /// A message was posted.
    MessageCreated(Box<Message>),
    /// A message was edited; this is the whole message afterwards.
    MessageUpdated(Box<Message>),
    /// A message was deleted.
    MessageDeleted {
        /// Which message.
        id: MessageId,
        /// Where it stood.
        channel_id: ChannelId,
        /// What kind of channel that is.
        place: Place,
        /// The only user who saw it, where there was one.
        only_for: Option<UserId>,
    },
    /// A moderator deleted several messages of a channel at once.
    MessagesDeleted {
        /// Which messages, rising.
        ids: Vec<MessageId>,
        /// Where they stood.
        channel_id: ChannelId,
        /// What kind of channel that is.
        place: Place,
    },
    /// A message was pinned or a pin taken away, which the event before this one says.
    PinsChanged {
        /// Where the message stands.
        channel_id: ChannelId,
        /// What kind of channel that is.
        place: Place,
        /// When the newest pin of the channel was set; none is left where it is absent.
        last_pin: Option<Timestamp>,
    },
    /// Somebody gave an emoji to a message.
    ReactionAdded(Box<Reaction>),
    /// Somebody took an emoji back, or a moderator did.
    ReactionRemoved(Box<Reaction>),
    /// A moderator took away all reactions of a message, or all of one emoji.
    ReactionsCleared {
        /// The message.
        message_id: MessageId,
        /// Where it stands.
        channel_id: ChannelId,
        /// What kind of channel that is.
        place: Place,
        /// Only this emoji.
        emoji: Option<Emoji>,
    },
    /// Somebody used a command or component of an application.
    InteractionCreated(Box<Interaction>),
    /// An application has answered an interaction without a message, which may be done once.
    InteractionAcknowledged {
        /// Which interaction.
        id: InteractionId,
        /// Whose application.
        application_id: ApplicationId,
        /// Who began it.
        user_id: UserId,
        /// Where.
        channel_id: ChannelId,
        /// What kind of channel that is.
        place: Place,
    },
    /// Two users' direct-message channel was made.
    DirectOpened {
        /// The channel.
        channel: DirectChannel,
        /// Its users, in the channel's order.
        users: Box<[User; 2]>,
    },
    /// A user changed the own profile.
    UserUpdated {
        /// The public part afterwards.
        user: Box<User>,
        /// The address afterwards; only the user's own sessions see it.
        email: Option<String>,
    },
}

/// A value before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change<T> {
    /// As it was.
    pub before: T,
    /// As it is.
    pub after: T,
}

/// A guild before and after a change, with what its renderings show beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuildChange {
    /// As it was.
    pub before: Guild,
    /// As it is.
    pub after: Guild,
    /// All its roles, which did not change: Discord's clients take a guild without them for one
    /// whose roles have all ended.
    pub roles: Vec<Role>,
    /// All its emojis, by id, for the same reason.
    pub emojis: Vec<GuildEmoji>,
    /// How many members it has.
    pub member_count: u32,
}

/// All that a new guild begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Founding {
    /// The guild.
    pub guild: Guild,
    /// Its `@everyone` role.
    pub everyone: Role,
    /// Its first channel.
    pub channel: Channel,
    /// The owner.
    pub owner: Member,
}

/// A role with all that disappears together with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleEnd {
    /// The role as it was.
    pub role: Role,
    /// Members who had it.
    pub holders: Vec<UserId>,
    /// Its overwrites.
    pub overwrites: Vec<(ChannelId, Overwrite)>,
}

/// How a member came to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Departure {
    /// Of the own will.
    Left,
    /// By a moderator.
    Kicked,
    /// By a moderator, for good.
    Banned,
}

/// One emoji by one user on one message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// The message.
    pub message_id: MessageId,
    /// Who wrote the message.
    pub message_author_id: UserId,
    /// Where the message stands.
    pub channel_id: ChannelId,
    /// What kind of channel that is; its `member` is never set.
    pub place: Place,
    /// Who reacts.
    pub user_id: UserId,
    /// The reacting user's membership, in a guild.
    pub member: Option<Member>,
    /// The emoji.
    pub emoji: Emoji,
}

/// Who learns of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Every member of the guild.
    Guild,
    /// Members who may view the channel.
    Viewers(ChannelId),
    /// Members who hold one of these permissions in the guild.
    Holders(Permissions),
    /// These two users.
    Pair([UserId; 2]),
    /// One user.
    User(UserId),
}

impl Event {
    /// The authorization row of the event: who learns of it, and which intent a bot must have
    /// asked for. An empty intent means that every session of the audience gets it.
    ///
    /// A change of roles, overwrites or membership also shows and hides channels and guilds; the
    /// relay derives those dispatches from the state before and after.
    pub fn audience(&self) -> (Audience, Intents) {
        match self {
            Self::GuildCreated(_)
            | Self::GuildUpdated(_)
            | Self::GuildDeleted
            | Self::RoleCreated(_)
            | Self::RoleUpdated(_)
            | Self::RoleDeleted(_) => (Audience::Guild, Intents::GUILDS),
            Self::ChannelCreated(channel) | Self::ChannelDeleted(channel) => {
                (Audience::Viewers(channel.id), Intents::GUILDS)
            }
            Self::ChannelUpdated(change) => (Audience::Viewers(change.after.id), Intents::GUILDS),
            Self::MemberJoined { .. } | Self::MemberUpdated(_) | Self::MemberRemoved { .. } => {
                (Audience::Guild, Intents::GUILD_MEMBERS)
            }
            Self::BanAdded(_) | Self::BanRemoved(_) => (
                Audience::Holders(Permissions::BAN_MEMBERS),
                Intents::GUILD_MODERATION,
            ),
            Self::InviteCreated(_) | Self::InviteDeleted(_) => (
                Audience::Holders(Permissions::MANAGE_CHANNELS.union(Permissions::MANAGE_GUILD)),
                Intents::GUILD_INVITES,
            ),
            Self::EmojisChanged(_) => (Audience::Guild, Intents::GUILD_EXPRESSIONS),
            Self::Audited(_) => (
                Audience::Holders(Permissions::VIEW_AUDIT_LOG),
                Intents::GUILD_MODERATION,
            ),
            Self::WebhookCreated(_) | Self::WebhookUpdated(_) | Self::WebhookDeleted(_) => (
                Audience::Holders(Permissions::MANAGE_WEBHOOKS),
                Intents::GUILD_WEBHOOKS,
            ),
            Self::MessageCreated(message) | Self::MessageUpdated(message) => {
                of_messages(message.channel_id, &message.place, message.only_for())
            }
            Self::MessageDeleted {
                channel_id,
                place,
                only_for,
                ..
            } => of_messages(*channel_id, place, *only_for),
            Self::MessagesDeleted {
                channel_id, place, ..
            } => of_messages(*channel_id, place, None),
            Self::ReactionAdded(reaction) | Self::ReactionRemoved(reaction) => {
                message_audience(reaction.channel_id, &reaction.place, REACTIONS)
            }
            Self::ReactionsCleared {
                channel_id, place, ..
            } => message_audience(*channel_id, place, REACTIONS),
            Self::PinsChanged {
                channel_id, place, ..
            } => message_audience(*channel_id, place, PINS),
            Self::DirectOpened { channel, .. } => {
                (Audience::Pair(channel.users), Intents::DIRECT_MESSAGES)
            }
            Self::InteractionCreated(interaction) => {
                let bot = interaction.application_id.bot_user();
                (Audience::User(bot), Intents::empty())
            }
            Self::InteractionAcknowledged { user_id, .. } => {
                (Audience::User(*user_id), Intents::empty())
            }
            Self::UserUpdated { user, .. } => (Audience::User(user.id), Intents::empty()),
        }
    }

    /// It may change what somebody may see or do, so that cached audiences end with it.
    pub const fn changes_access(&self) -> bool {
        !matches!(
            self,
            Self::MessageCreated(_)
                | Self::MessageUpdated(_)
                | Self::MessageDeleted { .. }
                | Self::MessagesDeleted { .. }
                | Self::PinsChanged { .. }
                | Self::ReactionsCleared { .. }
                | Self::ReactionAdded(_)
                | Self::ReactionRemoved(_)
                | Self::InviteCreated(_)
                | Self::InviteDeleted(_)
                | Self::InteractionCreated(_)
                | Self::InteractionAcknowledged { .. }
                | Self::WebhookCreated(_)
                | Self::WebhookUpdated(_)
                | Self::WebhookDeleted(_)
                | Self::EmojisChanged(_)
                | Self::Audited(_)
                | Self::DirectOpened { .. }
                | Self::UserUpdated { .. }
        )
    }
}

/// A message that only one user sees is nobody else's business.
fn of_messages(
    channel_id: ChannelId,
    place: &Place,
    only_for: Option<UserId>,
) -> (Audience, Intents) {
    let (audience, intent) = message_audience(channel_id, place, MESSAGES);
    (only_for.map_or(audience, Audience::User), intent)
}

/// What a bot asks for to be told of something in a guild's channel, and in a direct one.
type InGuildAndDirect = (Intents, Intents);

const MESSAGES: InGuildAndDirect = (Intents::GUILD_MESSAGES, Intents::DIRECT_MESSAGES);
const REACTIONS: InGuildAndDirect = (
    Intents::GUILD_MESSAGE_REACTIONS,
    Intents::DIRECT_MESSAGE_REACTIONS,
);
const PINS: InGuildAndDirect = (Intents::GUILDS, Intents::DIRECT_MESSAGES);

fn message_audience(
    channel_id: ChannelId,
    place: &Place,
    (in_guild, direct): InGuildAndDirect,
) -> (Audience, Intents) {
    match place {
        Place::Guild { .. } => (Audience::Viewers(channel_id), in_guild),
        Place::Direct(users) => (Audience::Pair(*users), direct),
    }
}

impl Place {
    /// The stream in which events of a channel of this kind stand.
    pub const fn source(&self, channel_id: ChannelId) -> Source {
        match self {
            Self::Guild { guild_id, .. } => Source::Guild(*guild_id),
            Self::Direct(_) => Source::Direct(channel_id),
        }
    }

    /// The guild, if any, without anybody's membership.
    pub const fn guild(guild_id: GuildId) -> Self {
        Self::Guild {
            guild_id,
            member: None,
        }
    }
}

impl Source {
    /// The guild, if the stream is one's.
    pub const fn guild_id(self) -> Option<GuildId> {
        match self {
            Self::Guild(id) => Some(id),
            _ => None,
        }
    }
}

impl RoleEnd {
    /// The role that ends.
    pub const fn role_id(&self) -> RoleId {
        self.role.id
    }
}
