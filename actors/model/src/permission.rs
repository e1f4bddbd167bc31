//! Permission bits and the one function that resolves them.
//!
//! The set is Discord's; the native dialect's numbers are a lens over it in `gateway/wire`.
//! Order of resolution: <https://discord.com/developers/docs/topics/permissions>

use serde::{Deserialize, Serialize};

use crate::channel::{Overwrite, OverwriteTarget};
use crate::id::{RoleId, UserId};

bitflags::bitflags! {
    /// What somebody may do. Unknown bits survive a round trip: clients may be newer than we are.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(transparent)]
    pub struct Permissions: u64 {
        /// Make invites.
        const CREATE_INSTANT_INVITE = 1 << 0;
        /// Remove members, who may come back.
        const KICK_MEMBERS = 1 << 1;
        /// Remove members for good.
        const BAN_MEMBERS = 1 << 2;
        /// Everything, overwrites notwithstanding.
        const ADMINISTRATOR = 1 << 3;
        /// Make, change and delete channels.
        const MANAGE_CHANNELS = 1 << 4;
        /// Change the guild itself.
        const MANAGE_GUILD = 1 << 5;
        /// Be the first to give an emoji to a message.
        const ADD_REACTIONS = 1 << 6;
        /// Read the audit log.
        const VIEW_AUDIT_LOG = 1 << 7;
        /// Speak above others.
        const PRIORITY_SPEAKER = 1 << 8;
        /// Share a screen or camera.
        const STREAM = 1 << 9;
        /// See a channel, its messages included.
        const VIEW_CHANNEL = 1 << 10;
        /// Post messages.
        const SEND_MESSAGES = 1 << 11;
        /// Have messages read aloud.
        const SEND_TTS_MESSAGES = 1 << 12;
        /// Delete others' messages and reactions.
        const MANAGE_MESSAGES = 1 << 13;
        /// Links get previews.
        const EMBED_LINKS = 1 << 14;
        /// Post files.
        const ATTACH_FILES = 1 << 15;
        /// Read what was posted before.
        const READ_MESSAGE_HISTORY = 1 << 16;
        /// Use `@everyone`, `@here` and any role's name.
        const MENTION_EVERYONE = 1 << 17;
        /// Use emoji of other guilds.
        const USE_EXTERNAL_EMOJIS = 1 << 18;
        /// Join calls.
        const CONNECT = 1 << 20;
        /// Speak in calls.
        const SPEAK = 1 << 21;
        /// Mute others in calls.
        const MUTE_MEMBERS = 1 << 22;
        /// Deafen others in calls.
        const DEAFEN_MEMBERS = 1 << 23;
        /// Move others between calls.
        const MOVE_MEMBERS = 1 << 24;
        /// Speak without a key.
        const USE_VAD = 1 << 25;
        /// Change the own nickname.
        const CHANGE_NICKNAME = 1 << 26;
        /// Change others' nicknames.
        const MANAGE_NICKNAMES = 1 << 27;
        /// Make, change, delete and assign roles below the own highest.
        const MANAGE_ROLES = 1 << 28;
        /// Manage webhooks.
        const MANAGE_WEBHOOKS = 1 << 29;
        /// Change and delete others' emojis.
        const MANAGE_GUILD_EXPRESSIONS = 1 << 30;
        /// Use application commands.
        const USE_APPLICATION_COMMANDS = 1 << 31;
        /// Time members out.
        const MODERATE_MEMBERS = 1 << 40;
        /// Make emojis, and change and delete the own ones.
        const CREATE_GUILD_EXPRESSIONS = 1 << 43;
        /// Pin messages and take pins away.
        const PIN_MESSAGES = 1 << 51;

        const _ = !0;
    }
}

impl Permissions {
    /// Every bit that is defined, as the owner and administrators have it.
    pub const EVERYTHING: Self = Self::from_bits_retain((1 << 53) - 1);
    /// What `@everyone` may do in a new guild.
    pub const DEFAULT: Self = Self::CREATE_INSTANT_INVITE
        .union(Self::ADD_REACTIONS)
        .union(Self::STREAM)
        .union(Self::VIEW_CHANNEL)
        .union(Self::SEND_MESSAGES)
        .union(Self::EMBED_LINKS)
        .union(Self::ATTACH_FILES)
        .union(Self::READ_MESSAGE_HISTORY)
        .union(Self::USE_EXTERNAL_EMOJIS)
        .union(Self::CONNECT)
        .union(Self::SPEAK)
        .union(Self::USE_VAD)
        .union(Self::CHANGE_NICKNAME)
        .union(Self::USE_APPLICATION_COMMANDS);
    /// All that is left to a member who is timed out.
    pub const TIMED_OUT: Self = Self::VIEW_CHANNEL.union(Self::READ_MESSAGE_HISTORY);
}

/// What a member brings to the question what it may do.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// The member.
    pub user_id: UserId,
    /// Owns the guild.
    pub is_owner: bool,
    /// May only look at present.
    pub is_timed_out: bool,
    /// The guild's `@everyone` role.
    pub everyone: RoleId,
    /// The member's other roles, sorted by id.
    pub roles: &'a [RoleId],
    /// What `@everyone` and the member's roles grant together.
    pub base: Permissions,
}

impl Standing<'_> {
    /// What the member may do in the guild as a whole.
    pub fn in_guild(&self) -> Permissions {
        if self.is_owner || self.base.contains(Permissions::ADMINISTRATOR) {
            return Permissions::EVERYTHING;
        }
        self.restrict(self.base)
    }

    /// What the member may do in a channel with these overwrites.
    pub fn in_channel(&self, overwrites: &[Overwrite]) -> Permissions {
        if self.is_owner || self.base.contains(Permissions::ADMINISTRATOR) {
            return Permissions::EVERYTHING;
        }
        let mut roles = (Permissions::empty(), Permissions::empty());
        let mut everyone = roles;
        let mut member = roles;
        for overwrite in overwrites {
            let into = match overwrite.target {
                OverwriteTarget::Role(role) if role == self.everyone => &mut everyone,
                OverwriteTarget::Role(role) if self.roles.binary_search(&role).is_ok() => {
                    &mut roles
                }
                OverwriteTarget::Member(user) if user == self.user_id => &mut member,
                _ => continue,
            };
            // Of several roles all denials come first, then all grants: their order never matters.
            into.0 |= overwrite.allow;
            into.1 |= overwrite.deny;
        }
        let mut held = self.base;
        for (allow, deny) in [everyone, roles, member] {
            held = (held - deny) | allow;
        }
        if !held.contains(Permissions::VIEW_CHANNEL) {
            return Permissions::empty();
        }
        self.restrict(held)
    }

    fn restrict(&self, held: Permissions) -> Permissions {
        if self.is_timed_out {
            held & Permissions::TIMED_OUT
        } else {
            held
        }
    }
}

#[cfg(test)]
mod tests;
