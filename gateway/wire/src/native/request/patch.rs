//! A field of an update: left out, removed, or set.

use serde::{Deserialize, Deserializer};

/// A field of an update. Leaving it out is not the same as `null`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// Leave it as it is.
    #[default]
    Absent,
    /// Remove it.
    Null,
    /// Set it.
    Value(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A field that is left out never gets here: the bodies default to `Absent`.
        Ok(match Option::deserialize(deserializer)? {
            None => Self::Null,
            Some(value) => Self::Value(value),
        })
    }
}
