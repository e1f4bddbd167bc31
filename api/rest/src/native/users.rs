//! `/users`: the own profile and those of others.

use axum::extract::State;
use guildhall_model::UserId;
use guildhall_model::account::Account;
use guildhall_wire::Installation;
use guildhall_wire::native::User;
use guildhall_wire::native::request::account::ProfileUpdate;

use crate::Api;
use crate::body::Body;
use crate::extract::Ctx;
use crate::path::Path;
use crate::reply::{Reply, ok};

fn own<'a>(account: &'a Account, installation: &'a Installation) -> User<'a> {
    User::own(&account.user, account.email.as_deref(), installation)
}

/// The caller's own profile.
#[utoipa::path(get, path = "/users/me", tag = "users",
    responses((status = 200, description = "With the address.", body = User)))]
pub(crate) async fn get_me(State(api): State<Api>, Ctx(ctx): Ctx) -> Reply {
    ok(&own(&api.app.accounts().me(&ctx).await?, &api.installation))
}

/// Changes the caller's own profile; what is left out stays as it is.
#[utoipa::path(put, path = "/users/me", tag = "users", request_body = ProfileUpdate,
    responses((status = 200, description = "The profile as it is now.", body = User),
        (status = 409, description = "The name or the address is taken.")))]
pub(crate) async fn update_me(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Body(form): Body<ProfileUpdate>,
) -> Reply {
    let update = form.parse()?;
    ok(&own(
        &api.app.accounts().update(&ctx, update, None).await?,
        &api.installation,
    ))
}

/// Anybody's public profile.
#[utoipa::path(get, path = "/users/{user_id}", tag = "users",
    responses((status = 200, description = "Without the address.", body = User)))]
pub(crate) async fn get_user(State(api): State<Api>, Path((id,)): Path<(UserId,)>) -> Reply {
    let user = api.app.accounts().get(id).await?;
    ok(&User::new(&user, &api.installation).appearing(api.app.appearance(id)))
}
