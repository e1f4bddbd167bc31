//! Answers to interactions: the first one by its own address, later ones by the address of the
//! webhook that every application is for as long as it may answer.

use std::sync::Arc;

use axum::extract::{FromRequest as _, Request, State};
use guildhall_app::Refused;
use guildhall_app::interactions::{Answer, Answering};
use guildhall_app::messages::NewMessage;
use guildhall_model::attachment::Attachment;
use guildhall_model::command::AnswerRef;
use guildhall_model::message as model;
use guildhall_model::{InteractionId, Rejection};
use guildhall_wire::discord::request::interaction::Callback;
use guildhall_wire::discord::request::message::{self, MessageCreate, MessagePatch};
use guildhall_wire::discord::{InteractionCallback, Message};

use super::messages::{Composed, composed};
use super::query::{Asked, CallbackAsked};
use super::webhooks::with_files;
use crate::Api;
use crate::body::Raw;
use crate::error::ApiError;
use crate::path::{Path, Token};
use crate::reply::{Reply, done, ok};
use crate::uploads;

/// Gives the first answer.
pub(super) async fn respond(
    State(api): State<Api>,
    Path((id, token)): Path<(InteractionId, Token)>,
    Asked(asked): Asked<CallbackAsked>,
    request: Request,
) -> Reply {
    let answering = api.app.interactions().answering(id, token.0.reveal())?;
    let (callback, files) = callback(&api, &answering, request).await?;
    let number = callback.number();
    let shows = callback.shows();
    let given = give(&api, &answering, callback, &files);
    let given = api.app.uploads().posting(&files, given, |_| shows).await?;
    if !asked.with_response {
        return done();
    }
    let urls = &api.installation.urls;
    ok(&InteractionCallback::new(
        answering.claim(),
        number,
        given.as_deref(),
        urls,
    ))
}

async fn callback(
    api: &Api,
    answering: &Answering,
    request: Request,
) -> Result<(Callback, Vec<Attachment>), ApiError> {
    if !uploads::is_multipart(request.headers()) {
        let Raw(bytes) = Raw::from_request(request, api).await?;
        return Ok((Callback::read(&bytes, &api.spelling)?, Vec::new()));
    }
    let received = uploads::receive(async { answering.begin_upload() }, request).await?;
    match Callback::read(&received.payload, &api.spelling) {
        Ok(callback) => Ok((callback, received.files)),
        Err(rejection) => {
            api.app.uploads().discard(&received.files).await;
            Err(rejection.into())
        }
    }
}

/// The message that a first answer has made or changed. Files that it keeps no more are deleted.
async fn give(
    api: &Api,
    answering: &Answering,
    callback: Callback,
    files: &[Attachment],
) -> Result<Option<Arc<model::Message>>, Refused> {
    match callback {
        Callback::Message(new) => answering.reply(answer(*new, files)).await.map(Some),
        Callback::DeferredMessage { is_private } => answering.defer(is_private).await.map(Some),
        Callback::DeferredUpdate => answering.acknowledge().await.map(|()| None),
        Callback::Update(edit) => {
            let before = answering.original().await?;
            let (edit, dropped) = with_files(*edit, &before, files)?;
            let updated = answering.update(edit).await?;
            api.app.uploads().discard(&dropped).await;
            Ok(updated)
        }
    }
}

fn answer(new: message::NewMessage, files: &[Attachment]) -> Answer {
    let mut rich = new.rich;
    rich.attachments = files.to_vec();
    Answer {
        is_private: new.is_private,
        message: NewMessage {
            content: new.content,
            nonce: None,
            reply_to: None,
            allowed_mentions: new.allowed_mentions,
            rich,
        },
    }
}

fn shown(api: &Api, message: &model::Message) -> Reply {
    ok(&Message::new(message, &api.installation.urls))
}

/// Says more.
pub(super) async fn follow_up(api: &Api, answering: &Answering, request: Request) -> Reply {
    let upload = async { answering.begin_upload() };
    let Composed { form, files } = composed::<MessageCreate>(api, upload, request).await?;
    let uploads = api.app.uploads();
    let posted = match form.parse(&api.spelling) {
        Ok(new) => {
            let post = answering.follow_up(answer(new, &files));
            uploads.posting(&files, post, |_| true).await
        }
        Err(rejection) => {
            uploads.discard(&files).await;
            Err(rejection.into())
        }
    };
    shown(api, &*posted?)
}

pub(super) async fn get(api: &Api, answering: &Answering, which: AnswerRef) -> Reply {
    shown(api, &*answering.find(which).await?)
}

/// Changes an answer; files that it does not keep are deleted with it.
pub(super) async fn edit(
    api: &Api,
    answering: &Answering,
    which: AnswerRef,
    request: Request,
) -> Reply {
    let before = answering.find(which).await?;
    let upload = async { answering.begin_upload() };
    let Composed { form, files } = composed::<MessagePatch>(api, upload, request).await?;
    let uploads = api.app.uploads();
    let edit = form.parse(&api.spelling);
    let edit = edit.and_then(|edit| with_files(edit, &before, &files));
    let (edit, dropped) = match edit {
        Ok(edit) => edit,
        Err(rejection) => return refused(api, rejection, &files).await,
    };
    let edited = answering.edit(which, edit);
    let edited = uploads.posting(&files, edited, |_| true).await?;
    uploads.discard(&dropped).await;
    shown(api, &edited)
}

async fn refused(api: &Api, rejection: Rejection, files: &[Attachment]) -> Reply {
    api.app.uploads().discard(files).await;
    Err(rejection.into())
}

pub(super) async fn delete(answering: &Answering, which: AnswerRef) -> Reply {
    answering.delete(which).await?;
    done()
}
