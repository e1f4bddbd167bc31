//! Members of a guild.

use std::sync::Arc;

use axum::extract::State;
use guildhall_model::command::{MemberUpdate, RolesEdit};
use guildhall_model::member::Member as ModelMember;
use guildhall_model::{GuildId, RoleId, UserId};
use guildhall_wire::discord::Member;
use guildhall_wire::discord::request::member::{MemberPatch, OwnMemberPatch};

use super::query::{Asked, MemberSearch, Members};
use crate::Api;
use crate::body::Body;
use crate::extract::Ctx;
use crate::path::Path;
use crate::reply::{Reply, done, ok};

fn page(members: &[Arc<ModelMember>]) -> Reply {
    let shown: Vec<_> = members.iter().map(|member| Member::new(member)).collect();
    ok(&shown)
}

pub(super) async fn list(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild,)): Path<(GuildId,)>,
    Asked(asked): Asked<Members>,
) -> Reply {
    let members = api.app.members();
    page(&members.list(&ctx, guild, asked.after, asked.limit).await?)
}

pub(super) async fn search(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild,)): Path<(GuildId,)>,
    Asked(asked): Asked<MemberSearch>,
) -> Reply {
    let members = api.app.members();
    let found = members.search(&ctx, guild, &asked.beginning, asked.limit);
    page(&found.await?)
}

pub(super) async fn get(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild, user)): Path<(GuildId, UserId)>,
) -> Reply {
    ok(&Member::new(
        &*api.app.members().get(&ctx, guild, user).await?,
    ))
}

pub(super) async fn get_me(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild,)): Path<(GuildId,)>,
) -> Reply {
    let member = api.app.members().get(&ctx, guild, ctx.user_id()).await?;
    ok(&Member::new(&member))
}

pub(super) async fn update(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild, user)): Path<(GuildId, UserId)>,
    Body(form): Body<MemberPatch>,
) -> Reply {
    let update = form.parse(&api.spelling)?;
    let member = api.app.members().update(&ctx, guild, user, update).await?;
    ok(&Member::new(&member))
}

pub(super) async fn update_me(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild,)): Path<(GuildId,)>,
    Body(form): Body<OwnMemberPatch>,
) -> Reply {
    let (update, me) = (form.parse()?, ctx.user_id());
    let member = api.app.members().update(&ctx, guild, me, update).await?;
    ok(&Member::new(&member))
}

pub(super) async fn kick(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild, user)): Path<(GuildId, UserId)>,
) -> Reply {
    api.app.members().kick(&ctx, guild, user).await?;
    done()
}

pub(super) async fn add_role(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild, user, role)): Path<(GuildId, UserId, RoleId)>,
) -> Reply {
    let update = roles(RolesEdit::Add(role));
    api.app.members().update(&ctx, guild, user, update).await?;
    done()
}

pub(super) async fn remove_role(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild, user, role)): Path<(GuildId, UserId, RoleId)>,
) -> Reply {
    let update = roles(RolesEdit::Remove(role));
    api.app.members().update(&ctx, guild, user, update).await?;
    done()
}

fn roles(edit: RolesEdit) -> MemberUpdate {
    MemberUpdate {
        roles: Some(edit),
        ..MemberUpdate::default()
    }
}
