//! A client's requests for the sounds of guilds (op 31) and for what the channels of a guild are
//! about at present (op 43).

use guildhall_model::limits;

use super::DecodeError;
use super::fields::{id, wrong};
use super::value::{Map, Value};

/// The guilds whose soundboard sounds are asked for. Ids are as they were spelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestSounds {
    /// At most [`limits::GUILDS_MAX`].
    pub guild_ids: Vec<String>,
}

/// The guild whose channels are asked about. The id is as it was spelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestChannelInfo {
    /// The guild.
    pub guild_id: String,
}

impl RequestSounds {
    pub(super) fn read(mut data: Map) -> Result<Self, DecodeError> {
        const LIST: DecodeError = wrong("d.guild_ids", "a list of at most 200 ids");
        let Value::List(ids) = data.take("guild_ids") else {
            return Err(LIST);
        };
        if limits::GUILDS_MAX < ids.len() {
            return Err(LIST);
        }
        let ids = ids.into_iter().map(|one| id(one, "d.guild_ids"));
        Ok(Self {
            guild_ids: ids.collect::<Result<_, _>>()?,
        })
    }
}

impl RequestChannelInfo {
    /// `fields` says what is wanted of each channel. No channel has any of it, so it is not kept.
    pub(super) fn read(mut data: Map) -> Result<Self, DecodeError> {
        match data.take("fields") {
            Value::Null | Value::List(_) => Ok(Self {
                guild_id: id(data.take("guild_id"), "d.guild_id")?,
            }),
            _ => Err(wrong("d.fields", "a list")),
        }
    }
}
