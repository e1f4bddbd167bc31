//! Entries of servers' audit logs.

use guildhall_model::audit::{AuditEntry as Entry, Deed};
use guildhall_model::channel::Overwrite;
use guildhall_model::emoji::GuildEmoji;
use guildhall_model::guild::Guild;
use guildhall_model::invite::Invite;
use guildhall_model::member::Member;
use guildhall_model::role::Role;
use guildhall_model::webhook::Webhook;
use guildhall_model::{GuildId, Id, RoleId, channel};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::channel::{self as shown, ChannelType};
use super::permission::NativePermissions;
use super::role::Color;
use crate::facets::{Differing, Facets, facet, of_change, of_turn, stated};
use crate::id::{Spelling, UuidText};
use crate::installation::Installation;
use crate::time::Utc;

/// Something that somebody who manages the server did.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AuditEntry {
    id: UuidText,
    /// What was done, such as `role_update`.
    action: &'static str,
    /// Who did it.
    user_id: UuidText,
    /// What it was done to, or whose message; an invite has no id.
    #[schema(required)]
    target_id: Option<UuidText>,
    changes: Vec<FieldChange>,
    #[schema(required)]
    reason: Option<String>,
    created_at: Utc,
}

/// GUILD_AUDIT_LOG_ENTRY_CREATE.
#[derive(Serialize)]
pub(crate) struct AuditEntryCreate {
    server_id: UuidText,
    #[serde(flatten)]
    entry: AuditEntry,
}

impl AuditEntryCreate {
    pub(crate) fn new(guild: GuildId, entry: &Entry, installation: &Installation) -> Self {
        Self {
            server_id: installation.spelling.uuid(guild),
            entry: AuditEntry::new(entry, installation),
        }
    }
}

/// A field before and after.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FieldChange {
    field: &'static str,
    /// `null` where there was nothing.
    #[schema(required)]
    before: Option<Value>,
    /// `null` where there is nothing any more.
    #[schema(required)]
    after: Option<Value>,
}

impl AuditEntry {
    /// The entry as those see it who may read the log.
    pub fn new(entry: &Entry, installation: &Installation) -> Self {
        let spelling = &installation.spelling;
        let target = entry.deed.target().and_then(Id::<()>::new);
        let changes = changes(&entry.deed, installation).into_iter();
        Self {
            id: spelling.uuid(entry.id),
            action: entry.deed.kind().word(),
            user_id: spelling.uuid(entry.by),
            target_id: target.map(|target| spelling.uuid(target)),
            changes: changes.map(FieldChange::new).collect(),
            reason: entry.reason.clone(),
            created_at: Utc(entry.id.created_at()),
        }
    }
}

impl FieldChange {
    fn new(differing: Differing) -> Self {
        Self {
            field: differing.name,
            before: differing.before,
            after: differing.after,
        }
    }
}

fn changes(deed: &Deed, installation: &Installation) -> Vec<Differing> {
    let spelling = &installation.spelling;
    match deed {
        Deed::Guild(change) => of_change(change, |it| server(it, installation)),
        Deed::Channel(turn) => of_turn(turn, |it| channel(it, spelling)),
        Deed::Overwrite { turn, .. } => of_turn(turn, |it| overwrite(it, spelling)),
        Deed::Role(turn) => of_turn(turn, role),
        Deed::Member(change) => of_change(change, member),
        Deed::MemberRoles { added, removed, .. } => {
            let ids = |roles: &[(RoleId, String)]| {
                let ids = roles.iter().map(|(id, _)| spelling.uuid(*id));
                ids.collect::<Vec<_>>()
            };
            stated(vec![
                facet("roles_added", ids(added)),
                facet("roles_removed", ids(removed)),
            ])
        }
        Deed::Invite(turn) => of_turn(turn, |it| invite(it, spelling)),
        Deed::Webhook(turn) => of_turn(turn, |it| webhook(it, spelling)),
        Deed::Emoji(turn) => of_turn(turn, |it| emoji(it, spelling)),
        Deed::Kick(_) | Deed::Ban(_) | Deed::Unban(_) | Deed::Bot(_) => Vec::new(),
        Deed::MessageDelete { channel_id, .. } => {
            stated(vec![facet("channel_id", spelling.uuid(*channel_id))])
        }
        Deed::MessagesDelete { count, .. } => stated(vec![facet("count", count)]),
        Deed::Pin {
            message_id,
            channel_id,
            ..
        } => stated(vec![
            facet("message_id", spelling.uuid(*message_id)),
            facet("channel_id", spelling.uuid(*channel_id)),
        ]),
    }
}

fn server(guild: &Guild, installation: &Installation) -> Facets {
    let Installation { spelling, urls } = installation;
    let icon = guild.icon.as_ref();
    vec![
        facet("name", &guild.name),
        facet("description", &guild.description),
        facet("icon_url", icon.map(|picture| urls.icon(guild.id, picture))),
        facet("is_public", guild.is_public),
        facet("owner_id", spelling.uuid(guild.owner_id)),
    ]
}

fn channel(channel: &channel::Channel, spelling: &Spelling) -> Facets {
    vec![
        facet("name", &channel.name),
        facet("type", ChannelType::from(channel.kind)),
        facet("topic", &channel.topic),
        facet("position", channel.position),
        facet("parent_id", channel.parent_id.map(|id| spelling.uuid(id))),
    ]
}

fn overwrite(overwrite: &Overwrite, spelling: &Spelling) -> Facets {
    let shown = shown::Overwrite::new(overwrite, spelling);
    vec![
        facet("id", shown.id),
        facet("type", shown.r#type),
        facet("allow", shown.allow),
        facet("deny", shown.deny),
    ]
}

fn role(role: &Role) -> Facets {
    vec![
        facet("name", &role.name),
        facet("color", Color(role.color)),
        facet(
            "permissions_bitmask",
            NativePermissions::of(role.permissions),
        ),
        facet("position", role.position),
        facet("hoist", role.hoist),
        facet("mentionable", role.mentionable),
    ]
}

fn member(member: &Member) -> Facets {
    vec![
        facet("nickname", &member.nick),
        facet("timed_out_until", member.timed_out_until.map(Utc)),
    ]
}

fn invite(invite: &Invite, spelling: &Spelling) -> Facets {
    vec![
        facet("code", &invite.code),
        facet("channel_id", spelling.uuid(invite.channel_id)),
        facet("max_uses", invite.max_uses),
        facet("max_age", invite.max_age_s),
        facet("temporary", invite.temporary),
    ]
}

fn webhook(webhook: &Webhook, spelling: &Spelling) -> Facets {
    vec![
        facet("name", &webhook.name),
        facet("channel_id", spelling.uuid(webhook.channel_id)),
    ]
}

fn emoji(emoji: &GuildEmoji, spelling: &Spelling) -> Facets {
    let roles = emoji.roles.iter().map(|&role| spelling.uuid(role));
    vec![
        facet("name", &emoji.name),
        facet("roles", roles.collect::<Vec<_>>()),
    ]
}
