//! What clients send on the gateway, decoded once: afterwards the type is the proof.
//!
//! Every byte here is hostile. A frame is refused by its size before it is read, its nesting and
//! its keys are checked while it is read, nothing is allocated from a length that it claims, and
//! no error repeats what it held.

mod fields;
mod identify;
mod lookup;
mod members;
pub mod protocol;
mod value;

pub use identify::{Identify, IntentsError, Resume, Token};
pub use lookup::{RequestChannelInfo, RequestSounds};
pub use members::{MemberFilter, RequestMembers};

use guildhall_model::limits;
use guildhall_model::user::Status;

use crate::close_code::CloseCode;
use crate::encode::Encoding;
use crate::opcode::Opcode;
use fields::{boolean, id, integer, map, optional};
use value::{Map, Value};

/// One payload of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inbound {
    /// Op 1. The number is the last that the client has seen, if it has seen any.
    Heartbeat(Option<u64>),
    /// Op 2.
    Identify(Box<Identify>),
    /// Op 3.
    Presence(Presence),
    /// Op 4.
    VoiceState(VoiceState),
    /// Op 6.
    Resume(Box<Resume>),
    /// Op 8.
    RequestMembers(Box<RequestMembers>),
    /// Op 31.
    RequestSounds(RequestSounds),
    /// Op 43.
    RequestChannelInfo(RequestChannelInfo),
}

/// How a client wants its user to appear. Activities are passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presence {
    /// What was chosen.
    pub status: Status,
}

/// Where a client wants its user to speak. Ids are as they were spelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoiceState {
    /// In which guild.
    pub guild_id: String,
    /// The channel to be in; `None` leaves.
    pub channel_id: Option<String>,
    /// Does not speak.
    pub self_mute: bool,
    /// Does not hear.
    pub self_deaf: bool,
}

/// Why a frame was refused. Never holds anything of the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// More bytes than [`limits::GATEWAY_FRAME_BYTES_MAX`].
    #[error("a payload has at most {} bytes", limits::GATEWAY_FRAME_BYTES_MAX)]
    TooLarge,
    /// Not exactly one value, or one that is nested too deep or repeats a key.
    #[error(
        "a payload is one value of the agreed encoding, with distinct keys and at most {} levels",
        limits::NESTING_MAX
    )]
    Malformed,
    /// An opcode that does not exist or that only the server may send.
    #[error("this opcode is not for clients")]
    UnknownOpcode,
    /// A field does not hold what it must.
    #[error("{path} must be {expected}")]
    Field {
        /// Where, dotted.
        path: &'static str,
        /// What belongs there.
        expected: &'static str,
    },
    /// `[index, count]` with an index outside the count.
    #[error("shard must be [index, count] with index < count")]
    Shard,
    /// Intent bits that do not exist.
    #[error("intents holds unknown bits")]
    Intents,
}

impl DecodeError {
    /// What the connection is closed with.
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::TooLarge | Self::Malformed | Self::Field { .. } => CloseCode::DecodeError,
            Self::UnknownOpcode => CloseCode::UnknownOpcode,
            Self::Shard => CloseCode::InvalidShard,
            Self::Intents => CloseCode::InvalidIntents,
        }
    }
}

/// Reads one payload of a client.
pub fn decode(encoding: Encoding, bytes: &[u8]) -> Result<Inbound, DecodeError> {
    let mut frame = map(value::read(encoding, bytes)?, "payload")?;
    let op = integer(&frame.take("op"), "op")?;
    let data = frame.take("d");
    match Opcode::new(op) {
        Some(Opcode::Heartbeat) => heartbeat(&data).map(Inbound::Heartbeat),
        Some(Opcode::Identify) => {
            Identify::read(map(data, "d")?).map(|identify| Inbound::Identify(Box::new(identify)))
        }
        Some(Opcode::PresenceUpdate) => Presence::read(map(data, "d")?).map(Inbound::Presence),
        Some(Opcode::VoiceStateUpdate) => {
            VoiceState::read(map(data, "d")?).map(Inbound::VoiceState)
        }
        Some(Opcode::Resume) => {
            Resume::read(map(data, "d")?).map(|resume| Inbound::Resume(Box::new(resume)))
        }
        Some(Opcode::RequestGuildMembers) => RequestMembers::read(map(data, "d")?)
            .map(|request| Inbound::RequestMembers(Box::new(request))),
        Some(Opcode::RequestSoundboardSounds) => {
            RequestSounds::read(map(data, "d")?).map(Inbound::RequestSounds)
        }
        Some(Opcode::RequestChannelInfo) => {
            RequestChannelInfo::read(map(data, "d")?).map(Inbound::RequestChannelInfo)
        }
        Some(
            Opcode::Dispatch
            | Opcode::Reconnect
            | Opcode::InvalidSession
            | Opcode::Hello
            | Opcode::HeartbeatAck,
        )
        | None => Err(DecodeError::UnknownOpcode),
    }
}

/// Libraries that have seen nothing send null, 0, a negative number or no data at all.
fn heartbeat(data: &Value) -> Result<Option<u64>, DecodeError> {
    match data {
        Value::Null | Value::Negative => Ok(None),
        Value::Unsigned(seen) => Ok(Some(*seen)),
        _ => Err(DecodeError::Field {
            path: "d",
            expected: "an integer or null",
        }),
    }
}

impl Presence {
    fn read(mut data: Map) -> Result<Self, DecodeError> {
        let status = match &data.take("status") {
            Value::Text(status) => match status.as_str() {
                "online" => Some(Status::Online),
                "idle" => Some(Status::Idle),
                "dnd" => Some(Status::Dnd),
                // Others see both as offline; Discord's clients may send either.
                "invisible" | "offline" => Some(Status::Invisible),
                _ => None,
            },
            // A client that is connected and says nothing appears as online.
            Value::Null => Some(Status::Online),
            _ => None,
        };
        let status = status.ok_or(DecodeError::Field {
            path: "d.status",
            expected: "online, idle, dnd, invisible or offline",
        })?;
        Ok(Self { status })
    }
}

impl VoiceState {
    fn read(mut data: Map) -> Result<Self, DecodeError> {
        Ok(Self {
            guild_id: id(data.take("guild_id"), "d.guild_id")?,
            channel_id: optional(data.take("channel_id"), |value| id(value, "d.channel_id"))?,
            self_mute: boolean(&data.take("self_mute"), "d.self_mute")?,
            self_deaf: boolean(&data.take("self_deaf"), "d.self_deaf")?,
        })
    }
}

#[cfg(test)]
mod tests;
