//! What clients asked, were answered and were told: the lines of a history.
//!
//! A history is a directory of `*.jsonl` files, one per worker. Every line is one [`Line`]; the
//! lines of one session stand in one file, in the order in which the client saw them. Ids are
//! opaque here but for one promise of both dialects: within a channel, ids that are compared first
//! by length and then by bytes ascend in the stored order.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

pub mod reader;
pub mod writer;

/// The format that this crate writes and reads, named in the first line of every file.
pub const FORMAT: u32 = 1;

/// One line of a history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line<'a> {
    /// Nanoseconds of [`crate::clock::now_ns`].
    pub at: u64,
    /// What happened then.
    #[serde(borrow)]
    pub what: Entry<'a>,
}

/// A string of a line, borrowed from it wherever JSON does not escape it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// What a line tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry<'a> {
    /// The first line of a file.
    Begin {
        /// [`FORMAT`].
        format: u32,
    },
    /// A REST request is about to be sent.
    #[serde(borrow)]
    Request(Request<'a>),
    /// A REST request was answered, or will never be.
    #[serde(borrow)]
    Response(Response<'a>),
    /// A socket of this client is open.
    Connect {
        /// The client's number.
        client: u32,
    },
    /// IDENTIFY is about to be sent.
    Identify {
        /// The client's number.
        client: u32,
    },
    /// RESUME is about to be sent.
    Resume {
        /// The session.
        #[serde(borrow)]
        session: Text<'a>,
        /// The last `s` that the client has seen.
        seq: u64,
    },
    /// READY came: the session's stream begins, with READY as its first dispatch.
    Open {
        /// The client's number.
        client: u32,
        /// The session.
        #[serde(borrow)]
        session: Text<'a>,
        /// Whose it is.
        #[serde(borrow)]
        user: Text<'a>,
    },
    /// Every guild that READY announced has come: from here on the session must miss nothing.
    Settle {
        /// The session.
        #[serde(borrow)]
        session: Text<'a>,
    },
    /// A dispatch came.
    #[serde(borrow)]
    Dispatch(Dispatch<'a>),
    /// Op 7: the server asks the client to come back.
    Reconnect {
        /// The session.
        #[serde(borrow)]
        session: Text<'a>,
    },
    /// Op 9: without `resumable` the session is over, and what it had not been told is lost.
    Invalid {
        /// The session; absent when none was open.
        #[serde(borrow)]
        session: Option<Text<'a>>,
        /// The `d` of op 9.
        resumable: bool,
    },
    /// The socket is gone.
    Close {
        /// The client's number.
        client: u32,
        /// The close code, if one came.
        code: Option<u16>,
    },
    /// The client leaves, and by now the session must have been told everything.
    End {
        /// The session.
        #[serde(borrow)]
        session: Text<'a>,
    },
    /// A page of a channel's stored messages, newest first; pages of one channel go backwards.
    #[serde(borrow)]
    Page(Page<'a>),
    /// The channel's last page has been read.
    PagesEnd {
        /// The channel.
        #[serde(borrow)]
        channel: Text<'a>,
    },
}

/// A REST request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request<'a> {
    /// The call's number, unique in the whole history.
    pub call: u64,
    /// Who asks.
    #[serde(borrow)]
    pub user: Text<'a>,
    /// What is asked for.
    pub action: Action,
    /// The HTTP method.
    #[serde(borrow)]
    pub method: Text<'a>,
    /// The path, as sent.
    #[serde(borrow)]
    pub path: Text<'a>,
    /// The channel that it concerns.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Text<'a>>,
    /// The message that it concerns.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Text<'a>>,
    /// The sender's mark of a message, the same in every retry.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Text<'a>>,
    /// What tells this change of the message from others: see [`tag_of`] and [`reaction_tag`].
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Text<'a>>,
    /// Who may see what once the request is answered with success.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub access: Vec<Access<'a>>,
}

/// What a request does, as far as the checker distinguishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Posts a message.
    Post,
    /// Edits a message.
    Edit,
    /// Deletes a message.
    Delete,
    /// Gives a reaction.
    React,
    /// Reads a channel's messages.
    Read,
    /// Anything else.
    Other,
}

/// One user's sight of one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access<'a> {
    /// The channel.
    #[serde(borrow)]
    pub channel: Text<'a>,
    /// The user.
    #[serde(borrow)]
    pub user: Text<'a>,
    /// The user may see the channel.
    pub view: bool,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response<'a> {
    /// The request's call.
    pub call: u64,
    /// The HTTP status; 0 if no answer came, so that nobody knows whether the request took effect.
    pub status: u16,
    /// The message that was made.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Text<'a>>,
}

/// A dispatch (op 0).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispatch<'a> {
    /// The session.
    #[serde(borrow)]
    pub session: Text<'a>,
    /// Its number; 0 if the server sent none.
    pub s: u64,
    /// The event's name.
    #[serde(borrow)]
    pub t: Text<'a>,
    /// The channel that it concerns.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Text<'a>>,
    /// The message that it concerns.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Text<'a>>,
    /// The message's nonce.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Text<'a>>,
    /// What tells this change of the message from others: see [`tag_of`] and [`reaction_tag`].
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Text<'a>>,
    /// The channels that GUILD_CREATE shows.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub shows: Vec<Text<'a>>,
}

/// A page of stored messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<'a> {
    /// The channel.
    #[serde(borrow)]
    pub channel: Text<'a>,
    /// Its messages, newest first.
    #[serde(borrow)]
    pub messages: Vec<Stored<'a>>,
}

/// A message of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored<'a> {
    /// Its id.
    #[serde(borrow)]
    pub id: Text<'a>,
    /// The tag of its content.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Text<'a>>,
}

impl Text<'_> {
    /// The text as such.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

/// The longest tag. Content that begins with a longer word has none.
const TAG_BYTES_MAX: usize = 64;

/// The tag of a message's content: its first word. Posts begin with their nonce, the message's
/// edits with the nonce, `+` and something that no other edit of it has.
pub fn tag_of(content: &str) -> Option<&str> {
    let word = content.split_whitespace().next()?;
    (word.len() <= TAG_BYTES_MAX).then_some(word)
}

/// The nonce of the message that has this tag, in whichever version.
pub fn nonce_of(tag: &str) -> &str {
    tag.split_once('+').map_or(tag, |(nonce, _)| nonce)
}

/// The tag of a reaction: who gave what.
pub fn reaction_tag(user: &str, emoji: &str) -> String {
    format!("{user} {emoji}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_of_a_content_is_its_tag() {
        assert_eq!(tag_of("r1-7 hello"), Some("r1-7"));
        assert_eq!(tag_of(""), None);
        assert_eq!(tag_of(&"x".repeat(65)), None);
        assert_eq!(nonce_of("r1-7+2"), "r1-7");
        assert_eq!(nonce_of("r1-7"), "r1-7");
    }

    #[test]
    fn a_line_survives_json_whatever_its_text_contains() {
        let line = Line {
            at: 7,
            what: Entry::Dispatch(Dispatch {
                session: "a\"\\\u{1}é".into(),
                s: u64::MAX,
                t: "MESSAGE_CREATE".into(),
                channel: Some("c".into()),
                message: None,
                nonce: None,
                tag: Some("x\n".into()),
                shows: vec!["c".into()],
            }),
        };
        let json = serde_json::to_string(&line).unwrap();
        assert!(!json.contains('\n'));
        assert_eq!(serde_json::from_str::<Line<'_>>(&json).unwrap(), line);
    }
}
