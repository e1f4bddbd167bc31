//! The operator's listener: `/metrics`, `/livez` and `/readyz`.
//!
//! It is a listener of its own, so that what it tells never stands on the public address.

mod readiness;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::config::Secret;
pub use readiness::{Dependency, Phase, Readiness};

/// What the operator's routes are made from.
#[derive(Clone, Debug)]
pub struct Operator {
    /// Renders the metrics.
    pub metrics: PrometheusHandle,
    /// What `/readyz` tells.
    pub readiness: Readiness,
    /// What a scraper must show, if anything.
    pub metrics_token: Option<Secret>,
}

/// The routes of the operator's listener.
pub fn router(operator: Operator) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .with_state(Arc::new(operator))
}

/// `GET /metrics`: everything, in Prometheus' text format.
async fn metrics(State(operator): State<Arc<Operator>>, headers: HeaderMap) -> Response {
    if let Some(token) = &operator.metrics_token
        && !bearer(&headers).is_some_and(|offered| token.is(offered))
    {
        let ask = [(header::WWW_AUTHENTICATE, "Bearer")];
        return (StatusCode::UNAUTHORIZED, ask, "a bearer token is needed\n").into_response();
    }
    let format = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    (format, operator.metrics.render()).into_response()
}

/// `GET /livez`: the process runs and answers. It says nothing about engines: restarting a
/// process does not mend them.
async fn livez() -> &'static str {
    "live\n"
}

/// `GET /readyz`: whether this node can serve, and what each part that it depends on says.
async fn readyz(State(operator): State<Arc<Operator>>) -> Response {
    let report = operator.readiness.report();
    let status = if report.is_ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(report)).into_response()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ")
}

#[cfg(test)]
mod tests;
