//! The HTTP routes of both dialects.
//!
//! A handler extracts, asks `app`, and shapes the answer with `wire`. Who may call it is a row of
//! `app::authorize`, which [`router`] looks up for each route that it registers. Files are the
//! exception: their addresses are signed.

mod body;
mod cdn;
mod discord;
mod error;
mod extract;
mod layer;
mod limit;
mod metrics;
mod native;
mod openapi;
mod path;
mod query;
mod range;
mod reply;
mod routes;
pub mod uploads;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use guildhall_app::{App, Quotas};
use guildhall_wire::{Installation, Spelling};
use http::HeaderValue;

use body::LargeBodies;
pub use discord::GatewayUrl;
pub use error::ApiError;
use limit::Limiter;
pub use limit::Limits;
pub use metrics::describe as describe_metrics;

/// What an operator may set about the HTTP interface.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How this installation writes its ids and addresses.
    pub installation: Installation,
    /// Web pages of these origins may call the interface from a browser. None by default.
    pub origins: Vec<HeaderValue>,
    /// Where bots are told to connect.
    pub gateway: GatewayUrl,
    /// How often callers may call.
    pub limits: Limits,
    /// What counts that for all nodes of a cluster. Without it each counts by itself.
    pub quotas: Option<Arc<dyn Quotas>>,
}

/// What every handler works with.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    pub(crate) app: App,
    pub(crate) spelling: Spelling,
    pub(crate) installation: Installation,
    /// The description of all routes, rendered once.
    pub(crate) document: Arc<str>,
    pub(crate) gateway: GatewayUrl,
    pub(crate) large_bodies: LargeBodies,
}

impl FromRef<Api> for Spelling {
    fn from_ref(api: &Api) -> Self {
        api.spelling
    }
}

/// Serves the native dialect at the root and Discord's below `/api`. The gateway's route is merged by `edge`.
///
/// # Panics
/// If a route has no row in `app::authorize`: nobody has decided who may call it.
pub fn router(app: App, settings: Settings) -> Router {
    let env = app.env().clone();
    let spelling = settings.installation.spelling;
    let limiter = Limiter::new(settings.limits, spelling, env.clone(), settings.quotas);
    let (routes, document) = routes::all(&app, &limiter);
    let discord = discord::all(&app, &limiter);
    let document = openapi::render(document, spelling);
    let api = Api {
        app,
        spelling,
        installation: settings.installation,
        document,
        gateway: settings.gateway,
        large_bodies: LargeBodies::default(),
    };
    let routes = routes.merge(discord).merge(cdn::routes());
    layer::around(routes.with_state(api), env, limiter, settings.origins)
}
