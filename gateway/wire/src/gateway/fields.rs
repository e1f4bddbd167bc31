//! Reads typed fields out of a client's payload; each error names the field and what belongs
//! there.

use super::DecodeError;
use super::value::{Map, Value};

/// Bytes of an id in its longest spelling, a UUID.
const ID_BYTES_MAX: usize = 36;

/// A map of named values.
pub(super) fn map(value: Value, path: &'static str) -> Result<Map, DecodeError> {
    match value {
        Value::Map(map) => Ok(map),
        _ => Err(wrong(path, "an object")),
    }
}

/// A text.
pub(super) fn text(value: Value, path: &'static str) -> Result<String, DecodeError> {
    match value {
        Value::Text(text) => Ok(text),
        _ => Err(wrong(path, "a string")),
    }
}

/// A number that is whole and not negative.
pub(super) fn integer(value: &Value, path: &'static str) -> Result<u64, DecodeError> {
    match value {
        Value::Unsigned(number) => Ok(*number),
        _ => Err(wrong(path, "an integer from 0")),
    }
}

/// A flag; absent means no.
pub(super) fn boolean(value: &Value, path: &'static str) -> Result<bool, DecodeError> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        Value::Null => Ok(false),
        _ => Err(wrong(path, "a boolean")),
    }
}

/// An id as it was spelled; a number becomes its decimal text.
pub(super) fn id(value: Value, path: &'static str) -> Result<String, DecodeError> {
    match value {
        Value::Text(id) if (1..=ID_BYTES_MAX).contains(&id.len()) => Ok(id),
        Value::Unsigned(id) => Ok(id.to_string()),
        _ => Err(wrong(path, "an id")),
    }
}

/// A value that may be null or absent.
pub(super) fn optional<T>(
    value: Value,
    read: impl FnOnce(Value) -> Result<T, DecodeError>,
) -> Result<Option<T>, DecodeError> {
    match value {
        Value::Null => Ok(None),
        value => read(value).map(Some),
    }
}

/// The error of the field at `path`.
pub(super) const fn wrong(path: &'static str, expected: &'static str) -> DecodeError {
    DecodeError::Field { path, expected }
}
