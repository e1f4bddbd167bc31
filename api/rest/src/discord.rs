//! The Discord dialect: API v10 for existing bot libraries, a file per resource.
//!
//! The three prefixes serve the same routes: discordgo speaks v9, and no version means the latest.

mod application_commands;
mod applications;
mod audit;
mod bans;
mod channels;
mod emojis;
mod gateway;
mod guilds;
mod interactions;
mod invites;
mod members;
mod messages;
mod pins;
mod query;
mod reactions;
mod reason;
mod roles;
mod routes;
mod users;
mod webhooks;

use axum::Router;
use guildhall_app::App;

use crate::Api;
use crate::limit::Limiter;

pub use gateway::GatewayUrl;

const VERSIONS: [&str; 3] = ["/api", "/api/v9", "/api/v10"];

/// All routes under all prefixes.
pub(crate) fn all(app: &App, limiter: &Limiter) -> Router<Api> {
    let routes = routes::all(app, limiter);
    VERSIONS.into_iter().fold(Router::new(), |router, prefix| {
        router.nest(prefix, routes.clone())
    })
}

/// Whether a path belongs to this dialect, whatever is there.
pub(crate) fn serves(path: &str) -> bool {
    let rest = path.strip_prefix("/api");
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
