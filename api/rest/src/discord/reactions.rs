//! Reactions to a message.

use axum::extract::State;
use guildhall_model::message::Emoji;
use guildhall_model::{ChannelId, MessageId, UserId};
use guildhall_wire::discord::User;

use super::query::{Asked, Reactors};
use crate::Api;
use crate::extract::Ctx;
use crate::path::Path;
use crate::reply::{Reply, done, ok};

pub(super) async fn list(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((channel, id, emoji)): Path<(ChannelId, MessageId, Emoji)>,
    Asked(asked): Asked<Reactors>,
) -> Reply {
    api.app.messages().require_in(&ctx, channel, id).await?;
    if asked.burst {
        return ok(&[(); 0]);
    }
    let reactions = api.app.reactions();
    let users = reactions.users(&ctx, id, &emoji, asked.after, asked.limit);
    let users = users.await?;
    let shown: Vec<_> = users.iter().map(User::new).collect();
    ok(&shown)
}

pub(super) async fn add(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((channel, id, emoji)): Path<(ChannelId, MessageId, Emoji)>,
) -> Reply {
    api.app.messages().require_in(&ctx, channel, id).await?;
    api.app.reactions().add(&ctx, id, emoji).await?;
    done()
}

pub(super) async fn clear(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((channel, id)): Path<(ChannelId, MessageId)>,
) -> Reply {
    api.app.messages().require_in(&ctx, channel, id).await?;
    api.app.reactions().clear(&ctx, id, None).await?;
    done()
}

pub(super) async fn clear_emoji(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((channel, id, emoji)): Path<(ChannelId, MessageId, Emoji)>,
) -> Reply {
    api.app.messages().require_in(&ctx, channel, id).await?;
    api.app.reactions().clear(&ctx, id, Some(emoji)).await?;
    done()
}

pub(super) async fn remove_own(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((channel, id, emoji)): Path<(ChannelId, MessageId, Emoji)>,
) -> Reply {
    api.app.messages().require_in(&ctx, channel, id).await?;
    let me = ctx.user_id();
    api.app.reactions().remove(&ctx, id, emoji, me).await?;
    done()
}

pub(super) async fn remove(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((channel, id, emoji, user)): Path<(ChannelId, MessageId, Emoji, UserId)>,
) -> Reply {
    api.app.messages().require_in(&ctx, channel, id).await?;
    api.app.reactions().remove(&ctx, id, emoji, user).await?;
    done()
}
