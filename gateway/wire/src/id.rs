//! The two spellings of an id: decimal for the Discord dialect, UUID text for the native one.
//!
//! A UUID is version 8 of RFC 9562 and holds `unix_ms(48) ver(4) low22>>10(12) var(2)
//! low22&1023(10) tail(52)`, so that the order of the texts is the order of the ids. The tail is
//! a constant of the installation: another installation's UUID is refused by equality instead of
//! naming a row of ours.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use guildhall_model::Id;
use guildhall_model::snowflake::EPOCH_MS;
use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{RefOr, schema};
use utoipa::{PartialSchema, ToSchema};

const VERSION: u128 = 8;
const VARIANT: u128 = 0b10;
const TAIL_MASK: u64 = (1 << 52) - 1;
const LOW_BITS: u32 = 22;
/// Hex digits of each group of a UUID's text.
const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
const UUID_CHARS: usize = 36;
/// Characters of the tail, a dash among them.
const TAIL_CHARS: usize = 14;

/// How one installation spells its ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spelling {
    /// Version, variant and tail: what all UUIDs of the installation share.
    shared: u128,
}

impl Spelling {
    /// The spelling of the installation with this constant, of which 52 bits count.
    pub const fn new(tail: u64) -> Self {
        Self {
            shared: VERSION << 76 | VARIANT << 62 | (tail & TAIL_MASK) as u128,
        }
    }

    /// The native spelling.
    pub fn uuid<K>(&self, id: Id<K>) -> UuidText {
        UuidText::from_bits(self.bits(id.get()))
    }

    /// Reads either spelling: a decimal number without sign or leading zeros, or this
    /// installation's UUID in either case. Anything else names nothing.
    pub fn parse<K>(&self, text: &str) -> Option<Id<K>> {
        if text.len() == UUID_CHARS {
            return self.number(uuid_bits(text)?).and_then(Id::new);
        }
        let digits = !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
        if digits {
            Id::new(text.parse().ok()?)
        } else {
            None
        }
    }

    /// The native spelling of all ids as a regular expression, from the year 2016 to 2080.
    pub fn pattern(&self) -> String {
        // Whole digits of the time: 2015-09-24 to 2083-03-28.
        const TIME: &str = "0(1[5-9a-f]|2[0-9a-f]|3[0-3])[0-9a-f]{5}-[0-9a-f]{4}";
        let shared = UuidText::from_bits(self.shared);
        let (_, tail) = shared.split_at(UUID_CHARS - TAIL_CHARS);
        format!("^{TIME}-8[0-9a-f]{{3}}-[89ab][0-9a-f]{{2}}{tail}$")
    }

    fn bits(&self, raw: u64) -> u128 {
        let unix_ms = (raw >> LOW_BITS) + EPOCH_MS.unsigned_abs();
        let low = raw & ((1 << LOW_BITS) - 1);
        self.shared
            | u128::from(unix_ms) << 80
            | u128::from(low >> 10) << 64
            | u128::from(low & 1023) << 52
    }

    fn number(&self, bits: u128) -> Option<u64> {
        let unix_ms = field(bits, 80, 48);
        let low = field(bits, 64, 12) << 10 | field(bits, 52, 10);
        let ms = unix_ms.checked_sub(EPOCH_MS.unsigned_abs())?;
        let raw = ms.checked_mul(1 << LOW_BITS)? | low;
        // One comparison refuses foreign tails, other versions and other variants.
        (self.bits(raw) == bits).then_some(raw)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "masked to at most 48 bits")]
const fn field(bits: u128, shift: u32, width: u32) -> u64 {
    (bits >> shift) as u64 & ((1 << width) - 1)
}

fn uuid_bits(text: &str) -> Option<u128> {
    let mut bits = 0_u128;
    let mut rest = text.as_bytes();
    for (n, len) in GROUPS.into_iter().enumerate() {
        if n > 0 {
            rest = rest.strip_prefix(b"-")?;
        }
        let (group, after) = rest.split_at_checked(len)?;
        for &byte in group {
            let digit = char::from(byte).to_digit(16)?;
            bits = bits << 4 | u128::from(digit);
        }
        rest = after;
    }
    rest.is_empty().then_some(bits)
}

/// The text of a UUID, without an allocation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UuidText([u8; UUID_CHARS]);

impl UuidText {
    fn from_bits(bits: u128) -> Self {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'-'; UUID_CHARS];
        let (mut at, mut shift) = (0, 128);
        for len in GROUPS {
            for _ in 0..len {
                shift -= 4;
                text[at] = HEX[(bits >> shift & 15) as usize];
                at += 1;
            }
            at += 1;
        }
        Self(text)
    }
}

impl Deref for UuidText {
    type Target = str;

    fn deref(&self) -> &str {
        std::str::from_utf8(&self.0).expect("hex digits and dashes are ASCII")
    }
}

impl fmt::Display for UuidText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for UuidText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl Serialize for UuidText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl PartialSchema for UuidText {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(schema::SchemaType::new(Type::String))
            .format(Some(SchemaFormat::Custom("uuid".to_owned())))
            .into()
    }
}

impl ToSchema for UuidText {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Id")
    }
}

/// An id as Discord's clients read it: a string of decimal digits, in every encoding.
pub struct Decimal<K>(pub Id<K>);

impl<K> Serialize for Decimal<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
