//! How a client starts a session (op 2) or goes on with one (op 6).

use std::fmt;

use guildhall_model::account::Credential;
use guildhall_model::dispatch::Shard;
use guildhall_model::intent::Intents;
use guildhall_model::limits;

use super::fields::{integer, map, optional, text, wrong};
use super::value::{Map, Value};
use super::{DecodeError, Presence};
use crate::close_code::CloseCode;

/// A secret that a client presented, without the `Bot ` or `Bearer ` before it. Its `Debug` does
/// not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// oceanic, eris, twilight and serenity send the prefix of the HTTP header here too.
    fn new(presented: String) -> Self {
        for prefix in ["Bot ", "Bearer "] {
            if let Some(token) = presented.strip_prefix(prefix) {
                return Self(token.to_owned());
            }
        }
        Self(presented)
    }

    /// The secret itself, to be checked and nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A request for a new session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identify {
    /// Who the client claims to be.
    pub token: Token,
    /// The events that it asks for; see [`Self::intents_for`].
    pub intents: Option<Intents>,
    /// The share of its guilds.
    pub shard: Option<Shard>,
    /// How the user appears from the start.
    pub presence: Option<Presence>,
    /// Members above which GUILD_CREATE comes without them; within [`limits::LARGE_THRESHOLD`].
    pub large_threshold: u8,
}

/// Why intents were refused, once it was known who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntentsError {
    /// A bot must say what it wants.
    #[error("intents are required")]
    Missing,
    /// Privileged intents that the application was not granted.
    #[error("privileged intents were not granted")]
    Disallowed,
}

impl IntentsError {
    /// What the connection is closed with.
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::Missing => CloseCode::InvalidIntents,
            Self::Disallowed => CloseCode::DisallowedIntents,
        }
    }
}

impl Identify {
    /// The intents of the session: a bot's as it asked for them, `None` for people, who get what
    /// they may see whatever they ask for.
    pub fn intents_for(&self, credential: &Credential) -> Result<Option<Intents>, IntentsError> {
        let Credential::Bot {
            privileged_intents: granted,
            ..
        } = credential
        else {
            return Ok(None);
        };
        let asked = self.intents.ok_or(IntentsError::Missing)?;
        if granted.contains(asked & Intents::PRIVILEGED) {
            Ok(Some(asked))
        } else {
            Err(IntentsError::Disallowed)
        }
    }

    /// `compress` asks for packed payloads, which may always be answered with plain ones;
    /// `properties` tell about the device. Neither changes anything here.
    pub(super) fn read(mut data: Map) -> Result<Self, DecodeError> {
        let (least, most) = limits::LARGE_THRESHOLD;
        let large_threshold = optional(data.take("large_threshold"), |value| {
            integer(&value, "d.large_threshold")
        })?;
        Ok(Self {
            token: Token::new(text(data.take("token"), "d.token")?),
            intents: optional(data.take("intents"), |value| {
                Intents::parse(integer(&value, "d.intents")?).ok_or(DecodeError::Intents)
            })?,
            shard: optional(data.take("shard"), shard)?,
            presence: optional(data.take("presence"), |value| {
                Presence::read(map(value, "d.presence")?)
            })?,
            large_threshold: large_threshold.map_or(least, |asked| {
                u8::try_from(asked).unwrap_or(most).clamp(least, most)
            }),
        })
    }
}

fn shard(value: Value) -> Result<Shard, DecodeError> {
    const PAIR: DecodeError = wrong("d.shard", "[index, count]");
    let Value::List(pair) = value else {
        return Err(PAIR);
    };
    let [Value::Unsigned(index), Value::Unsigned(count)] = pair[..] else {
        return Err(PAIR);
    };
    match (u32::try_from(index), u32::try_from(count)) {
        (Ok(index), Ok(count)) if index < count => Ok(Shard { index, count }),
        _ => Err(DecodeError::Shard),
    }
}

/// A request to go on with a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    /// Who the client claims to be.
    pub token: Token,
    /// The session, as READY named it.
    pub session_id: String,
    /// The last dispatch that the client has seen.
    pub seq: u64,
}

impl Resume {
    pub(super) fn read(mut data: Map) -> Result<Self, DecodeError> {
        Ok(Self {
            token: Token::new(text(data.take("token"), "d.token")?),
            session_id: text(data.take("session_id"), "d.session_id")?,
            seq: integer(&data.take("seq"), "d.seq")?,
        })
    }
}
