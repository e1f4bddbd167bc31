//! First answers to interactions.
//!
//! <https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-response-object>

use guildhall_model::Rejection;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::message::{MessageCreate, MessageEdit, MessagePatch, NewMessage, is_ephemeral};
use super::read_json;
use crate::id::Spelling;
use crate::native::request::object::Object;
use crate::native::request::whole::Whole;

/// Discord's numbers of what a first answer does.
pub mod callback {
    /// Posts a message.
    pub const MESSAGE: u8 = 4;
    /// Says that a message will follow.
    pub const DEFERRED_MESSAGE: u8 = 5;
    /// Takes note of a press.
    pub const DEFERRED_UPDATE: u8 = 6;
    /// Changes the message whose component was used.
    pub const UPDATE: u8 = 7;
}

/// A first answer.
#[derive(Clone, Debug)]
pub enum Callback {
    /// A message.
    Message(Box<NewMessage>),
    /// A message will follow.
    DeferredMessage {
        /// Only the user will see it.
        is_private: bool,
    },
    /// Nothing will be said.
    DeferredUpdate,
    /// What changes about the message whose component was used.
    Update(Box<MessageEdit>),
}

#[derive(Debug, Deserialize)]
struct Kind {
    r#type: Option<Whole>,
}

#[derive(Debug, Deserialize)]
struct Envelope<T> {
    data: Option<Object<T>>,
}

#[derive(Debug, Default, Deserialize)]
struct Deferred {
    flags: Option<Whole>,
}

impl Callback {
    /// Reads a body, whose `type` says what its `data` is.
    pub fn read(bytes: &[u8], spelling: &Spelling) -> Result<Self, Rejection> {
        let Kind { r#type } = read_json(bytes)?;
        let Some(Whole(number)) = r#type else {
            return Err(Rejection::field("type", "required", "is required"));
        };
        match u8::try_from(number).unwrap_or(u8::MAX) {
            callback::MESSAGE => {
                let parsed = data::<MessageCreate>(bytes)?.parse(spelling);
                parsed.map(Box::new).map(Self::Message).map_err(within_data)
            }
            callback::DEFERRED_MESSAGE => Ok(Self::DeferredMessage {
                is_private: is_ephemeral(data::<Deferred>(bytes)?.flags),
            }),
            callback::DEFERRED_UPDATE => Ok(Self::DeferredUpdate),
            callback::UPDATE => {
                let parsed = data::<MessagePatch>(bytes)?.parse(spelling);
                parsed.map(Box::new).map(Self::Update).map_err(within_data)
            }
            _ => {
                let why = "must be from 4 to 7";
                Err(Rejection::field("type", "unknown_value", why))
            }
        }
    }

    /// Something is said, with which files may come.
    pub const fn shows(&self) -> bool {
        matches!(self, Self::Message(_) | Self::Update(_))
    }

    /// Discord's number of what it does.
    pub const fn number(&self) -> u8 {
        match self {
            Self::Message(_) => callback::MESSAGE,
            Self::DeferredMessage { .. } => callback::DEFERRED_MESSAGE,
            Self::DeferredUpdate => callback::DEFERRED_UPDATE,
            Self::Update(_) => callback::UPDATE,
        }
    }
}

fn data<T: DeserializeOwned + Default>(bytes: &[u8]) -> Result<T, Rejection> {
    let Envelope { data } = read_json::<Envelope<T>>(bytes)?;
    Ok(data.map(|Object(data)| data).unwrap_or_default())
}

/// Fields of the answer stand in `data`.
fn within_data(rejection: Rejection) -> Rejection {
    match rejection {
        Rejection::Invalid(mut fields) => {
            for field in &mut fields {
                field.path = format!("data.{}", field.path);
            }
            Rejection::Invalid(fields)
        }
        other => other,
    }
}
