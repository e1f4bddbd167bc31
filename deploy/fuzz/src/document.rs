//! JSON documents out of a script, with keys that the reader looks for.

use serde_json::{Map, Value};

use crate::script::Script;

/// A document that nests at most `levels` deep.
pub(crate) fn document(script: &mut Script<'_>, keys: &[&str], levels: usize) -> Value {
    let kinds = if levels == 0 { 8 } else { 12 };
    match script.below(kinds) {
        0 => Value::Null,
        1 => script.is_set().into(),
        2 => script.byte().into(),
        3 => script.u64().into(),
        4 => script.u64().cast_signed().into(),
        // Halves: serde_json reads other fractions to the last digit but one.
        5 => (f64::from(script.u32()) / 2.0).into(),
        6 => script.text(60).into(),
        7 => script.u64().to_string().into(),
        8 | 9 => object(script, keys, levels),
        _ => {
            let length = script.below(6);
            let items = (0..length).map(|_| document(script, keys, levels - 1));
            Value::Array(items.collect())
        }
    }
}

/// An object whose keys are mostly among these.
pub(crate) fn object(script: &mut Script<'_>, keys: &[&str], levels: usize) -> Value {
    let mut object = Map::new();
    for _ in 0..script.below(10) {
        let at = script.below(keys.len() + 1);
        let key = match keys.get(at) {
            Some(key) => (*key).to_owned(),
            None => script.text(8),
        };
        object.insert(key, document(script, keys, levels.saturating_sub(1)));
    }
    Value::Object(object)
}
