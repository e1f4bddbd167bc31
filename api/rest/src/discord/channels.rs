//! Channels with their permission overwrites.

use axum::extract::State;
use guildhall_app::channels::AnyChannel;
use guildhall_model::{ChannelId, GuildId, UserId};
use guildhall_wire::discord::request::channel::{
    ChannelCreate, ChannelPatch, ChannelPlace, OverwritePut,
};
use guildhall_wire::discord::{Channel, DirectChannel};

use crate::Api;
use crate::body::{Body, List};
use crate::extract::Ctx;
use crate::path::{Bound, Path};
use crate::reply::{Reply, created, done, ok};

/// A channel of either kind; readers of a direct one are not told of themselves.
fn shown(channel: &AnyChannel, reader: UserId) -> Reply {
    match channel {
        AnyChannel::Guild(channel) => ok(&Channel::new(channel)),
        AnyChannel::Direct(channel, users) => {
            let others = users.iter().filter(|user| user.id != reader);
            ok(&DirectChannel::new(channel, others))
        }
    }
}

pub(super) async fn list(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild,)): Path<(GuildId,)>,
) -> Reply {
    let channels = api.app.channels().list(&ctx, guild).await?;
    let shown: Vec<_> = channels.iter().map(|each| Channel::new(each)).collect();
    ok(&shown)
}

pub(super) async fn create(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild,)): Path<(GuildId,)>,
    Body(form): Body<ChannelCreate>,
) -> Reply {
    let new = form.parse(&api.spelling)?;
    created(&Channel::new(
        &api.app.channels().create(&ctx, guild, new).await?,
    ))
}

pub(super) async fn arrange(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild,)): Path<(GuildId,)>,
    List(places): List<ChannelPlace>,
) -> Reply {
    let places = ChannelPlace::parse(places, &api.spelling)?;
    api.app.channels().arrange(&ctx, guild, places).await?;
    done()
}

pub(super) async fn get(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(ChannelId,)>,
) -> Reply {
    shown(&api.app.channels().get(&ctx, id).await?, ctx.user_id())
}

pub(super) async fn update(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(ChannelId,)>,
    Body(form): Body<ChannelPatch>,
) -> Reply {
    let update = form.parse(&api.spelling)?;
    ok(&Channel::new(
        &*api.app.channels().update(&ctx, id, update).await?,
    ))
}

/// Answers with the channel as it was.
pub(super) async fn delete(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(ChannelId,)>,
) -> Reply {
    let channel = api.app.channels().get(&ctx, id).await?;
    api.app.channels().delete(&ctx, id).await?;
    shown(&channel, ctx.user_id())
}

/// Tells those who see the channel that the caller writes a message there.
pub(super) async fn start_typing(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(ChannelId,)>,
) -> Reply {
    api.app.channels().start_typing(&ctx, id).await?;
    done()
}

pub(super) async fn set_overwrite(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id, Bound(targets))): Path<(ChannelId, Bound)>,
    Body(form): Body<OverwritePut>,
) -> Reply {
    let overwrite = form.parse(targets)?;
    api.app
        .channels()
        .set_overwrite(&ctx, id, overwrite)
        .await?;
    done()
}

pub(super) async fn remove_overwrite(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id, Bound(targets))): Path<(ChannelId, Bound)>,
) -> Reply {
    api.app
        .channels()
        .remove_overwrite(&ctx, id, targets)
        .await?;
    done()
}
