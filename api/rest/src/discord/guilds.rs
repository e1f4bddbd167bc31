//! `/guilds`: the guild itself.

use axum::extract::State;
use guildhall_app::guilds::WholeGuild;
use guildhall_model::GuildId;
use guildhall_wire::discord::request::guild::GuildPatch;
use guildhall_wire::discord::{Guild, GuildPreview, GuildWithCounts};

use super::query::{Asked, WithCounts};
use crate::Api;
use crate::body::PictureBody;
use crate::extract::Ctx;
use crate::path::Path;
use crate::reply::{Reply, done, ok};

fn shape(whole: &WholeGuild) -> GuildWithCounts<'_> {
    let guild = Guild::new(
        &whole.guild,
        whole.roles.iter().map(|role| &**role),
        whole.emojis.iter().map(|emoji| &**emoji),
    );
    let counts = whole
        .presence_count
        .map(|online| (whole.member_count, online));
    GuildWithCounts::new(guild, counts)
}

pub(super) async fn get(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(GuildId,)>,
    Asked(WithCounts(with_counts)): Asked<WithCounts>,
) -> Reply {
    ok(&shape(
        &api.app.guilds().whole(&ctx, id, with_counts).await?,
    ))
}

pub(super) async fn update(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(GuildId,)>,
    PictureBody(form, _place): PictureBody<GuildPatch>,
) -> Reply {
    let (update, icon) = form.parse(&api.spelling)?;
    let guilds = api.app.guilds();
    ok(&shape(&guilds.update_whole(&ctx, id, update, icon).await?))
}

pub(super) async fn delete(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(GuildId,)>,
) -> Reply {
    api.app.guilds().delete(&ctx, id).await?;
    done()
}

pub(super) async fn preview(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(GuildId,)>,
) -> Reply {
    let whole = api.app.guilds().preview(&ctx, id).await?;
    let emojis = whole.emojis.iter().map(|emoji| &**emoji);
    let online = whole.presence_count.unwrap_or_default();
    ok(&GuildPreview::new(
        &whole.guild,
        emojis,
        whole.member_count,
        online,
    ))
}

/// There is one region, which has no name.
pub(super) async fn regions(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(GuildId,)>,
) -> Reply {
    api.app.guilds().whole(&ctx, id, false).await?;
    no_list().await
}

/// What Guildhall has none of.
pub(super) async fn no_list() -> Reply {
    ok(&[(); 0])
}
