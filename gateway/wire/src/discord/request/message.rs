//! Messages: posting and editing.

use guildhall_model::command::{AllowedMentions, Edit};
use guildhall_model::message::{MessageFlags, MessageKind, Nonce, Rich};
use guildhall_model::text::Content;
use guildhall_model::{ChannelId, MessageId, Rejection, limits};
use serde::Deserialize;

use super::component::{ComponentInput, components};
use super::embed::{EmbedInput, embeds};
use super::input::{Digits, snowflake};
use super::mentions::{self, AllowedMentionsInput};
use crate::id::Spelling;
use crate::native::request::Patch;
use crate::native::request::form::{Form, Wrong};
use crate::native::request::message::{NonceInput, nonce};
use crate::native::request::object::Object;
use crate::native::request::whole::Whole;

/// `POST /channels/{id}/messages`
#[derive(Debug, Default, Deserialize)]
pub struct MessageCreate {
    content: Option<String>,
    nonce: Option<NonceInput>,
    message_reference: Option<Object<Reference>>,
    allowed_mentions: Option<Object<AllowedMentionsInput>>,
    embeds: Option<Vec<Object<EmbedInput>>>,
    components: Option<Vec<Object<ComponentInput>>>,
    flags: Option<Whole>,
    tts: Option<bool>,
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
    /// What is said; there may be something else to show.
    pub content: Option<Content>,
    /// The sender's own mark. One that came before is answered with the first message, whether or
    /// not `enforce_nonce` asks for that.
    pub nonce: Option<Nonce>,
    /// What it answers.
    pub reply: Option<Reply>,
    /// Whom it may mention.
    pub allowed_mentions: AllowedMentions,
    /// What else belongs to it.
    pub rich: Rich,
    /// Only one user is to see it, which answers to interactions may be about.
    pub is_private: bool,
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
        let content = form.optional("content", self.content, content);
        let nonce = form.optional("nonce", self.nonce, nonce);
        let reply = self
            .message_reference
            .and_then(|Object(reference)| reference.parse(&mut form, spelling));
        let allowed_mentions = self.allowed_mentions;
        let allowed_mentions = allowed_mentions
            .map_or_else(mentions::unlimited, |Object(input)| {
                input.parse(&mut form, spelling)
            });
        let is_private = is_ephemeral(self.flags);
        let rich = Rich {
            kind: MessageKind::Written,
            flags: form
                .optional("flags", self.flags, flags)
                .unwrap_or_default(),
            tts: self.tts.unwrap_or(false),
            embeds: embeds(self.embeds.unwrap_or_default(), &mut form),
            components: components(self.components.unwrap_or_default(), &mut form),
            // Files come beside the JSON.
            attachments: Vec::new(),
            ..Rich::default()
        };
        form.finish(|| {
            Some(NewMessage {
                content: content.flatten(),
                nonce,
                reply,
                allowed_mentions,
                rich,
                is_private,
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
    #[serde(default)]
    embeds: Patch<Vec<Object<EmbedInput>>>,
    #[serde(default)]
    components: Patch<Vec<Object<ComponentInput>>>,
    #[serde(default)]
    flags: Patch<Whole>,
    #[serde(default)]
    attachments: Patch<Vec<Object<Kept>>>,
    allowed_mentions: Option<Object<AllowedMentionsInput>>,
}

#[derive(Debug, Deserialize)]
struct Kept {
    id: Digits,
}

/// What changes about a message, and which of its files stay.
#[derive(Clone, Debug)]
pub struct MessageEdit {
    /// All but the files.
    pub edit: Edit,
    /// The numbers of the files that stay; all of them where it is absent. There may be others
    /// among them: those of the files that come with the request.
    pub kept: Option<Vec<u64>>,
}

impl MessagePatch {
    /// Checks all fields. `null` takes away what can be gone.
    pub fn parse(self, spelling: &Spelling) -> Result<MessageEdit, Rejection> {
        let mut form = Form::default();
        let kept = list(self.attachments).map(|kept| {
            let numbers = kept.iter().filter_map(|Object(kept)| kept.id.number());
            numbers.take(2 * limits::ATTACHMENTS_MAX).collect()
        });
        let said = form.removable("content", self.content, content);
        let embeds = list(self.embeds).map(|given| embeds(given, &mut form));
        let components = list(self.components).map(|given| components(given, &mut form));
        let flags = form.removable("flags", self.flags, flags);
        let allowed_mentions = self
            .allowed_mentions
            .map_or_else(AllowedMentions::default, |Object(input)| {
                input.parse(&mut form, spelling)
            });
        form.finish(|| {
            let edit = Edit {
                content: said.map(Option::flatten),
                embeds,
                components,
                suppress_embeds: flags.map(|flags| {
                    flags.is_some_and(|flags| flags.contains(MessageFlags::SUPPRESS_EMBEDS))
                }),
                attachments: None,
                allowed_mentions,
            };
            Some(MessageEdit { edit, kept })
        })
    }
}

/// A text without anything to read is none.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a form's checks take what they check"
)]
fn content(raw: String) -> Result<Option<Content>, Wrong> {
    if raw.trim().is_empty() {
        return Ok(None);
    }
    Ok(Some(Content::parse(&raw)?))
}

/// What a sender may switch. The other bits are the server's to set, and are passed over, except
/// those that would change what the rest of the body means.
fn flags(Whole(number): Whole) -> Result<MessageFlags, Wrong> {
    const COMPONENTS_V2: u32 = 1 << 15;
    let wrong = || Wrong::new("unknown_value", "must be a set of 32 bits");
    let bits = u32::try_from(number).map_err(|_| wrong())?;
    if bits & COMPONENTS_V2 != 0 {
        return Err(Wrong::new(
            "unsupported",
            "layout components are not supported here",
        ));
    }
    let known = MessageFlags::SUPPRESS_EMBEDS | MessageFlags::SUPPRESS_NOTIFICATIONS;
    Ok(MessageFlags::from_bits_retain(bits) & known)
}

/// EPHEMERAL is among these flags.
pub(super) fn is_ephemeral(flags: Option<Whole>) -> bool {
    const EPHEMERAL: i64 = 1 << 6;
    flags.is_some_and(|Whole(bits)| bits & EPHEMERAL != 0)
}

/// A list that is to be replaced; `null` stands for an empty one.
fn list<T>(given: Patch<Vec<T>>) -> Option<Vec<T>> {
    match given {
        Patch::Absent => None,
        Patch::Null => Some(Vec::new()),
        Patch::Value(list) => Some(list),
    }
}

/// `POST /channels/{id}/messages/bulk-delete`
#[derive(Debug, Default, Deserialize)]
pub struct BulkDelete {
    messages: Option<Vec<Digits>>,
}

impl BulkDelete {
    /// The messages that are to go.
    pub fn parse(self, spelling: &Spelling) -> Result<Vec<MessageId>, Rejection> {
        let (min, max) = limits::BULK_DELETE;
        let mut form = Form::default();
        let given = form.required("messages", self.messages, |list| {
            let message = format!("must have {min} to {max} entries");
            let wrong = || Wrong::new("invalid_length", message);
            (min..=max)
                .contains(&list.len())
                .then_some(list)
                .ok_or_else(wrong)
        });
        let numbered = given.into_iter().flatten().enumerate();
        let ids: Vec<MessageId> = numbered
            .filter_map(|(n, id)| {
                form.optional(&format!("messages.{n}"), Some(id), snowflake(spelling))
            })
            .collect();
        form.finish(|| Some(ids))
    }
}
