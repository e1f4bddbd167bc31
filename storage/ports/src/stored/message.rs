//! The stored form of messages.

use guildhall_model::message::{Message, Nonce, Place, Rich};
use guildhall_model::snowflake::Generator;
use guildhall_model::user::User;
use guildhall_model::{Id, MessageId, RoleId, Timestamp, limits};
use serde::{Deserialize, Serialize};

use super::Unreadable;

/// What of a message no query looks at.
#[derive(Serialize, Deserialize)]
struct Body {
    place: Place,
    author: User,
    reply_to: Option<MessageId>,
    mentions: Vec<User>,
    mention_roles: Vec<RoleId>,
    mention_everyone: bool,
    rich: Option<Box<Rich>>,
}

/// A message as columns, but for the ids that find it and its reactions, which are counted apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageColumns {
    /// Apart from the body, so that a search index can read it.
    pub content: String,
    /// Milliseconds since the Unix epoch.
    pub edited_at: Option<i64>,
    /// In the form of [`nonce_column`].
    pub nonce: Option<String>,
    /// Milliseconds since the Unix epoch.
    pub pinned_at: Option<i64>,
    /// All else that a message carries.
    pub body: Vec<u8>,
}

impl From<&Message> for MessageColumns {
    fn from(message: &Message) -> Self {
        Self {
            content: message.content.clone(),
            edited_at: message.edited_at.map(|at| at.0),
            nonce: message.nonce.as_ref().map(nonce_column),
            pinned_at: message.pinned_at.map(|at| at.0),
            body: super::encode(&Body {
                place: message.place.clone(),
                author: message.author.clone(),
                reply_to: message.reply_to,
                mentions: message.mentions.clone(),
                mention_roles: message.mention_roles.clone(),
                mention_everyone: message.mention_everyone,
                rich: message.rich.clone(),
            }),
        }
    }
}

impl MessageColumns {
    /// The message with this id in this channel, without reactions.
    pub fn into_message(self, id: i64, channel_id: i64) -> Result<Message, Unreadable> {
        let body: Body = super::decode("messages", &self.body)?;
        Ok(Message {
            id: super::id("messages", id)?,
            channel_id: super::id("messages", channel_id)?,
            place: body.place,
            author: body.author,
            content: self.content,
            edited_at: self.edited_at.map(Timestamp),
            nonce: self.nonce.as_deref().map(nonce).transpose()?,
            reply_to: body.reply_to,
            mentions: body.mentions,
            mention_roles: body.mention_roles,
            mention_everyone: body.mention_everyone,
            reactions: Vec::new(),
            pinned_at: self.pinned_at.map(Timestamp),
            rich: body.rich,
        })
    }
}

/// A nonce as a column: the first letter keeps numbers and texts apart.
pub fn nonce_column(nonce: &Nonce) -> String {
    match nonce {
        Nonce::Text(text) => format!("t{text}"),
        Nonce::Number(number) => format!("n{number}"),
        Nonce::Interaction(id) => format!("i{id}"),
    }
}

/// The nonce in a column.
pub fn nonce(column: &str) -> Result<Nonce, Unreadable> {
    if let Some(text) = column.strip_prefix('t') {
        return Ok(Nonce::Text(text.to_owned()));
    }
    let number = column.strip_prefix('n').and_then(|n| n.parse().ok());
    let interaction = || column.strip_prefix('i').and_then(|n| n.parse().ok());
    number
        .map(Nonce::Number)
        .or_else(|| Id::new(interaction()?).map(Nonce::Interaction))
        .ok_or_else(|| Unreadable::row("messages", "a nonce is neither text nor number"))
}

/// How long nonces are kept that have outlived their messages: those of posts count for less, but
/// answers to an interaction are asked for as long as they may be followed.
pub const NONCE_KEPT_MS: u64 = if limits::NONCE_AGE_MS < limits::INTERACTION_AGE_MS {
    limits::INTERACTION_AGE_MS
} else {
    limits::NONCE_AGE_MS
};

/// The oldest message whose nonce is kept at this time.
pub fn oldest_nonce(at: Timestamp) -> MessageId {
    let age = i64::try_from(NONCE_KEPT_MS).unwrap_or(i64::MAX);
    Generator::new(0, 0).mint(at.plus_ms(-age))
}
