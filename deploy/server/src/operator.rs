//! The operator's listener: `/metrics`, `/livez`, `/readyz` and `/state`.
//!
//! It is a listener of its own, so that what it tells never stands on the public address.

mod readiness;

use std::sync::{Arc, OnceLock};

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;

use crate::config::Secret;
pub use readiness::{Dependency, Phase, Readiness, Trouble};

/// What the operator's routes are made from.
#[derive(Clone, Debug)]
pub struct Operator {
    /// Renders the metrics.
    pub metrics: PrometheusHandle,
    /// What `/readyz` tells.
    pub readiness: Readiness,
    /// What a scraper must show, if anything.
    pub metrics_token: Option<Secret>,
    /// What `/state` tells, once there is a node.
    pub state: Arc<OnceLock<StateProbe>>,
}

/// Asks a node what its parts say of themselves. It must not block.
pub struct StateProbe(Box<dyn Fn() -> serde_json::Result<serde_json::Value> + Send + Sync>);

impl StateProbe {
    /// Asks like this.
    pub fn new<T: Serialize>(observe: impl Fn() -> T + Send + Sync + 'static) -> Self {
        Self(Box::new(move || serde_json::to_value(observe())))
    }
}

impl std::fmt::Debug for StateProbe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StateProbe")
    }
}

/// The routes of the operator's listener.
pub fn router(operator: Operator) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/state", get(state))
        .with_state(Arc::new(operator))
}

/// `GET /metrics`: everything, in Prometheus' text format.
async fn metrics(State(operator): State<Arc<Operator>>, headers: HeaderMap) -> Response {
    if let Err(refused) = operator.authorize(&headers) {
        return refused;
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
///
/// With the query `unready=404` a node that cannot, but lives, answers 404: by that load balancers
/// such as HAProxy (`http-check disable-on-404`) send it nobody new and leave the sockets alone
/// that it has. What an engine's end keeps from being delivered is not helped by cutting them.
async fn readyz(State(operator): State<Arc<Operator>>, RawQuery(query): RawQuery) -> Response {
    let report = operator.readiness.report();
    let status = if report.is_ready() {
        StatusCode::OK
    } else if query.as_deref() == Some("unready=404") {
        StatusCode::NOT_FOUND
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(report)).into_response()
}

/// `GET /state`: partitions, actors and how full their queues are, as JSON.
async fn state(State(operator): State<Arc<Operator>>, headers: HeaderMap) -> Response {
    if let Err(refused) = operator.authorize(&headers) {
        return refused;
    }
    match operator.state.get().map(|probe| (probe.0)()) {
        Some(Ok(state)) => Json(state).into_response(),
        Some(Err(error)) => {
            (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response()
        }
        None => (StatusCode::SERVICE_UNAVAILABLE, "the node is starting\n").into_response(),
    }
}

impl Operator {
    #[expect(
        clippy::result_large_err,
        reason = "the answer is what is refused with"
    )]
    fn authorize(&self, headers: &HeaderMap) -> Result<(), Response> {
        let is_known = |token: &Secret| bearer(headers).is_some_and(|offered| token.is(offered));
        if self.metrics_token.as_ref().is_none_or(is_known) {
            return Ok(());
        }
        let ask = [(header::WWW_AUTHENTICATE, "Bearer")];
        Err((StatusCode::UNAUTHORIZED, ask, "a bearer token is needed\n").into_response())
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ")
}

#[cfg(test)]
mod tests;
