//! For tests: an HTTP server whose answers a function decides.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

use super::Target;

/// A call as the server sees it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    /// Method and path.
    pub(crate) route: String,
    /// The token that came with it.
    pub(crate) token: Option<String>,
    pub(crate) body: Value,
}

/// What the server does with a call.
pub(crate) enum Answer {
    Json(u16, Value),
    /// The connection is cut.
    Nothing,
}

/// Starts a server and returns its address and the calls that it has seen.
pub(crate) async fn serve(
    answer: impl Fn(usize, &Call) -> Answer + Send + Sync + 'static,
) -> (Target, Arc<Mutex<Vec<Call>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = Target::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let (seen, answer) = (Arc::clone(&calls), Arc::new(answer));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
            let service = service_fn(move |request: Request<Incoming>| {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                async move {
                    let call = read(request).await;
                    let index = {
                        let mut seen = seen.lock().unwrap();
                        seen.push(call.clone());
                        seen.len() - 1
                    };
                    match answer(index, &call) {
                        Answer::Json(status, body) => Response::builder()
                            .status(status)
                            .body(Full::new(Bytes::from(body.to_string())))
                            .map_err(|_| "no answer"),
                        Answer::Nothing => Err("cut"),
                    }
                }
            });
            let http = hyper::server::conn::http1::Builder::new();
            tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
        }
    });
    (target, calls)
}

async fn read(request: Request<Incoming>) -> Call {
    let route = format!("{} {}", request.method(), request.uri());
    let token = request.headers().get("authorization");
    let token = token.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let token = token.map(str::to_owned);
    let body = request.into_body().collect().await.unwrap().to_bytes();
    Call {
        route,
        token,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    }
}
