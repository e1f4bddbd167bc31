//! Roles of a guild.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use guildhall_model::role::Role as ModelRole;
use guildhall_model::{GuildId, RoleId};
use guildhall_wire::discord::Role;
use guildhall_wire::discord::request::role::{RolePatch, RolePlace};

use crate::Api;
use crate::body::{Body, List, MaybeBody};
use crate::extract::Ctx;
use crate::path::Path;
use crate::reply::{Reply, done, ok};

fn all(roles: &[Arc<ModelRole>]) -> Reply {
    let shown: Vec<_> = roles.iter().map(|role| Role::new(role)).collect();
    ok(&shown)
}

pub(super) async fn list(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild,)): Path<(GuildId,)>,
) -> Reply {
    all(&api.app.roles().list(&ctx, guild).await?)
}

pub(super) async fn get(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild, id)): Path<(GuildId, RoleId)>,
) -> Reply {
    ok(&Role::new(&*api.app.roles().get(&ctx, guild, id).await?))
}

pub(super) async fn counts(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild,)): Path<(GuildId,)>,
) -> Reply {
    let counts = api.app.roles().member_counts(&ctx, guild).await?;
    let shown: BTreeMap<String, u32> = counts
        .into_iter()
        .map(|(role, count)| (role.to_string(), count))
        .collect();
    ok(&shown)
}

pub(super) async fn create(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild,)): Path<(GuildId,)>,
    MaybeBody(form): MaybeBody<RolePatch>,
) -> Reply {
    let new = form.parse()?;
    ok(&Role::new(&api.app.roles().create(&ctx, guild, new).await?))
}

pub(super) async fn arrange(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild,)): Path<(GuildId,)>,
    List(places): List<RolePlace>,
) -> Reply {
    let places = RolePlace::parse(places, &api.spelling)?;
    all(&api.app.roles().arrange(&ctx, guild, places).await?)
}

pub(super) async fn update(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild, id)): Path<(GuildId, RoleId)>,
    Body(form): Body<RolePatch>,
) -> Reply {
    let update = form.parse()?;
    let role = api.app.roles().update_in(&ctx, guild, id, update).await?;
    ok(&Role::new(&role))
}

pub(super) async fn delete(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild, id)): Path<(GuildId, RoleId)>,
) -> Reply {
    api.app.roles().delete_in(&ctx, guild, id).await?;
    done()
}
