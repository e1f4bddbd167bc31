//! The audit log of a guild: who of those who manage it did what, and why.
//!
//! An entry is an event of its own that follows the events that it is about, so that it is in the
//! log exactly when they are.

use serde::{Deserialize, Serialize};

use crate::channel::{Channel, Overwrite};
use crate::emoji::GuildEmoji;
use crate::event::Change;
use crate::guild::Guild;
use crate::id::{AuditEntryId, ChannelId, MessageId, RoleId, UserId};
use crate::invite::Invite;
use crate::member::Member;
use crate::role::Role;
use crate::text::Reason;
use crate::webhook::Webhook;

/// On whose behalf something is done, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// Who acts.
    pub user_id: UserId,
    /// What it says of its reasons.
    pub reason: Option<Reason>,
}

impl From<UserId> for By {
    fn from(user_id: UserId) -> Self {
        Self {
            user_id,
            reason: None,
        }
    }
}

/// An entry of an audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its name. Ids rise in the order of what was done.
    pub id: AuditEntryId,
    /// Who did it.
    pub by: UserId,
    /// Why.
    pub reason: Option<String>,
    /// What.
    pub deed: Deed,
}

/// Something before and after; what was made had no before, and what has ended has no after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "said above")]
pub struct Turn<T> {
    pub before: Option<T>,
    pub after: Option<T>,
}

/// What can be done to a guild.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deed {
    /// The guild itself was changed.
    Guild(Box<Change<Guild>>),
    /// A channel was made, changed or ended. Overwrites that change are deeds of their own.
    Channel(Box<Turn<Channel>>),
    /// An overwrite of a channel was set, changed or taken away.
    Overwrite {
        /// Which channel's.
        channel_id: ChannelId,
        /// The name of the role that it binds, if it binds one that there is.
        role: Option<String>,
        /// The overwrite.
        turn: Turn<Overwrite>,
    },
    /// A role was made, changed or ended.
    Role(Box<Turn<Role>>),
    /// A member was removed.
    Kick(UserId),
    /// A user was banned.
    Ban(UserId),
    /// A ban was lifted.
    Unban(UserId),
    /// A member's nickname or time-out was changed.
    Member(Box<Change<Member>>),
    /// A member was given roles, or they were taken away.
    MemberRoles {
        /// Whose.
        user_id: UserId,
        /// What it was given, with the roles' names.
        added: Vec<(RoleId, String)>,
        /// What was taken away.
        removed: Vec<(RoleId, String)>,
    },
    /// A bot was brought in.
    Bot(UserId),
    /// An invite was made or revoked.
    Invite(Box<Turn<Invite>>),
    /// A webhook was made, changed or ended.
    Webhook(Box<Turn<Webhook>>),
    /// An emoji was made, changed or ended.
    Emoji(Box<Turn<GuildEmoji>>),
    /// Somebody else's message was deleted.
    MessageDelete {
        /// Who wrote it.
        author_id: UserId,
        /// Where it stood.
        channel_id: ChannelId,
    },
    /// Several messages of a channel were deleted at once.
    MessagesDelete {
        /// Where they stood.
        channel_id: ChannelId,
        /// How many.
        count: u32,
    },
    /// A message was pinned, or its pin was taken away.
    Pin {
        /// Which message.
        message_id: MessageId,
        /// Who wrote it.
        author_id: UserId,
        /// Where it stands.
        channel_id: ChannelId,
        /// It is pinned now.
        is_set: bool,
    },
}

/// What an entry is about, as one word to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum DeedKind {
    GuildUpdate,
    ChannelCreate,
    ChannelUpdate,
    ChannelDelete,
    OverwriteCreate,
    OverwriteUpdate,
    OverwriteDelete,
    MemberKick,
    MemberBanAdd,
    MemberBanRemove,
    MemberUpdate,
    MemberRoleUpdate,
    BotAdd,
    RoleCreate,
    RoleUpdate,
    RoleDelete,
    InviteCreate,
    InviteUpdate,
    InviteDelete,
    WebhookCreate,
    WebhookUpdate,
    WebhookDelete,
    EmojiCreate,
    EmojiUpdate,
    EmojiDelete,
    MessageDelete,
    MessageBulkDelete,
    MessagePin,
    MessageUnpin,
}

/// Kinds that differ in whether something began, changed or ended.
type ByTurn = [DeedKind; 3];

impl<T> Turn<T> {
    /// Something was made.
    pub const fn made(after: T) -> Self {
        Self {
            before: None,
            after: Some(after),
        }
    }

    /// Something changed.
    pub fn changed(change: Change<T>) -> Self {
        Self {
            before: Some(change.before),
            after: Some(change.after),
        }
    }

    /// Something ended.
    pub const fn ended(before: T) -> Self {
        Self {
            before: Some(before),
            after: None,
        }
    }

    /// As it is, or as it was at last.
    pub fn last(&self) -> Option<&T> {
        self.after.as_ref().or(self.before.as_ref())
    }

    const fn kind(&self, [made, changed, ended]: ByTurn) -> DeedKind {
        match (&self.before, &self.after) {
            (None, _) => made,
            (Some(_), Some(_)) => changed,
            (Some(_), None) => ended,
        }
    }
}

impl Deed {
    /// Which kind of deed it is.
    pub const fn kind(&self) -> DeedKind {
        use DeedKind as K;
        match self {
            Self::Guild(_) => K::GuildUpdate,
            Self::Channel(turn) => {
                turn.kind([K::ChannelCreate, K::ChannelUpdate, K::ChannelDelete])
            }
            Self::Overwrite { turn, .. } => {
                turn.kind([K::OverwriteCreate, K::OverwriteUpdate, K::OverwriteDelete])
            }
            Self::Role(turn) => turn.kind([K::RoleCreate, K::RoleUpdate, K::RoleDelete]),
            Self::Kick(_) => K::MemberKick,
            Self::Ban(_) => K::MemberBanAdd,
            Self::Unban(_) => K::MemberBanRemove,
            Self::Member(_) => K::MemberUpdate,
            Self::MemberRoles { .. } => K::MemberRoleUpdate,
            Self::Bot(_) => K::BotAdd,
            Self::Invite(turn) => turn.kind([K::InviteCreate, K::InviteUpdate, K::InviteDelete]),
            Self::Webhook(turn) => {
                turn.kind([K::WebhookCreate, K::WebhookUpdate, K::WebhookDelete])
            }
            Self::Emoji(turn) => turn.kind([K::EmojiCreate, K::EmojiUpdate, K::EmojiDelete]),
            Self::MessageDelete { .. } => K::MessageDelete,
            Self::MessagesDelete { .. } => K::MessageBulkDelete,
            Self::Pin { is_set: true, .. } => K::MessagePin,
            Self::Pin { is_set: false, .. } => K::MessageUnpin,
        }
    }

    /// The number of what it was done to. An invite has none.
    pub fn target(&self) -> Option<u64> {
        Some(match self {
            Self::Guild(change) => change.after.id.get(),
            Self::Channel(turn) => turn.last()?.id.get(),
            Self::Overwrite { channel_id, .. } | Self::MessagesDelete { channel_id, .. } => {
                channel_id.get()
            }
            Self::Role(turn) => turn.last()?.id.get(),
            Self::Member(change) => change.after.user.id.get(),
            Self::Kick(user_id)
            | Self::Ban(user_id)
            | Self::Unban(user_id)
            | Self::MemberRoles { user_id, .. }
            | Self::Bot(user_id) => user_id.get(),
            Self::Invite(_) => return None,
            Self::Webhook(turn) => turn.last()?.id.get(),
            Self::Emoji(turn) => turn.last()?.id.get(),
            Self::MessageDelete { author_id, .. } | Self::Pin { author_id, .. } => author_id.get(),
        })
    }

    /// The user that it was done to, or whose message.
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::Kick(user_id)
            | Self::Ban(user_id)
            | Self::Unban(user_id)
            | Self::MemberRoles { user_id, .. }
            | Self::Bot(user_id) => Some(*user_id),
            Self::Member(change) => Some(change.after.user.id),
            Self::MessageDelete { author_id, .. } | Self::Pin { author_id, .. } => Some(*author_id),
            _ => None,
        }
    }
}

/// Every kind with its word.
const WORDS: &[(DeedKind, &str)] = &[
    (DeedKind::GuildUpdate, "server_update"),
    (DeedKind::ChannelCreate, "channel_create"),
    (DeedKind::ChannelUpdate, "channel_update"),
    (DeedKind::ChannelDelete, "channel_delete"),
    (DeedKind::OverwriteCreate, "overwrite_create"),
    (DeedKind::OverwriteUpdate, "overwrite_update"),
    (DeedKind::OverwriteDelete, "overwrite_delete"),
    (DeedKind::MemberKick, "member_kick"),
    (DeedKind::MemberBanAdd, "member_ban_add"),
    (DeedKind::MemberBanRemove, "member_ban_remove"),
    (DeedKind::MemberUpdate, "member_update"),
    (DeedKind::MemberRoleUpdate, "member_role_update"),
    (DeedKind::BotAdd, "bot_add"),
    (DeedKind::RoleCreate, "role_create"),
    (DeedKind::RoleUpdate, "role_update"),
    (DeedKind::RoleDelete, "role_delete"),
    (DeedKind::InviteCreate, "invite_create"),
    (DeedKind::InviteUpdate, "invite_update"),
    (DeedKind::InviteDelete, "invite_delete"),
    (DeedKind::WebhookCreate, "webhook_create"),
    (DeedKind::WebhookUpdate, "webhook_update"),
    (DeedKind::WebhookDelete, "webhook_delete"),
    (DeedKind::EmojiCreate, "emoji_create"),
    (DeedKind::EmojiUpdate, "emoji_update"),
    (DeedKind::EmojiDelete, "emoji_delete"),
    (DeedKind::MessageDelete, "message_delete"),
    (DeedKind::MessageBulkDelete, "message_bulk_delete"),
    (DeedKind::MessagePin, "message_pin"),
    (DeedKind::MessageUnpin, "message_unpin"),
];

impl DeedKind {
    /// All kinds.
    pub fn all() -> impl Iterator<Item = Self> {
        WORDS.iter().map(|(kind, _)| *kind)
    }

    /// The word that stands for it in stores and for clients of ours.
    pub fn word(self) -> &'static str {
        let found = WORDS.iter().find(|(kind, _)| *kind == self);
        found.map_or("", |(_, word)| word)
    }

    /// The kind of this word.
    pub fn parse(word: &str) -> Option<Self> {
        let found = WORDS.iter().find(|(_, known)| *known == word);
        found.map(|(kind, _)| *kind)
    }
}

/// Which entries somebody looks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Only what this user did.
    pub by: Option<UserId>,
    /// Only what was done to the thing with this number.
    pub target: Option<u64>,
    /// Only deeds of this kind.
    pub kind: Option<DeedKind>,
    /// Where the page begins.
    pub from: AuditFrom,
}

/// Where a page of entries begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuditFrom {
    /// With the newest entry, and on to older ones.
    #[default]
    Newest,
    /// Below this id, and on to older ones.
    Before(AuditEntryId),
    /// Above this id, and on to newer ones.
    After(AuditEntryId),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_word_of_its_own() {
        for kind in DeedKind::all() {
            assert_eq!(DeedKind::parse(kind.word()), Some(kind));
        }
        assert_eq!(DeedKind::parse("server_delete"), None);
        assert_eq!(DeedKind::parse(""), None);
    }

    #[test]
    fn a_turn_tells_whether_something_began_changed_or_ended() {
        let kinds = [
            DeedKind::RoleCreate,
            DeedKind::RoleUpdate,
            DeedKind::RoleDelete,
        ];
        let change = Change {
            before: 1,
            after: 2,
        };
        assert_eq!(Turn::made(1).kind(kinds), kinds[0]);
        assert_eq!(Turn::changed(change).kind(kinds), kinds[1]);
        assert_eq!(Turn::ended(1).kind(kinds), kinds[2]);
    }
}
