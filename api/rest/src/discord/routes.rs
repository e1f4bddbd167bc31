//! The table of routes. Each is registered together with its row of `app::authorize`.

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodFilter, on};
use guildhall_app::App;
use guildhall_app::authorize::Method::{self, Delete, Get, Patch, Post, Put};
use guildhall_app::authorize::row;
use guildhall_model::{ApplicationId, CommandId, GuildId};

use super::{
    application_commands, applications, audit, bans, channels, emojis, gateway, guilds,
    interactions, invites, members, messages, pins, reactions, reason, roles, users, webhooks,
};
use crate::Api;
use crate::extract::guard;
use crate::limit::{Limiter, Route, bounded};

const MEMBER: &str = "/guilds/{guild_id}/members/{user_id}";
const MEMBER_ROLE: &str = "/guilds/{guild_id}/members/{user_id}/roles/{role_id}";
const BAN: &str = "/guilds/{guild_id}/bans/{user_id}";
const ROLE: &str = "/guilds/{guild_id}/roles/{role_id}";
const EMOJI: &str = "/guilds/{guild_id}/emojis/{emoji_id}";
const OVERWRITE: &str = "/channels/{channel_id}/permissions/{overwrite_id}";
const BULK_DELETE: &str = "/channels/{channel_id}/messages/bulk-delete";
const PINS: &str = "/channels/{channel_id}/messages/pins";
const PIN: &str = "/channels/{channel_id}/messages/pins/{message_id}";
const OLD_PINS: &str = "/channels/{channel_id}/pins";
const OLD_PIN: &str = "/channels/{channel_id}/pins/{message_id}";
const MESSAGE: &str = "/channels/{channel_id}/messages/{message_id}";

const CALLBACK: &str = "/interactions/{interaction_id}/{interaction_token}/callback";
const COMMANDS: &str = "/applications/{application_id}/commands";
const COMMAND: &str = "/applications/{application_id}/commands/{command_id}";
const GUILD_COMMANDS: &str = "/applications/{application_id}/guilds/{guild_id}/commands";
const GUILD_COMMAND: &str =
    "/applications/{application_id}/guilds/{guild_id}/commands/{command_id}";
const WEBHOOK: &str = "/webhooks/{webhook_id}";
const OPENED: &str = "/webhooks/{webhook_id}/{webhook_token}";
const POSTED: &str = "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}";

/// All routes, without a prefix.
pub(super) fn all(app: &App, limiter: &Limiter) -> Router<Api> {
    let routes = Routes {
        app,
        limiter,
        router: Router::new(),
    };
    let routes = of_users(routes);
    let routes = of_guilds(routes);
    let routes = of_channels(routes);
    let routes = of_applications(routes);
    of_webhooks(routes).router
}

fn of_users(routes: Routes<'_>) -> Routes<'_> {
    routes
        .on(Get, "/gateway", gateway::get_gateway)
        .on(Get, "/gateway/bot", gateway::get_bot_gateway)
        .on(Get, "/applications/@me", applications::get_own)
        .on(Get, "/oauth2/applications/@me", applications::get_own)
        .on(Get, "/soundboard-default-sounds", guilds::no_list)
        .on(Get, "/voice/regions", guilds::no_list)
        .on(Get, "/users/@me", users::get_me)
        .on(Patch, "/users/@me", users::update_me)
        .on(Get, "/users/@me/guilds", users::list_guilds)
        .on(Delete, "/users/@me/guilds/{guild_id}", users::leave_guild)
        .on(Get, "/users/@me/guilds/{guild_id}/member", members::get_me)
        .on(Get, "/users/@me/channels", users::list_directs)
        .on(Post, "/users/@me/channels", users::open_direct)
        .on(Get, "/users/{user_id}", users::get_user)
}

fn of_guilds(routes: Routes<'_>) -> Routes<'_> {
    routes
        .on(Get, "/guilds/{guild_id}", guilds::get)
        .on(Patch, "/guilds/{guild_id}", guilds::update)
        .on(Delete, "/guilds/{guild_id}", guilds::delete)
        .on(Get, "/guilds/{guild_id}/preview", guilds::preview)
        .on(Get, "/guilds/{guild_id}/regions", guilds::regions)
        .on(Get, "/guilds/{guild_id}/channels", channels::list)
        .on(Post, "/guilds/{guild_id}/channels", channels::create)
        .on(Patch, "/guilds/{guild_id}/channels", channels::arrange)
        .on(Get, "/guilds/{guild_id}/members", members::list)
        .on(Get, "/guilds/{guild_id}/members/search", members::search)
        .on(Patch, "/guilds/{guild_id}/members/@me", members::update_me)
        .on(Get, MEMBER, members::get)
        .on(Patch, MEMBER, members::update)
        .on(Delete, MEMBER, members::kick)
        .on(Put, MEMBER_ROLE, members::add_role)
        .on(Delete, MEMBER_ROLE, members::remove_role)
        .on(Get, "/guilds/{guild_id}/audit-logs", audit::list)
        .on(Get, "/guilds/{guild_id}/bans", bans::list)
        .on(Get, BAN, bans::get)
        .on(Put, BAN, bans::create)
        .on(Delete, BAN, bans::delete)
        .on(Post, "/guilds/{guild_id}/bulk-ban", bans::create_many)
        .on(Get, "/guilds/{guild_id}/roles", roles::list)
        .on(Post, "/guilds/{guild_id}/roles", roles::create)
        .on(Patch, "/guilds/{guild_id}/roles", roles::arrange)
        .on(Get, "/guilds/{guild_id}/roles/member-counts", roles::counts)
        .on(Get, ROLE, roles::get)
        .on(Patch, ROLE, roles::update)
        .on(Delete, ROLE, roles::delete)
        .on(Get, "/guilds/{guild_id}/invites", invites::list_of_guild)
        .on(Get, "/guilds/{guild_id}/emojis", emojis::list)
        .on(Post, "/guilds/{guild_id}/emojis", emojis::create)
        .on(Get, EMOJI, emojis::get)
        .on(Patch, EMOJI, emojis::update)
        .on(Delete, EMOJI, emojis::delete)
}

fn of_channels(routes: Routes<'_>) -> Routes<'_> {
    let reactions = |rest: &str| format!("{MESSAGE}/reactions/{{emoji}}{rest}");
    routes
        .on(
            Get,
            "/channels/{channel_id}/invites",
            invites::list_of_channel,
        )
        .on(Post, "/channels/{channel_id}/invites", invites::create)
        .on(Get, "/invites/{code}", invites::get)
        .on(Delete, "/invites/{code}", invites::delete)
        .on(Get, "/channels/{channel_id}", channels::get)
        .on(Patch, "/channels/{channel_id}", channels::update)
        .on(Delete, "/channels/{channel_id}", channels::delete)
        .on(
            Post,
            "/channels/{channel_id}/typing",
            channels::start_typing,
        )
        .on(Put, OVERWRITE, channels::set_overwrite)
        .on(Delete, OVERWRITE, channels::remove_overwrite)
        .on(Get, "/channels/{channel_id}/messages", messages::list)
        .on(Post, "/channels/{channel_id}/messages", messages::create)
        .on(Post, BULK_DELETE, messages::delete_many)
        .on(Get, PINS, pins::list)
        .on(Put, PIN, pins::pin)
        .on(Delete, PIN, pins::unpin)
        .on(Get, OLD_PINS, pins::list_all)
        .on(Put, OLD_PIN, pins::pin)
        .on(Delete, OLD_PIN, pins::unpin)
        .on(Get, MESSAGE, messages::get)
        .on(Patch, MESSAGE, messages::edit)
        .on(Delete, MESSAGE, messages::delete)
        .on(Delete, &format!("{MESSAGE}/reactions"), reactions::clear)
        .on(Get, &reactions(""), reactions::list)
        .on(Delete, &reactions(""), reactions::clear_emoji)
        .on(Put, &reactions("/@me"), reactions::add)
        .on(Delete, &reactions("/@me"), reactions::remove_own)
        .on(Delete, &reactions("/{user_id}"), reactions::remove)
}

fn of_applications(routes: Routes<'_>) -> Routes<'_> {
    use application_commands::{delete, get, list, put, replace, update};
    type Everywhere = (ApplicationId,);
    type InGuild = (ApplicationId, GuildId);
    type One = (ApplicationId, CommandId);
    type OneInGuild = (ApplicationId, GuildId, CommandId);
    routes
        .on(Get, COMMANDS, list::<Everywhere>)
        .on(Post, COMMANDS, put::<Everywhere>)
        .on(Put, COMMANDS, replace::<Everywhere>)
        .on(Get, COMMAND, get::<One>)
        .on(Patch, COMMAND, update::<One>)
        .on(Delete, COMMAND, delete::<One>)
        .on(Get, GUILD_COMMANDS, list::<InGuild>)
        .on(Post, GUILD_COMMANDS, put::<InGuild>)
        .on(Put, GUILD_COMMANDS, replace::<InGuild>)
        .on(Get, GUILD_COMMAND, get::<OneInGuild>)
        .on(Patch, GUILD_COMMAND, update::<OneInGuild>)
        .on(Delete, GUILD_COMMAND, delete::<OneInGuild>)
        .on(Post, CALLBACK, interactions::respond)
}

fn of_webhooks(routes: Routes<'_>) -> Routes<'_> {
    routes
        .on(
            Get,
            "/channels/{channel_id}/webhooks",
            webhooks::list_of_channel,
        )
        .on(Post, "/channels/{channel_id}/webhooks", webhooks::create)
        .on(Get, "/guilds/{guild_id}/webhooks", webhooks::list_of_guild)
        .on(Get, WEBHOOK, webhooks::get)
        .on(Patch, WEBHOOK, webhooks::update)
        .on(Delete, WEBHOOK, webhooks::delete)
        .on(Get, OPENED, webhooks::get_opened)
        .on(Patch, OPENED, webhooks::update_opened)
        .on(Delete, OPENED, webhooks::delete_opened)
        .on(Post, OPENED, webhooks::execute)
        .on(Get, POSTED, webhooks::get_message)
        .on(Patch, POSTED, webhooks::edit_message)
        .on(Delete, POSTED, webhooks::delete_message)
}

struct Routes<'a> {
    app: &'a App,
    limiter: &'a Limiter,
    router: Router<Api>,
}

impl Routes<'_> {
    /// Serves a route behind the guard of its row, and behind its limits, where it is known who
    /// calls. A route that nobody has decided about is not served.
    fn on<H, T>(self, method: Method, path: &str, handler: H) -> Self
    where
        H: Handler<T, Api>,
        T: 'static,
    {
        let template = format!("/api{path}");
        let row = row(method, &template)
            .unwrap_or_else(|| panic!("{method:?} {template} has no row in app::authorize"));
        let limited = Arc::new(Route::new(row.method, row.path));
        let route = on(filter(method), handler)
            .route_layer(from_fn(reason::read))
            .route_layer(from_fn_with_state((self.limiter.clone(), limited), bounded))
            .route_layer(from_fn_with_state((self.app.clone(), row), guard));
        Self {
            router: self.router.route(path, route),
            ..self
        }
    }
}

const fn filter(method: Method) -> MethodFilter {
    match method {
        Get => MethodFilter::GET,
        Post => MethodFilter::POST,
        Put => MethodFilter::PUT,
        Patch => MethodFilter::PATCH,
        Delete => MethodFilter::DELETE,
    }
}
