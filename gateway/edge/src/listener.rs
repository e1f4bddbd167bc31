//! Accepts TCP connections: HTTP for the routes, WebSockets for the gateway.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use guildhall_app::Peer;
use http::{Request, Response};
use http_body_util::Either;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tower::Service;
use tracing::{debug, warn};

use crate::gateway::{Gateway, refusal_without_gateway};

/// How long the head of a request may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// Bytes of the head of a request.
const HEAD_BYTES_MAX: usize = 32 * 1024;
/// Pause after the system had no more sockets for us.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// Serves until `stop` resolves; then no more connections are accepted, and those that are open
/// end with their present request. Without a gateway there are no WebSockets: where the gateway would
/// be nothing is found.
pub async fn serve<S, B>(
    listener: TcpListener,
    gateway: Option<Gateway>,
    routes: S,
    stop: impl Future<Output = ()>,
) where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (closing, closed) = tokio::sync::watch::channel(());
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            // Cancel-safe: `accept` loses no connection.
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let peer = Peer(peer.ip());
                let connection = serve_one(
                    stream,
                    peer,
                    gateway.clone(),
                    routes.clone(),
                    closed.clone(),
                );
                tokio::spawn(connection);
            }
            Err(error) => {
                warn!(%error, "a connection was not accepted; is the descriptor limit too low?");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
    drop(closing);
}

async fn serve_one<S, B>(
    stream: TcpStream,
    peer: Peer,
    gateway: Option<Gateway>,
    routes: S,
    mut closed: tokio::sync::watch::Receiver<()>,
) where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "a socket does not take an option");
    }
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let (gateway, mut routes) = (gateway.clone(), routes.clone());
        async move {
            if Gateway::is_meant(&request) {
                let answer = match gateway {
                    Some(gateway) => gateway.upgrade(request),
                    None => refusal_without_gateway(),
                };
                return Ok::<_, Infallible>(answer.map(Either::Left));
            }
            Ok(routes.call(request).await?.map(Either::Right))
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX);
    let connection = http
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        // Cancel-safe: the connection goes on below.
        served = &mut connection => served,
        _ = closed.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        debug!(%error, "a connection ended early");
    }
}
