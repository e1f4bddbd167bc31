//! `/users`: the own profile, guilds and direct-message channels, and others' profiles.

use axum::extract::State;
use guildhall_app::guilds::OwnGuildsPage;
use guildhall_model::account::Account;
use guildhall_model::{GuildId, UserId};
use guildhall_wire::discord::request::user::{DirectCreate, UserPatch};
use guildhall_wire::discord::{CurrentUser, DirectChannel, OwnGuild, User};

use super::query::Asked;
use crate::Api;
use crate::body::{Body, PictureBody};
use crate::extract::Ctx;
use crate::path::Path;
use crate::reply::{Reply, done, ok};

fn own(account: &Account) -> CurrentUser<'_> {
    CurrentUser::new(&account.user, account.email.as_deref())
}

pub(super) async fn get_me(State(api): State<Api>, Ctx(ctx): Ctx) -> Reply {
    ok(&own(&api.app.accounts().me(&ctx).await?))
}

pub(super) async fn update_me(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    PictureBody(form, _place): PictureBody<UserPatch>,
) -> Reply {
    let (update, avatar) = form.parse()?;
    let accounts = api.app.accounts();
    ok(&own(&accounts.update(&ctx, update, avatar).await?))
}

pub(super) async fn get_user(State(api): State<Api>, Path((id,)): Path<(UserId,)>) -> Reply {
    ok(&User::new(&api.app.accounts().get(id).await?))
}

pub(super) async fn list_guilds(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Asked(page): Asked<OwnGuildsPage>,
) -> Reply {
    let guilds = api.app.guilds().own(&ctx, page).await?;
    let shown: Vec<_> = guilds
        .iter()
        .map(|own| OwnGuild::new(&own.guild, ctx.user_id(), own.permissions, own.counts))
        .collect();
    ok(&shown)
}

pub(super) async fn leave_guild(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(GuildId,)>,
) -> Reply {
    api.app.guilds().leave(&ctx, id).await?;
    done()
}

pub(super) async fn list_directs(State(api): State<Api>, Ctx(ctx): Ctx) -> Reply {
    let channels = api.app.directs().list(&ctx).await?;
    let shown: Vec<_> = channels
        .iter()
        .map(|(channel, other)| DirectChannel::new(channel, [other]))
        .collect();
    ok(&shown)
}

pub(super) async fn open_direct(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Body(form): Body<DirectCreate>,
) -> Reply {
    let other = form.parse(&api.spelling)?;
    let (channel, [_, other]) = api.app.directs().open(&ctx, other).await?;
    ok(&DirectChannel::new(&channel, [&other]))
}
