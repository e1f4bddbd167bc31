//! `/dm`: messages between the caller and one other user.

use axum::extract::State;
use guildhall_model::UserId;
use guildhall_wire::native::DirectMessage;
use guildhall_wire::native::request::message::MessageCreate;

use super::messages::{draft, page, posted};
use crate::Api;
use crate::body::Body;
use crate::extract::Ctx;
use crate::path::Path;
use crate::query::MessagePage;
use crate::reply::Reply;

/// A page of the history with another user.
#[utoipa::path(get, path = "/dm/{user_id}/messages", tag = "direct messages",
    params(MessagePage),
    responses((status = 200, description = "Newest first.", body = [DirectMessage]),
        (status = 409, description = "With oneself.")))]
pub(crate) async fn list_direct_messages(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((other,)): Path<(UserId,)>,
    asked: MessagePage,
) -> Reply {
    let messages = api
        .app
        .directs()
        .page(&ctx, other, asked.anchor, asked.limit)
        .await?;
    page(&messages, &api.installation)
}

/// Posts to another user.
#[utoipa::path(post, path = "/dm/{user_id}/messages", tag = "direct messages",
    request_body = MessageCreate,
    responses((status = 201, description = "The new message.", body = DirectMessage),
        (status = 200, description = "The message with this nonce.", body = DirectMessage),
        (status = 403, description = "From one bot to another."),
        (status = 409, description = "To oneself, or with the nonce of a message that is deleted.")))]
pub(crate) async fn create_direct_message(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((other,)): Path<(UserId,)>,
    Body(form): Body<MessageCreate>,
) -> Reply {
    let new = draft(form, &api.spelling)?;
    posted(
        &api.app.directs().post(&ctx, other, new).await?,
        &api.installation,
    )
}
