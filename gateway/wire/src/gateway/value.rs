//! A client's payload as a tree whose size, depth and keys are bounded while it is read.
//!
//! The tree has no `Debug`: it holds tokens.

use std::fmt;

use guildhall_model::limits;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::DecodeError;
use crate::encode::Encoding;

/// One value of either encoding. Numbers are told apart only as far as the protocol does.
pub(super) enum Value {
    Null,
    Bool(bool),
    Unsigned(u64),
    Negative,
    Fraction,
    Text(String),
    List(Vec<Value>),
    Map(Map),
}

/// Named values in the order of their names, each name once.
pub(super) struct Map(Vec<(String, Value)>);

impl Map {
    /// Moves a value out; null where there is none.
    pub(super) fn take(&mut self, name: &str) -> Value {
        match self.0.binary_search_by(|(key, _)| key.as_str().cmp(name)) {
            Ok(at) => std::mem::replace(&mut self.0[at].1, Value::Null),
            Err(_) => Value::Null,
        }
    }
}

/// Reads exactly one value.
pub(super) fn read(encoding: Encoding, bytes: &[u8]) -> Result<Value, DecodeError> {
    if bytes.len() > limits::GATEWAY_FRAME_BYTES_MAX {
        return Err(DecodeError::TooLarge);
    }
    let tree = Tree {
        levels_left: limits::NESTING_MAX,
    };
    match encoding {
        Encoding::Json => {
            let mut source = serde_json::Deserializer::from_slice(bytes);
            let value = tree.deserialize(&mut source);
            value.and_then(|value| source.end().map(|()| value)).ok()
        }
        Encoding::Msgpack => {
            let mut source = rmp_serde::Deserializer::new(bytes);
            let value = tree.deserialize(&mut source).ok();
            value.filter(|_| source.get_ref().is_empty())
        }
    }
    .ok_or(DecodeError::Malformed)
}

/// Builds a [`Value`] that may nest this deep.
#[derive(Clone, Copy)]
struct Tree {
    levels_left: usize,
}

impl Tree {
    fn below<E: Error>(self) -> Result<Self, E> {
        let levels_left = self.levels_left.checked_sub(1);
        levels_left
            .map(|levels_left| Self { levels_left })
            .ok_or_else(|| E::custom("nested too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Tree {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Unsigned(number))
    }

    /// Msgpack may spell a positive number in a signed form.
    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(u64::try_from(number).map_or(Value::Negative, Value::Unsigned))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Fraction)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        // The claimed length is not believed: the vector grows with what is really there.
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(below)? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<String>()? {
            map.push((key, entries.next_value_seed(below)?));
        }
        map.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        if map.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(A::Error::custom("a key is repeated"));
        }
        Ok(Value::Map(Map(map)))
    }
}
