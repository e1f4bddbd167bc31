//! Webhooks: managed by those who may, and used by those who show the token.

use std::sync::Arc;

use axum::extract::{Request, State};
use guildhall_app::Refused;
use guildhall_app::interactions::Answering;
use guildhall_app::messages::{NewMessage, Posted};
use guildhall_app::webhooks::{self, ShownWebhook};
use guildhall_model::attachment::Attachment;
use guildhall_model::command::{AnswerRef, Edit};
use guildhall_model::message as model;
use guildhall_model::rejection::Noun;
use guildhall_model::webhook as webhook_model;
use guildhall_model::{ApplicationId, ChannelId, GuildId, MessageId, Rejection, WebhookId};
use guildhall_wire::discord::request::message::{MessageEdit, MessagePatch};
use guildhall_wire::discord::request::webhook::{
    self, WebhookCreate, WebhookExecute, WebhookPatch,
};
use guildhall_wire::discord::{Message, Webhook};

use super::interactions;
use super::messages::{Composed, composed, revised};
use super::query::{Asked, Execution};
use crate::Api;
use crate::body::PictureBody;
use crate::extract::Ctx;
use crate::path::{Path, Token};
use crate::reply::{Reply, done, ok};

fn shape(shown: &ShownWebhook) -> Webhook<'_> {
    Webhook::new(&shown.webhook, shown.creator.as_ref())
}

fn all(webhooks: &[ShownWebhook]) -> Reply {
    let shown: Vec<_> = webhooks.iter().map(shape).collect();
    ok(&shown)
}

pub(super) async fn list_of_channel(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((channel,)): Path<(ChannelId,)>,
) -> Reply {
    all(&api.app.webhooks().list_of_channel(&ctx, channel).await?)
}

pub(super) async fn list_of_guild(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((guild,)): Path<(GuildId,)>,
) -> Reply {
    all(&api.app.webhooks().list_of_guild(&ctx, guild).await?)
}

pub(super) async fn create(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((channel,)): Path<(ChannelId,)>,
    PictureBody(form, _place): PictureBody<WebhookCreate>,
) -> Reply {
    let (name, avatar) = form.parse()?;
    let webhooks = api.app.webhooks();
    ok(&shape(&webhooks.create(&ctx, channel, name, avatar).await?))
}

pub(super) async fn get(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(WebhookId,)>,
) -> Reply {
    ok(&shape(&api.app.webhooks().get(&ctx, id).await?))
}

pub(super) async fn update(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(WebhookId,)>,
    PictureBody(form, _place): PictureBody<WebhookPatch>,
) -> Reply {
    let (update, avatar) = form.parse(&api.spelling)?;
    let webhooks = api.app.webhooks();
    ok(&shape(&webhooks.update(&ctx, id, update, avatar).await?))
}

pub(super) async fn delete(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    Path((id,)): Path<(WebhookId,)>,
) -> Reply {
    api.app.webhooks().delete(&ctx, id).await?;
    done()
}

/// The webhook that the token in the path opens.
async fn opened(
    api: &Api,
    (id, token): (WebhookId, &Token),
) -> Result<Arc<webhook_model::Webhook>, Refused> {
    api.app.webhooks().open(id, &token.0).await
}

pub(super) async fn get_opened(
    State(api): State<Api>,
    Path((id, token)): Path<(WebhookId, Token)>,
) -> Reply {
    ok(&Webhook::new(&*opened(&api, (id, &token)).await?, None))
}

pub(super) async fn update_opened(
    State(api): State<Api>,
    Path((id, token)): Path<(WebhookId, Token)>,
    PictureBody(form, _place): PictureBody<WebhookPatch>,
) -> Reply {
    let webhook = opened(&api, (id, &token)).await?;
    let (update, avatar) = form.parse(&api.spelling)?;
    let webhooks = api.app.webhooks();
    let after = webhooks.update_opened(&webhook, update, avatar).await?;
    ok(&Webhook::new(&after, None))
}

pub(super) async fn delete_opened(
    State(api): State<Api>,
    Path((id, token)): Path<(WebhookId, Token)>,
) -> Reply {
    let webhook = opened(&api, (id, &token)).await?;
    api.app.webhooks().delete_opened(&webhook).await?;
    done()
}

/// The application that answers an interaction under this address, if its token stands there:
/// applications are webhooks for as long as they may answer.
fn following(api: &Api, id: WebhookId, token: &Token) -> Option<Answering> {
    let application = ApplicationId::new(id.get())?;
    api.app
        .interactions()
        .following(application, token.0.reveal())
}

/// Only answers to an interaction have a first one.
fn posted(which: AnswerRef) -> Result<MessageId, Rejection> {
    match which {
        AnswerRef::Message(id) => Ok(id),
        AnswerRef::Original => Err(Rejection::Unknown(Noun::Message)),
    }
}

/// There are no threads to post into or to look in.
fn require_no_thread(asked: Execution) -> Result<(), Rejection> {
    if asked.in_thread {
        Err(Rejection::Unknown(Noun::Channel))
    } else {
        Ok(())
    }
}

pub(super) async fn execute(
    State(api): State<Api>,
    Path((id, token)): Path<(WebhookId, Token)>,
    Asked(asked): Asked<Execution>,
    request: Request,
) -> Reply {
    if let Some(answering) = following(&api, id, &token) {
        return interactions::follow_up(&api, &answering, request).await;
    }
    let webhook = opened(&api, (id, &token)).await?;
    require_no_thread(asked)?;
    let uploads = api.app.uploads();
    let upload = async { uploads.begin_opened(&webhook) };
    let Composed { form, files } = composed::<WebhookExecute>(&api, upload, request).await?;
    let execution = match form.parse(&api.spelling) {
        Ok(execution) => told(execution, &files, asked.with_components),
        Err(rejection) => {
            uploads.discard(&files).await;
            return Err(rejection.into());
        }
    };
    let webhooks = api.app.webhooks();
    let post = webhooks.post(&webhook, execution);
    let is_new = |posted: &Posted| matches!(posted, Posted::New(_));
    let posted = uploads.posting(&files, post, is_new).await?;
    if !asked.wait {
        return done();
    }
    match posted {
        Posted::New(message) => shown(&api, &message),
        Posted::Repeat(seen) => shown(&api, &seen.message),
    }
}

fn told(
    execution: webhook::Execution,
    files: &[Attachment],
    with_components: bool,
) -> webhooks::Execution {
    let new = execution.message;
    let mut rich = new.rich;
    rich.attachments = files.to_vec();
    webhooks::Execution {
        name: execution.name,
        avatar_url: execution.avatar_url,
        with_components,
        message: NewMessage {
            content: new.content,
            nonce: new.nonce,
            reply_to: None,
            allowed_mentions: new.allowed_mentions,
            rich,
        },
    }
}

fn shown(api: &Api, message: &model::Message) -> Reply {
    ok(&Message::new(message, &api.installation.urls))
}

pub(super) async fn get_message(
    State(api): State<Api>,
    Path((id, token, which)): Path<(WebhookId, Token, AnswerRef)>,
    Asked(asked): Asked<Execution>,
) -> Reply {
    if let Some(answering) = following(&api, id, &token) {
        return interactions::get(&api, &answering, which).await;
    }
    let webhook = opened(&api, (id, &token)).await?;
    require_no_thread(asked)?;
    let message = posted(which)?;
    shown(&api, &*api.app.webhooks().message(&webhook, message).await?)
}

pub(super) async fn edit_message(
    State(api): State<Api>,
    Path((id, token, which)): Path<(WebhookId, Token, AnswerRef)>,
    Asked(asked): Asked<Execution>,
    request: Request,
) -> Reply {
    if let Some(answering) = following(&api, id, &token) {
        return interactions::edit(&api, &answering, which, request).await;
    }
    let webhook = opened(&api, (id, &token)).await?;
    require_no_thread(asked)?;
    let message = posted(which)?;
    let before = api.app.webhooks().message(&webhook, message).await?;
    let uploads = api.app.uploads();
    let upload = async { uploads.begin_opened(&webhook) };
    let Composed { form, files } = composed::<MessagePatch>(&api, upload, request).await?;
    let edit = form.parse(&api.spelling);
    let edit = edit.and_then(|edit| with_files(edit, &before, &files));
    let (edit, dropped) = match edit {
        Ok(edit) => edit,
        Err(rejection) => {
            uploads.discard(&files).await;
            return Err(rejection.into());
        }
    };
    let webhooks = api.app.webhooks();
    let edited = webhooks.edit_message(&webhook, message, edit, asked.with_components);
    let edited = uploads.posting(&files, edited, |_| true).await?;
    uploads.discard(&dropped).await;
    shown(&api, &edited)
}

/// An edit with the files that the message has afterwards, and those that it has no more.
pub(super) fn with_files(
    MessageEdit { mut edit, kept }: MessageEdit,
    before: &model::Message,
    new: &[Attachment],
) -> Result<(Edit, Vec<Attachment>), Rejection> {
    if kept.is_none() && new.is_empty() {
        return Ok((edit, Vec::new()));
    }
    let files = revised(before, kept.as_deref(), new)?;
    edit.attachments = Some(files.after);
    Ok((edit, files.dropped))
}

pub(super) async fn delete_message(
    State(api): State<Api>,
    Path((id, token, which)): Path<(WebhookId, Token, AnswerRef)>,
    Asked(asked): Asked<Execution>,
) -> Reply {
    if let Some(answering) = following(&api, id, &token) {
        return interactions::delete(&answering, which).await;
    }
    let webhook = opened(&api, (id, &token)).await?;
    require_no_thread(asked)?;
    let message = posted(which)?;
    api.app.webhooks().delete_message(&webhook, message).await?;
    done()
}
