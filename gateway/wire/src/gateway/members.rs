//! A client's request for members of a guild (op 8).

use guildhall_model::limits;

use super::DecodeError;
use super::fields::{boolean, id, integer, optional, text, wrong};
use super::value::{Map, Value};

/// Bytes of a nonce; a longer one is not repeated, as Discord documents.
const NONCE_BYTES_MAX: usize = 32;

/// Which members of which guild. Ids are as they were spelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestMembers {
    /// The guild.
    pub guild_id: String,
    /// Which of its members.
    pub filter: MemberFilter,
    /// Tell also how they appear.
    pub presences: bool,
    /// The request's mark, repeated in the answer. At most 32 bytes.
    pub nonce: Option<String>,
}

/// Which members are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberFilter {
    /// Exactly these, at most [`limits::CHUNK_REQUEST_IDS_MAX`].
    Ids(Vec<String>),
    /// Those whose name starts so; the empty text is everybody's.
    Prefix {
        /// How the name starts.
        query: String,
        /// How many at most; 0 is no bound.
        limit: u64,
    },
}

impl RequestMembers {
    /// Where ids and a query are both there the ids count; discord.py sends both.
    pub(super) fn read(mut data: Map) -> Result<Self, DecodeError> {
        let guild_id = match data.take("guild_id") {
            Value::List(mut only) if only.len() == 1 => only.swap_remove(0),
            value => value,
        };
        let user_ids = match data.take("user_ids") {
            Value::Null => None,
            Value::List(ids) if ids.len() <= limits::CHUNK_REQUEST_IDS_MAX => Some(ids),
            Value::List(_) => return Err(wrong("d.user_ids", "at most 100 ids")),
            one => Some(vec![one]),
        };
        let query = optional(data.take("query"), |value| text(value, "d.query"))?;
        let limit = optional(data.take("limit"), |value| integer(&value, "d.limit"))?;
        let filter = match (user_ids, query) {
            (Some(ids), query) if query.is_none() || !ids.is_empty() => MemberFilter::Ids(
                ids.into_iter()
                    .map(|one| id(one, "d.user_ids"))
                    .collect::<Result<_, _>>()?,
            ),
            (_, Some(query)) => MemberFilter::Prefix {
                query,
                limit: limit.unwrap_or(0),
            },
            (_, None) => return Err(wrong("d", "a request with query or user_ids")),
        };
        let nonce = optional(data.take("nonce"), |value| text(value, "d.nonce"))?;
        Ok(Self {
            guild_id: id(guild_id, "d.guild_id")?,
            filter,
            presences: boolean(&data.take("presences"), "d.presences")?,
            nonce: nonce.filter(|nonce| nonce.len() <= NONCE_BYTES_MAX),
        })
    }
}
