//! Messages: posting, editing, reacting.

use guildhall_model::limits::NONCE_CHARS_MAX;
use guildhall_model::message::{Emoji, Nonce};
use guildhall_model::text::Content;
use guildhall_model::{MessageId, Rejection};
use serde::{Deserialize, Deserializer, de};
use utoipa::ToSchema;

use super::form::{Form, Wrong, id, text};
use super::whole::without_fraction;
use crate::emoji_text;
use crate::id::Spelling;
use crate::native::schema;

/// `POST /channels/{id}/messages` and `POST /dm/{id}/messages`
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct MessageCreate {
    #[schema(required, schema_with = schema::content)]
    content: Option<String>,
    #[schema(schema_with = schema::nonce)]
    nonce: Option<NonceInput>,
    #[schema(value_type = Option<crate::id::UuidText>)]
    reply_to: Option<String>,
}

/// A short text, or a whole number.
#[derive(Debug)]
pub enum NonceInput {
    /// As text.
    Text(String),
    /// As a number.
    Number(i64),
}

impl<'de> Deserialize<'de> for NonceInput {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = NonceInput;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string or a whole number of 64 bits")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<NonceInput, E> {
                Ok(NonceInput::Text(text.to_owned()))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<NonceInput, E> {
                Ok(NonceInput::Number(number))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<NonceInput, E> {
                let wrong = || E::invalid_value(de::Unexpected::Float(number), &self);
                let number = without_fraction(number).ok_or_else(wrong)?;
                Ok(NonceInput::Number(number))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<NonceInput, E> {
                let wrong = || E::invalid_value(de::Unexpected::Unsigned(number), &self);
                i64::try_from(number)
                    .map(NonceInput::Number)
                    .map_err(|_| wrong())
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// What a new message is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMessage {
    /// What is said.
    pub content: Content,
    /// The sender's own mark.
    pub nonce: Option<Nonce>,
    /// The message that it answers.
    pub reply_to: Option<MessageId>,
}

impl MessageCreate {
    /// Checks all fields.
    pub fn parse(self, spelling: &Spelling) -> Result<NewMessage, Rejection> {
        let mut form = Form::default();
        let content = form.required("content", self.content, text(Content::parse));
        let nonce = form.optional("nonce", self.nonce, nonce);
        let reply_to = form.optional("reply_to", self.reply_to, id(spelling));
        form.finish(|| {
            Some(NewMessage {
                content: content?,
                nonce,
                reply_to,
            })
        })
    }
}

/// An empty nonce would make all messages of a careless client one message.
pub(crate) fn nonce(raw: NonceInput) -> Result<Nonce, Wrong> {
    match raw {
        NonceInput::Number(number) => Ok(Nonce::Number(number)),
        NonceInput::Text(text) if (1..=NONCE_CHARS_MAX).contains(&text.chars().count()) => {
            Ok(Nonce::Text(text))
        }
        NonceInput::Text(_) => {
            let message = format!("must have 1 to {NONCE_CHARS_MAX} characters");
            Err(Wrong::new("invalid_length", message))
        }
    }
}

/// `PUT /messages/{id}`
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct MessageEdit {
    #[schema(required, schema_with = schema::content)]
    content: Option<String>,
}

impl MessageEdit {
    /// The new content.
    pub fn parse(self) -> Result<Content, Rejection> {
        let mut form = Form::default();
        let content = form.required("content", self.content, text(Content::parse));
        form.finish(|| content)
    }
}

/// `POST /messages/{id}/reactions`
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct ReactionCreate {
    #[schema(required, schema_with = schema::emoji)]
    emoji: Option<String>,
}

impl ReactionCreate {
    /// The emoji in its one spelling, or a server's own by its id.
    pub fn parse(self, spelling: &Spelling) -> Result<Emoji, Rejection> {
        let mut form = Form::default();
        let emoji = form.required("emoji", self.emoji, |raw| {
            let wrong = || Wrong::new("invalid_characters", "must be one emoji");
            emoji_text::read(&raw, spelling).ok_or_else(wrong)
        });
        form.finish(|| emoji)
    }
}
