//! The whole table of routes. Each is registered together with its row of `app::authorize`, and
//! with its limits.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use guildhall_app::App;
use guildhall_app::authorize::{Method, Row, row};
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{PathItem, Paths};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use utoipa_axum::routes;

use crate::extract::guard;
use crate::limit::{Limiter, Route, bounded};
use crate::{Api, native, openapi};

macro_rules! register {
    ($app:expr, $limiter:expr, $router:expr; $($($part:ident)::+,)*) => {
        $router$(.routes(guarded($app, $limiter, routes!($($part)::+))))*
    };
}

/// All routes with their description.
pub(crate) fn all(app: &App, limiter: &Limiter) -> (Router<Api>, OpenApi) {
    let router = OpenApiRouter::with_openapi(openapi::frame());
    let router = register!(app, limiter, router;
        openapi::get_document,
        native::auth::register,
        native::auth::login,
        native::auth::refresh,
        native::auth::logout,
        native::servers::list_servers,
        native::servers::create_server,
        native::servers::get_server,
        native::servers::update_server,
        native::servers::delete_server,
        native::servers::join_server,
        native::servers::leave_server,
        native::invites::list_invites,
        native::invites::create_invite,
        native::invites::get_invite,
        native::invites::delete_invite,
        native::members::list_members,
        native::members::get_member,
        native::members::kick_member,
        native::members::assign_roles,
        native::members::set_nick,
        native::audit::list_audit_entries,
        native::members::list_bans,
        native::members::ban_user,
        native::members::unban_user,
        native::applications::add_bot,
        native::channels::list_channels,
        native::channels::create_channel,
        native::channels::get_channel,
        native::channels::update_channel,
        native::channels::delete_channel,
        native::channels::start_typing,
        native::messages::list_messages,
        native::messages::create_message,
        native::messages::get_message,
        native::messages::edit_message,
        native::messages::delete_message,
        native::reactions::list_reactions,
        native::reactions::add_reaction,
        native::reactions::list_reactors,
        native::reactions::remove_own_reaction,
        native::reactions::remove_reaction,
        native::interactions::list_commands,
        native::interactions::run_command,
        native::interactions::press_component,
        native::users::get_me,
        native::users::update_me,
        native::applications::list_applications,
        native::users::get_user,
        native::applications::create_application,
        native::roles::list_roles,
        native::roles::create_role,
        native::roles::update_role,
        native::roles::delete_role,
        native::directs::list_direct_messages,
        native::directs::create_direct_message,
    );
    router.split_for_parts()
}

/// Puts the row's guard before a route, and the limits behind it, where it is known who calls. A
/// route that nobody has decided about is not served.
fn guarded(
    app: &App,
    limiter: &Limiter,
    routes: UtoipaMethodRouter<Api>,
) -> UtoipaMethodRouter<Api> {
    let (schemas, paths, methods) = routes;
    let row = row_of(&paths);
    let route = Arc::new(Route::new(row.method, row.path));
    let methods = methods
        .route_layer(from_fn_with_state((limiter.clone(), route), bounded))
        .route_layer(from_fn_with_state((app.clone(), row), guard));
    (schemas, paths, methods)
}

fn row_of(paths: &Paths) -> &'static Row {
    let (path, item) = paths.paths.first_key_value().expect("a handler has a path");
    let method = methods(item).next().expect("a handler has a method");
    row(method, path).unwrap_or_else(|| panic!("{method:?} {path} has no row in app::authorize"))
}

/// The methods that a path is described with.
pub(crate) fn methods(item: &PathItem) -> impl Iterator<Item = Method> {
    [
        (Method::Get, item.get.is_some()),
        (Method::Post, item.post.is_some()),
        (Method::Put, item.put.is_some()),
        (Method::Patch, item.patch.is_some()),
        (Method::Delete, item.delete.is_some()),
    ]
    .into_iter()
    .filter(|&(_, is_described)| is_described)
    .map(|(method, _)| method)
}
