//! `/applications`: what a bot's application is.

use axum::extract::State;
use guildhall_wire::discord::Application;

use crate::Api;
use crate::extract::Ctx;
use crate::reply::{Reply, ok};

pub(super) async fn get_own(State(api): State<Api>, Ctx(ctx): Ctx) -> Reply {
    let (application, owner, guilds) = api.app.applications().own(&ctx).await?;
    ok(&Application::new(&application, &owner, guilds))
}
