//! Messages of a channel.

use axum::extract::{FromRequest as _, Request, State};
use guildhall_app::messages::{NewMessage, Posted, SeenMessage};
use guildhall_app::uploads::Upload;
use guildhall_app::{Context, Refused};
use guildhall_model::attachment::Attachment;
use guildhall_model::limits::ATTACHMENTS_MAX;
use guildhall_model::message as model;
use guildhall_model::{ChannelId, MessageId, Rejection};
use guildhall_wire::discord::Message;
use guildhall_wire::discord::request::message::{self, BulkDelete, MessageCreate, MessagePatch};
use guildhall_wire::discord::request::read_json;

use serde::de::DeserializeOwned;

use super::query::{Asked, Messages};
use crate::Api;
use crate::body::Body;
use crate::error::ApiError;
use crate::extract::Ctx;
use crate::path::Path;
use crate::reply::{Reply, done, ok};
use crate::uploads;

/// What the rule about replies calls a message that is not there.
const NO_SUCH_MESSAGE: &str = "unknown_message";

pub(super) fn shape<'a>(seen: &'a SeenMessage, api: &'a Api) -> Message<'a> {
    Message::seen_by_giver_of(&seen.mine, &seen.message, &api.installation.urls)
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
    let shown: Vec<_> = page.iter().map(|seen| shape(seen, &api)).collect();
    ok(&shown)
}

pub(super) async fn get(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((channel, id)): Path<(ChannelId, MessageId)>,
) -> Reply {
    api.app.messages().require_in(&ctx, channel, id).await?;
    ok(&shape(&api.app.messages().get(&ctx, id).await?, &api))
}

pub(super) async fn create(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((channel,)): Path<(ChannelId,)>,
    request: Request,
) -> Reply {
    let upload = api.app.uploads();
    let upload = upload.begin(&ctx, channel);
    let Composed { form, files } = composed::<MessageCreate>(&api, upload, request).await?;
    let posted = match form.parse(&api.spelling) {
        Ok(mut new) => {
            new.rich.attachments.clone_from(&files);
            let post = post(&api, &ctx, channel, new);
            let is_new = |posted: &Posted| matches!(posted, Posted::New(_));
            api.app.uploads().posting(&files, post, is_new).await
        }
        Err(rejection) => {
            api.app.uploads().discard(&files).await;
            Err(rejection.into())
        }
    };
    match posted? {
        Posted::New(message) => ok(&Message::new(&message, &api.installation.urls)),
        Posted::Repeat(seen) => ok(&shape(&seen, &api)),
    }
}

/// A message as its author sends it: JSON alone, or with files.
pub(super) struct Composed<T> {
    pub(super) form: T,
    pub(super) files: Vec<Attachment>,
}

/// Reads a message; files go into the upload, which is not begun for JSON alone.
pub(super) async fn composed<T: DeserializeOwned>(
    api: &Api,
    upload: impl Future<Output = Result<Upload, Refused>>,
    request: Request,
) -> Result<Composed<T>, ApiError> {
    if !uploads::is_multipart(request.headers()) {
        let Body(form) = Body::from_request(request, api).await?;
        let files = Vec::new();
        return Ok(Composed { form, files });
    }
    let received = uploads::receive(upload, request).await?;
    let files = received.files;
    // Files alone are a message too.
    let payload: &[u8] = if received.payload.is_empty() {
        b"{}"
    } else {
        &received.payload
    };
    match read_json(payload) {
        Ok(form) => Ok(Composed { form, files }),
        Err(rejection) => {
            api.app.uploads().discard(&files).await;
            Err(rejection.into())
        }
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
    request: Request,
) -> Reply {
    api.app.messages().require_in(&ctx, channel, id).await?;
    let upload = api.app.uploads();
    let upload = upload.begin(&ctx, channel);
    let Composed { form, files } = composed::<MessagePatch>(&api, upload, request).await?;
    let edited = match form.parse(&api.spelling) {
        Ok(edit) => {
            let edited = revise(&api, &ctx, id, edit, &files);
            api.app.uploads().posting(&files, edited, |_| true).await
        }
        Err(rejection) => {
            api.app.uploads().discard(&files).await;
            Err(rejection.into())
        }
    };
    ok(&shape(&edited?, &api))
}

/// Files that an edit does not keep are deleted with it.
async fn revise(
    api: &Api,
    ctx: &Context,
    id: MessageId,
    message::MessageEdit { mut edit, kept }: message::MessageEdit,
    new: &[Attachment],
) -> Result<SeenMessage, Refused> {
    let messages = api.app.messages();
    let mut dropped = Vec::new();
    if kept.is_some() || !new.is_empty() {
        let before = messages.get(ctx, id).await?;
        let files = revised(&before.message, kept.as_deref(), new)?;
        edit.attachments = Some(files.after);
        dropped = files.dropped;
    }
    let seen = messages.edit(ctx, id, edit).await?;
    api.app.uploads().discard(&dropped).await;
    Ok(seen)
}

/// The files of a message that is edited.
pub(super) struct Revised {
    /// Those that it has afterwards.
    pub(super) after: Vec<Attachment>,
    /// Those that it has no more.
    pub(super) dropped: Vec<Attachment>,
}

/// Keeps the files with these numbers, or all, and adds others.
pub(super) fn revised(
    before: &model::Message,
    kept: Option<&[u64]>,
    new: &[Attachment],
) -> Result<Revised, Rejection> {
    let stays = |file: &Attachment| kept.is_none_or(|kept| kept.contains(&file.id.get()));
    let files = before.attachments().iter().cloned();
    let (mut after, dropped): (Vec<_>, Vec<_>) = files.partition(stays);
    after.extend_from_slice(new);
    if ATTACHMENTS_MAX < after.len() {
        let why = format!("must be at most {ATTACHMENTS_MAX}");
        return Err(Rejection::field("attachments", "too_many", why));
    }
    Ok(Revised { after, dropped })
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
