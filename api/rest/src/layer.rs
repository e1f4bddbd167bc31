//! What happens around every request: an id, a span, metrics, headers, and an answer to panics.

use std::any::Any;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use guildhall_app::Env;
use guildhall_model::Rejection;
use guildhall_model::rejection::Noun;
use guildhall_wire::Dialect;
use guildhall_wire::error::{Problem, ServiceError};
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderName, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Method};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tracing::Instrument;

use crate::discord;
use crate::error::ApiError;
use crate::limit::{HEADERS, Limiter, heeded};
use crate::metrics::Measured;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longer ids are replaced: they would stand in every line of the log.
const REQUEST_ID_BYTES_MAX: usize = 64;

/// Puts everything around the routes. The last layer is the outermost.
pub(crate) fn around(
    routes: Router,
    env: Env,
    limiter: Limiter,
    origins: Vec<HeaderValue>,
) -> Router {
    let router = routes
        .fallback(unknown_route)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(limiter, heeded));
    let router = if origins.is_empty() {
        router
    } else {
        router.layer(cors(origins))
    };
    router
        .layer(from_fn(speak))
        .layer(map_response(harden))
        .layer(from_fn_with_state(env, observe))
}

/// Puts errors into the words of the dialect that the path belongs to.
async fn speak(request: Request, next: Next) -> Response {
    let is_discord = discord::serves(request.uri().path());
    let mut response = next.run(request).await;
    let problem = response.extensions_mut().remove::<Problem>();
    if let Some(problem) = problem.filter(|_| is_discord) {
        *response.body_mut() = problem.body(Dialect::Discord).into();
    }
    response
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
        .allow_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, REQUEST_ID])
        .expose_headers(
            [REQUEST_ID, RETRY_AFTER]
                .into_iter()
                .chain(HEADERS)
                .collect::<Vec<_>>(),
        )
}

/// Answers hold what only the caller may see, unless they say otherwise, and are what they say
/// whatever a browser thinks they are.
async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let private = HeaderValue::from_static("no-store");
    headers.entry(CACHE_CONTROL).or_insert(private);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The hook of the process has logged where it was; here stands which request it was.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a handler panicked");
    ApiError::Service(ServiceError::Internal).into_response()
}

async fn observe(State(env): State<Env>, request: Request, next: Next) -> Response {
    let id = request_id(&env, &request);
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
fn request_id(env: &Env, request: &Request) -> HeaderValue {
    let given = request.headers().get(REQUEST_ID);
    let harmless = |id: &&HeaderValue| {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        (1..=REQUEST_ID_BYTES_MAX).contains(&id.len()) && id.as_bytes().iter().all(plain)
    };
    given.filter(harmless).cloned().unwrap_or_else(|| {
        let number = u128::from_be_bytes(env.bytes());
        let text = format!("{number:032x}");
        HeaderValue::from_str(&text).expect("hex digits may stand in a header")
    })
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use guildhall_wire::Spelling;
    use metrics_exporter_prometheus::PrometheusBuilder;
    use tower::ServiceExt;

    use super::*;
    use crate::limit::Limits;

    fn router() -> Router {
        let routes = Router::new()
            .route("/fine/{id}", get(async || "fine"))
            .route(
                "/panic",
                get(async || -> &'static str { panic!("hunter2") }),
            );
        let env = Env::system();
        let limiter = Limiter::new(Limits::default(), Spelling::new(0), env.clone(), None);
        around(routes, env, limiter, Vec::new())
    }

    async fn call(method: &str, path: &str) -> (u16, String) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(Body::empty())
            .unwrap();
        let response = router().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        assert!(parts.headers.contains_key(REQUEST_ID));
        assert_eq!(parts.headers[X_CONTENT_TYPE_OPTIONS], "nosniff");
        let body = to_bytes(body, usize::MAX).await.unwrap();
        (
            parts.status.as_u16(),
            String::from_utf8(body.to_vec()).unwrap(),
        )
    }

    #[tokio::test]
    async fn a_panic_is_answered_without_what_it_said() {
        let (status, body) = call("GET", "/panic").await;
        assert_eq!(status, 500);
        assert!(
            body.contains("\"internal\"") && !body.contains("hunter2"),
            "{body}"
        );
    }

    #[test]
    fn requests_are_counted_by_template_method_and_status() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let rendered = recorder.handle();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        metrics::with_local_recorder(&recorder, || {
            runtime.block_on(async {
                call("GET", "/fine/one").await;
                call("GET", "/fine/two").await;
                call("BREW", "/fine/two").await;
                call("GET", "/panic").await;
                call("GET", "/some/where").await;
            });
        });
        let text = rendered.render();
        for line in [
            r#"requests_total{route="/fine/{id}",method="GET",status="200"} 2"#,
            r#"requests_total{route="/fine/{id}",method="other",status="405"} 1"#,
            r#"requests_total{route="/panic",method="GET",status="500"} 1"#,
            r#"requests_total{route="unmatched",method="GET",status="404"} 1"#,
            r#"request_duration_seconds_count{route="/fine/{id}",method="GET"} 2"#,
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
        assert!(
            !text.contains("/fine/one") && !text.contains("BREW"),
            "{text}"
        );
    }
}
