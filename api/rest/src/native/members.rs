//! Members of a server, and who may not come back.

use axum::extract::State;
use guildhall_model::member::Member as ModelMember;
use guildhall_model::{GuildId, UserId};
use guildhall_wire::native::request::member::{BanCreate, MemberNick};
use guildhall_wire::native::request::role::MemberRoles;
use guildhall_wire::native::{Ban, Member};

use crate::Api;
use crate::body::{Body, MaybeBody};
use crate::extract::Ctx;
use crate::path::Path;
use crate::query::UserPage;
use crate::reply::{Reply, done, ok};

fn shape<'a>(guild: GuildId, member: &'a ModelMember, api: &'a Api) -> Member<'a> {
    let appearance = api.app.appearance(member.user.id);
    Member::new(guild, member, &api.installation).appearing(appearance)
}

/// A page of a server's members.
#[utoipa::path(get, path = "/servers/{server_id}/members", tag = "members",
    params(UserPage),
    responses((status = 200, description = "By user id.", body = [Member])))]
pub(crate) async fn list_members(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild,)): Path<(GuildId,)>,
    page: UserPage,
) -> Reply {
    let members = api
        .app
        .members()
        .list(&ctx, guild, page.after, page.limit)
        .await?;
    let shown: Vec<_> = members
        .iter()
        .map(|member| shape(guild, member, &api))
        .collect();
    ok(&shown)
}

/// One member.
#[utoipa::path(get, path = "/servers/{server_id}/members/{user_id}", tag = "members",
    responses((status = 200, description = "The member.", body = Member)))]
pub(crate) async fn get_member(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild, user)): Path<(GuildId, UserId)>,
) -> Reply {
    let member = api.app.members().get(&ctx, guild, user).await?;
    ok(&shape(guild, &member, &api))
}

/// Removes a member, who may come back.
#[utoipa::path(delete, path = "/servers/{server_id}/members/{user_id}", tag = "members",
    responses((status = 204, description = "The user is no member any more.")))]
pub(crate) async fn kick_member(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild, user)): Path<(GuildId, UserId)>,
) -> Reply {
    api.app.members().kick(&ctx, guild, user).await?;
    done()
}

/// Gives a member exactly these roles.
#[utoipa::path(put, path = "/servers/{server_id}/members/{user_id}/roles", tag = "members",
    request_body = MemberRoles,
    responses((status = 200, description = "The member as it is now.", body = Member),
        (status = 409, description = "A bot's own role cannot be assigned.")))]
pub(crate) async fn assign_roles(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild, user)): Path<(GuildId, UserId)>,
    Body(form): Body<MemberRoles>,
) -> Reply {
    let roles = form.parse(&api.spelling)?;
    let member = api.app.roles().assign(&ctx, guild, user, roles).await?;
    ok(&shape(guild, &member, &api))
}

/// Sets or removes the nickname of a member, or of the caller itself.
#[utoipa::path(put, path = "/servers/{server_id}/members/{user_id}/nick", tag = "members",
    request_body = MemberNick,
    responses((status = 200, description = "The member as it is now.", body = Member)))]
pub(crate) async fn set_nick(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild, user)): Path<(GuildId, UserId)>,
    Body(form): Body<MemberNick>,
) -> Reply {
    let nick = form.parse()?;
    let member = api.app.members().set_nick(&ctx, guild, user, nick).await?;
    ok(&shape(guild, &member, &api))
}

/// A page of the users who may not come back.
#[utoipa::path(get, path = "/servers/{server_id}/bans", tag = "members",
    params(UserPage),
    responses((status = 200, description = "By user id.", body = [Ban])))]
pub(crate) async fn list_bans(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild,)): Path<(GuildId,)>,
    page: UserPage,
) -> Reply {
    let bans = api
        .app
        .members()
        .bans(&ctx, guild, page.after, page.limit)
        .await?;
    let shown: Vec<_> = bans
        .iter()
        .map(|ban| Ban::new(ban, &api.installation))
        .collect();
    ok(&shown)
}

/// Keeps a user out, and removes it if it is a member.
#[utoipa::path(put, path = "/servers/{server_id}/bans/{user_id}", tag = "members",
    request_body = Option<BanCreate>,
    responses((status = 204, description = "The user is kept out.")))]
pub(crate) async fn ban_user(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild, user)): Path<(GuildId, UserId)>,
    MaybeBody(form): MaybeBody<BanCreate>,
) -> Reply {
    let (reason, purged_s) = form.parse()?;
    let ctx = ctx.because(reason);
    api.app.members().ban(&ctx, guild, user, purged_s).await?;
    done()
}

/// Lets a user come back.
#[utoipa::path(delete, path = "/servers/{server_id}/bans/{user_id}", tag = "members",
    responses((status = 204, description = "The user may join again.")))]
pub(crate) async fn unban_user(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild, user)): Path<(GuildId, UserId)>,
) -> Reply {
    api.app.members().unban(&ctx, guild, user).await?;
    done()
}
