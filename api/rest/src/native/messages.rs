//! Messages of a channel.

use axum::extract::State;
use guildhall_app::messages::{NewMessage, Posted, SeenMessage};
use guildhall_model::command::Edit;
use guildhall_model::{ChannelId, MessageId, Rejection};
use guildhall_wire::native::MessageBody;
use guildhall_wire::native::request::message::{MessageCreate, MessageEdit};
use guildhall_wire::{Installation, Spelling};

use crate::Api;
use crate::body::Body;
use crate::extract::Ctx;
use crate::path::Path;
use crate::query::MessagePage;
use crate::reply::{Reply, created, done, ok};

pub(crate) fn shape<'a>(seen: &'a SeenMessage, installation: &'a Installation) -> MessageBody<'a> {
    MessageBody::seen_by_giver_of(&seen.mine, &seen.message, installation)
}

/// A page as the client sees it.
pub(crate) fn page(messages: &[SeenMessage], installation: &Installation) -> Reply {
    let shown: Vec<_> = messages
        .iter()
        .map(|message| shape(message, installation))
        .collect();
    ok(&shown)
}

pub(crate) fn draft(form: MessageCreate, spelling: &Spelling) -> Result<NewMessage, Rejection> {
    let new = form.parse(spelling)?;
    Ok(NewMessage {
        content: Some(new.content),
        nonce: new.nonce,
        reply_to: new.reply_to,
        ..NewMessage::default()
    })
}

/// A new message is answered with 201, a repeated one with 200.
pub(crate) fn posted(posted: &Posted, installation: &Installation) -> Reply {
    match posted {
        Posted::New(message) => created(&MessageBody::seen_by_giver_of(&[], message, installation)),
        Posted::Repeat(seen) => ok(&shape(seen, installation)),
    }
}

/// A page of a channel's messages.
#[utoipa::path(get, path = "/channels/{channel_id}/messages", tag = "messages",
    params(MessagePage),
    responses((status = 200, description = "Newest first.", body = [MessageBody])))]
pub(crate) async fn list_messages(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((channel,)): Path<(ChannelId,)>,
    asked: MessagePage,
) -> Reply {
    let messages = api
        .app
        .messages()
        .page(&ctx, channel, asked.anchor, asked.limit)
        .await?;
    page(&messages, &api.installation)
}

/// Posts a message. One with a nonce that the author used before is answered with the first.
#[utoipa::path(post, path = "/channels/{channel_id}/messages", tag = "messages",
    request_body = MessageCreate,
    responses((status = 201, description = "The new message.", body = MessageBody),
        (status = 200, description = "The message with this nonce.", body = MessageBody),
        (status = 409, description = "The nonce was used for a message that is deleted.")))]
pub(crate) async fn create_message(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((channel,)): Path<(ChannelId,)>,
    Body(form): Body<MessageCreate>,
) -> Reply {
    let new = draft(form, &api.spelling)?;
    posted(
        &api.app.messages().post(&ctx, channel, new).await?,
        &api.installation,
    )
}

/// One message.
#[utoipa::path(get, path = "/messages/{message_id}", tag = "messages",
    responses((status = 200, description = "The message.", body = MessageBody)))]
pub(crate) async fn get_message(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(MessageId,)>,
) -> Reply {
    ok(&shape(
        &api.app.messages().get(&ctx, id).await?,
        &api.installation,
    ))
}

/// Changes the content of an own message.
#[utoipa::path(put, path = "/messages/{message_id}", tag = "messages",
    request_body = MessageEdit,
    responses((status = 200, description = "The message as it is now.", body = MessageBody)))]
pub(crate) async fn edit_message(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(MessageId,)>,
    Body(form): Body<MessageEdit>,
) -> Reply {
    let edit = Edit::of_content(form.parse()?);
    ok(&shape(
        &api.app.messages().edit(&ctx, id, edit).await?,
        &api.installation,
    ))
}

/// Deletes an own message, or another's with the permission for it.
#[utoipa::path(delete, path = "/messages/{message_id}", tag = "messages",
    responses((status = 204, description = "It is gone.")))]
pub(crate) async fn delete_message(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(MessageId,)>,
) -> Reply {
    api.app.messages().delete(&ctx, id).await?;
    done()
}
