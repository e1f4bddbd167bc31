//! Audit logs: entries with what changed, and the payload of GUILD_AUDIT_LOG_ENTRY_CREATE.
//! <https://discord.com/developers/docs/resources/audit-log>

use guildhall_model::audit::{AuditEntry, Deed, DeedKind};
use guildhall_model::channel::{Channel, Overwrite, OverwriteTarget};
use guildhall_model::emoji::GuildEmoji;
use guildhall_model::guild::Guild;
use guildhall_model::invite::Invite;
use guildhall_model::member::Member;
use guildhall_model::picture::{Picture, PictureHash};
use guildhall_model::role::Role;
use guildhall_model::{GuildId, RoleId, id, user, webhook};
use serde::Serialize;
use serde_json::Value;

use super::channel::{self, ChannelType};
use super::user::User;
use super::webhook::Webhook;
use super::{Bits, NoList, Shown};
use crate::facets::{Differing, Facets, facet, of_change, of_turn, stated};
use crate::id::Decimal;
use crate::time::Iso8601;

/// Discord's numbers of what entries are about.
const ACTION_TYPES: &[(DeedKind, u16)] = &[
    (DeedKind::GuildUpdate, 1),
    (DeedKind::ChannelCreate, 10),
    (DeedKind::ChannelUpdate, 11),
    (DeedKind::ChannelDelete, 12),
    (DeedKind::OverwriteCreate, 13),
    (DeedKind::OverwriteUpdate, 14),
    (DeedKind::OverwriteDelete, 15),
    (DeedKind::MemberKick, 20),
    (DeedKind::MemberBanAdd, 22),
    (DeedKind::MemberBanRemove, 23),
    (DeedKind::MemberUpdate, 24),
    (DeedKind::MemberRoleUpdate, 25),
    (DeedKind::BotAdd, 28),
    (DeedKind::RoleCreate, 30),
    (DeedKind::RoleUpdate, 31),
    (DeedKind::RoleDelete, 32),
    (DeedKind::InviteCreate, 40),
    (DeedKind::InviteUpdate, 41),
    (DeedKind::InviteDelete, 42),
    (DeedKind::WebhookCreate, 50),
    (DeedKind::WebhookUpdate, 51),
    (DeedKind::WebhookDelete, 52),
    (DeedKind::EmojiCreate, 60),
    (DeedKind::EmojiUpdate, 61),
    (DeedKind::EmojiDelete, 62),
    (DeedKind::MessageDelete, 72),
    (DeedKind::MessageBulkDelete, 73),
    (DeedKind::MessagePin, 74),
    (DeedKind::MessageUnpin, 75),
];

/// The number of a kind of deed.
fn action_type(kind: DeedKind) -> u16 {
    let found = ACTION_TYPES.iter().find(|(known, _)| *known == kind);
    found.map_or(0, |(_, number)| *number)
}

/// The kind of deed with this number, if there can be any here.
pub fn deed_kind(action_type: u16) -> Option<DeedKind> {
    let found = ACTION_TYPES
        .iter()
        .find(|(_, number)| *number == action_type);
    found.map(|(kind, _)| *kind)
}

/// A page of an audit log, with those whom its entries name.
#[derive(Serialize)]
pub struct AuditLog<'a> {
    #[serde(rename = "audit_log_entries")]
    entries: Vec<Entry>,
    users: Vec<User<'a>>,
    webhooks: Vec<Webhook<'a>>,
    application_commands: NoList,
    auto_moderation_rules: NoList,
    guild_scheduled_events: NoList,
    integrations: NoList,
    threads: NoList,
}

/// An entry.
#[derive(Serialize)]
struct Entry {
    id: Decimal<id::kind::AuditEntry>,
    action_type: u16,
    user_id: Decimal<id::kind::User>,
    target_id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<Changed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<Options>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Serialize)]
struct Changed {
    key: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_value: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_value: Option<Value>,
}

/// What an entry says beside its target and changes; numbers are texts here.
#[derive(Default, Serialize)]
struct Options {
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_name: Option<String>,
}

/// GUILD_AUDIT_LOG_ENTRY_CREATE.
#[derive(Serialize)]
pub(crate) struct EntryCreate {
    guild_id: Decimal<id::kind::Guild>,
    #[serde(flatten)]
    entry: Entry,
}

impl<'a> AuditLog<'a> {
    /// The entries with the users and webhooks that they name, as far as those still exist.
    pub fn new(
        entries: &[AuditEntry],
        users: &'a [user::User],
        webhooks: impl IntoIterator<Item = &'a webhook::Webhook>,
    ) -> Self {
        Self {
            entries: entries.iter().map(Entry::new).collect(),
            users: users.iter().map(User::new).collect(),
            webhooks: webhooks
                .into_iter()
                .map(|webhook| Webhook::new(webhook, None))
                .collect(),
            application_commands: [],
            auto_moderation_rules: [],
            guild_scheduled_events: [],
            integrations: [],
            threads: [],
        }
    }
}

impl EntryCreate {
    pub(crate) fn new(guild: GuildId, entry: &AuditEntry) -> Self {
        Self {
            guild_id: Decimal(guild),
            entry: Entry::new(entry),
        }
    }
}

impl Entry {
    fn new(entry: &AuditEntry) -> Self {
        let changes = changes(&entry.deed).into_iter();
        Self {
            id: Decimal(entry.id),
            action_type: action_type(entry.deed.kind()),
            user_id: Decimal(entry.by),
            target_id: entry.deed.target().map(|target| target.to_string()),
            changes: changes.map(Changed::new).collect(),
            options: options(&entry.deed),
            reason: entry.reason.clone(),
        }
    }
}

impl Changed {
    fn new(differing: Differing) -> Self {
        Self {
            key: differing.name,
            new_value: differing.after,
            old_value: differing.before,
        }
    }
}

fn changes(deed: &Deed) -> Vec<Differing> {
    match deed {
        Deed::Guild(change) => of_change(change, guild),
        Deed::Channel(turn) => {
            // Overwrites that change have entries of their own.
            let is_change = turn.before.is_some() && turn.after.is_some();
            let mut all = of_turn(turn, channel);
            all.retain(|one| !(is_change && one.name == "permission_overwrites"));
            all
        }
        Deed::Overwrite { turn, .. } => of_turn(turn, overwrite),
        Deed::Role(turn) => of_turn(turn, role),
        Deed::Member(change) => of_change(change, member),
        Deed::MemberRoles { added, removed, .. } => stated(
            [("$add", added), ("$remove", removed)]
                .into_iter()
                .filter(|(_, roles)| !roles.is_empty())
                .map(|(name, roles)| facet(name, named(roles)))
                .collect(),
        ),
        Deed::Invite(turn) => of_turn(turn, invite),
        Deed::Webhook(turn) => of_turn(turn, webhook),
        Deed::Emoji(turn) => of_turn(turn, emoji),
        Deed::Kick(_)
        | Deed::Ban(_)
        | Deed::Unban(_)
        | Deed::Bot(_)
        | Deed::MessageDelete { .. }
        | Deed::MessagesDelete { .. }
        | Deed::Pin { .. } => Vec::new(),
    }
}

fn options(deed: &Deed) -> Option<Options> {
    Some(match deed {
        Deed::Overwrite { role, turn, .. } => {
            let (id, kind) = match turn.last()?.target {
                OverwriteTarget::Role(role) => (role.to_string(), "0"),
                OverwriteTarget::Member(user) => (user.to_string(), "1"),
            };
            Options {
                id: Some(id),
                r#type: Some(kind.to_owned()),
                role_name: role.clone(),
                ..Options::default()
            }
        }
        Deed::MessageDelete { channel_id, .. } => Options {
            channel_id: Some(channel_id.to_string()),
            count: Some("1".to_owned()),
            ..Options::default()
        },
        Deed::MessagesDelete { count, .. } => Options {
            count: Some(count.to_string()),
            ..Options::default()
        },
        Deed::Pin {
            channel_id,
            message_id,
            ..
        } => Options {
            channel_id: Some(channel_id.to_string()),
            message_id: Some(message_id.to_string()),
            ..Options::default()
        },
        _ => return None,
    })
}

fn guild(guild: &Guild) -> Facets {
    vec![
        facet("name", &guild.name),
        facet("description", &guild.description),
        facet("icon_hash", hash(guild.icon.as_ref())),
        facet("owner_id", Decimal(guild.owner_id)),
    ]
}

/// The name of a picture of ours.
fn hash(picture: Option<&Picture>) -> Option<Shown<PictureHash>> {
    picture.and_then(Picture::hash).map(Shown)
}

fn channel(channel: &Channel) -> Facets {
    vec![
        facet("name", &channel.name),
        facet("type", ChannelType::of(channel.kind)),
        facet("topic", &channel.topic),
        facet("position", channel.position),
        facet("parent_id", channel.parent_id.map(Decimal)),
        facet("permission_overwrites", channel::overwrites(channel)),
    ]
}

fn overwrite(overwrite: &Overwrite) -> Facets {
    let (id, kind) = match overwrite.target {
        OverwriteTarget::Role(role) => (role.to_string(), 0),
        OverwriteTarget::Member(user) => (user.to_string(), 1),
    };
    vec![
        facet("id", id),
        facet("type", kind),
        facet("allow", Bits(overwrite.allow)),
        facet("deny", Bits(overwrite.deny)),
    ]
}

fn role(role: &Role) -> Facets {
    vec![
        facet("name", &role.name),
        facet("color", role.color),
        facet("hoist", role.hoist),
        facet("mentionable", role.mentionable),
        facet("permissions", Bits(role.permissions)),
        facet("position", role.position),
    ]
}

fn member(member: &Member) -> Facets {
    vec![
        facet("nick", &member.nick),
        facet(
            "communication_disabled_until",
            member.timed_out_until.map(Iso8601),
        ),
    ]
}

fn invite(invite: &Invite) -> Facets {
    vec![
        facet("code", &invite.code),
        facet("channel_id", Decimal(invite.channel_id)),
        facet("inviter_id", Decimal(invite.inviter_id)),
        facet("max_uses", invite.max_uses),
        facet("uses", invite.uses),
        facet("max_age", invite.max_age_s),
        facet("temporary", invite.temporary),
    ]
}

fn webhook(webhook: &webhook::Webhook) -> Facets {
    vec![
        facet("name", &webhook.name),
        facet("type", super::webhook::TYPE_INCOMING),
        facet("channel_id", Decimal(webhook.channel_id)),
        facet("avatar_hash", hash(webhook.avatar.as_ref())),
    ]
}

fn emoji(emoji: &GuildEmoji) -> Facets {
    vec![facet("name", &emoji.name)]
}

/// A role that was given or taken away.
#[derive(Serialize)]
struct NamedRole<'a> {
    id: Decimal<id::kind::Role>,
    name: &'a str,
}

fn named(roles: &[(RoleId, String)]) -> Vec<NamedRole<'_>> {
    roles
        .iter()
        .map(|(id, name)| NamedRole {
            id: Decimal(*id),
            name,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_deed_has_a_number_of_its_own() {
        for kind in DeedKind::all() {
            assert_eq!(deed_kind(action_type(kind)), Some(kind), "{kind:?}");
        }
        assert_eq!(deed_kind(0), None);
        assert_eq!(deed_kind(110), None);
    }
}
