//! Values that are stored as MessagePack, in the form that all adapters share.

use guildhall_ports::stored::{self, Unreadable};
use serde::de::DeserializeOwned;

use super::error::SqlError;

pub(crate) use guildhall_ports::stored::encode;

/// The value that a column of `table` holds.
pub(crate) fn decode<T: DeserializeOwned>(
    table: &'static str,
    bytes: &[u8],
) -> Result<T, SqlError> {
    Ok(stored::decode(table, bytes)?)
}

impl From<Unreadable> for SqlError {
    fn from(row: Unreadable) -> Self {
        Self::row(row.table, row.why)
    }
}
