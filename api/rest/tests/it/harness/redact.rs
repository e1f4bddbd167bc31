//! Replaces what differs from run to run by what it means.

use std::collections::HashMap;

use serde_json::{Value, json};

/// Ids become names, or numbers in order of appearance; times, codes and secrets become words.
pub(super) fn redact(value: &mut Value, names: &mut HashMap<String, String>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, names)),
        Value::Object(fields) => {
            for (key, field) in fields {
                match (key.as_str(), &field) {
                    (key, Value::String(_)) if key.ends_with("_token") => {
                        *field = json!("<secret>");
                    }
                    ("code", Value::String(code)) if code.len() == 10 && !code.contains('_') => {
                        *field = json!("<code>");
                    }
                    _ => redact(field, names),
                }
            }
        }
        Value::String(text) if is_uuid(text) => {
            let numbered = names
                .values()
                .filter(|name| name.starts_with("<id "))
                .count();
            let next = format!("<id {}>", numbered + 1);
            text.clone_from(names.entry(text.clone()).or_insert(next));
        }
        Value::String(text) if text.len() == 24 && text.ends_with('Z') => {
            "<time>".clone_into(text);
        }
        _ => {}
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.bytes().filter(|&byte| byte == b'-').count() == 4
}
