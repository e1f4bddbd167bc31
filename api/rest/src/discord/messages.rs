//! Messages of a channel.

use axum::extract::State;
use guildhall_app::messages::{NewMessage, Posted, SeenMessage};
use guildhall_app::{Context, Refused};
use guildhall_model::{ChannelId, MessageId, Rejection};
use guildhall_wire::discord::Message;
use guildhall_wire::discord::request::message::{self, BulkDelete, MessageCreate, MessagePatch};

use super::query::{Asked, Messages};
use crate::Api;
use crate::body::Body;
use crate::extract::Ctx;
use crate::path::Path;
use crate::reply::{Reply, done, ok};

/// What the rule about replies calls a message that is not there.
const NO_SUCH_MESSAGE: &str = "unknown_message";

pub(super) fn shape(seen: &SeenMessage) -> Message<'_> {
    Message::seen_by_giver_of(&seen.mine, &seen.message)
}

pub(super) async fn list(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((channel,)): Path<(ChannelId,)>,
    Asked(asked): Asked<Messages>,
) -> Reply {
    let messages = api.app.messages();
    let page = messages.page(&ctx, channel, asked.anchor, asked.limit);
    let page = page.await?;
    let shown: Vec<_> = page.iter().map(shape).collect();
    ok(&shown)
}

pub(super) async fn get(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((channel, id)): Path<(ChannelId, MessageId)>,
) -> Reply {
    api.app.messages().require_in(&ctx, channel, id).await?;
    ok(&shape(&api.app.messages().get(&ctx, id).await?))
}

pub(super) async fn create(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((channel,)): Path<(ChannelId,)>,
    Body(form): Body<MessageCreate>,
) -> Reply {
    let new = form.parse(&api.spelling)?;
    match post(&api, &ctx, channel, new).await? {
        Posted::New(message) => ok(&Message::new(&message)),
        Posted::Repeat(seen) => ok(&shape(&seen)),
    }
}

/// A reply whose message is not there is posted without it, if its author wants that.
async fn post(
    api: &Api,
    ctx: &Context,
    channel: ChannelId,
    new: message::NewMessage,
) -> Result<Posted, Refused> {
    let elsewhere = |reply: &message::Reply| reply.channel_id.is_some_and(|id| id != channel);
    let draft = |reply_to| NewMessage {
        content: new.content.clone(),
        nonce: new.nonce.clone(),
        reply_to,
        allowed_mentions: new.allowed_mentions.clone(),
        rich: new.rich.clone(),
    };
    let posted = if new.reply.as_ref().is_some_and(elsewhere) {
        let why = "must be a message of this channel";
        Err(Rejection::field("reply_to", NO_SUCH_MESSAGE, why).into())
    } else {
        let answered = new.reply.map(|reply| reply.message_id);
        api.app.messages().post(ctx, channel, draft(answered)).await
    };
    match posted {
        Err(refused) if may_do_without(&new, &refused) => {
            api.app.messages().post(ctx, channel, draft(None)).await
        }
        posted => posted,
    }
}

fn may_do_without(new: &message::NewMessage, refused: &Refused) -> bool {
    let is_about_reply = matches!(refused, Refused::Rejection(Rejection::Invalid(fields))
        if fields.iter().all(|field| field.code == NO_SUCH_MESSAGE));
    is_about_reply && new.reply.is_some_and(|reply| !reply.must_exist)
}

pub(super) async fn edit(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((channel, id)): Path<(ChannelId, MessageId)>,
    Body(form): Body<MessagePatch>,
) -> Reply {
    let edit = form.parse(&api.spelling)?;
    let messages = api.app.messages();
    messages.require_in(&ctx, channel, id).await?;
    ok(&shape(&messages.edit(&ctx, id, edit).await?))
}

pub(super) async fn delete_many(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((channel,)): Path<(ChannelId,)>,
    Body(form): Body<BulkDelete>,
) -> Reply {
    let ids = form.parse(&api.spelling)?;
    api.app.messages().delete_many(&ctx, channel, ids).await?;
    done()
}

pub(super) async fn delete(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((channel, id)): Path<(ChannelId, MessageId)>,
) -> Reply {
    api.app.messages().require_in(&ctx, channel, id).await?;
    api.app.messages().delete(&ctx, id).await?;
    done()
}
