//! `/servers`: guilds, as the native dialect calls them.

use axum::extract::State;
use guildhall_app::NewGuild;
use guildhall_app::guilds::GuildSummary;
use guildhall_model::GuildId;
use guildhall_wire::Installation;
use guildhall_wire::native::Server;
use guildhall_wire::native::request::member::Join;
use guildhall_wire::native::request::server::{ServerCreate, ServerUpdate};

use crate::Api;
use crate::body::{Body, MaybeBody};
use crate::extract::Ctx;
use crate::path::Path;
use crate::reply::{Reply, created, done, ok};

fn shape<'a>(summary: &'a GuildSummary, installation: &'a Installation) -> Server<'a> {
    Server::new(&summary.guild, summary.member_count, installation)
}

/// The servers that the caller is a member of.
#[utoipa::path(get, path = "/servers", tag = "servers",
    responses((status = 200, description = "Oldest first.", body = [Server])))]
pub(crate) async fn list_servers(State(api): State<Api>, Ctx(ctx): Ctx) -> Reply {
    let guilds = api.app.guilds().list(&ctx).await?;
    let servers: Vec<_> = guilds
        .iter()
        .map(|guild| shape(guild, &api.installation))
        .collect();
    ok(&servers)
}

/// Makes a server with the channel `general`, owned by the caller.
#[utoipa::path(post, path = "/servers", tag = "servers", request_body = ServerCreate,
    responses((status = 201, description = "The new server.", body = Server)))]
pub(crate) async fn create_server(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Body(form): Body<ServerCreate>,
) -> Reply {
    let new = form.parse()?;
    let new = NewGuild {
        name: new.name,
        description: new.description,
        icon: new.icon,
        is_public: new.is_public,
    };
    let guild = api.app.guilds().create(&ctx, new).await?;
    created(&shape(&guild, &api.installation))
}

/// A server that the caller is a member of, or a public one.
#[utoipa::path(get, path = "/servers/{server_id}", tag = "servers",
    responses((status = 200, description = "The server.", body = Server)))]
pub(crate) async fn get_server(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(GuildId,)>,
) -> Reply {
    let guild = api.app.guilds().get(&ctx, id).await?;
    ok(&shape(&guild, &api.installation))
}

/// Changes a server; what is left out stays as it is.
#[utoipa::path(put, path = "/servers/{server_id}", tag = "servers", request_body = ServerUpdate,
    responses((status = 200, description = "The server as it is now.", body = Server)))]
pub(crate) async fn update_server(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(GuildId,)>,
    Body(form): Body<ServerUpdate>,
) -> Reply {
    let update = form.parse(&api.spelling)?;
    let guild = api.app.guilds().update(&ctx, id, update).await?;
    ok(&shape(&guild, &api.installation))
}

/// Ends a server with all its channels.
#[utoipa::path(delete, path = "/servers/{server_id}", tag = "servers",
    responses((status = 204, description = "It has ended.")))]
pub(crate) async fn delete_server(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(GuildId,)>,
) -> Reply {
    api.app.guilds().delete(&ctx, id).await?;
    done()
}

/// Joins a server: a public one, or any with an invite's code. Members who join again change
/// nothing.
#[utoipa::path(post, path = "/servers/{server_id}/join", tag = "servers",
    request_body = Option<Join>,
    responses((status = 200, description = "The server that was joined.", body = Server)))]
pub(crate) async fn join_server(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(GuildId,)>,
    MaybeBody(form): MaybeBody<Join>,
) -> Reply {
    let code = form.parse()?;
    let guild = api.app.guilds().join(&ctx, id, code).await?;
    ok(&shape(&guild, &api.installation))
}

/// Leaves a server. The owner hands it over first, or deletes it.
#[utoipa::path(post, path = "/servers/{server_id}/leave", tag = "servers",
    responses((status = 204, description = "The caller is no member any more."),
        (status = 409, description = "The owner cannot leave.")))]
pub(crate) async fn leave_server(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(GuildId,)>,
) -> Reply {
    api.app.guilds().leave(&ctx, id).await?;
    done()
}
