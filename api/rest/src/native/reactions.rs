//! Reactions to a message.

use axum::extract::State;
use guildhall_model::message::Emoji;
use guildhall_model::rejection::Noun;
use guildhall_model::{MessageId, Rejection, UserId};
use guildhall_wire::native::{Reaction, User};

use guildhall_wire::native::request::message::ReactionCreate;

use crate::Api;
use crate::body::Body;
use crate::extract::Ctx;
use crate::path::Path;
use crate::query::UserPage;
use crate::reply::{Reply, created, done, ok};

/// The emoji of a message with their counts.
#[utoipa::path(get, path = "/messages/{message_id}/reactions", tag = "reactions",
    responses((status = 200, description = "In order of first use.", body = [Reaction])))]
pub(crate) async fn list_reactions(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(MessageId,)>,
) -> Reply {
    let seen = api.app.messages().get(&ctx, id).await?;
    ok(&Reaction::list(&seen.message, &seen.mine, &api.spelling))
}

/// Gives an emoji to a message. Giving it twice is the same as once.
#[utoipa::path(post, path = "/messages/{message_id}/reactions", tag = "reactions",
    request_body = ReactionCreate,
    responses((status = 201, description = "The emoji with its count.", body = Reaction)))]
pub(crate) async fn add_reaction(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(MessageId,)>,
    Body(form): Body<ReactionCreate>,
) -> Reply {
    let emoji = form.parse(&api.spelling)?;
    let seen = api.app.reactions().add(&ctx, id, emoji.clone()).await?;
    let at = seen
        .message
        .reactions
        .iter()
        .position(|given| given.emoji == emoji);
    let reactions = Reaction::list(&seen.message, &seen.mine, &api.spelling);
    // Somebody may have taken it back in between.
    let reaction = at.and_then(|at| reactions.get(at));
    created(reaction.ok_or(Rejection::Unknown(Noun::Reaction))?)
}

/// Users who gave an emoji.
#[utoipa::path(get, path = "/messages/{message_id}/reactions/{emoji}", tag = "reactions",
    params(UserPage),
    responses((status = 200, description = "By user id.", body = [User])))]
pub(crate) async fn list_reactors(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id, emoji)): Path<(MessageId, Emoji)>,
    page: UserPage,
) -> Reply {
    let users = api
        .app
        .reactions()
        .users(&ctx, id, &emoji, page.after, page.limit)
        .await?;
    let shown: Vec<_> = users
        .iter()
        .map(|user| User::new(user, &api.installation).appearing(api.app.appearance(user.id)))
        .collect();
    ok(&shown)
}

/// Takes the caller's own emoji back.
#[utoipa::path(delete, path = "/messages/{message_id}/reactions/{emoji}", tag = "reactions",
    responses((status = 204, description = "It is taken back.")))]
pub(crate) async fn remove_own_reaction(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id, emoji)): Path<(MessageId, Emoji)>,
) -> Reply {
    api.app
        .reactions()
        .remove(&ctx, id, emoji, ctx.user_id())
        .await?;
    done()
}

/// Takes a user's emoji back; another's needs the permission for it.
#[utoipa::path(delete, path = "/messages/{message_id}/reactions/{emoji}/{user_id}",
    tag = "reactions",
    responses((status = 204, description = "It is taken back.")))]
pub(crate) async fn remove_reaction(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id, emoji, user)): Path<(MessageId, Emoji, UserId)>,
) -> Reply {
    api.app.reactions().remove(&ctx, id, emoji, user).await?;
    done()
}
