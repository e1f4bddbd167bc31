//! Values as Discord's clients write them, and what their fields must hold.

use std::fmt;

use guildhall_model::{Id, Permissions, Timestamp};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

use crate::id::Spelling;
use crate::native::request::form::Wrong;
use crate::native::request::whole::Whole;
use crate::time::instant_of;

/// A whole number without sign, or its digits as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Digits(String);

impl<'de> Deserialize<'de> for Digits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = Digits;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or its digits as text")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Digits, E> {
                Ok(Digits(text.to_owned()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Digits, E> {
                Ok(Digits(number.to_string()))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl Digits {
    /// The number, if it is one of 64 bits and not zero.
    pub(super) fn number(&self) -> Option<u64> {
        let Self(text) = self;
        let plain = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|&number| plain && number != 0)
    }
}

/// A check for an id.
pub(super) fn snowflake<K>(spelling: &Spelling) -> impl FnOnce(Digits) -> Result<Id<K>, Wrong> {
    move |Digits(text)| {
        let wrong = || Wrong::new("not_snowflake", "must be the id of an object");
        spelling.parse(&text).ok_or_else(wrong)
    }
}

/// A check for a permission set. Bits that we do not know are kept: clients may be newer.
pub(super) fn permissions(Digits(text): Digits) -> Result<Permissions, Wrong> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let bits = text.parse().ok().filter(|_| plain);
    let wrong = || Wrong::new("not_a_number", "must be a permission set of 64 bits");
    bits.map(Permissions::from_bits_retain).ok_or_else(wrong)
}

/// A check for a whole number between two bounds.
pub(super) fn between<T: TryFrom<i64>>(
    min: i64,
    max: i64,
) -> impl FnOnce(Whole) -> Result<T, Wrong> {
    move |Whole(number)| {
        if number < min {
            return Err(Wrong::new("too_small", format!("must be at least {min}")));
        }
        let large = || Wrong::new("too_large", format!("must be at most {max}"));
        if max < number {
            return Err(large());
        }
        T::try_from(number).map_err(|_| large())
    }
}

/// A check for a place in an order.
pub(super) fn position(number: Whole) -> Result<u16, Wrong> {
    between(0, i64::from(u16::MAX))(number)
}

/// A check for an instant in RFC 3339.
pub(super) fn instant(raw: String) -> Result<Timestamp, Wrong> {
    let parsed = instant_of(&raw);
    drop(raw);
    let wrong = || Wrong::new("not_a_time", "must be an instant like 2030-01-31T12:00:00Z");
    parsed.ok_or_else(wrong)
}

/// A check that a list is no longer than `max`.
pub(super) fn at_most<T>(max: usize) -> impl FnOnce(Vec<T>) -> Result<Vec<T>, Wrong> {
    move |list| {
        if max < list.len() {
            let message = format!("must have at most {max} entries");
            return Err(Wrong::new("too_many", message));
        }
        Ok(list)
    }
}
