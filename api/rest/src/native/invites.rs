//! Invites.

use axum::extract::State;
use guildhall_model::GuildId;
use guildhall_wire::native::request::invite::InviteCreate;
use guildhall_wire::native::{Invite, InvitePreview};

use crate::Api;
use crate::body::MaybeBody;
use crate::extract::Ctx;
use crate::path::{Code, Path};
use crate::reply::{Reply, created, done, ok};

/// The invites that still open a server.
#[utoipa::path(get, path = "/servers/{server_id}/invites", tag = "invites",
    responses((status = 200, description = "Newest first.", body = [Invite])))]
pub(crate) async fn list_invites(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild,)): Path<(GuildId,)>,
) -> Reply {
    let invites = api.app.invites().list(&ctx, guild).await?;
    let shown: Vec<_> = invites
        .iter()
        .map(|each| Invite::new(each, &api.spelling))
        .collect();
    ok(&shown)
}

/// Makes an invite.
#[utoipa::path(post, path = "/servers/{server_id}/invites", tag = "invites",
    request_body = Option<InviteCreate>,
    responses((status = 201, description = "The new invite.", body = Invite)))]
pub(crate) async fn create_invite(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild,)): Path<(GuildId,)>,
    MaybeBody(form): MaybeBody<InviteCreate>,
) -> Reply {
    let new = form.parse(&api.spelling, String::new())?;
    let invite = api.app.invites().create(&ctx, guild, new).await?;
    created(&Invite::new(&invite, &api.spelling))
}

/// Revokes an invite.
#[utoipa::path(delete, path = "/invites/{code}", tag = "invites",
    responses((status = 204, description = "It opens nothing any more.")))]
pub(crate) async fn delete_invite(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((Code(code),)): Path<(Code,)>,
) -> Reply {
    api.app.invites().delete(&ctx, code).await?;
    done()
}

/// What an invite opens, for whoever has its code.
#[utoipa::path(get, path = "/invites/{code}", tag = "invites",
    responses((status = 200, description = "The server that it opens.", body = InvitePreview)))]
pub(crate) async fn get_invite(
    State(api): State<Api>,
    Path((Code(code),)): Path<(Code,)>,
) -> Reply {
    let preview = api
        .app
        .invites()
        .preview(&code, api.app.env().now())
        .await?;
    ok(&InvitePreview::new(&preview, &api.spelling))
}
