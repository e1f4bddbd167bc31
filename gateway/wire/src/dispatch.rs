//! The names and bodies of dispatches: what follows `t` and `d` in a frame of op 0.
//!
//! A body depends on nothing but the arguments here, so it is made once per event and [`Look`]
//! and shared by every session that has that look. For the same reason it cannot say whether the
//! reader is among those who gave an emoji: the native dialect leaves `me` out, Discord's bodies
//! say `false`, as Discord's own do on the gateway.

use bytes::Bytes;
use guildhall_model::GuildId;
use guildhall_model::dispatch::Dispatch;
use guildhall_model::event::{Event, Record};
use serde::Serialize;

use crate::dialect::Dialect;
use crate::encode::Encoding;
use crate::installation::Installation;
use crate::{discord, native};

/// All that tells one rendering of a dispatch from another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Look {
    /// Whose objects the body holds.
    pub dialect: Dialect,
    /// How it is written.
    pub encoding: Encoding,
    /// A message comes without its content (no MESSAGE_CONTENT intent).
    pub blanked: bool,
}

/// Why a dispatch has no body. Neither happens to a dispatch that our own code made.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The JSON encoder refused.
    #[error("a body cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    /// The msgpack encoder refused.
    #[error("a body cannot be written as msgpack")]
    Msgpack(#[from] rmp_serde::encode::Error),
    /// An event of a guild stands in a stream that is no guild's.
    #[error("a guild's event stands in another stream")]
    Misplaced,
}

/// The dispatch's `t`, the same in both dialects.
pub fn name(dispatch: &Dispatch) -> &'static str {
    match dispatch {
        Dispatch::Ready(_) => "READY",
        Dispatch::GuildAvailable(_) => "GUILD_CREATE",
        Dispatch::GuildGone(_) => "GUILD_DELETE",
        Dispatch::ChannelShown(_) => "CHANNEL_CREATE",
        Dispatch::ChannelHidden(_) => "CHANNEL_DELETE",
        Dispatch::MembersChunk(_) => "GUILD_MEMBERS_CHUNK",
        Dispatch::Presence { .. } => "PRESENCE_UPDATE",
        Dispatch::Typing(_) => "TYPING_START",
        Dispatch::Sounds(_) => "SOUNDBOARD_SOUNDS",
        Dispatch::ChannelInfo(_) => "CHANNEL_INFO",
        Dispatch::Event(record) => event_name(&record.event),
    }
}

const fn event_name(event: &Event) -> &'static str {
    match event {
        Event::GuildCreated(_) => "GUILD_CREATE",
        Event::GuildUpdated(_) => "GUILD_UPDATE",
        Event::GuildDeleted => "GUILD_DELETE",
        Event::ChannelCreated(_) | Event::DirectOpened { .. } => "CHANNEL_CREATE",
        Event::ChannelUpdated(_) => "CHANNEL_UPDATE",
        Event::ChannelDeleted(_) => "CHANNEL_DELETE",
        Event::RoleCreated(_) => "GUILD_ROLE_CREATE",
        Event::RoleUpdated(_) => "GUILD_ROLE_UPDATE",
        Event::RoleDeleted(_) => "GUILD_ROLE_DELETE",
        Event::MemberJoined { .. } => "GUILD_MEMBER_ADD",
        Event::MemberUpdated(_) => "GUILD_MEMBER_UPDATE",
        Event::MemberRemoved { .. } => "GUILD_MEMBER_REMOVE",
        Event::BanAdded(_) => "GUILD_BAN_ADD",
        Event::BanRemoved(_) => "GUILD_BAN_REMOVE",
        Event::InviteCreated(_) => "INVITE_CREATE",
        Event::InviteDeleted(_) => "INVITE_DELETE",
        Event::WebhookCreated(_) | Event::WebhookUpdated(_) | Event::WebhookDeleted(_) => {
            "WEBHOOKS_UPDATE"
        }
        Event::EmojisChanged(_) => "GUILD_EMOJIS_UPDATE",
        Event::Audited(_) => "GUILD_AUDIT_LOG_ENTRY_CREATE",
        Event::MessageCreated(_) => "MESSAGE_CREATE",
        Event::MessageUpdated(_) => "MESSAGE_UPDATE",
        Event::MessageDeleted { .. } => "MESSAGE_DELETE",
        Event::MessagesDeleted { .. } => "MESSAGE_DELETE_BULK",
        Event::PinsChanged { .. } => "CHANNEL_PINS_UPDATE",
        Event::ReactionsCleared { emoji: None, .. } => "MESSAGE_REACTION_REMOVE_ALL",
        Event::ReactionsCleared { emoji: Some(_), .. } => "MESSAGE_REACTION_REMOVE_EMOJI",
        Event::ReactionAdded(_) => "MESSAGE_REACTION_ADD",
        Event::ReactionRemoved(_) => "MESSAGE_REACTION_REMOVE",
        Event::InteractionCreated(_) => "INTERACTION_CREATE",
        Event::InteractionAcknowledged { .. } => "INTERACTION_SUCCESS",
        Event::UserUpdated { .. } => "USER_UPDATE",
    }
}

/// The dispatch's `d` in this look, for all sessions of the installation.
pub fn body(
    dispatch: &Dispatch,
    look: &Look,
    installation: &Installation,
) -> Result<Bytes, EncodeError> {
    match look.dialect {
        Dialect::Discord => discord::event::body(dispatch, *look, &installation.urls),
        Dialect::Native => native::event::body(dispatch, *look, installation),
    }
}

/// Writes a body; msgpack with named maps, so that both encodings hold the same document.
pub(crate) fn write<T: Serialize>(look: Look, body: &T) -> Result<Bytes, EncodeError> {
    let bytes = match look.encoding {
        Encoding::Json => serde_json::to_vec(body)?,
        Encoding::Msgpack => rmp_serde::to_vec_named(body)?,
    };
    Ok(Bytes::from(bytes))
}

/// The guild in whose stream the record stands.
pub(crate) fn guild_of(record: &Record) -> Result<GuildId, EncodeError> {
    record.source.guild_id().ok_or(EncodeError::Misplaced)
}
