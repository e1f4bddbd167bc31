//! Who may not come back to a guild.

use axum::extract::State;
use guildhall_model::{GuildId, UserId};
use guildhall_wire::discord::request::member;
use guildhall_wire::discord::request::member::BanPut;
use guildhall_wire::discord::{Ban, BulkBan};

use super::query::{Asked, Bans};
use crate::Api;
use crate::body::{Body, MaybeBody};
use crate::extract::Ctx;
use crate::path::Path;
use crate::reply::{Reply, done, ok};

/// Where both ends are given, the lower one counts, as in Discord.
pub(super) async fn list(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild,)): Path<(GuildId,)>,
    Asked(asked): Asked<Bans>,
) -> Reply {
    let members = api.app.members();
    let bans = match (asked.after, asked.before) {
        (None, Some(before)) => {
            members
                .bans_before(&ctx, guild, before, asked.limit)
                .await?
        }
        (after, _) => members.bans(&ctx, guild, after, asked.limit).await?,
    };
    let shown: Vec<_> = bans.iter().map(|ban| Ban::new(ban)).collect();
    ok(&shown)
}

pub(super) async fn get(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild, user)): Path<(GuildId, UserId)>,
) -> Reply {
    ok(&Ban::new(
        &*api.app.members().get_ban(&ctx, guild, user).await?,
    ))
}

pub(super) async fn create(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild, user)): Path<(GuildId, UserId)>,
    MaybeBody(form): MaybeBody<BanPut>,
) -> Reply {
    let purged_s = form.parse()?;
    api.app.members().ban(&ctx, guild, user, purged_s).await?;
    done()
}

pub(super) async fn create_many(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild,)): Path<(GuildId,)>,
    Body(form): Body<member::BulkBan>,
) -> Reply {
    let (users, purged_s) = form.parse(&api.spelling)?;
    let members = api.app.members();
    let (banned, failed) = members.ban_many(&ctx, guild, users, purged_s).await?;
    ok(&BulkBan::new(&banned, &failed))
}

pub(super) async fn delete(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild, user)): Path<(GuildId, UserId)>,
) -> Reply {
    api.app.members().unban(&ctx, guild, user).await?;
    done()
}
