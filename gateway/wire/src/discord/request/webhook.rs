//! Webhooks: making, changing and executing them.

use guildhall_model::command::WebhookUpdate;
use guildhall_model::limits::PICTURE_BYTES_MAX;
use guildhall_model::picture::Image;
use guildhall_model::text::{PictureUrl, WebhookName};
use guildhall_model::{ChannelId, Rejection};
use serde::Deserialize;

use super::image::{image, removed};
use super::input::{Digits, snowflake};
use super::message::{MessageCreate, NewMessage};
use crate::id::Spelling;
use crate::native::request::Patch;
use crate::native::request::form::{Form, Wrong, text};

/// `POST /channels/{id}/webhooks`
#[derive(Debug, Default, Deserialize)]
pub struct WebhookCreate {
    name: Option<String>,
    #[serde(default)]
    avatar: Patch<String>,
}

/// `PATCH /webhooks/{id}`, with or without its token
#[derive(Debug, Default, Deserialize)]
pub struct WebhookPatch {
    name: Option<String>,
    #[serde(default)]
    avatar: Patch<String>,
    channel_id: Option<Digits>,
}

/// `POST /webhooks/{id}/{token}`
#[derive(Debug, Default, Deserialize)]
pub struct WebhookExecute {
    username: Option<String>,
    avatar_url: Option<String>,
    thread_name: Option<String>,
    #[serde(flatten)]
    message: MessageCreate,
}

/// What a webhook is told to post.
#[derive(Clone, Debug)]
pub struct Execution {
    /// Who the message is by, instead of the webhook.
    pub name: Option<WebhookName>,
    /// The picture of that one.
    pub avatar_url: Option<PictureUrl>,
    /// The message. Webhooks do not reply: what it answers is passed over.
    pub message: NewMessage,
}

impl WebhookCreate {
    /// Checks all fields: the name and the picture. The token is drawn, and the channel stands in
    /// the path.
    pub fn parse(self) -> Result<(WebhookName, Option<Image>), Rejection> {
        let mut form = Form::default();
        let name = form.required("name", self.name, text(WebhookName::parse));
        let avatar = form.removable("avatar", self.avatar, image(PICTURE_BYTES_MAX));
        form.finish(|| Some((name?, avatar.flatten())))
    }
}

impl WebhookPatch {
    /// Checks all fields: what changes, and the new picture.
    pub fn parse(self, spelling: &Spelling) -> Result<(WebhookUpdate, Option<Image>), Rejection> {
        let mut form = Form::default();
        let avatar = form.removable("avatar", self.avatar, image(PICTURE_BYTES_MAX));
        let channel_id: Option<ChannelId> =
            form.optional("channel_id", self.channel_id, snowflake(spelling));
        let update = WebhookUpdate {
            name: form.optional("name", self.name, text(WebhookName::parse)),
            avatar: removed(avatar.as_ref()),
            channel_id,
        };
        form.finish(|| Some((update, avatar.flatten())))
    }
}

impl WebhookExecute {
    /// Checks all fields. An empty name or address stands for none.
    pub fn parse(self, spelling: &Spelling) -> Result<Execution, Rejection> {
        let mut form = Form::default();
        let given = |raw: &String| !raw.is_empty();
        let name = self.username.filter(given);
        let name = form.optional("username", name, text(WebhookName::parse));
        let avatar_url = self.avatar_url.filter(given);
        let avatar_url = form.optional("avatar_url", avatar_url, text(PictureUrl::parse));
        let thread = self.thread_name.filter(given);
        form.optional::<_, (), _>("thread_name", thread, |_| {
            let why = "webhooks post into text channels, which have no threads here";
            Err(Wrong::new("unsupported", why))
        });
        let message = match self.message.parse(spelling) {
            Ok(message) => Some(message),
            Err(Rejection::Invalid(errors)) => {
                form.extend(errors);
                None
            }
            Err(other) => return Err(other),
        };
        form.finish(|| {
            Some(Execution {
                name,
                avatar_url,
                message: message?,
            })
        })
    }
}
