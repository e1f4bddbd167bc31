//! The rows themselves, in the order of the specification.

mod discord;

use guildhall_model::Permissions as P;
use guildhall_model::rejection::Noun;

use super::Method::{Delete, Get, Post, Put};
use super::{Method, Need, Row};

pub use discord::DISCORD_ROWS;

const fn row(method: Method, path: &'static str, need: Need, hidden: Noun) -> Row {
    Row {
        method,
        path,
        need,
        hidden,
    }
}

/// Every route of the native dialect.
pub const ROWS: &[Row] = &[
    row(Get, "/openapi.json", Need::Nobody, Noun::Route),
    // Signing in and out.
    row(Post, "/auth/register", Need::Nobody, Noun::Route),
    row(Post, "/auth/login", Need::Nobody, Noun::Route),
    row(Post, "/auth/refresh", Need::Nobody, Noun::Route),
    row(Post, "/auth/logout", Need::Person, Noun::Route),
    // Servers.
    row(Get, "/servers", Need::Anyone, Noun::Guild),
    row(Post, "/servers", Need::Person, Noun::Guild),
    row(Get, "/servers/{server_id}", Need::Preview, Noun::Guild),
    row(
        Put,
        "/servers/{server_id}",
        Need::MemberWith(P::MANAGE_GUILD),
        Noun::Guild,
    ),
    row(Delete, "/servers/{server_id}", Need::Owner, Noun::Guild),
    row(Post, "/servers/{server_id}/join", Need::Entry, Noun::Guild),
    row(
        Post,
        "/servers/{server_id}/leave",
        Need::MemberButOwner,
        Noun::Guild,
    ),
    // Invites.
    row(
        Get,
        "/servers/{server_id}/invites",
        Need::MemberWith(P::MANAGE_GUILD),
        Noun::Guild,
    ),
    row(
        Post,
        "/servers/{server_id}/invites",
        Need::MemberWith(P::CREATE_INSTANT_INVITE),
        Noun::Guild,
    ),
    row(Get, "/invites/{code}", Need::Nobody, Noun::Invite),
    row(
        Delete,
        "/invites/{code}",
        Need::OwnOr(P::MANAGE_GUILD),
        Noun::Invite,
    ),
    // Members, bans, bots.
    row(
        Get,
        "/servers/{server_id}/members",
        Need::Member,
        Noun::Guild,
    ),
    row(
        Get,
        "/servers/{server_id}/members/{user_id}",
        Need::Member,
        Noun::Guild,
    ),
    row(
        Delete,
        "/servers/{server_id}/members/{user_id}",
        Need::Above(P::KICK_MEMBERS),
        Noun::Guild,
    ),
    row(
        Put,
        "/servers/{server_id}/members/{user_id}/roles",
        Need::Above(P::MANAGE_ROLES),
        Noun::Guild,
    ),
    row(
        Put,
        "/servers/{server_id}/members/{user_id}/nick",
        Need::SelfOrAbove {
            own: P::CHANGE_NICKNAME,
            others: P::MANAGE_NICKNAMES,
        },
        Noun::Guild,
    ),
    row(
        Get,
        "/servers/{server_id}/audit-log",
        Need::MemberWith(P::VIEW_AUDIT_LOG),
        Noun::Guild,
    ),
    row(
        Get,
        "/servers/{server_id}/bans",
        Need::MemberWith(P::BAN_MEMBERS),
        Noun::Guild,
    ),
    row(
        Put,
        "/servers/{server_id}/bans/{user_id}",
        Need::Above(P::BAN_MEMBERS),
        Noun::Guild,
    ),
    row(
        Delete,
        "/servers/{server_id}/bans/{user_id}",
        Need::MemberWith(P::BAN_MEMBERS),
        Noun::Guild,
    ),
    row(
        Put,
        "/servers/{server_id}/bots/{application_id}",
        Need::PersonWith(P::MANAGE_GUILD),
        Noun::Guild,
    ),
    // Channels.
    row(
        Get,
        "/servers/{server_id}/channels",
        Need::Member,
        Noun::Guild,
    ),
    row(
        Post,
        "/servers/{server_id}/channels",
        Need::MemberWith(P::MANAGE_CHANNELS),
        Noun::Guild,
    ),
    row(
        Get,
        "/channels/{channel_id}",
        Need::Viewer(P::empty()),
        Noun::Channel,
    ),
    row(
        Put,
        "/channels/{channel_id}",
        Need::Viewer(P::MANAGE_CHANNELS),
        Noun::Channel,
    ),
    row(
        Delete,
        "/channels/{channel_id}",
        Need::Viewer(P::MANAGE_CHANNELS),
        Noun::Channel,
    ),
    row(
        Post,
        "/channels/{channel_id}/typing",
        Need::Viewer(P::SEND_MESSAGES),
        Noun::Channel,
    ),
    // Messages. A page without READ_MESSAGE_HISTORY is empty, as in Discord.
    row(
        Get,
        "/channels/{channel_id}/messages",
        Need::Viewer(P::empty()),
        Noun::Channel,
    ),
    row(
        Post,
        "/channels/{channel_id}/messages",
        Need::Viewer(P::SEND_MESSAGES),
        Noun::Channel,
    ),
    row(
        Get,
        "/messages/{message_id}",
        Need::Viewer(P::empty()),
        Noun::Message,
    ),
    row(Put, "/messages/{message_id}", Need::Author, Noun::Message),
    row(
        Delete,
        "/messages/{message_id}",
        Need::OwnOr(P::MANAGE_MESSAGES),
        Noun::Message,
    ),
    row(
        Get,
        "/messages/{message_id}/reactions",
        Need::Viewer(P::empty()),
        Noun::Message,
    ),
    row(
        Post,
        "/messages/{message_id}/reactions",
        Need::Viewer(P::ADD_REACTIONS),
        Noun::Message,
    ),
    row(
        Get,
        "/messages/{message_id}/reactions/{emoji}",
        Need::Viewer(P::empty()),
        Noun::Message,
    ),
    row(
        Delete,
        "/messages/{message_id}/reactions/{emoji}",
        Need::Viewer(P::empty()),
        Noun::Message,
    ),
    row(
        Delete,
        "/messages/{message_id}/reactions/{emoji}/{user_id}",
        Need::OwnOr(P::MANAGE_MESSAGES),
        Noun::Message,
    ),
    // Commands and components of applications.
    row(
        Get,
        "/channels/{channel_id}/commands",
        Need::PersonWho(P::empty()),
        Noun::Channel,
    ),
    row(
        Post,
        "/channels/{channel_id}/commands/{command_id}",
        Need::PersonWho(P::USE_APPLICATION_COMMANDS),
        Noun::Channel,
    ),
    row(
        Post,
        "/messages/{message_id}/components",
        Need::PersonWho(P::empty()),
        Noun::Message,
    ),
    // Users and their applications.
    row(Get, "/users/me", Need::Anyone, Noun::User),
    row(Put, "/users/me", Need::Anyone, Noun::User),
    row(
        Get,
        "/users/me/applications",
        Need::Person,
        Noun::Application,
    ),
    row(Get, "/users/{user_id}", Need::Anyone, Noun::User),
    row(Post, "/applications", Need::Person, Noun::Application),
    // Roles.
    row(Get, "/servers/{server_id}/roles", Need::Member, Noun::Guild),
    row(
        Post,
        "/servers/{server_id}/roles",
        Need::MemberWith(P::MANAGE_ROLES),
        Noun::Guild,
    ),
    row(
        Put,
        "/roles/{role_id}",
        Need::Above(P::MANAGE_ROLES),
        Noun::Role,
    ),
    row(
        Delete,
        "/roles/{role_id}",
        Need::Above(P::MANAGE_ROLES),
        Noun::Role,
    ),
    // Direct messages.
    row(Get, "/dm/{user_id}/messages", Need::Anyone, Noun::User),
    row(Post, "/dm/{user_id}/messages", Need::Anyone, Noun::User),
];
