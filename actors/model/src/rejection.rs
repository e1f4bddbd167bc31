//! Why a request was refused: the caller's fault, as opposed to a failure of ours.
//!
//! `gateway/wire` gives each its code, HTTP status and text in both dialects.

use serde::{Deserialize, Serialize};

use crate::interned::interned;
use crate::permission::Permissions;

/// One of the program's own words. Named, so that serde does not think it borrows from its input.
type Word = &'static str;

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Rejection {
    /// No usable credential came with the request.
    #[error("not authenticated")]
    Unauthenticated,
    /// Login name or password is wrong; which of them is not said.
    #[error("wrong credentials")]
    WrongCredentials,
    /// The token of a webhook is another one.
    #[error("wrong webhook token")]
    WrongWebhookToken,
    /// The object does not exist, or the caller may not know that it does.
    #[error("unknown {0:?}")]
    Unknown(Noun),
    /// The caller may see the object but lacks a permission.
    #[error("missing permission")]
    MissingPermission(Permissions),
    /// A role or member stands above the caller.
    #[error("outranked")]
    Outranked,
    /// Only the owner may do this, or nobody may do it to the owner.
    #[error("reserved to the owner")]
    OwnerOnly,
    /// Only people may do this.
    #[error("not for bots")]
    NotForBots,
    /// Only bots may do this.
    #[error("only for bots")]
    BotsOnly,
    /// Only the application's own bot may do this.
    #[error("not the application's bot")]
    NotYourApplication,
    /// Only the author may do this.
    #[error("not the author")]
    NotTheAuthor,
    /// The caller is banned from the guild.
    #[error("banned")]
    Banned,
    /// The fields of the request do not hold what they must.
    #[error("invalid form")]
    Invalid(Vec<FieldError>),
    /// The channel is one that holds no messages.
    #[error("no messages here")]
    NoMessages,
    /// A message would show nothing.
    #[error("empty message")]
    EmptyMessage,
    /// Messages that are deleted together must be younger.
    #[error("too old")]
    TooOld,
    /// The interaction has been answered before.
    #[error("already acknowledged")]
    AlreadyAcknowledged,
    /// Something that must be unique is taken.
    #[error("{0} is taken")]
    Taken(#[serde(deserialize_with = "interned")] Word),
    /// A count has reached its bound.
    #[error("limit of {limit} {what} reached")]
    LimitReached {
        /// What is counted, in the plural.
        #[serde(deserialize_with = "interned")]
        what: Word,
        /// How many are allowed.
        limit: usize,
    },
    /// The request makes no sense in the object's present state.
    #[error("{0}")]
    Conflict(#[serde(deserialize_with = "interned")] Word),
    /// Too many requests wait already; a later one may succeed.
    #[error("overloaded")]
    Overloaded,
}

/// What a request named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum Noun {
    User,
    Guild,
    Channel,
    Message,
    Role,
    Member,
    Ban,
    Overwrite,
    Invite,
    Webhook,
    Application,
    ApplicationCommand,
    Interaction,
    Reaction,
    Emoji,
    Route,
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Where it stands, dotted: `overwrites.0.allow`. Empty for the body as a whole.
    pub path: String,
    /// A code for programs, in snake case.
    #[serde(deserialize_with = "interned")]
    pub code: Word,
    /// A sentence for people.
    pub message: String,
}

impl Rejection {
    /// One wrong field.
    pub fn field(path: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError {
            path: path.to_owned(),
            code,
            message: message.into(),
        }])
    }
}
