//! Invites of guilds and channels.

use axum::extract::State;
use guildhall_app::invites::ShownInvite;
use guildhall_model::{ChannelId, GuildId};
use guildhall_wire::discord::Invite;
use guildhall_wire::discord::request::invite::InviteCreate;

use super::query::{Asked, WithCounts};
use crate::Api;
use crate::body::MaybeBody;
use crate::extract::Ctx;
use crate::path::{Code, Path};
use crate::reply::{Reply, ok};

fn shape(shown: &ShownInvite) -> Invite<'_> {
    let invite = Invite::new(
        &shown.invite,
        &shown.guild,
        &shown.channel,
        shown.inviter.as_ref(),
    );
    invite.with_counts(shown.counts)
}

fn all(invites: &[ShownInvite]) -> Reply {
    let shown: Vec<_> = invites.iter().map(shape).collect();
    ok(&shown)
}

pub(super) async fn list_of_guild(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild,)): Path<(GuildId,)>,
) -> Reply {
    all(&api.app.invites().list_shown(&ctx, guild).await?)
}

pub(super) async fn list_of_channel(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((channel,)): Path<(ChannelId,)>,
) -> Reply {
    all(&api.app.invites().list_of_channel(&ctx, channel).await?)
}

pub(super) async fn create(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((channel,)): Path<(ChannelId,)>,
    MaybeBody(form): MaybeBody<InviteCreate>,
) -> Reply {
    let new = form.parse()?;
    ok(&shape(
        &api.app.invites().create_shown(&ctx, channel, new).await?,
    ))
}

pub(super) async fn get(
    State(api): State<Api>,
    Path((Code(code),)): Path<(Code,)>,
    Asked(WithCounts(with_counts)): Asked<WithCounts>,
) -> Reply {
    let now = api.app.env().now();
    let shown = api.app.invites().get_shown(&code, now, with_counts).await?;
    ok(&shape(&shown).without_numbers())
}

pub(super) async fn delete(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((Code(code),)): Path<(Code,)>,
) -> Reply {
    ok(&shape(&api.app.invites().delete_shown(&ctx, code).await?))
}
