//! Bodies of dispatches about what is true for a moment only: presence, typing, and answers about
//! what no server has here.

use guildhall_model::dispatch as model;
use guildhall_model::user::Appearance;
use guildhall_model::{GuildId, UserId};
use serde::Serialize;

use super::member::Member;
use super::user::Status;
use crate::id::{Spelling, UuidText};
use crate::installation::Installation;
use crate::time::Utc;

/// How a user appears.
#[derive(Serialize)]
pub(super) struct Presence {
    /// Left out within a chunk, which names its server once.
    #[serde(skip_serializing_if = "Option::is_none")]
    server_id: Option<UuidText>,
    user_id: UuidText,
    status: Status,
}

impl Presence {
    pub(super) fn new(
        guild: Option<GuildId>,
        user: UserId,
        appearance: Appearance,
        spelling: &Spelling,
    ) -> Self {
        Self {
            server_id: guild.map(|guild| spelling.uuid(guild)),
            user_id: spelling.uuid(user),
            status: appearance.into(),
        }
    }
}

/// Somebody writes a message.
#[derive(Serialize)]
pub(super) struct TypingStart<'a> {
    channel_id: UuidText,
    server_id: Option<UuidText>,
    user_id: UuidText,
    started_at: Utc,
    member: Option<Member<'a>>,
}

impl<'a> TypingStart<'a> {
    pub(super) fn new(typing: &'a model::Typing, installation: &'a Installation) -> Self {
        let spelling = &installation.spelling;
        let member = typing.member.as_ref();
        Self {
            channel_id: spelling.uuid(typing.channel_id),
            server_id: member.map(|(guild, _)| spelling.uuid(*guild)),
            user_id: spelling.uuid(typing.user_id),
            started_at: Utc(typing.since),
            member: member.map(|(guild, member)| Member::new(*guild, member, installation)),
        }
    }
}

/// The soundboard sounds of a server.
#[derive(Serialize)]
pub(super) struct SoundboardSounds {
    server_id: UuidText,
    soundboard_sounds: [(); 0],
}

impl SoundboardSounds {
    pub(super) fn new(guild: GuildId, spelling: &Spelling) -> Self {
        Self {
            server_id: spelling.uuid(guild),
            soundboard_sounds: [],
        }
    }
}

/// The channels of a server that have a status or a call.
#[derive(Serialize)]
pub(super) struct ChannelInfo {
    server_id: UuidText,
    channels: [(); 0],
}

impl ChannelInfo {
    pub(super) fn new(guild: GuildId, spelling: &Spelling) -> Self {
        Self {
            server_id: spelling.uuid(guild),
            channels: [],
        }
    }
}
