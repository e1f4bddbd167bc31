//! The one registry of errors: status, codes and texts of everything that can go wrong with a
//! request, and its body in both dialects.

mod discord;
mod limited;
mod native;
mod registry;

use std::borrow::Cow;

use bytes::Bytes;
use guildhall_model::Rejection;
use guildhall_model::rejection::FieldError;

use crate::dialect::Dialect;

pub use limited::RateLimited;
pub use native::ErrorBody;

/// The content type of JSON answers. Five libraries compare it for equality, so it carries no
/// charset.
pub const JSON_CONTENT_TYPE: &str = "application/json";

/// Seconds after which a request that met a busy or absent part is worth repeating.
const RETRY_AFTER_S: u32 = 1;

/// What goes wrong around requests rather than by what they ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ServiceError {
    /// A part that the request needs cannot be reached at present.
    Unavailable,
    /// Too many requests wait already.
    Overloaded,
    /// Our mistake. What it was stands in the log, never in the answer.
    Internal,
    /// The body is larger than this route takes.
    PayloadTooLarge,
    /// The body is of another type than this route takes.
    UnsupportedMediaType,
    /// The path exists, but not for this method.
    MethodNotAllowed,
    /// The disk or a quota is full; nothing was changed.
    StorageFull,
}

impl ServiceError {
    /// Every one of them.
    pub const ALL: [Self; 7] = [
        Self::Unavailable,
        Self::Overloaded,
        Self::Internal,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::MethodNotAllowed,
        Self::StorageFull,
    ];
}

/// One error, ready to be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The native dialect's code, in snake case.
    pub code: &'static str,
    /// Discord's code; 0 is its general error.
    pub discord_code: u32,
    /// A sentence for people.
    pub message: Cow<'static, str>,
    /// Seconds after which a repetition may succeed, for the header `Retry-After`.
    pub retry_after_s: Option<u32>,
    fields: Vec<FieldError>,
}

impl Problem {
    fn new(
        status: u16,
        code: &'static str,
        discord_code: u32,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code,
            discord_code,
            message: message.into(),
            retry_after_s: None,
            fields: Vec::new(),
        }
    }

    fn retried(self) -> Self {
        Self {
            retry_after_s: Some(RETRY_AFTER_S),
            ..self
        }
    }

    /// The JSON body; its type is [`JSON_CONTENT_TYPE`].
    pub fn body(&self, dialect: Dialect) -> Bytes {
        let body = match dialect {
            Dialect::Discord => serde_json::to_vec(&discord::ErrorBody::new(self)),
            Dialect::Native => serde_json::to_vec(&ErrorBody::new(self)),
        };
        Bytes::from(body.expect("texts and numbers are always JSON"))
    }
}

impl From<&Rejection> for Problem {
    fn from(rejection: &Rejection) -> Self {
        registry::rejection(rejection)
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        registry::service(error)
    }
}

#[cfg(test)]
mod tests;
