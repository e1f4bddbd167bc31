//! What happens around every request: an id, a span, metrics, headers, and an answer to panics.

use std::any::Any;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use guildhall_model::Rejection;
use guildhall_model::rejection::Noun;
use guildhall_wire::error::ServiceError;
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderName, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Method};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tracing::Instrument;

use crate::Api;
use crate::error::ApiError;
use crate::metrics::Measured;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longer ids are replaced: they would stand in every line of the log.
const REQUEST_ID_BYTES_MAX: usize = 64;

/// Puts everything around the routes. The last layer is the outermost.
pub(crate) fn around(routes: Router, api: &Api, origins: Vec<HeaderValue>) -> Router {
    let router = routes
        .fallback(unknown_route)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(CatchPanicLayer::custom(panicked));
    let router = if origins.is_empty() {
        router
    } else {
        router.layer(cors(origins))
    };
    router
        .layer(map_response(harden))
        .layer(from_fn_with_state(api.clone(), observe))
}

async fn unknown_route() -> ApiError {
    Rejection::Unknown(Noun::Route).into()
}

/// The router adds the header `Allow`.
async fn method_not_allowed() -> ApiError {
    ApiError::Service(ServiceError::MethodNotAllowed)
}

/// Tokens travel in a header that pages set themselves, so no cookies are ever allowed.
fn cors(origins: Vec<HeaderValue>) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, REQUEST_ID])
        .expose_headers([REQUEST_ID, RETRY_AFTER])
}

/// Answers hold what only the caller may see, and are JSON whatever a browser thinks they are.
async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The hook of the process has logged where it was; here stands which request it was.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a handler panicked");
    ApiError::Service(ServiceError::Internal).into_response()
}

async fn observe(State(api): State<Api>, request: Request, next: Next) -> Response {
    let id = request_id(&api, &request);
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map(MatchedPath::as_str);
    let measured = Measured::begin(route, request.method());
    let span = tracing::info_span!(
        "http.request",
        request.id = id.to_str().unwrap_or_default(),
        http.method = %request.method(),
        http.route = route.unwrap_or_default(),
        http.status = tracing::field::Empty,
    );
    let mut response = next.run(request).instrument(span.clone()).await;
    span.record("http.status", response.status().as_u16());
    span.in_scope(|| tracing::debug!("answered"));
    measured.end(response.status());
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// The caller's own id where it is harmless, so that its log and ours can be read together.
fn request_id(api: &Api, request: &Request) -> HeaderValue {
    let given = request.headers().get(REQUEST_ID);
    let harmless = |id: &&HeaderValue| {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        (1..=REQUEST_ID_BYTES_MAX).contains(&id.len()) && id.as_bytes().iter().all(plain)
    };
    given.filter(harmless).cloned().unwrap_or_else(|| {
        let number = u128::from_be_bytes(api.app.env().bytes());
        let text = format!("{number:032x}");
        HeaderValue::from_str(&text).expect("hex digits may stand in a header")
    })
}
