//! Pinned messages of a channel.

use axum::extract::State;
use guildhall_model::{ChannelId, MessageId, Timestamp};
use guildhall_wire::discord::pin::Pins;

use super::messages::shape;
use super::query::{Asked, PinsPage};
use crate::Api;
use crate::extract::Ctx;
use crate::path::Path;
use crate::reply::{Reply, done, ok};

/// Pins of the old list, which has no pages.
const OLD_LIST_MAX: u16 = 50;

pub(super) async fn list(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((channel,)): Path<(ChannelId,)>,
    Asked(asked): Asked<PinsPage>,
) -> Reply {
    let before = asked.before.unwrap_or(Timestamp(i64::MAX));
    // One more tells whether there are more.
    let limit = asked.limit + 1;
    let pins = api.app.pins().list(&ctx, channel, before, limit).await?;
    let shown = pins.iter().take(usize::from(asked.limit));
    let shown = shown.map(|seen| (seen.message.pinned_at, shape(seen, &api)));
    let has_more = usize::from(asked.limit) < pins.len();
    ok(&Pins::new(shown, has_more))
}

pub(super) async fn list_all(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((channel,)): Path<(ChannelId,)>,
) -> Reply {
    let before = Timestamp(i64::MAX);
    let pins = api.app.pins();
    let pins = pins.list(&ctx, channel, before, OLD_LIST_MAX).await?;
    let shown: Vec<_> = pins.iter().map(|seen| shape(seen, &api)).collect();
    ok(&shown)
}

pub(super) async fn pin(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((channel, id)): Path<(ChannelId, MessageId)>,
) -> Reply {
    api.app.messages().require_in(&ctx, channel, id).await?;
    api.app.pins().pin(&ctx, id).await?;
    done()
}

pub(super) async fn unpin(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((channel, id)): Path<(ChannelId, MessageId)>,
) -> Reply {
    api.app.messages().require_in(&ctx, channel, id).await?;
    api.app.pins().unpin(&ctx, id).await?;
    done()
}
