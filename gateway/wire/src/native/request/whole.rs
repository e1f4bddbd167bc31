//! A whole number, however it is written: to JSON Schema and to some clients `5.0` is one too.

use std::fmt;

use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// A whole number of 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Whole(pub(crate) i64);

/// Beyond it a number of floating point may stand for several whole ones.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// The number without its fraction, which must be zero.
#[expect(clippy::cast_possible_truncation, reason = "2^53 fits")]
pub(crate) fn without_fraction(number: f64) -> Option<i64> {
    (number.abs() <= EXACT_MAX && number.fract() == 0.0).then_some(number as i64)
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = Whole;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Whole, E> {
                Ok(Whole(number))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Whole, E> {
                let wrong = |_| E::invalid_value(Unexpected::Unsigned(number), &self);
                i64::try_from(number).map(Whole).map_err(wrong)
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Whole, E> {
                let wrong = || E::invalid_value(Unexpected::Float(number), &self);
                without_fraction(number).map(Whole).ok_or_else(wrong)
            }
        }

        deserializer.deserialize_i64(Number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_whole_whether_or_not_it_shows_a_fraction() {
        let read = |text: &str| serde_json::from_str::<Whole>(text).ok();
        for (text, number) in [
            ("5", Some(5)),
            ("5.0", Some(5)),
            ("-5e0", Some(-5)),
            ("-0.0", Some(0)),
            ("9007199254740992.0", Some(9_007_199_254_740_992)),
            ("1e18", None),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("-9223372036854775809", None),
            ("-1e300", None),
            ("5.5", None),
            ("\"5\"", None),
            ("true", None),
            ("null", None),
        ] {
            assert_eq!(read(text), number.map(Whole), "{text}");
        }
    }
}
