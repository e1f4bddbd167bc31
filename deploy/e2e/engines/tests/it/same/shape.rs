//! Dispatches without what differs from run to run: ids, and times.

use std::collections::HashMap;

use serde_json::Value;

/// Ids in Discord's spelling have as many digits at least.
const ID_DIGITS: usize = 15;
/// Characters of an id in the native spelling.
const UUID_CHARS: usize = 36;

/// Replaces ids by the order in which they first appear.
#[derive(Default)]
pub(super) struct Shapes(HashMap<String, usize>);

impl Shapes {
    /// A dispatch with its name, as it is the same in every run.
    pub(super) fn of(&mut self, name: &str, body: &Value) -> String {
        format!("{name} {}", self.shape(body))
    }

    fn shape(&mut self, value: &Value) -> Value {
        match value {
            Value::Object(fields) => fields
                .iter()
                .map(|(key, value)| (self.text(key), self.shape(value)))
                .collect(),
            Value::Array(items) => items.iter().map(|item| self.shape(item)).collect(),
            Value::String(text) => self.text(text).into(),
            Value::Number(number) if is_id(&number.to_string()) => {
                self.text(&number.to_string()).into()
            }
            other => other.clone(),
        }
    }

    fn text(&mut self, text: &str) -> String {
        if is_id(text) {
            let next = self.0.len();
            format!("#{}", self.0.entry(text.to_owned()).or_insert(next))
        } else if is_time(text) {
            "a time".to_owned()
        } else {
            text.to_owned()
        }
    }
}

fn is_id(text: &str) -> bool {
    let is_snowflake = ID_DIGITS <= text.len() && text.bytes().all(|it| it.is_ascii_digit());
    let dashes = text.bytes().filter(|it| *it == b'-').count();
    is_snowflake || text.len() == UUID_CHARS && dashes == 4
}

/// As in RFC 3339.
fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.get(4) == Some(&b'-') && bytes.get(10) == Some(&b'T') && bytes.get(13) == Some(&b':')
}
