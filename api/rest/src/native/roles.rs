//! Roles of a server.

use axum::extract::State;
use guildhall_model::{GuildId, RoleId};
use guildhall_wire::native::Role;
use guildhall_wire::native::request::role::{RoleCreate, RoleUpdate};

use crate::Api;
use crate::body::Body;
use crate::extract::Ctx;
use crate::path::Path;
use crate::reply::{Reply, created, done, ok};

/// The roles of a server. The first is the one that everybody has.
#[utoipa::path(get, path = "/servers/{server_id}/roles", tag = "roles",
    responses((status = 200, description = "Lowest first.", body = [Role])))]
pub(crate) async fn list_roles(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild,)): Path<(GuildId,)>,
) -> Reply {
    let roles = api.app.roles().list(&ctx, guild).await?;
    let shown: Vec<_> = roles
        .iter()
        .map(|role| Role::new(role, &api.spelling))
        .collect();
    ok(&shown)
}

/// Makes a role below the caller's own highest.
#[utoipa::path(post, path = "/servers/{server_id}/roles", tag = "roles",
    request_body = RoleCreate,
    responses((status = 201, description = "The new role.", body = Role)))]
pub(crate) async fn create_role(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild,)): Path<(GuildId,)>,
    Body(form): Body<RoleCreate>,
) -> Reply {
    let new = form.parse()?;
    let role = api.app.roles().create(&ctx, guild, new).await?;
    created(&Role::new(&role, &api.spelling))
}

/// Changes a role below the caller's own highest; what is left out stays as it is.
#[utoipa::path(put, path = "/roles/{role_id}", tag = "roles",
    request_body = RoleUpdate,
    responses((status = 200, description = "The role as it is now.", body = Role),
        (status = 409, description = "The role of everybody keeps its name and place, the lowest.")))]
pub(crate) async fn update_role(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(RoleId,)>,
    Body(form): Body<RoleUpdate>,
) -> Reply {
    let update = form.parse()?;
    let role = api.app.roles().update(&ctx, id, update).await?;
    ok(&Role::new(&role, &api.spelling))
}

/// Ends a role; members and channels lose it.
#[utoipa::path(delete, path = "/roles/{role_id}", tag = "roles",
    responses((status = 204, description = "It has ended."),
        (status = 409, description = "The role lasts as long as its server or bot.")))]
pub(crate) async fn delete_role(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(RoleId,)>,
) -> Reply {
    api.app.roles().delete(&ctx, id).await?;
    done()
}
