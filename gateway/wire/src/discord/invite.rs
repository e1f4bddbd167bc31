//! Invites: the object, and the payloads of INVITE_CREATE and INVITE_DELETE.

use guildhall_model::{channel, guild, id, invite as model, user};
use serde::Serialize;

use super::channel::ChannelType;
use super::guild::Counts;
use super::user::User;
use super::{NoList, Nothing};
use crate::id::Decimal;
use crate::time::Iso8601;

/// An invite with what it opens.
#[derive(Serialize)]
pub struct Invite<'a> {
    r#type: u8,
    guild_id: Decimal<id::kind::Guild>,
    guild: InviteGuild<'a>,
    channel: InviteChannel<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inviter: Option<User<'a>>,
    flags: u32,
    code: &'a str,
    expires_at: Option<Iso8601>,
    #[serde(flatten)]
    numbers: Option<Numbers>,
    #[serde(flatten)]
    counts: Option<Counts>,
}

/// What only those are told of an invite who may manage it.
#[derive(Serialize)]
struct Numbers {
    created_at: Iso8601,
    max_age: u32,
    max_uses: u32,
    temporary: bool,
    uses: u32,
}

#[derive(Serialize)]
struct InviteGuild<'a> {
    id: Decimal<id::kind::Guild>,
    name: &'a str,
    splash: Nothing,
    banner: Nothing,
    description: Option<&'a str>,
    icon: Nothing,
    features: NoList,
    verification_level: u8,
    vanity_url_code: Nothing,
    nsfw_level: u8,
    nsfw: bool,
    premium_subscription_count: u32,
    premium_tier: u8,
}

#[derive(Serialize)]
struct InviteChannel<'a> {
    id: Decimal<id::kind::Channel>,
    name: &'a str,
    r#type: ChannelType,
}

impl<'a> Invite<'a> {
    /// The invite with what it opens and who made it, where that user still exists.
    pub fn new(
        invite: &'a model::Invite,
        guild: &'a guild::Guild,
        channel: &'a channel::Channel,
        inviter: Option<&'a user::User>,
    ) -> Self {
        Self {
            r#type: 0,
            guild_id: Decimal(guild.id),
            guild: InviteGuild {
                id: Decimal(guild.id),
                name: &guild.name,
                splash: (),
                banner: (),
                description: guild.description.as_deref(),
                icon: (),
                features: [],
                verification_level: 0,
                vanity_url_code: (),
                nsfw_level: 0,
                nsfw: false,
                premium_subscription_count: 0,
                premium_tier: 0,
            },
            channel: InviteChannel {
                id: Decimal(channel.id),
                name: &channel.name,
                r#type: ChannelType::of(channel.kind),
            },
            inviter: inviter.map(User::new),
            flags: 0,
            code: &invite.code,
            expires_at: invite.expires_at().map(Iso8601),
            numbers: Some(Numbers::new(invite)),
            counts: None,
        }
    }

    /// The same for somebody who merely has the code.
    pub fn without_numbers(self) -> Self {
        Self {
            numbers: None,
            ..self
        }
    }

    /// The same with how many members the guild has, and how many of them appear to be there.
    pub fn with_counts(self, counts: Option<(u32, u32)>) -> Self {
        Self {
            counts: counts.map(|(members, online)| Counts::new(members, online)),
            ..self
        }
    }
}

impl Numbers {
    fn new(invite: &model::Invite) -> Self {
        Self {
            created_at: Iso8601(invite.created_at),
            max_age: invite.max_age_s,
            max_uses: invite.max_uses,
            temporary: invite.temporary,
            uses: invite.uses,
        }
    }
}

/// INVITE_CREATE. The inviter is left out, as for invites that no user made: the event knows its
/// id only.
#[derive(Serialize)]
pub(crate) struct InviteCreate<'a> {
    guild_id: Decimal<id::kind::Guild>,
    channel_id: Decimal<id::kind::Channel>,
    code: &'a str,
    expires_at: Option<Iso8601>,
    #[serde(flatten)]
    numbers: Numbers,
}

impl<'a> InviteCreate<'a> {
    pub(crate) fn new(invite: &'a model::Invite) -> Self {
        Self {
            guild_id: Decimal(invite.guild_id),
            channel_id: Decimal(invite.channel_id),
            code: &invite.code,
            expires_at: invite.expires_at().map(Iso8601),
            numbers: Numbers::new(invite),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct InviteDelete<'a> {
    guild_id: Decimal<id::kind::Guild>,
    channel_id: Decimal<id::kind::Channel>,
    code: &'a str,
}

impl<'a> InviteDelete<'a> {
    pub(crate) fn new(invite: &'a model::Invite) -> Self {
        Self {
            guild_id: Decimal(invite.guild_id),
            channel_id: Decimal(invite.channel_id),
            code: &invite.code,
        }
    }
}
