//! Instants as texts of RFC 3339, one form for each dialect.

use std::fmt;

use guildhall_model::Timestamp;
use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema, openapi::RefOr};

/// The end of jiff's range, 26 hours before year 10000, which has no RFC 3339 text.
const LAST_MS: i64 = 253_402_207_200_000;

fn instant(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(at.0.clamp(0, LAST_MS))
        .expect("years 1970 to 9999 are within range")
}

/// The instant that a text in RFC 3339 names, if it is one, to the millisecond.
pub fn instant_of(text: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp(at.as_millisecond()))
}

/// An instant as the native dialect shows it: UTC, milliseconds, `Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Utc(pub Timestamp);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", instant(self.0))
    }
}

impl Serialize for Utc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl PartialSchema for Utc {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .into()
    }
}

impl ToSchema for Utc {}

impl PartialSchema for Iso8601 {
    fn schema() -> RefOr<Schema> {
        Utc::schema()
    }
}

impl ToSchema for Iso8601 {}

/// An instant as Discord writes it: UTC, microseconds, numeric offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Iso8601(pub Timestamp);

impl fmt::Display for Iso8601 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.6}", instant(self.0));
        write!(f, "{}+00:00", text.trim_end_matches('Z'))
    }
}

impl Serialize for Iso8601 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_dialect_has_its_form() {
        let at = Timestamp(1_462_015_105_796);
        assert_eq!(Utc(at).to_string(), "2016-04-30T11:18:25.796Z");
        assert_eq!(Iso8601(at).to_string(), "2016-04-30T11:18:25.796000+00:00");
        assert_eq!(Utc(Timestamp(0)).to_string(), "1970-01-01T00:00:00.000Z");
    }

    proptest! {
        #[test]
        fn any_instant_has_a_text_of_fixed_length(ms: i64) {
            prop_assert_eq!(Utc(Timestamp(ms)).to_string().len(), 24);
            prop_assert_eq!(Iso8601(Timestamp(ms)).to_string().len(), 32);
        }

        #[test]
        fn texts_read_back(ms in 0..=LAST_MS) {
            let parsed: jiff::Timestamp = Utc(Timestamp(ms)).to_string().parse().unwrap();
            prop_assert_eq!(parsed.as_millisecond(), ms);
        }
    }
}
