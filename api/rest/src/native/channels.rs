//! Channels with their permission overwrites.

use axum::extract::State;
use guildhall_app::channels::AnyChannel;
use guildhall_model::{ChannelId, GuildId};
use guildhall_wire::native::request::channel::{ChannelCreate, ChannelUpdate};
use guildhall_wire::native::{Channel, ChannelBody, DirectChannel};

use crate::Api;
use crate::body::Body;
use crate::extract::Ctx;
use crate::path::Path;
use crate::reply::{Reply, created, done, ok};

/// The channels of a server that the caller can see.
#[utoipa::path(get, path = "/servers/{server_id}/channels", tag = "channels",
    responses((status = 200, description = "By position.", body = [Channel])))]
pub(crate) async fn list_channels(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild,)): Path<(GuildId,)>,
) -> Reply {
    let channels = api.app.channels().list(&ctx, guild).await?;
    let shown: Vec<_> = channels
        .iter()
        .map(|each| Channel::new(each, &api.spelling))
        .collect();
    ok(&shown)
}

/// Makes a channel.
#[utoipa::path(post, path = "/servers/{server_id}/channels", tag = "channels",
    request_body = ChannelCreate,
    responses((status = 201, description = "The new channel.", body = Channel)))]
pub(crate) async fn create_channel(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild,)): Path<(GuildId,)>,
    Body(form): Body<ChannelCreate>,
) -> Reply {
    let new = form.parse(&api.spelling)?;
    let channel = api.app.channels().create(&ctx, guild, new).await?;
    created(&Channel::new(&channel, &api.spelling))
}

/// A channel that the caller can see: of a server, or of two users, then with the type `direct`.
#[utoipa::path(get, path = "/channels/{channel_id}", tag = "channels",
    responses((status = 200, description = "The channel.", body = ChannelBody)))]
pub(crate) async fn get_channel(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(ChannelId,)>,
) -> Reply {
    ok(&match &api.app.channels().get(&ctx, id).await? {
        AnyChannel::Guild(channel) => ChannelBody::Server(Channel::new(channel, &api.spelling)),
        AnyChannel::Direct(channel, users) => {
            ChannelBody::Direct(DirectChannel::new(channel, users, &api.installation))
        }
    })
}

/// Changes a channel; what is left out stays as it is. The overwrites are replaced as a whole.
#[utoipa::path(put, path = "/channels/{channel_id}", tag = "channels",
    request_body = ChannelUpdate,
    responses((status = 200, description = "The channel as it is now.", body = Channel),
        (status = 409, description = "A direct-message channel stays as it is.")))]
pub(crate) async fn update_channel(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(ChannelId,)>,
    Body(form): Body<ChannelUpdate>,
) -> Reply {
    let update = form.parse(&api.spelling)?;
    let channel = api.app.channels().update(&ctx, id, update).await?;
    ok(&Channel::new(&channel, &api.spelling))
}

/// Ends a channel with all its messages.
#[utoipa::path(delete, path = "/channels/{channel_id}", tag = "channels",
    responses((status = 204, description = "It has ended."),
        (status = 409, description = "A direct-message channel stays as it is.")))]
pub(crate) async fn delete_channel(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(ChannelId,)>,
) -> Reply {
    api.app.channels().delete(&ctx, id).await?;
    done()
}

/// Tells those who see the channel that the caller writes a message there. Clients show it for ten
/// seconds, or until a message comes.
#[utoipa::path(post, path = "/channels/{channel_id}/typing", tag = "channels",
    responses((status = 204, description = "They are told.")))]
pub(crate) async fn start_typing(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(ChannelId,)>,
) -> Reply {
    api.app.channels().start_typing(&ctx, id).await?;
    done()
}
