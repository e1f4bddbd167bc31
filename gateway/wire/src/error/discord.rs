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
    let steps = field.path.split('.').filter(|step| !step.is_empty());
    let mut at = errors;
    for step in steps {
        // Only a field named `_errors` could meet a list here, and no body has one.
        let Value::Object(within) = at.entry(step).or_insert_with(|| json!({})) else {
            return;
        };
        at = within;
    }
    if let Value::Array(own) = at.entry(OWN).or_insert_with(|| json!([])) {
        own.push(json!({"code": code(field.code), "message": field.message}));
    }
}

/// Discord's name for what is wrong, where it has one; ours in its style otherwise.
fn code(native: &str) -> String {
    match native {
        "required" => "BASE_TYPE_REQUIRED".to_owned(),
        "too_short" | "too_long" | "too_many" | "invalid_length" => {
            "BASE_TYPE_BAD_LENGTH".to_owned()
        }
        "out_of_range" => "NUMBER_TYPE_MAX".to_owned(),
        "unknown_value" => "BASE_TYPE_CHOICES".to_owned(),
        other => other.to_uppercase(),
    }
}
