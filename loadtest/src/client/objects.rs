//! The native dialect's objects, as far as this client looks at them. Unknown fields are ignored.

use serde::{Deserialize, Serialize};

/// What `permissions` numbers mean in the native dialect: seeing a channel.
pub const READ_MESSAGES: u64 = 1;
/// Posting in a channel.
pub const SEND_MESSAGES: u64 = 2;

/// A person or a bot.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the dialect")]
pub struct User {
    pub id: String,
    pub username: String,
}

/// The answer to registration, login and refresh. It has no `Debug`, because it holds secrets.
#[derive(Clone, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the dialect")]
pub struct Login {
    pub user: User,
    pub access_token: String,
    pub refresh_token: String,
    pub token_type: String,
    /// Seconds.
    pub expires_in: u64,
}

/// A guild, as the native dialect calls it.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the dialect")]
pub struct Server {
    pub id: String,
    pub name: String,
    pub owner_id: String,
}

/// A channel of a server.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the dialect")]
pub struct Channel {
    pub id: String,
    pub name: String,
}

/// What one role or member is allowed or denied in a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the dialect")]
pub struct Overwrite {
    pub id: String,
    pub r#type: OverwriteKind,
    pub allow: u64,
    pub deny: u64,
}

/// Whom an overwrite is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are those of the dialect")]
pub enum OverwriteKind {
    Role,
    Member,
}

/// A message as an answer holds it.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the dialect")]
pub struct Message {
    pub id: String,
    pub channel_id: String,
    pub content: String,
}

/// An application with its bot user.
#[derive(Clone, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the dialect")]
pub struct Application {
    pub id: String,
    pub name: String,
    pub bot: User,
    /// Only in the answer to the creation.
    pub bot_token: Option<String>,
}

/// Which page of a channel's messages is asked for; newest first in every case.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the names are those of the dialect")]
pub struct PageQuery<'a> {
    pub before: Option<&'a str>,
    pub after: Option<&'a str>,
    pub around: Option<&'a str>,
    pub limit: Option<u16>,
}

/// The body of every refusal.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Refusal {
    pub(super) code: String,
    pub(super) message: String,
    /// Seconds to wait, where that is what helps.
    pub(super) retry_after: Option<f64>,
}
