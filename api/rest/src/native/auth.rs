//! `/auth`: registering, signing in and out. Answers hold tokens, so they are never stored.

use axum::extract::State;
use guildhall_app::Secret;
use guildhall_app::accounts::{NewAccount, SignedIn};
use guildhall_wire::Installation;
use guildhall_wire::native::request::account::{Login, Refresh, Register};
use guildhall_wire::native::{Session, User};

use crate::Api;
use crate::body::Body;
use crate::extract::Ctx;
use crate::reply::{Reply, created, done, ok};

fn shape<'a>(login: &'a SignedIn, installation: &'a Installation) -> Session<'a> {
    let account = &login.account;
    Session::new(
        User::own(&account.user, account.email.as_deref(), installation),
        login.access_token.reveal(),
        login.refresh_token.reveal(),
        login.expires_in_s.into(),
    )
}

/// Makes an account and signs it in.
#[utoipa::path(post, path = "/auth/register", tag = "auth", request_body = Register,
    responses((status = 201, description = "The account with its first tokens.", body = Session),
        (status = 409, description = "The name or the address is taken, or registration is closed.")))]
pub(crate) async fn register(State(api): State<Api>, Body(form): Body<Register>) -> Reply {
    let form = form.parse()?;
    let new = NewAccount {
        username: form.username,
        email: form.email,
        password: Secret::new(form.password.expose()),
    };
    created(&shape(
        &api.app.accounts().register(new).await?,
        &api.installation,
    ))
}

/// Signs in by address or username.
#[utoipa::path(post, path = "/auth/login", tag = "auth", request_body = Login,
    responses((status = 200, description = "New tokens.", body = Session),
        (status = 401, description = "Name or password is wrong.")))]
pub(crate) async fn login(State(api): State<Api>, Body(form): Body<Login>) -> Reply {
    let form = form.parse()?;
    let password = Secret::new(form.password.expose());
    let signed_in = api.app.accounts().login(&form.name, password).await?;
    ok(&shape(&signed_in, &api.installation))
}

/// Exchanges a refresh token for new tokens. One that was exchanged before ends its login.
#[utoipa::path(post, path = "/auth/refresh", tag = "auth", request_body = Refresh,
    responses((status = 200, description = "New tokens.", body = Session),
        (status = 401, description = "The token is unknown, expired or used.")))]
pub(crate) async fn refresh(State(api): State<Api>, Body(form): Body<Refresh>) -> Reply {
    let token = Secret::new(form.parse()?.expose());
    ok(&shape(
        &api.app.accounts().refresh(&token).await?,
        &api.installation,
    ))
}

/// Ends the caller's login: its tokens are refused and its gateway connections close.
#[utoipa::path(post, path = "/auth/logout", tag = "auth",
    responses((status = 204, description = "The login has ended.")))]
pub(crate) async fn logout(State(api): State<Api>, Ctx(ctx): Ctx) -> Reply {
    api.app.accounts().logout(&ctx).await?;
    done()
}
