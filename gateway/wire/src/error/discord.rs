//! An error's body in the Discord dialect, with the errors of fields nested as the fields are.

use guildhall_model::rejection::FieldError as Field;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Problem;

/// Where a field's own errors stand, beside those of the fields within it.
const OWN: &str = "_errors";

#[derive(Serialize)]
pub(super) struct ErrorBody<'a> {
    message: &'a str,
    code: u32,
    #[serde(skip_serializing_if = "Map::is_empty")]
    errors: Map<String, Value>,
}

impl<'a> ErrorBody<'a> {
    pub(super) fn new(problem: &'a Problem) -> Self {
        let mut errors = Map::new();
        for field in &problem.fields {
            insert(&mut errors, field);
        }
        Self {
            message: &problem.message,
            code: problem.discord_code,
            errors,
        }
    }
}

fn insert(errors: &mut Map<String, Value>, field: &Field) {
    let path = discords(&field.path);
    let steps = path.split('.').filter(|step| !step.is_empty());
    let mut at = errors;
    for step in steps {
        // Only a field named `_errors` could meet a list here, and no body has one.
        let Value::Object(within) = at.entry(step).or_insert_with(|| json!({})) else {
            return;
        };
        at = within;
    }
    if let Value::Array(own) = at.entry(OWN).or_insert_with(|| json!([])) {
        own.push(json!({"code": code(field), "message": field.message}));
    }
}

/// Rules that stand for both dialects name fields as the native one does.
fn discords(path: &str) -> &str {
    match path {
        "permissions.overwrites" => "permission_overwrites",
        "reply_to" => "message_reference",
        other => other,
    }
}

/// Discord's name for what is wrong, where it has one; ours in its style otherwise.
fn code(field: &Field) -> String {
    let known = match field.code {
        "required" => "BASE_TYPE_REQUIRED",
        "too_short" | "too_long" | "too_many" | "invalid_length" => "BASE_TYPE_BAD_LENGTH",
        "out_of_range" | "too_large" => "NUMBER_TYPE_MAX",
        "too_small" => "NUMBER_TYPE_MIN",
        "invalid_id" | "not_snowflake" | "not_a_number" => "NUMBER_TYPE_COERCE",
        "not_a_time" => "DATE_TIME_TYPE_PARSE",
        "invalid_url" => "URL_TYPE_INVALID_URL",
        "unknown_value" => "BASE_TYPE_CHOICES",
        "unknown_message" => "REPLIES_UNKNOWN_MESSAGE",
        "invalid_type" => conversion(&field.message),
        other => return other.to_uppercase(),
    };
    known.to_owned()
}

/// The reader of JSON says in its message what type it has waited for.
fn conversion(message: &str) -> &'static str {
    match message.trim_start_matches("must be ") {
        "a string" => "STRING_TYPE_CONVERT",
        "a boolean" => "BOOLEAN_TYPE_CONVERT",
        "a sequence" => "LIST_TYPE_CONVERT",
        "an object" => "MODEL_TYPE_CONVERT",
        number if number.contains("number") => "NUMBER_TYPE_COERCE",
        _ => "BASE_TYPE_CONVERT",
    }
}
