//! Guilds: the object itself, and what GUILD_CREATE adds to it.

use guildhall_model::event::Founding;
use guildhall_model::guild::{self as model, GuildSnapshot};
use guildhall_model::picture::{Picture, PictureHash};
use guildhall_model::{GuildId, Permissions, UserId, emoji, id, member, role};
use serde::Serialize;

use super::channel::Channel;
use super::emoji::GuildEmoji;
use super::member::Member;
use super::role::Role;
use super::{Bits, NoList, Nothing, Shown};
use crate::id::Decimal;
use crate::time::Iso8601;

/// A guild. What Guildhall has no such setting for stands at Discord's default.
#[derive(Serialize)]
pub struct Guild<'a> {
    id: Decimal<id::kind::Guild>,
    name: &'a str,
    /// Addresses elsewhere do not fit here.
    icon: Option<Shown<PictureHash>>,
    icon_hash: Nothing,
    splash: Nothing,
    discovery_splash: Nothing,
    home_header: Nothing,
    owner_id: Decimal<id::kind::User>,
    region: &'static str,
    afk_channel_id: Nothing,
    afk_timeout: u32,
    widget_enabled: bool,
    widget_channel_id: Nothing,
    verification_level: u8,
    default_message_notifications: u8,
    explicit_content_filter: u8,
    roles: Vec<Role<'a>>,
    emojis: Vec<GuildEmoji<'a>>,
    stickers: NoList,
    features: NoList,
    mfa_level: u8,
    application_id: Nothing,
    system_channel_id: Nothing,
    system_channel_flags: u32,
    rules_channel_id: Nothing,
    max_presences: Nothing,
    max_members: u32,
    vanity_url_code: Nothing,
    description: Option<&'a str>,
    banner: Nothing,
    premium_tier: u8,
    premium_subscription_count: u32,
    preferred_locale: &'static str,
    public_updates_channel_id: Nothing,
    safety_alerts_channel_id: Nothing,
    max_video_channel_users: u32,
    max_stage_video_channel_users: u32,
    nsfw: bool,
    nsfw_level: u8,
    premium_progress_bar_enabled: bool,
    incidents_data: Nothing,
}

impl<'a> Guild<'a> {
    /// The guild with all its roles and emojis.
    pub fn new(
        guild: &'a model::Guild,
        roles: impl IntoIterator<Item = &'a role::Role>,
        emojis: impl IntoIterator<Item = &'a emoji::GuildEmoji>,
    ) -> Self {
        Self {
            id: Decimal(guild.id),
            name: &guild.name,
            icon: icon(guild),
            icon_hash: (),
            splash: (),
            discovery_splash: (),
            home_header: (),
            owner_id: Decimal(guild.owner_id),
            region: "deprecated",
            afk_channel_id: (),
            afk_timeout: 300,
            widget_enabled: false,
            widget_channel_id: (),
            verification_level: 0,
            default_message_notifications: 0,
            explicit_content_filter: 0,
            roles: roles.into_iter().map(Role::new).collect(),
            emojis: emojis.into_iter().map(GuildEmoji::new).collect(),
            stickers: [],
            features: [],
            mfa_level: 0,
            application_id: (),
            system_channel_id: (),
            system_channel_flags: 0,
            rules_channel_id: (),
            max_presences: (),
            max_members: 500_000,
            vanity_url_code: (),
            description: guild.description.as_deref(),
            banner: (),
            premium_tier: 0,
            premium_subscription_count: 0,
            preferred_locale: "en-US",
            public_updates_channel_id: (),
            safety_alerts_channel_id: (),
            max_video_channel_users: 25,
            max_stage_video_channel_users: 50,
            nsfw: false,
            nsfw_level: 0,
            premium_progress_bar_enabled: false,
            incidents_data: (),
        }
    }
}

fn icon(guild: &model::Guild) -> Option<Shown<PictureHash>> {
    guild.icon.as_ref().and_then(Picture::hash).map(Shown)
}

/// About how many members a guild has, and how many of them appear to be there. Ours are exact.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Counts {
    #[serde(rename = "approximate_member_count")]
    members: u32,
    #[serde(rename = "approximate_presence_count")]
    online: u32,
}

impl Counts {
    pub(crate) const fn new(members: u32, online: u32) -> Self {
        Self { members, online }
    }
}

/// A guild with its counts, where they were asked for.
#[derive(Serialize)]
pub struct GuildWithCounts<'a> {
    #[serde(flatten)]
    guild: Guild<'a>,
    #[serde(flatten)]
    counts: Option<Counts>,
}

impl<'a> GuildWithCounts<'a> {
    /// The guild with how many members it has and how many of them appear to be there.
    pub fn new(guild: Guild<'a>, counts: Option<(u32, u32)>) -> Self {
        Self {
            guild,
            counts: counts.map(|(members, online)| Counts::new(members, online)),
        }
    }
}

/// A guild as somebody sees it who thinks of joining.
#[derive(Serialize)]
pub struct GuildPreview<'a> {
    id: Decimal<id::kind::Guild>,
    name: &'a str,
    icon: Option<Shown<PictureHash>>,
    splash: Nothing,
    discovery_splash: Nothing,
    home_header: Nothing,
    emojis: Vec<GuildEmoji<'a>>,
    features: NoList,
    #[serde(flatten)]
    counts: Counts,
    description: Option<&'a str>,
    stickers: NoList,
}

impl<'a> GuildPreview<'a> {
    /// The guild with how many members it has and how many of them appear to be there.
    pub fn new(
        guild: &'a model::Guild,
        emojis: impl IntoIterator<Item = &'a emoji::GuildEmoji>,
        members: u32,
        online: u32,
    ) -> Self {
        Self {
            id: Decimal(guild.id),
            name: &guild.name,
            icon: icon(guild),
            splash: (),
            discovery_splash: (),
            home_header: (),
            emojis: emojis.into_iter().map(GuildEmoji::new).collect(),
            features: [],
            counts: Counts::new(members, online),
            description: guild.description.as_deref(),
            stickers: [],
        }
    }
}

/// A guild in the list of a user's own.
#[derive(Serialize)]
pub struct OwnGuild<'a> {
    id: Decimal<id::kind::Guild>,
    name: &'a str,
    icon: Option<Shown<PictureHash>>,
    banner: Nothing,
    owner: bool,
    permissions: Bits,
    features: NoList,
    #[serde(flatten)]
    counts: Option<Counts>,
}

impl<'a> OwnGuild<'a> {
    /// The guild with what `user` may do in it, and its counts, where they were asked for.
    pub fn new(
        guild: &'a model::Guild,
        user: UserId,
        permissions: Permissions,
        counts: Option<(u32, u32)>,
    ) -> Self {
        Self {
            id: Decimal(guild.id),
            name: &guild.name,
            icon: icon(guild),
            banner: (),
            owner: guild.owner_id == user,
            permissions: Bits(permissions),
            features: [],
            counts: counts.map(|(members, online)| Counts::new(members, online)),
        }
    }
}

/// GUILD_CREATE: the guild with what is in it. twilight, serenity and hikari require every one of
/// the lists.
#[derive(Serialize)]
pub(crate) struct GuildCreate<'a> {
    #[serde(flatten)]
    guild: Guild<'a>,
    joined_at: Iso8601,
    large: bool,
    unavailable: bool,
    member_count: u32,
    voice_states: NoList,
    members: Vec<Member<'a>>,
    channels: Vec<Channel<'a>>,
    threads: NoList,
    presences: NoList,
    stage_instances: NoList,
    guild_scheduled_events: NoList,
    soundboard_sounds: NoList,
}

impl<'a> GuildCreate<'a> {
    pub(crate) fn available(snapshot: &'a GuildSnapshot) -> Self {
        let me = snapshot
            .members
            .iter()
            .find(|member| member.user.id == snapshot.me);
        Self {
            large: snapshot.large,
            member_count: snapshot.member_count,
            members: snapshot.members.iter().map(Member::new).collect(),
            channels: snapshot.channels.iter().map(Channel::new).collect(),
            ..Self::empty(
                Guild::new(&snapshot.guild, &snapshot.roles, &snapshot.emojis),
                snapshot.guild.id,
                me,
            )
        }
    }

    pub(crate) fn founded(founding: &'a Founding) -> Self {
        let guild = Guild::new(&founding.guild, [&founding.everyone], []);
        Self {
            member_count: 1,
            members: vec![Member::new(&founding.owner)],
            channels: vec![Channel::new(&founding.channel)],
            ..Self::empty(guild, founding.guild.id, Some(&founding.owner))
        }
    }

    fn empty(guild: Guild<'a>, id: GuildId, me: Option<&member::Member>) -> Self {
        Self {
            guild,
            // serenity and hikari need an instant; the guild's own is right for none but harmless.
            joined_at: Iso8601(me.map_or(id.created_at(), |member| member.joined_at)),
            large: false,
            unavailable: false,
            member_count: 0,
            voice_states: [],
            members: Vec::new(),
            channels: Vec::new(),
            threads: [],
            presences: [],
            stage_instances: [],
            guild_scheduled_events: [],
            soundboard_sounds: [],
        }
    }
}

/// A guild of which only the id is said.
#[derive(Serialize)]
pub(crate) struct GuildRef {
    id: Decimal<id::kind::Guild>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unavailable: Option<bool>,
}

impl GuildRef {
    /// A guild that will follow.
    pub(crate) const fn pending(id: GuildId) -> Self {
        Self {
            id: Decimal(id),
            unavailable: Some(true),
        }
    }

    /// A guild that the session has lost. Discord leaves `unavailable` out then, and libraries
    /// take any `true` for an outage.
    pub(crate) const fn gone(id: GuildId) -> Self {
        Self {
            id: Decimal(id),
            unavailable: None,
        }
    }
}
