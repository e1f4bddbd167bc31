//! Every request to change a guild or a profile or to write into a channel, parsed and typed.
//!
//! A field that is `Option` in an update means "leave as it is" when absent; where a value can
//! be removed it is an option within.

mod channel;

use serde::{Deserialize, Serialize};

use crate::channel::{ChannelKind, Overwrite, OverwriteTarget};
use crate::id::{ApplicationId, ChannelId, EmojiId, RoleId, UserId, WebhookId};
use crate::invite::Invite;
use crate::permission::Permissions;
use crate::picture::Picture;
use crate::text::{
    ChannelName, Description, DisplayName, Email, EmojiName, GuildName, Reason, RoleName, Topic,
    Username, WebhookName,
};
use crate::time::Timestamp;
use crate::user::{Status, User};
use crate::webhook::WebhookToken;
pub use channel::{
    Allowed, AllowedMentions, AnswerRef, ChannelCommand, Draft, Edit, Given, Response,
};

/// A request to change a guild's lasting state. The acting user travels beside it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum GuildCommand {
    /// Change the guild itself.
    UpdateGuild(GuildUpdate),
    /// End the guild.
    DeleteGuild,
    /// Make a channel.
    CreateChannel(NewChannel),
    /// Change a channel.
    UpdateChannel(ChannelId, ChannelUpdate),
    /// End a channel.
    DeleteChannel(ChannelId),
    /// Put channels at these places.
    MoveChannels(Vec<ChannelMove>),
    /// Give a channel this overwrite, in place of the one that its target has.
    SetOverwrite(ChannelId, Overwrite),
    /// Take the overwrite from a channel that binds one of these.
    RemoveOverwrite(ChannelId, [OverwriteTarget; 2]),
    /// Make a role.
    CreateRole(RoleUpdate),
    /// Change a role.
    UpdateRole(RoleId, RoleUpdate),
    /// End a role.
    DeleteRole(RoleId),
    /// Put roles at these positions.
    MoveRoles(Vec<(RoleId, u16)>),
    /// Give a member exactly these roles.
    SetMemberRoles(UserId, Vec<RoleId>),
    /// Set or remove the nickname of a member; of the caller itself where the ids are equal.
    SetNick(UserId, Option<DisplayName>),
    /// Change several things about a member at once, or none of them.
    UpdateMember(UserId, MemberUpdate),
    /// Become a member.
    Join {
        /// Who joins; the acting user itself.
        user: Box<User>,
        /// The code that was shown, if any.
        code: Option<String>,
    },
    /// Bring an application's bot in.
    AddBot(Box<User>),
    /// Cease to be a member.
    Leave,
    /// Remove a member.
    Kick(UserId),
    /// Remove and keep out. The user need not be a member.
    Ban(Box<User>, Option<Reason>),
    /// Lift a ban.
    Unban(UserId),
    /// Make an invite; `code` comes from the caller's random numbers.
    CreateInvite(NewInvite),
    /// Revoke an invite.
    DeleteInvite(String),
    /// Make an emoji.
    CreateEmoji(NewEmoji),
    /// Change an emoji.
    UpdateEmoji(EmojiId, EmojiUpdate),
    /// End an emoji.
    DeleteEmoji(EmojiId),
    /// Take over a member's changed public identity.
    RefreshMember(Box<User>),
    /// Make a webhook; `token` comes from the caller's random numbers.
    CreateWebhook(NewWebhook),
    /// Change a webhook. Whoever shows its token need not be a member.
    UpdateWebhook(WebhookId, Option<WebhookToken>, WebhookUpdate),
    /// End a webhook. Whoever shows its token need not be a member.
    DeleteWebhook(WebhookId, Option<WebhookToken>),
}

/// What an emoji is made from. Its picture is stored under its id already.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in GuildEmoji")]
pub struct NewEmoji {
    pub id: EmojiId,
    pub name: EmojiName,
    pub is_animated: bool,
    pub roles: Vec<RoleId>,
}

/// What may change about an emoji.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in GuildEmoji")]
pub struct EmojiUpdate {
    pub name: Option<EmojiName>,
    pub roles: Option<Vec<RoleId>>,
}

/// What may change about a guild.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in Guild")]
pub struct GuildUpdate {
    pub name: Option<GuildName>,
    pub description: Option<Option<Description>>,
    pub icon: Option<Option<Picture>>,
    pub is_public: Option<bool>,
    pub owner_id: Option<UserId>,
}

/// What a user may change about the own profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in User and Account")]
pub struct ProfileUpdate {
    pub username: Option<Username>,
    pub display_name: Option<Option<DisplayName>>,
    pub avatar: Option<Option<Picture>>,
    pub status: Option<Status>,
    pub email: Option<Email>,
}

/// What a new channel is made from.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in Channel")]
pub struct NewChannel {
    pub name: ChannelName,
    pub kind: ChannelKind,
    pub topic: Option<Topic>,
    /// Behind all others where absent.
    pub position: Option<u16>,
    pub parent_id: Option<ChannelId>,
    /// Those of the category where empty: libraries send an empty list for none.
    pub overwrites: Vec<Overwrite>,
}

/// What may change about a channel.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in Channel")]
pub struct ChannelUpdate {
    pub name: Option<ChannelName>,
    pub topic: Option<Option<Topic>>,
    pub position: Option<u16>,
    pub parent_id: Option<Option<ChannelId>>,
    /// Whoever is not named loses its overwrite.
    pub overwrites: Option<Vec<OverwriteEdit>>,
}

/// Where a channel is to be put.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in Channel")]
pub struct ChannelMove {
    pub id: ChannelId,
    pub position: Option<u16>,
    pub parent_id: Option<Option<ChannelId>>,
    /// Takes over the overwrites of the category that it comes into.
    pub takes_overwrites: bool,
}

/// What a role is made from, or what may change about it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in Role")]
pub struct RoleUpdate {
    pub name: Option<RoleName>,
    pub color: Option<u32>,
    pub hoist: Option<bool>,
    pub mentionable: Option<bool>,
    /// The bits to change and their new values: a dialect that shows only some bits changes only
    /// those.
    pub permissions: Option<PermissionEdit>,
    pub position: Option<u16>,
}

/// What others, or a member itself, may change about a member.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in Member")]
pub struct MemberUpdate {
    pub nick: Option<Option<DisplayName>>,
    pub roles: Option<RolesEdit>,
    pub timed_out_until: Option<Option<Timestamp>>,
}

/// Which roles a member is to have.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum RolesEdit {
    /// Exactly these.
    Exactly(Vec<RoleId>),
    /// This one beside those that it has.
    Add(RoleId),
    /// Those that it has without this one.
    Remove(RoleId),
}

/// New values for some permission bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionEdit {
    /// Which bits are set anew.
    pub mask: Permissions,
    /// Their values.
    pub bits: Permissions,
}

impl PermissionEdit {
    /// The edit after which exactly these bits are set.
    pub const fn exactly(bits: Permissions) -> Self {
        Self {
            mask: Permissions::all(),
            bits,
        }
    }

    /// The set after the edit.
    pub fn apply(self, before: Permissions) -> Permissions {
        (before - self.mask) | (self.bits & self.mask)
    }
}

/// New values for some bits of the overwrite that somebody has, or is to get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverwriteEdit {
    /// Whom it binds.
    pub target: OverwriteTarget,
    /// Bits that are granted.
    pub allow: PermissionEdit,
    /// Bits that are taken.
    pub deny: PermissionEdit,
}

impl OverwriteEdit {
    /// The overwrite after the edit, of a channel that had these before.
    pub fn apply(&self, before: &[Overwrite]) -> Overwrite {
        let stood = before.iter().find(|old| old.target == self.target);
        let bits = |part: fn(&Overwrite) -> Permissions| stood.map_or(Permissions::empty(), part);
        Overwrite {
            target: self.target,
            allow: self.allow.apply(bits(|old| old.allow)),
            deny: self.deny.apply(bits(|old| old.deny)),
        }
    }
}

impl From<Overwrite> for OverwriteEdit {
    fn from(overwrite: Overwrite) -> Self {
        Self {
            target: overwrite.target,
            allow: PermissionEdit::exactly(overwrite.allow),
            deny: PermissionEdit::exactly(overwrite.deny),
        }
    }
}

/// What a new invite is made from.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in Invite")]
pub struct NewInvite {
    pub code: String,
    /// The first channel that the caller can see where absent.
    pub channel_id: Option<ChannelId>,
    pub max_uses: u32,
    pub max_age_s: u32,
    pub temporary: bool,
}

/// What a new webhook is made from. Its picture is stored under its id already.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in Webhook")]
pub struct NewWebhook {
    pub id: WebhookId,
    pub channel_id: ChannelId,
    pub name: WebhookName,
    pub avatar: Option<Picture>,
    pub token: WebhookToken,
    pub application_id: Option<ApplicationId>,
}

/// What may change about a webhook.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in Webhook")]
pub struct WebhookUpdate {
    pub name: Option<WebhookName>,
    pub avatar: Option<Option<Picture>>,
    pub channel_id: Option<ChannelId>,
}

/// An invite as its code shows it to somebody who is not a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvitePreview {
    /// The invite.
    pub invite: Invite,
    /// The guild's name.
    pub guild_name: String,
    /// How many members it has.
    pub member_count: u32,
}
