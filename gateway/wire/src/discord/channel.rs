//! Channels of guilds and direct-message channels.

use guildhall_model::channel as model;
use guildhall_model::channel::{ChannelKind, OverwriteTarget};
use guildhall_model::id;
use serde::{Serialize, Serializer};

use super::user::User;
use super::{Bits, Nothing};
use crate::id::Decimal;

/// Discord's numbers of channel types. Others make discord.js drop the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChannelType {
    Text = 0,
    Direct = 1,
    Voice = 2,
    Category = 4,
}

impl ChannelType {
    pub(super) const fn of(kind: ChannelKind) -> Self {
        match kind {
            ChannelKind::Text => Self::Text,
            ChannelKind::Voice => Self::Voice,
            ChannelKind::Category => Self::Category,
        }
    }
}

impl Serialize for ChannelType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(*self as u8)
    }
}

/// A channel of a guild.
#[derive(Serialize)]
pub struct Channel<'a> {
    id: Decimal<id::kind::Channel>,
    r#type: ChannelType,
    guild_id: Decimal<id::kind::Guild>,
    position: u16,
    permission_overwrites: Vec<Overwrite>,
    name: &'a str,
    topic: Option<&'a str>,
    nsfw: bool,
    last_message_id: Nothing,
    last_pin_timestamp: Nothing,
    parent_id: Option<Decimal<id::kind::Channel>>,
    rate_limit_per_user: u32,
    flags: u32,
    #[serde(flatten)]
    voice: Option<Voice>,
}

/// What only voice channels have; Discord's defaults.
#[derive(Serialize)]
struct Voice {
    bitrate: u32,
    user_limit: u32,
    rtc_region: Nothing,
    video_quality_mode: u8,
}

/// A channel's overwrites.
pub(super) fn overwrites(channel: &model::Channel) -> Vec<Overwrite> {
    channel.overwrites.iter().map(Overwrite::new).collect()
}

#[derive(Serialize)]
pub(super) struct Overwrite {
    id: String,
    r#type: u8,
    allow: Bits,
    deny: Bits,
}

impl<'a> Channel<'a> {
    /// The channel as those see it who may view it.
    pub fn new(channel: &'a model::Channel) -> Self {
        Self {
            id: Decimal(channel.id),
            r#type: ChannelType::of(channel.kind),
            guild_id: Decimal(channel.guild_id),
            position: channel.position,
            permission_overwrites: overwrites(channel),
            name: &channel.name,
            topic: channel.topic.as_deref(),
            nsfw: false,
            last_message_id: (),
            last_pin_timestamp: (),
            parent_id: channel.parent_id.map(Decimal),
            rate_limit_per_user: 0,
            flags: 0,
            voice: (channel.kind == ChannelKind::Voice).then_some(Voice::DEFAULT),
        }
    }
}

impl Voice {
    const DEFAULT: Self = Self {
        bitrate: 64_000,
        user_limit: 0,
        rtc_region: (),
        video_quality_mode: 1,
    };
}

impl Overwrite {
    fn new(overwrite: &model::Overwrite) -> Self {
        let (id, r#type) = match overwrite.target {
            OverwriteTarget::Role(role) => (role.to_string(), 0),
            OverwriteTarget::Member(user) => (user.to_string(), 1),
        };
        Self {
            id,
            r#type,
            allow: Bits(overwrite.allow),
            deny: Bits(overwrite.deny),
        }
    }
}

/// The direct-message channel of two users. One body serves both ends, so it names both;
/// libraries pass over their own user.
#[derive(Serialize)]
pub struct DirectChannel<'a> {
    id: Decimal<id::kind::Channel>,
    r#type: ChannelType,
    last_message_id: Nothing,
    last_pin_timestamp: Nothing,
    recipients: Vec<User<'a>>,
    flags: u32,
}

impl<'a> DirectChannel<'a> {
    /// The channel with the users that its reader is told of.
    pub fn new(
        channel: &model::DirectChannel,
        recipients: impl IntoIterator<Item = &'a guildhall_model::user::User>,
    ) -> Self {
        Self {
            id: Decimal(channel.id),
            r#type: ChannelType::Direct,
            last_message_id: (),
            last_pin_timestamp: (),
            recipients: recipients.into_iter().map(User::new).collect(),
            flags: 0,
        }
    }
}
