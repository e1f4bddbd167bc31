//! Everything that can go wrong with a request, mapped onto `wire`'s registry in one place.

use axum::response::{IntoResponse, Response};
use guildhall_app::{Failure, Refused};
use guildhall_model::Rejection;
use guildhall_wire::Dialect;
use guildhall_wire::error::{Problem, ServiceError};
use http::header::{CONNECTION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};

use crate::reply::json_response;

/// Why a request gets an error.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ApiError {
    /// What was asked for is refused, or failed.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The request could not be carried as far as that.
    #[error("{0:?}")]
    Service(ServiceError),
    /// The body ended before its announced length, or its framing is wrong.
    #[error("the body broke off")]
    BodyBroken,
    /// A body with files is not what it says it is.
    #[error("the body {0}")]
    FormBroken(&'static str),
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure.into())
    }
}

impl From<Rejection> for ApiError {
    fn from(rejection: Rejection) -> Self {
        Self::Refused(rejection.into())
    }
}

impl ApiError {
    /// A mistake of ours. It is logged here and never told.
    pub(crate) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "a request failed: {error}");
        Self::Service(ServiceError::Internal)
    }

    fn problem(&self) -> Problem {
        match self {
            Self::Refused(Refused::Rejection(rejection)) => rejection.into(),
            Self::Refused(Refused::Failure(failure)) => {
                let error = match failure {
                    Failure::Full { .. } => ServiceError::StorageFull,
                    Failure::Damaged { .. } => ServiceError::Internal,
                    Failure::Unavailable { .. } | Failure::Stale { .. } | Failure::Closing => {
                        ServiceError::Unavailable
                    }
                };
                if error == ServiceError::Internal {
                    tracing::error!(error = %failure, "a request failed: {failure}");
                } else {
                    tracing::warn!(error = %failure, "a request was put off: {failure}");
                }
                error.into()
            }
            Self::Service(error) => (*error).into(),
            Self::BodyBroken => {
                (&Rejection::field("", "invalid_json", "must be a whole JSON text")).into()
            }
            Self::FormBroken(how) => {
                (&Rejection::field("", "invalid_multipart", format!("the body {how}"))).into()
            }
        }
    }

    /// The rest of the body is not read, so nothing can follow on this connection: a client that
    /// is not told would lose its next request.
    const fn ends_connection(&self) -> bool {
        matches!(
            self,
            Self::Service(ServiceError::PayloadTooLarge) | Self::FormBroken(_)
        )
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let problem = self.problem();
        let status = StatusCode::from_u16(problem.status).expect("the registry has statuses");
        let mut response = json_response(status, problem.body(Dialect::Native));
        if self.ends_connection() {
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(seconds) = problem.retry_after_s {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110 §11.6.1 asks for it.
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
        }
        // The body is in the native dialect; `layer` puts it into the other where that is spoken.
        response.extensions_mut().insert(problem);
        response
    }
}
