//! JSON bodies: bounded before they are held, typed before they are looked at.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use guildhall_model::limits::{
    BODY_BYTES_MAX, BODY_READ_MS_MAX, PICTURE_BODIES_MAX, PICTURE_BODY_BYTES_MAX,
};
use guildhall_wire::error::ServiceError;
use guildhall_wire::native::request::{read_json, read_json_list, read_optional_json};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::Api;
use crate::error::ApiError;

/// A body that must be there.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

/// A body that is a list of objects.
#[derive(Debug)]
pub(crate) struct List<T>(pub(crate) Vec<T>);

/// The bytes of a JSON body, whose reader must look at it first.
#[derive(Debug)]
pub(crate) struct Raw(pub(crate) Bytes);
/// A body that may hold a picture, and so may be larger than others. While it is held nobody has
/// its place.
#[derive(Debug)]
pub(crate) struct PictureBody<T>(pub(crate) T, pub(crate) Option<OwnedSemaphorePermit>);

/// Places for bodies that are larger than [`BODY_BYTES_MAX`].
#[derive(Clone, Debug)]
pub(crate) struct LargeBodies(Arc<Semaphore>);

impl Default for LargeBodies {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(PICTURE_BODIES_MAX)))
    }
}

/// A body that may be left out.
#[derive(Debug)]
pub(crate) struct MaybeBody<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Api> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &Api) -> Result<Self, ApiError> {
        require_json(request.headers())?;
        let bytes = read(request).await?;
        Ok(Self(read_json(&bytes)?))
    }
}

impl<T: DeserializeOwned> FromRequest<Api> for PictureBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Api) -> Result<Self, ApiError> {
        require_json(request.headers())?;
        let is_small = announced(request.headers()).is_some_and(|bytes| bytes <= BODY_BYTES_MAX);
        if is_small {
            return Ok(Self(read_json(&read(request).await?)?, None));
        }
        let places = Arc::clone(&api.large_bodies.0);
        let place = places.try_acquire_owned();
        let place = place.map_err(|_| ApiError::Service(ServiceError::Overloaded))?;
        let bytes = read_within(request, PICTURE_BODY_BYTES_MAX).await?;
        Ok(Self(read_json(&bytes)?, Some(place)))
    }
}

impl<T: DeserializeOwned> FromRequest<Api> for List<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &Api) -> Result<Self, ApiError> {
        require_json(request.headers())?;
        let bytes = read(request).await?;
        Ok(Self(read_json_list(&bytes)?))
    }
}

impl<T: DeserializeOwned + Default> FromRequest<Api> for MaybeBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &Api) -> Result<Self, ApiError> {
        let declared = require_json(request.headers());
        let bytes = read(request).await?;
        // Without a body there is nothing to declare.
        if !bytes.is_empty() {
            declared?;
        }
        Ok(Self(read_optional_json(&bytes)?))
    }
}

impl FromRequest<Api> for Raw {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &Api) -> Result<Self, ApiError> {
        require_json(request.headers())?;
        Ok(Self(read(request).await?))
    }
}

async fn read(request: Request) -> Result<Bytes, ApiError> {
    read_within(request, BODY_BYTES_MAX).await
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    text(headers, &CONTENT_LENGTH).and_then(|n| n.parse().ok())
}

async fn read_within(request: Request, bytes_max: usize) -> Result<Bytes, ApiError> {
    require_plain(request.headers())?;
    if announced(request.headers()).is_some_and(|bytes| bytes_max < bytes) {
        return Err(ApiError::Service(ServiceError::PayloadTooLarge));
    }
    let body = to_bytes(request.into_body(), bytes_max);
    let body = timeout(Duration::from_millis(BODY_READ_MS_MAX), body).await;
    body.map_err(|_| ApiError::BodyBroken)?.map_err(|error| {
        let is_too_large = error
            .source()
            .is_some_and(<dyn Error>::is::<LengthLimitError>);
        if is_too_large {
            ApiError::Service(ServiceError::PayloadTooLarge)
        } else {
            ApiError::BodyBroken
        }
    })
}

/// A compressed body could be a bomb, and none of ours is large enough to need it.
pub(crate) fn require_plain(headers: &HeaderMap) -> Result<(), ApiError> {
    let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
    if encodings.all(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        Ok(())
    } else {
        Err(ApiError::Service(ServiceError::UnsupportedMediaType))
    }
}

/// Forms and plain text are refused: a browser sends those to other origins without asking.
fn require_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let declared = text(headers, &CONTENT_TYPE).unwrap_or_default();
    let media_type = declared.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(ApiError::Service(ServiceError::UnsupportedMediaType))
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
