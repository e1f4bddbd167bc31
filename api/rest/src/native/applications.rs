//! Applications, and bringing their bots into servers.

use axum::extract::State;
use guildhall_model::{ApplicationId, GuildId};
use guildhall_wire::native::request::application::ApplicationCreate;
use guildhall_wire::native::{Application, Member};

use crate::Api;
use crate::body::Body;
use crate::extract::Ctx;
use crate::path::Path;
use crate::reply::{Reply, created, ok};

/// The caller's own applications.
#[utoipa::path(get, path = "/users/me/applications", tag = "applications",
    responses((status = 200, description = "Oldest first, without tokens.", body = [Application])))]
pub(crate) async fn list_applications(State(api): State<Api>, Ctx(ctx): Ctx) -> Reply {
    let applications = api.app.applications().list(&ctx).await?;
    let shown: Vec<_> = applications
        .iter()
        .map(|each| Application::new(each, &api.installation))
        .collect();
    ok(&shown)
}

/// Makes an application with a bot user. Its token is shown this once.
#[utoipa::path(post, path = "/applications", tag = "applications",
    request_body = ApplicationCreate,
    responses((status = 201, description = "With the bot's token.", body = Application),
        (status = 409, description = "No username like this name is left for the bot.")))]
pub(crate) async fn create_application(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Body(form): Body<ApplicationCreate>,
) -> Reply {
    let name = form.parse()?;
    let (application, token) = api.app.applications().create(&ctx, name).await?;
    created(&Application::created(
        &application,
        token.reveal(),
        &api.installation,
    ))
}

/// Brings an application's bot into a server.
#[utoipa::path(put, path = "/servers/{server_id}/bots/{application_id}", tag = "applications",
    responses((status = 200, description = "The bot as a member.", body = Member)))]
pub(crate) async fn add_bot(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild, application)): Path<(GuildId, ApplicationId)>,
) -> Reply {
    let member = api
        .app
        .applications()
        .add_bot(&ctx, guild, application)
        .await?;
    ok(&Member::new(guild, &member, &api.installation))
}
