//! The stored form of values that no query looks at: MessagePack, the same in every adapter.
//!
//! Fields are stored in their order, without names: a message's body is a quarter of the size
//! with names and is read more than twice as fast. Rows outlive program versions, so a field that
//! is added later must come last and have a serde default, which older rows are read with.

pub mod message;

use guildhall_model::Id;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Failure;

/// A row does not mean what it must.
#[derive(Debug, thiserror::Error)]
#[error("{table}: {why}")]
pub struct Unreadable {
    /// Where it stands.
    pub table: &'static str,
    /// What is wrong with it.
    pub why: String,
}

impl Unreadable {
    /// What is wrong with a row of `table`.
    pub fn row(table: &'static str, why: impl Into<String>) -> Self {
        Self {
            table,
            why: why.into(),
        }
    }
}

impl From<Unreadable> for Failure {
    fn from(row: Unreadable) -> Self {
        Self::damaged(row.table, row.why)
    }
}

/// The id in a column of `table`.
pub fn id<K>(table: &'static str, raw: i64) -> Result<Id<K>, Unreadable> {
    Id::from_i64(raw).ok_or_else(|| Unreadable::row(table, format!("{raw} is no id")))
}

/// The stored form of a value.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    rmp_serde::to_vec(value).expect("plain data has a MessagePack form")
}

/// The value that a column of `table` holds.
pub fn decode<T: DeserializeOwned>(table: &'static str, bytes: &[u8]) -> Result<T, Unreadable> {
    rmp_serde::from_slice(bytes).map_err(|error| Unreadable::row(table, error.to_string()))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Serialize)]
    struct Older {
        name: String,
        kind: Kind,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Kind {
        Small,
        Large(u32),
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Newer {
        name: String,
        kind: Kind,
        #[serde(default)]
        color: Option<u32>,
    }

    #[test]
    fn a_field_that_came_later_is_read_from_older_rows_by_its_default() {
        for kind in [Kind::Small, Kind::Large(7)] {
            let older = encode(&Older {
                name: "row".to_owned(),
                kind,
            });
            let newer: Newer = decode("table", &older).unwrap();
            assert_eq!((newer.name.as_str(), newer.color), ("row", None));
        }
    }

    #[test]
    fn bytes_that_are_no_value_are_refused_at_every_length() {
        let whole = encode(&Kind::Large(70_000));
        for length in 0..whole.len() {
            assert!(decode::<Kind>("table", &whole[..length]).is_err());
        }
    }
}
