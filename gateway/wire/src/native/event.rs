//! Bodies of dispatches in the native dialect.

mod messages;

use bytes::Bytes;
use guildhall_model::GuildId;
use guildhall_model::dispatch as model;
use guildhall_model::dispatch::Dispatch;
use guildhall_model::event::{Event, Founding, Record, RoleEnd};
use guildhall_model::guild::{Guild, GuildSnapshot};
use guildhall_model::member;
use guildhall_model::webhook::Webhook;
use serde::Serialize;

use super::audit::AuditEntryCreate;
use super::channel::{Channel, DirectChannel};
use super::emoji::ServerEmoji;
use super::interaction;
use super::invite::Invite;
use super::member::{Ban, Member};
use super::role::Role;
use super::server::Server;
use super::user::User;
use super::volatile::{ChannelInfo, Presence, SoundboardSounds, TypingStart};
use crate::dispatch::{EncodeError, Look, guild_of, write};
use crate::id::{Spelling, UuidText};
use crate::installation::Installation;
use crate::time::Utc;

pub(crate) fn body(
    dispatch: &Dispatch,
    look: Look,
    installation: &Installation,
) -> Result<Bytes, EncodeError> {
    let spelling = &installation.spelling;
    match dispatch {
        Dispatch::Ready(ready) => write(look, &Ready::new(ready, installation)),
        Dispatch::GuildAvailable(snapshot) => {
            write(look, &ServerCreate::available(snapshot, installation))
        }
        Dispatch::GuildGone(id) => write(look, &gone(*id, spelling)),
        Dispatch::ChannelShown(channel) | Dispatch::ChannelHidden(channel) => {
            write(look, &Channel::new(channel, spelling))
        }
        Dispatch::MembersChunk(chunk) => write(look, &MembersChunk::new(chunk, installation)),
        Dispatch::Presence {
            guild_id,
            user_id,
            appearance,
        } => {
            let body = Presence::new(Some(*guild_id), *user_id, *appearance, spelling);
            write(look, &body)
        }
        Dispatch::Typing(typing) => write(look, &TypingStart::new(typing, installation)),
        Dispatch::Sounds(guild) => write(look, &SoundboardSounds::new(*guild, spelling)),
        Dispatch::ChannelInfo(guild) => write(look, &ChannelInfo::new(*guild, spelling)),
        Dispatch::Event(record) => event_body(record, look, installation),
    }
}

fn event_body(
    record: &Record,
    look: Look,
    installation: &Installation,
) -> Result<Bytes, EncodeError> {
    let spelling = &installation.spelling;
    match &record.event {
        Event::GuildCreated(founding) => {
            write(look, &ServerCreate::founded(founding, installation))
        }
        Event::GuildUpdated(change) => write(
            look,
            &Server::new(&change.after, change.member_count, installation),
        ),
        Event::GuildDeleted => write(look, &gone(guild_of(record)?, spelling)),
        Event::ChannelCreated(channel) | Event::ChannelDeleted(channel) => {
            write(look, &Channel::new(channel, spelling))
        }
        Event::ChannelUpdated(change) => write(look, &Channel::new(&change.after, spelling)),
        Event::RoleCreated(role) => write(look, &Role::new(role, spelling)),
        Event::RoleUpdated(change) => write(look, &Role::new(&change.after, spelling)),
        Event::RoleDeleted(end) => write(look, &RoleDelete::new(end, spelling)),
        Event::InteractionCreated(_) | Event::InteractionAcknowledged { .. } => {
            interaction::body(&record.event, look, installation)
        }
        Event::MessageCreated(_)
        | Event::MessageUpdated(_)
        | Event::MessageDeleted { .. }
        | Event::MessagesDeleted { .. }
        | Event::PinsChanged { .. }
        | Event::ReactionsCleared { .. }
        | Event::ReactionAdded(_)
        | Event::ReactionRemoved(_) => messages::body(&record.event, look, installation),
        Event::DirectOpened { channel, users } => write(
            look,
            &DirectChannel::new(channel, users.iter(), installation),
        ),
        Event::UserUpdated { user, email } => {
            write(look, &User::own(user, email.as_deref(), installation))
        }
        Event::InviteCreated(invite) => write(look, &Invite::new(invite, spelling)),
        Event::InviteDeleted(invite) => write(look, &InviteDelete::new(invite, spelling)),
        Event::WebhookCreated(webhook) | Event::WebhookDeleted(webhook) => {
            write(look, &WebhooksUpdate::new(webhook, spelling))
        }
        Event::WebhookUpdated(change) => write(look, &WebhooksUpdate::new(&change.after, spelling)),
        Event::EmojisChanged(changed) => {
            let server_id = spelling.uuid(guild_of(record)?);
            let emojis = ServerEmoji::list(&changed.emojis, installation);
            write(look, &EmojisUpdate { server_id, emojis })
        }
        Event::Audited(entry) => write(
            look,
            &AuditEntryCreate::new(guild_of(record)?, entry, installation),
        ),
        Event::MemberJoined { member, .. } => member_body(record, member, look, installation),
        Event::MemberUpdated(change) => member_body(record, &change.after, look, installation),
        Event::MemberRemoved { member, .. } => write(
            look,
            &MemberRemove {
                server_id: spelling.uuid(guild_of(record)?),
                user: User::new(&member.user, installation),
            },
        ),
        Event::BanAdded(ban) | Event::BanRemoved(ban) => {
            write(look, &BanChange::new(guild_of(record)?, ban, installation))
        }
    }
}

fn member_body(
    record: &Record,
    member: &member::Member,
    look: Look,
    installation: &Installation,
) -> Result<Bytes, EncodeError> {
    write(look, &Member::new(guild_of(record)?, member, installation))
}

fn gone(id: GuildId, spelling: &Spelling) -> ServerRef {
    ServerRef {
        id: spelling.uuid(id),
        unavailable: false,
    }
}

#[derive(Serialize)]
struct ServerRef {
    id: UuidText,
    unavailable: bool,
}

#[derive(Serialize)]
struct Ready<'a> {
    v: u8,
    user: User<'a>,
    session_id: &'a str,
    resume_gateway_url: &'a str,
    /// One GUILD_CREATE follows for each.
    servers: Vec<ServerRef>,
    direct_channels: Vec<DirectChannel<'a>>,
    shard: Option<[u32; 2]>,
    application_id: Option<UuidText>,
}

impl<'a> Ready<'a> {
    fn new(ready: &'a model::Ready, installation: &'a Installation) -> Self {
        let spelling = &installation.spelling;
        Self {
            v: 10,
            user: User::own(&ready.user, ready.email.as_deref(), installation),
            session_id: &ready.session_id,
            resume_gateway_url: &ready.resume_url,
            servers: ready
                .guilds
                .iter()
                .map(|&id| ServerRef {
                    id: spelling.uuid(id),
                    unavailable: true,
                })
                .collect(),
            direct_channels: ready
                .direct_channels
                .iter()
                .map(|(channel, other)| DirectChannel::new(channel, [other], installation))
                .collect(),
            shard: ready.shard.map(|shard| [shard.index, shard.count]),
            application_id: ready.application.map(|(id, _)| spelling.uuid(id)),
        }
    }
}

/// A server with what its new reader needs to show it.
#[derive(Serialize)]
struct ServerCreate<'a> {
    #[serde(flatten)]
    server: Server<'a>,
    /// When the reader joined.
    joined_at: Option<Utc>,
    roles: Vec<Role<'a>>,
    channels: Vec<Channel<'a>>,
    members: Vec<Member<'a>>,
    emojis: Vec<ServerEmoji<'a>>,
    /// `members` holds only some of them.
    large: bool,
}

impl<'a> ServerCreate<'a> {
    fn available(snapshot: &'a GuildSnapshot, installation: &'a Installation) -> Self {
        let spelling = &installation.spelling;
        let me = snapshot
            .members
            .iter()
            .find(|member| member.user.id == snapshot.me);
        Self {
            roles: snapshot
                .roles
                .iter()
                .map(|role| Role::new(role, spelling))
                .collect(),
            channels: snapshot
                .channels
                .iter()
                .map(|channel| Channel::new(channel, spelling))
                .collect(),
            members: snapshot
                .members
                .iter()
                .map(|member| Member::new(snapshot.guild.id, member, installation))
                .collect(),
            emojis: ServerEmoji::list(&snapshot.emojis, installation),
            large: snapshot.large,
            ..Self::empty(&snapshot.guild, snapshot.member_count, me, installation)
        }
    }

    fn founded(founding: &'a Founding, installation: &'a Installation) -> Self {
        let spelling = &installation.spelling;
        Self {
            roles: vec![Role::new(&founding.everyone, spelling)],
            channels: vec![Channel::new(&founding.channel, spelling)],
            members: vec![Member::new(
                founding.guild.id,
                &founding.owner,
                installation,
            )],
            ..Self::empty(&founding.guild, 1, Some(&founding.owner), installation)
        }
    }

    fn empty(
        guild: &'a Guild,
        member_count: u32,
        me: Option<&member::Member>,
        installation: &'a Installation,
    ) -> Self {
        Self {
            server: Server::new(guild, member_count, installation),
            joined_at: me.map(|member| Utc(member.joined_at)),
            roles: Vec::new(),
            channels: Vec::new(),
            members: Vec::new(),
            emojis: Vec::new(),
            large: false,
        }
    }
}

#[derive(Serialize)]
struct EmojisUpdate<'a> {
    server_id: UuidText,
    emojis: Vec<ServerEmoji<'a>>,
}

#[derive(Serialize)]
struct RoleDelete {
    id: UuidText,
    server_id: UuidText,
}

impl RoleDelete {
    fn new(end: &RoleEnd, spelling: &Spelling) -> Self {
        Self {
            id: spelling.uuid(end.role.id),
            server_id: spelling.uuid(end.role.guild_id),
        }
    }
}

#[derive(Serialize)]
struct InviteDelete<'a> {
    code: &'a str,
    server_id: UuidText,
    channel_id: UuidText,
}

impl<'a> InviteDelete<'a> {
    fn new(invite: &'a guildhall_model::invite::Invite, spelling: &Spelling) -> Self {
        Self {
            code: &invite.code,
            server_id: spelling.uuid(invite.guild_id),
            channel_id: spelling.uuid(invite.channel_id),
        }
    }
}

/// Something about the webhooks of a channel is different now.
#[derive(Serialize)]
struct WebhooksUpdate {
    server_id: UuidText,
    channel_id: UuidText,
}

impl WebhooksUpdate {
    fn new(webhook: &Webhook, spelling: &Spelling) -> Self {
        Self {
            server_id: spelling.uuid(webhook.guild_id),
            channel_id: spelling.uuid(webhook.channel_id),
        }
    }
}

#[derive(Serialize)]
struct MemberRemove<'a> {
    server_id: UuidText,
    user: User<'a>,
}

#[derive(Serialize)]
struct BanChange<'a> {
    server_id: UuidText,
    #[serde(flatten)]
    ban: Ban<'a>,
}

impl<'a> BanChange<'a> {
    fn new(guild: GuildId, ban: &'a member::Ban, installation: &'a Installation) -> Self {
        Self {
            server_id: installation.spelling.uuid(guild),
            ban: Ban::new(ban, installation),
        }
    }
}

#[derive(Serialize)]
struct MembersChunk<'a> {
    server_id: UuidText,
    members: Vec<Member<'a>>,
    chunk_index: u32,
    chunk_count: u32,
    not_found: Vec<UuidText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presences: Option<Vec<Presence>>,
    nonce: Option<&'a str>,
}

impl<'a> MembersChunk<'a> {
    fn new(chunk: &'a model::MembersChunk, installation: &'a Installation) -> Self {
        let spelling = &installation.spelling;
        let presences = chunk.presences.as_ref().map(|presences| {
            let shown = presences
                .iter()
                .map(|&(user, appearance)| Presence::new(None, user, appearance, spelling));
            shown.collect()
        });
        Self {
            server_id: spelling.uuid(chunk.guild_id),
            members: chunk
                .members
                .iter()
                .map(|member| Member::new(chunk.guild_id, member, installation))
                .collect(),
            chunk_index: chunk.index,
            chunk_count: chunk.count,
            not_found: chunk
                .not_found
                .iter()
                .map(|&id| spelling.uuid(id))
                .collect(),
            presences,
            nonce: chunk.nonce.as_deref(),
        }
    }
}
