//! An error's body in the native dialect.

use guildhall_model::rejection::FieldError as Field;
use serde::Serialize;
use utoipa::ToSchema;

use super::Problem;

/// What every failed request is answered with.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Error)]
pub struct ErrorBody<'a> {
    /// For programs, in snake case.
    code: &'a str,
    /// For people.
    message: &'a str,
    /// The fields that are wrong, all at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldError<'a>>,
}

/// What is wrong with one field.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
struct FieldError<'a> {
    /// Where it stands, dotted: `permissions.overwrites.0.allow`. Empty for the body as a whole.
    path: &'a str,
    /// For programs, in snake case.
    code: &'a str,
    /// For people.
    message: &'a str,
}

impl<'a> ErrorBody<'a> {
    pub(super) fn new(problem: &'a Problem) -> Self {
        Self {
            code: problem.code,
            message: &problem.message,
            errors: problem.fields.iter().map(FieldError::new).collect(),
        }
    }
}

impl<'a> FieldError<'a> {
    fn new(field: &'a Field) -> Self {
        Self {
            path: &field.path,
            code: field.code,
            message: &field.message,
        }
    }
}
