//! Bodies of dispatches in the Discord dialect.

mod messages;

use bytes::Bytes;
use guildhall_model::dispatch as model;
use guildhall_model::dispatch::Dispatch;
use guildhall_model::event::{Event, Record};
use guildhall_model::{id, member, role};
use serde::Serialize;

use super::audit::EntryCreate;
use super::channel::{Channel, DirectChannel};
use super::emoji::GuildEmoji;
use super::guild::{Guild, GuildCreate, GuildRef};
use super::interaction::{Interaction, InteractionSuccess};
use super::invite::{InviteCreate, InviteDelete};
use super::lookup::{ChannelInfo, SoundboardSounds};
use super::member::Member;
use super::presence::Presence;
use super::ready::Ready;
use super::role::Role;
use super::typing::TypingStart;
use super::user::{CurrentUser, User};
use super::webhook::WebhooksUpdate;
use crate::dispatch::{EncodeError, Look, guild_of, write};
use crate::file_url::FileUrls;
use crate::id::Decimal;

pub(crate) fn body(dispatch: &Dispatch, look: Look, urls: &FileUrls) -> Result<Bytes, EncodeError> {
    match dispatch {
        Dispatch::Ready(ready) => write(look, &Ready::new(ready)),
        Dispatch::GuildAvailable(snapshot) => write(look, &GuildCreate::available(snapshot)),
        Dispatch::GuildGone(id) => write(look, &GuildRef::gone(*id)),
        Dispatch::ChannelShown(channel) | Dispatch::ChannelHidden(channel) => {
            write(look, &Channel::new(channel))
        }
        Dispatch::MembersChunk(chunk) => write(look, &MembersChunk::new(chunk)),
        Dispatch::Presence {
            guild_id,
            user_id,
            appearance,
        } => write(look, &Presence::new(*guild_id, *user_id, *appearance)),
        Dispatch::Typing(typing) => write(look, &TypingStart::new(typing)),
        Dispatch::Sounds(guild) => write(look, &SoundboardSounds::new(*guild)),
        Dispatch::ChannelInfo(guild) => write(look, &ChannelInfo::new(*guild)),
        Dispatch::Event(record) => event_body(record, look, urls),
    }
}

fn event_body(record: &Record, look: Look, urls: &FileUrls) -> Result<Bytes, EncodeError> {
    match &record.event {
        Event::GuildCreated(founding) => write(look, &GuildCreate::founded(founding)),
        Event::GuildUpdated(change) => write(
            look,
            &Guild::new(&change.after, &change.roles, &change.emojis),
        ),
        Event::GuildDeleted => write(look, &GuildRef::gone(guild_of(record)?)),
        Event::ChannelCreated(channel) | Event::ChannelDeleted(channel) => {
            write(look, &Channel::new(channel))
        }
        Event::ChannelUpdated(change) => write(look, &Channel::new(&change.after)),
        Event::RoleCreated(role) => write(look, &RoleChange::new(role)),
        Event::RoleUpdated(change) => write(look, &RoleChange::new(&change.after)),
        Event::RoleDeleted(end) => write(
            look,
            &RoleDelete {
                guild_id: Decimal(end.role.guild_id),
                role_id: Decimal(end.role.id),
            },
        ),
        Event::MessageCreated(_)
        | Event::MessageUpdated(_)
        | Event::MessageDeleted { .. }
        | Event::MessagesDeleted { .. }
        | Event::PinsChanged { .. }
        | Event::ReactionsCleared { .. }
        | Event::ReactionAdded(_)
        | Event::ReactionRemoved(_) => messages::body(&record.event, look, urls),
        Event::InteractionCreated(interaction) => write(look, &Interaction::new(interaction, urls)),
        Event::InteractionAcknowledged { id, .. } => write(look, &InteractionSuccess::new(*id)),
        Event::DirectOpened { channel, users } => {
            write(look, &DirectChannel::new(channel, users.iter()))
        }
        Event::UserUpdated { user, email } => {
            write(look, &CurrentUser::new(user, email.as_deref()))
        }
        Event::InviteCreated(invite) => write(look, &InviteCreate::new(invite)),
        Event::InviteDeleted(invite) => write(look, &InviteDelete::new(invite)),
        Event::WebhookCreated(webhook) | Event::WebhookDeleted(webhook) => {
            write(look, &WebhooksUpdate::new(webhook))
        }
        Event::WebhookUpdated(change) => write(look, &WebhooksUpdate::new(&change.after)),
        Event::EmojisChanged(changed) => write(
            look,
            &EmojisUpdate {
                guild_id: Decimal(guild_of(record)?),
                emojis: changed.emojis.iter().map(GuildEmoji::new).collect(),
            },
        ),
        Event::Audited(entry) => write(look, &EntryCreate::new(guild_of(record)?, entry)),
        Event::MemberJoined { member, .. } => member_body(record, member, look),
        Event::MemberUpdated(change) => member_body(record, &change.after, look),
        Event::MemberRemoved { member, .. } => user_body(record, User::new(&member.user), look),
        Event::BanAdded(ban) | Event::BanRemoved(ban) => {
            user_body(record, User::new(&ban.user), look)
        }
    }
}

/// GUILD_MEMBER_ADD and GUILD_MEMBER_UPDATE.
#[derive(Serialize)]
struct MemberChange<'a> {
    guild_id: Decimal<id::kind::Guild>,
    #[serde(flatten)]
    member: Member<'a>,
}

fn member_body(record: &Record, member: &member::Member, look: Look) -> Result<Bytes, EncodeError> {
    let body = MemberChange {
        guild_id: Decimal(guild_of(record)?),
        member: Member::new(member),
    };
    write(look, &body)
}

/// GUILD_MEMBER_REMOVE, GUILD_BAN_ADD and GUILD_BAN_REMOVE.
#[derive(Serialize)]
struct UserOfGuild<'a> {
    guild_id: Decimal<id::kind::Guild>,
    user: User<'a>,
}

fn user_body(record: &Record, user: User<'_>, look: Look) -> Result<Bytes, EncodeError> {
    let body = UserOfGuild {
        guild_id: Decimal(guild_of(record)?),
        user,
    };
    write(look, &body)
}

#[derive(Serialize)]
struct RoleChange<'a> {
    guild_id: Decimal<id::kind::Guild>,
    role: Role<'a>,
}

impl<'a> RoleChange<'a> {
    fn new(role: &'a role::Role) -> Self {
        Self {
            guild_id: Decimal(role.guild_id),
            role: Role::new(role),
        }
    }
}

#[derive(Serialize)]
struct EmojisUpdate<'a> {
    guild_id: Decimal<id::kind::Guild>,
    emojis: Vec<GuildEmoji<'a>>,
}

#[derive(Serialize)]
struct RoleDelete {
    guild_id: Decimal<id::kind::Guild>,
    role_id: Decimal<id::kind::Role>,
}

#[derive(Serialize)]
struct MembersChunk<'a> {
    guild_id: Decimal<id::kind::Guild>,
    members: Vec<Member<'a>>,
    chunk_index: u32,
    chunk_count: u32,
    not_found: Vec<Decimal<id::kind::User>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presences: Option<Vec<Presence>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
}

impl<'a> MembersChunk<'a> {
    fn new(chunk: &'a model::MembersChunk) -> Self {
        let presences = chunk.presences.as_ref().map(|presences| {
            let shown = presences
                .iter()
                .map(|&(user_id, appearance)| Presence::new(chunk.guild_id, user_id, appearance));
            shown.collect()
        });
        Self {
            guild_id: Decimal(chunk.guild_id),
            members: chunk.members.iter().map(Member::new).collect(),
            chunk_index: chunk.index,
            chunk_count: chunk.count,
            not_found: chunk.not_found.iter().copied().map(Decimal).collect(),
            presences,
            nonce: chunk.nonce.as_deref(),
        }
    }
}
