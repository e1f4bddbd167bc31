//! Answers: a status and a JSON body.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use crate::error::ApiError;

/// What a handler gives back.
pub(crate) type Reply = Result<Response, ApiError>;

/// 200 with an object or list.
pub(crate) fn ok(body: &impl Serialize) -> Reply {
    with(StatusCode::OK, body)
}

/// 201 with what was made.
pub(crate) fn created(body: &impl Serialize) -> Reply {
    with(StatusCode::CREATED, body)
}

/// 204.
#[expect(clippy::unnecessary_wraps, reason = "handlers end with one of these")]
pub(crate) fn done() -> Reply {
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn with(status: StatusCode, body: &impl Serialize) -> Reply {
    let json = serde_json::to_vec(body).map_err(|error| ApiError::internal(&error))?;
    Ok(json_response(status, json))
}

/// The media type is exactly this: clients compare it for equality.
pub(crate) fn json_response(status: StatusCode, json: impl Into<Body>) -> Response {
    let mut response = Response::new(json.into());
    *response.status_mut() = status;
    let media_type = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}
