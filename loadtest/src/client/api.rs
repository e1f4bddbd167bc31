//! REST calls over a bounded pool of kept-alive HTTP/1.1 connections.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

use super::objects::Refusal;
use super::target::Target;

/// Bytes of an answer that are read; more is a failed call.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How long a call may take, waiting for a connection excluded.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);
/// Calls that may be under way at a time, and therefore connections.
const CONNECTIONS_MAX: usize = 256;

/// A server's REST interface. Clones share the connections.
#[derive(Clone, Debug)]
pub struct Api {
    http: Client<HttpConnector, Full<Bytes>>,
    target: Target,
    free: Arc<Semaphore>,
}

/// An answer that means success.
#[derive(Clone, Copy, Debug)]
pub struct Reply<T> {
    /// The HTTP status, from 200 to 299.
    pub status: u16,
    /// What the body holds.
    pub body: T,
}

impl<T> Reply<T> {
    /// The same answer with something else made of its body.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Reply<U> {
        Reply {
            status: self.status,
            body: make(self.body),
        }
    }
}

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The server refused.
    #[error("{status} {code}: {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The dialect's code, or empty.
        code: String,
        /// The dialect's text, or empty.
        message: String,
        /// What the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// No answer came: nobody knows whether the call took effect.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// The answer means success, but is not what it should be.
    #[error("{status} with an answer that cannot be read: {reason}")]
    Malformed {
        /// The HTTP status.
        status: u16,
        /// What is wrong.
        reason: String,
    },
}

impl CallError {
    /// The HTTP status; 0 if no answer came.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Refused { status, .. } | Self::Malformed { status, .. } => *status,
            Self::NoAnswer(_) => 0,
        }
    }

    /// The same call may succeed later.
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Refused { status, .. } => *status == 429 || 500 <= *status,
            Self::NoAnswer(_) => true,
            Self::Malformed { .. } => false,
        }
    }

    /// How long the server asks to wait.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl Api {
    /// A client of `target`. Connections are opened as they are needed.
    pub fn new(target: Target) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(Duration::from_secs(5)));
        let http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_mins(1))
            .pool_max_idle_per_host(CONNECTIONS_MAX)
            .build(connector);
        Self {
            http,
            target,
            free: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
        }
    }

    /// Where it calls.
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// Sends one request and reads its answer; 204 and empty answers are read as `null`.
    pub async fn call<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        (method, path): (Method, &str),
        token: Option<&str>,
        body: Option<&B>,
    ) -> Result<Reply<T>, CallError> {
        let request = self.request((method, path), token, body)?;
        let permit = self.free.acquire().await;
        let _permit = permit.expect("the semaphore is never closed");
        let answer = tokio::time::timeout(CALL_TIMEOUT, self.exchange(request)).await;
        let (status, retry_after, bytes) =
            answer.map_err(|_| CallError::NoAnswer("timed out".to_owned()))??;
        if !(200..300).contains(&status) {
            let refusal: Refusal = serde_json::from_slice(&bytes).unwrap_or_default();
            let retry_after = retry_after.or(refusal.retry_after);
            return Err(CallError::Refused {
                status,
                code: refusal.code,
                message: refusal.message,
                retry_after: retry_after.and_then(|s| Duration::try_from_secs_f64(s).ok()),
            });
        }
        let json: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
        match serde_json::from_slice(json) {
            Ok(body) => Ok(Reply { status, body }),
            Err(error) => Err(CallError::Malformed {
                status,
                reason: error.to_string(),
            }),
        }
    }

    fn request<B: Serialize>(
        &self,
        (method, path): (Method, &str),
        token: Option<&str>,
        body: Option<&B>,
    ) -> Result<Request<Full<Bytes>>, CallError> {
        let unsent = |reason: String| CallError::Malformed { status: 0, reason };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.target));
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let bytes = match body {
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                let json = serde_json::to_vec(body).map_err(|error| unsent(error.to_string()))?;
                Bytes::from(json)
            }
            None => Bytes::new(),
        };
        request
            .body(Full::new(bytes))
            .map_err(|error| unsent(error.to_string()))
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(u16, Option<f64>, Bytes), CallError> {
        let lost = |error: &dyn std::error::Error| {
            let cause = error.source().map(|cause| format!(": {cause}"));
            CallError::NoAnswer(format!("{error}{}", cause.unwrap_or_default()))
        };
        let answer = self
            .http
            .request(request)
            .await
            .map_err(|error| lost(&error))?;
        let status = answer.status().as_u16();
        let retry_after = answer
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX)
            .collect()
            .await;
        let body = body.map_err(|error| CallError::NoAnswer(error.to_string()))?;
        Ok((status, retry_after, body.to_bytes()))
    }
}
