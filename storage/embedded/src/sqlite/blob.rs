//! Values that are stored as MessagePack.
//!
//! Fields are stored with their names, because rows outlive program versions: a field that is
//! added later is read from older rows by its serde default.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::SqlError;

/// The stored form of a value.
pub(super) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    rmp_serde::to_vec_named(value).expect("plain data has a MessagePack form")
}

/// The value that a column of `table` holds.
pub(super) fn decode<T: DeserializeOwned>(
    table: &'static str,
    bytes: &[u8],
) -> Result<T, SqlError> {
    rmp_serde::from_slice(bytes).map_err(|error| SqlError::row(table, error.to_string()))
}
