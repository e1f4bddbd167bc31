//! Messages: posting and editing.

use guildhall_model::message::Nonce;
use guildhall_model::text::Content;
use guildhall_model::{ChannelId, MessageId, Rejection};
use serde::Deserialize;

use super::input::{Digits, snowflake};
use crate::id::Spelling;
use crate::native::request::Patch;
use crate::native::request::form::{Form, Wrong, text};
use crate::native::request::message::{NonceInput, nonce};
use crate::native::request::object::Object;
use crate::native::request::whole::Whole;

/// `POST /channels/{id}/messages`
#[derive(Debug, Default, Deserialize)]
pub struct MessageCreate {
    content: Option<String>,
    nonce: Option<NonceInput>,
    message_reference: Option<Object<Reference>>,
}

#[derive(Debug, Default, Deserialize)]
struct Reference {
    r#type: Option<Whole>,
    message_id: Option<Digits>,
    channel_id: Option<Digits>,
    fail_if_not_exists: Option<bool>,
}

/// What a new message is made from.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// What is said.
    pub content: Content,
    /// The sender's own mark. One that came before is answered with the first message, whether or
    /// not `enforce_nonce` asks for that.
    pub nonce: Option<Nonce>,
    /// What it answers.
    pub reply: Option<Reply>,
}

/// What a message answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The message.
    pub message_id: MessageId,
    /// Where it stands, if that was said.
    pub channel_id: Option<ChannelId>,
    /// Post nothing where there is no such message; otherwise post without it.
    pub must_exist: bool,
}

impl MessageCreate {
    /// Checks all fields.
    pub fn parse(self, spelling: &Spelling) -> Result<NewMessage, Rejection> {
        let mut form = Form::default();
        let content = form.required("content", self.content, text(Content::parse));
        let nonce = form.optional("nonce", self.nonce, nonce);
        let reply = self
            .message_reference
            .and_then(|Object(reference)| reference.parse(&mut form, spelling));
        form.finish(|| {
            Some(NewMessage {
                content: content?,
                nonce,
                reply,
            })
        })
    }
}

impl Reference {
    fn parse(self, form: &mut Form, spelling: &Spelling) -> Option<Reply> {
        form.optional("message_reference.type", self.r#type, |Whole(number)| {
            let wrong = || Wrong::new("unknown_value", "must be 0, for a reply");
            (number == 0).then_some(()).ok_or_else(wrong)
        });
        let path = "message_reference.message_id";
        let message_id = form.required(path, self.message_id, snowflake(spelling));
        let path = "message_reference.channel_id";
        let channel_id = form.optional(path, self.channel_id, snowflake(spelling));
        Some(Reply {
            message_id: message_id?,
            channel_id,
            must_exist: self.fail_if_not_exists.unwrap_or(true),
        })
    }
}

/// `PATCH /channels/{id}/messages/{id}`
#[derive(Debug, Default, Deserialize)]
pub struct MessagePatch {
    #[serde(default)]
    content: Patch<String>,
}

impl MessagePatch {
    /// The new content, unless it stays as it is.
    pub fn parse(self) -> Result<Option<Content>, Rejection> {
        let mut form = Form::default();
        let content = form.kept("content", self.content, text(Content::parse));
        form.finish(|| Some(content))
    }
}
