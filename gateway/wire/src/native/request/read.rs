//! From bytes to a body with typed fields, or to an error that names the place.

use guildhall_model::Rejection;
use guildhall_model::limits::NESTING_MAX;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::Segment;

use super::object::Object;

/// Reads a body that must be there. The caller has bounded its size.
///
/// A repeated key, bytes that are no UTF-8 and nesting beyond [`NESTING_MAX`] are refused.
pub fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Rejection> {
    Ok(read::<Object<T>>(bytes)?.0)
}

/// Reads a body that is a list of objects. The caller has bounded its size.
pub fn read_json_list<T: DeserializeOwned>(bytes: &[u8]) -> Result<Vec<T>, Rejection> {
    let list = read::<Vec<Object<T>>>(bytes)?;
    Ok(list.into_iter().map(|Object(body)| body).collect())
}

/// Reads a body that may be left out altogether, or be `null`.
pub fn read_optional_json<T: DeserializeOwned + Default>(bytes: &[u8]) -> Result<T, Rejection> {
    if bytes.is_empty() {
        return Ok(T::default());
    }
    let body = read::<Option<Object<T>>>(bytes)?;
    Ok(body.map(|Object(body)| body).unwrap_or_default())
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Rejection> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Rejection::field("", "invalid_utf8", "must be UTF-8"))?;
    if NESTING_MAX < depth(text) {
        let message = format!("must not nest deeper than {NESTING_MAX}");
        return Err(Rejection::field("", "too_deep", message));
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    let body = T::deserialize(tracked).map_err(|error| rejection(&error, &track.path()))?;
    json.end().map_err(|error| syntax(&error))?;
    Ok(body)
}

/// How deep brackets nest outside of strings. Brackets that do not match are for the parser.
fn depth(text: &str) -> usize {
    let (mut open, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                open += 1;
                deepest = deepest.max(open);
            }
            b']' | b'}' if !in_string => open = open.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn rejection(error: &serde_json::Error, path: &serde_path_to_error::Path) -> Rejection {
    if error.classify() != Category::Data {
        return syntax(error);
    }
    let text = error.to_string();
    let (code, message) = explain(without_place(&text));
    Rejection::field(&dotted(path), code, message)
}

fn syntax(error: &serde_json::Error) -> Rejection {
    let message = format!(
        "must be JSON; see line {} column {}",
        error.line(),
        error.column()
    );
    Rejection::field("", "invalid_json", message)
}

fn without_place(text: &str) -> &str {
    text.rsplit_once(" at line ")
        .map_or(text, |(start, _)| start)
}

/// Serde's text begins with a quotation of what the client sent, of any length, and ends with
/// what was expected: only the end is passed on.
fn explain(text: &str) -> (&'static str, String) {
    if text.starts_with("duplicate field") {
        return ("duplicate", "must be given once".to_owned());
    }
    let code = if text.starts_with("unknown variant") {
        "unknown_value"
    } else {
        "invalid_type"
    };
    let expected = text
        .rsplit_once(", expected ")
        .map_or("another value", |(_, end)| end);
    (code, format!("must be {expected}"))
}

fn dotted(path: &serde_path_to_error::Path) -> String {
    let steps = path.iter().filter_map(|segment| match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(key.clone()),
        Segment::Enum { .. } | Segment::Unknown => None,
    });
    steps.collect::<Vec<_>>().join(".")
}
