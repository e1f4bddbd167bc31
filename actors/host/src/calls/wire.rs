//! Calls and answers as nodes send them to each other.

use bytes::Bytes;
use guildhall_model::Rejection;
use guildhall_model::interned::intern;
use guildhall_ports::Failure;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Answer;
use crate::error::Refused;

/// What comes back for a call.
#[derive(Serialize, Deserialize)]
pub(crate) enum Reply {
    /// It was carried out.
    Answer(Answer),
    /// Nothing has changed.
    Rejected(Rejection),
    /// Whether something has changed is not known.
    Failed(Failed),
    /// Nothing was done: somebody else owns the partition.
    Elsewhere,
}

/// A failure, which holds words of the program.
#[derive(Serialize, Deserialize)]
pub(crate) enum Failed {
    Unavailable(String, String),
    Full(String),
    Stale(String),
    Damaged(String, String),
    Closing,
}

impl From<Result<Answer, Refused>> for Reply {
    fn from(outcome: Result<Answer, Refused>) -> Self {
        match outcome {
            Ok(answer) => Self::Answer(answer),
            Err(Refused::Rejection(rejection)) => Self::Rejected(rejection),
            Err(Refused::Failure(failure)) => Self::Failed(failure.into()),
        }
    }
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unavailable { what, why } => Self::Unavailable(what.into(), (*why).into()),
            Failure::Full { what } => Self::Full(what.into()),
            Failure::Stale { what } => Self::Stale(what.into()),
            Failure::Damaged { what, why } => Self::Damaged(what.into(), (*why).into()),
            Failure::Closing => Self::Closing,
        }
    }
}

impl From<Failed> for Failure {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Unavailable(what, why) => Self::unavailable(intern(&what), why),
            Failed::Full(what) => Self::Full {
                what: intern(&what),
            },
            Failed::Stale(what) => Self::Stale {
                what: intern(&what),
            },
            Failed::Damaged(what, why) => Self::damaged(intern(&what), why),
            // It is the other node that is going down.
            Failed::Closing => Self::unavailable("the partition's owner", "it is shutting down"),
        }
    }
}

/// Plain data as bytes.
pub(crate) fn encode(data: &impl Serialize) -> Bytes {
    rmp_serde::to_vec(data)
        .expect("plain data in memory always encodes")
        .into()
}

/// Reads what another node has encoded.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    rmp_serde::from_slice(bytes).map_err(|error| Failure::damaged("node link", error))
}
