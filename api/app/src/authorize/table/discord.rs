//! The rows of the Discord dialect, in the order of Discord's documentation. `/api/v9` and
//! `/api/v10` are the same routes.

use guildhall_model::Permissions as P;
use guildhall_model::rejection::Noun;

use super::super::Method::{Delete, Get, Patch, Post, Put};
use super::super::{Need, Row};
use super::row;

/// Every route of the Discord dialect.
pub const DISCORD_ROWS: &[Row] = &[
    // Connecting.
    row(Get, "/api/gateway", Need::Nobody, Noun::Route),
    row(Get, "/api/gateway/bot", Need::Anyone, Noun::Route),
    row(Get, "/api/applications/@me", Need::Bot, Noun::Application),
    row(
        Get,
        "/api/oauth2/applications/@me",
        Need::Bot,
        Noun::Application,
    ),
    // What every caller may know.
    row(
        Get,
        "/api/soundboard-default-sounds",
        Need::Anyone,
        Noun::Route,
    ),
    row(Get, "/api/voice/regions", Need::Anyone, Noun::Route),
    // Users.
    row(Get, "/api/users/@me", Need::Anyone, Noun::User),
    row(Patch, "/api/users/@me", Need::Anyone, Noun::User),
    row(Get, "/api/users/@me/guilds", Need::Anyone, Noun::Guild),
    row(
        Delete,
        "/api/users/@me/guilds/{guild_id}",
        Need::MemberButOwner,
        Noun::Guild,
    ),
    row(
        Get,
        "/api/users/@me/guilds/{guild_id}/member",
        Need::Member,
        Noun::Guild,
    ),
    row(Get, "/api/users/@me/channels", Need::Anyone, Noun::User),
    row(Post, "/api/users/@me/channels", Need::Anyone, Noun::User),
    row(Get, "/api/users/{user_id}", Need::Anyone, Noun::User),
    // Guilds.
    row(Get, "/api/guilds/{guild_id}", Need::Member, Noun::Guild),
    row(
        Patch,
        "/api/guilds/{guild_id}",
        Need::MemberWith(P::MANAGE_GUILD),
        Noun::Guild,
    ),
    row(Delete, "/api/guilds/{guild_id}", Need::Owner, Noun::Guild),
    row(
        Get,
        "/api/guilds/{guild_id}/preview",
        Need::Preview,
        Noun::Guild,
    ),
    row(
        Get,
        "/api/guilds/{guild_id}/regions",
        Need::Member,
        Noun::Guild,
    ),
    row(
        Get,
        "/api/guilds/{guild_id}/channels",
        Need::Member,
        Noun::Guild,
    ),
    row(
        Post,
        "/api/guilds/{guild_id}/channels",
        Need::MemberWith(P::MANAGE_CHANNELS),
        Noun::Guild,
    ),
    row(
        Patch,
        "/api/guilds/{guild_id}/channels",
        Need::MemberWith(P::MANAGE_CHANNELS),
        Noun::Guild,
    ),
    // Members.
    row(
        Get,
        "/api/guilds/{guild_id}/members",
        Need::Member,
        Noun::Guild,
    ),
    row(
        Get,
        "/api/guilds/{guild_id}/members/search",
        Need::Member,
        Noun::Guild,
    ),
    row(
        Patch,
        "/api/guilds/{guild_id}/members/@me",
        Need::MemberWith(P::CHANGE_NICKNAME),
        Noun::Guild,
    ),
    row(
        Get,
        "/api/guilds/{guild_id}/members/{user_id}",
        Need::Member,
        Noun::Guild,
    ),
    // For a name. Roles need MANAGE_ROLES instead, and a time-out MODERATE_MEMBERS.
    row(
        Patch,
        "/api/guilds/{guild_id}/members/{user_id}",
        Need::SelfOrAbove {
            own: P::CHANGE_NICKNAME,
            others: P::MANAGE_NICKNAMES,
        },
        Noun::Guild,
    ),
    row(
        Delete,
        "/api/guilds/{guild_id}/members/{user_id}",
        Need::Above(P::KICK_MEMBERS),
        Noun::Guild,
    ),
    row(
        Put,
        "/api/guilds/{guild_id}/members/{user_id}/roles/{role_id}",
        Need::Above(P::MANAGE_ROLES),
        Noun::Guild,
    ),
    row(
        Delete,
        "/api/guilds/{guild_id}/members/{user_id}/roles/{role_id}",
        Need::Above(P::MANAGE_ROLES),
        Noun::Guild,
    ),
    // Bans.
    row(
        Get,
        "/api/guilds/{guild_id}/bans",
        Need::MemberWith(P::BAN_MEMBERS),
        Noun::Guild,
    ),
    row(
        Get,
        "/api/guilds/{guild_id}/bans/{user_id}",
        Need::MemberWith(P::BAN_MEMBERS),
        Noun::Guild,
    ),
    row(
        Put,
        "/api/guilds/{guild_id}/bans/{user_id}",
        Need::Above(P::BAN_MEMBERS),
        Noun::Guild,
    ),
    row(
        Delete,
        "/api/guilds/{guild_id}/bans/{user_id}",
        Need::MemberWith(P::BAN_MEMBERS),
        Noun::Guild,
    ),
    // Whom the caller may not ban is among those who are not banned.
    row(
        Post,
        "/api/guilds/{guild_id}/bulk-ban",
        Need::MemberWith(P::BAN_MEMBERS.union(P::MANAGE_GUILD)),
        Noun::Guild,
    ),
    // Roles.
    row(
        Get,
        "/api/guilds/{guild_id}/roles",
        Need::Member,
        Noun::Guild,
    ),
    row(
        Post,
        "/api/guilds/{guild_id}/roles",
        Need::MemberWith(P::MANAGE_ROLES),
        Noun::Guild,
    ),
    row(
        Patch,
        "/api/guilds/{guild_id}/roles",
        Need::Above(P::MANAGE_ROLES),
        Noun::Guild,
    ),
    row(
        Get,
        "/api/guilds/{guild_id}/roles/member-counts",
        Need::Member,
        Noun::Guild,
    ),
    row(
        Get,
        "/api/guilds/{guild_id}/roles/{role_id}",
        Need::Member,
        Noun::Guild,
    ),
    row(
        Patch,
        "/api/guilds/{guild_id}/roles/{role_id}",
        Need::Above(P::MANAGE_ROLES),
        Noun::Guild,
    ),
    row(
        Delete,
        "/api/guilds/{guild_id}/roles/{role_id}",
        Need::Above(P::MANAGE_ROLES),
        Noun::Guild,
    ),
    // Invites.
    row(
        Get,
        "/api/guilds/{guild_id}/invites",
        Need::MemberWith(P::MANAGE_GUILD),
        Noun::Guild,
    ),
    row(
        Get,
        "/api/channels/{channel_id}/invites",
        Need::Viewer(P::MANAGE_CHANNELS),
        Noun::Channel,
    ),
    row(
        Post,
        "/api/channels/{channel_id}/invites",
        Need::Viewer(P::CREATE_INSTANT_INVITE),
        Noun::Channel,
    ),
    row(Get, "/api/invites/{code}", Need::Nobody, Noun::Invite),
    row(
        Delete,
        "/api/invites/{code}",
        Need::OwnOr(P::MANAGE_GUILD),
        Noun::Invite,
    ),
    // Channels.
    row(
        Get,
        "/api/channels/{channel_id}",
        Need::Viewer(P::empty()),
        Noun::Channel,
    ),
    row(
        Patch,
        "/api/channels/{channel_id}",
        Need::Viewer(P::MANAGE_CHANNELS),
        Noun::Channel,
    ),
    row(
        Delete,
        "/api/channels/{channel_id}",
        Need::Viewer(P::MANAGE_CHANNELS),
        Noun::Channel,
    ),
    row(
        Post,
        "/api/channels/{channel_id}/typing",
        Need::Viewer(P::SEND_MESSAGES),
        Noun::Channel,
    ),
    row(
        Put,
        "/api/channels/{channel_id}/permissions/{overwrite_id}",
        Need::Viewer(P::MANAGE_ROLES),
        Noun::Channel,
    ),
    row(
        Delete,
        "/api/channels/{channel_id}/permissions/{overwrite_id}",
        Need::Viewer(P::MANAGE_ROLES),
        Noun::Channel,
    ),
    // Messages. A page without READ_MESSAGE_HISTORY is empty.
    row(
        Get,
        "/api/channels/{channel_id}/messages",
        Need::Viewer(P::empty()),
        Noun::Channel,
    ),
    row(
        Post,
        "/api/channels/{channel_id}/messages",
        Need::Viewer(P::SEND_MESSAGES),
        Noun::Channel,
    ),
    row(
        Get,
        "/api/channels/{channel_id}/messages/{message_id}",
        Need::Viewer(P::empty()),
        Noun::Channel,
    ),
    row(
        Patch,
        "/api/channels/{channel_id}/messages/{message_id}",
        Need::Author,
        Noun::Channel,
    ),
    row(
        Delete,
        "/api/channels/{channel_id}/messages/{message_id}",
        Need::OwnOr(P::MANAGE_MESSAGES),
        Noun::Channel,
    ),
    row(
        Get,
        "/api/channels/{channel_id}/messages/{message_id}/reactions/{emoji}",
        Need::Viewer(P::empty()),
        Noun::Channel,
    ),
    row(
        Put,
        "/api/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me",
        Need::Viewer(P::ADD_REACTIONS),
        Noun::Channel,
    ),
    row(
        Delete,
        "/api/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me",
        Need::Viewer(P::empty()),
        Noun::Channel,
    ),
    row(
        Delete,
        "/api/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/{user_id}",
        Need::OwnOr(P::MANAGE_MESSAGES),
        Noun::Channel,
    ),
    row(
        Post,
        "/api/channels/{channel_id}/messages/bulk-delete",
        Need::Viewer(P::MANAGE_MESSAGES),
        Noun::Channel,
    ),
    row(
        Delete,
        "/api/channels/{channel_id}/messages/{message_id}/reactions",
        Need::Viewer(P::MANAGE_MESSAGES),
        Noun::Channel,
    ),
    row(
        Delete,
        "/api/channels/{channel_id}/messages/{message_id}/reactions/{emoji}",
        Need::Viewer(P::MANAGE_MESSAGES),
        Noun::Channel,
    ),
    // Pins, in Discord's new form and in its old one. A list without READ_MESSAGE_HISTORY is empty.
    row(
        Get,
        "/api/channels/{channel_id}/messages/pins",
        Need::Viewer(P::empty()),
        Noun::Channel,
    ),
    row(
        Put,
        "/api/channels/{channel_id}/messages/pins/{message_id}",
        Need::Viewer(P::PIN_MESSAGES),
        Noun::Channel,
    ),
    row(
        Delete,
        "/api/channels/{channel_id}/messages/pins/{message_id}",
        Need::Viewer(P::PIN_MESSAGES),
        Noun::Channel,
    ),
    row(
        Get,
        "/api/channels/{channel_id}/pins",
        Need::Viewer(P::empty()),
        Noun::Channel,
    ),
    row(
        Put,
        "/api/channels/{channel_id}/pins/{message_id}",
        Need::Viewer(P::PIN_MESSAGES),
        Noun::Channel,
    ),
    row(
        Delete,
        "/api/channels/{channel_id}/pins/{message_id}",
        Need::Viewer(P::PIN_MESSAGES),
        Noun::Channel,
    ),
];
