//! What all connections of a node share, and the upgrade from HTTP.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use bytes::Bytes;
use guildhall_app::App;
use guildhall_host::{ByteStream, LinkError, Node};
use guildhall_model::NodeId;
use guildhall_wire::encode::{Agreement, AgreementError};
use guildhall_wire::{Installation, Spelling};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use metrics::{Counter, counter};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tracing::debug;

use crate::connection;
use crate::handed_over::HandedOver;
use crate::socket::Socket;

/// The paths of the gateway, which clients end with a slash or not.
const PATHS: [&str; 4] = ["/gateway", "/gateway/", "/gw", "/gw/"];
/// Where libraries look that put a query to a bare origin. Others find the web client there.
const ROOT: &str = "/";
/// The code of requests that the gateway refuses.
const NOT_A_WEBSOCKET: &str = "not_a_websocket";

/// What an operator may set about connections.
#[derive(Clone, Copy, Debug)]
pub struct GatewayConfig {
    /// How often clients are asked for a heartbeat, in milliseconds.
    pub heartbeat_interval_ms: u32,
    /// How long a connection may take to identify.
    pub identify_timeout: Duration,
    /// How many connections there may be.
    pub connections_max: usize,
}

/// The gateway of a node. A clone is the same one.
#[derive(Clone, Debug)]
pub struct Gateway(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    app: App,
    installation: Installation,
    config: GatewayConfig,
    meters: Meters,
    is_draining: watch::Sender<bool>,
    connections: AtomicUsize,
    /// By which sockets are handed over.
    node: OnceLock<Node>,
}

/// A gateway that does not live on by this.
#[derive(Debug)]
pub(crate) struct WeakGateway(Weak<Inner>);

impl WeakGateway {
    pub(crate) fn upgrade(&self) -> Option<Gateway> {
        self.0.upgrade().map(Gateway)
    }
}

/// What is counted of connections. Looking a counter up by its name with every delivery would be
/// felt.
#[derive(Debug)]
pub(crate) struct Meters {
    pub(crate) connections: Counter,
    pub(crate) dispatches: Counter,
    pub(crate) resumed: Counter,
    pub(crate) invalid: Counter,
    pub(crate) lagging: Counter,
    pub(crate) handed_over: Counter,
    pub(crate) attended: Counter,
}

impl Meters {
    fn new() -> Self {
        Self {
            connections: counter!("guildhall_gateway_connections_total"),
            dispatches: counter!("guildhall_dispatches_written_total"),
            resumed: counter!("guildhall_sessions_resumed_total"),
            invalid: counter!("guildhall_sessions_invalid_total"),
            lagging: counter!("guildhall_sockets_lagging_total"),
            handed_over: counter!("guildhall_gateway_sockets_handed_over_total"),
            attended: counter!("guildhall_gateway_sockets_attended_total"),
        }
    }
}

/// One of the counted connections.
pub(crate) struct Counted(Gateway);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Gateway {
    /// The gateway of the node behind these use cases.
    pub fn new(app: App, installation: Installation, config: GatewayConfig) -> Self {
        Self(Arc::new(Inner {
            app,
            installation,
            config,
            meters: Meters::new(),
            is_draining: watch::Sender::new(false),
            connections: AtomicUsize::new(0),
            node: OnceLock::new(),
        }))
    }

    /// From now on sockets whose sessions another node holds are handed over to it, and those that
    /// other nodes hand over to this one are attended to. Once per node; nothing comes of it where
    /// there are no others.
    pub fn attend_sockets(&self, node: &Node) {
        // The node does not keep what stands on it.
        let attends = HandedOver(WeakGateway(Arc::downgrade(&self.0)));
        node.attend_sockets(Arc::new(attends));
        let is_first = self.0.node.set(node.clone()).is_ok();
        assert!(is_first, "a gateway stands on one node");
    }

    /// Opens the stream that a socket is handed over by.
    pub(crate) async fn hand_socket_over(
        &self,
        to: NodeId,
        preface: Bytes,
    ) -> Result<ByteStream, LinkError> {
        match self.0.node.get() {
            Some(node) => node.hand_socket_over(to, preface).await,
            None => Err(LinkError::Unreachable),
        }
    }

    pub(crate) fn app(&self) -> &App {
        &self.0.app
    }

    pub(crate) fn spelling(&self) -> &Spelling {
        &self.0.installation.spelling
    }

    pub(crate) fn installation(&self) -> &Installation {
        &self.0.installation
    }

    pub(crate) fn meters(&self) -> &Meters {
        &self.0.meters
    }

    pub(crate) fn config(&self) -> &GatewayConfig {
        &self.0.config
    }

    /// From now on nobody identifies here, and sockets that were handed over end: their clients
    /// come back at another node.
    pub fn drain(&self) {
        self.0.is_draining.send_replace(true);
    }

    pub(crate) fn is_draining(&self) -> bool {
        *self.0.is_draining.borrow()
    }

    /// Returns when the node is to go.
    pub(crate) async fn drained(&self) {
        let mut is_draining = self.0.is_draining.subscribe();
        // The sender is this gateway's.
        let _ = is_draining.wait_for(|is_draining| *is_draining).await;
    }

    /// How many sockets there are.
    pub fn connection_count(&self) -> usize {
        self.0.connections.load(Ordering::Relaxed)
    }

    /// Counts one more, if there may be one more.
    pub(crate) fn count(&self) -> Option<Counted> {
        let before = self.0.connections.fetch_add(1, Ordering::Relaxed);
        let counted = Counted(self.clone());
        (before < self.0.config.connections_max).then_some(counted)
    }

    /// The request is for the gateway.
    pub(crate) fn is_meant<B>(request: &Request<B>) -> bool {
        let path = request.uri().path();
        PATHS.contains(&path)
            || path == ROOT && fastwebsockets::upgrade::is_upgrade_request(request)
    }

    /// Answers a request for the gateway and serves the connection in a task of its own.
    pub(crate) fn upgrade(&self, mut request: Request<Incoming>) -> Response<Full<Bytes>> {
        if request.method() != Method::GET {
            return refusal(
                StatusCode::METHOD_NOT_ALLOWED,
                NOT_A_WEBSOCKET,
                "the gateway is asked with GET",
            );
        }
        let agreement = Agreement::parse(request.uri().query().unwrap_or_default());
        let Ok((response, upgraded)) = fastwebsockets::upgrade::upgrade(&mut request) else {
            return refusal_of_others();
        };
        let Some(counted) = self.count() else {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return refusal(status, NOT_A_WEBSOCKET, "too many connections");
        };
        let gateway = self.clone();
        tokio::spawn(async move {
            match upgraded.await {
                Ok(socket) => gateway.serve(socket.into_inner(), agreement, counted).await,
                Err(error) => debug!(%error, "an upgrade was not completed"),
            }
        });
        response.map(|_| Full::default())
    }

    async fn serve(
        self,
        upgraded: TokioIo<Upgraded>,
        agreement: Result<Agreement, AgreementError>,
        counted: Counted,
    ) {
        let (stream, early) = stream_of(upgraded);
        // A dispatch is written whole; waiting for more would only delay it.
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, "a socket does not take an option");
        }
        connection::run(self, Socket::Own(stream), early, agreement).await;
        drop(counted);
    }
}

/// The stream of an upgraded connection, and what has been read of it.
pub(crate) fn stream_of(upgraded: TokioIo<Upgraded>) -> (TcpStream, Bytes) {
    let Ok(parts) = upgraded.into_inner().downcast::<TokioIo<TcpStream>>() else {
        unreachable!("the listeners serve TCP streams")
    };
    (parts.io.into_inner(), parts.read_buf)
}

/// The answer to a request that asks for no WebSocket.
pub(crate) fn refusal_of_others() -> Response<Full<Bytes>> {
    refusal(
        StatusCode::UPGRADE_REQUIRED,
        NOT_A_WEBSOCKET,
        "this is a WebSocket endpoint",
    )
}

/// The answer of a node that leaves sockets to others.
pub(crate) fn refusal_without_gateway() -> Response<Full<Bytes>> {
    refusal(
        StatusCode::NOT_FOUND,
        "no_gateway",
        "this node takes no WebSockets: it has not the role gateway",
    )
}

fn refusal(status: StatusCode, code: &'static str, why: &'static str) -> Response<Full<Bytes>> {
    let body = format!("{{\"code\":\"{code}\",\"message\":\"{why}\"}}");
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let json = http::HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, json);
    if status == StatusCode::UPGRADE_REQUIRED {
        let websocket = http::HeaderValue::from_static("websocket");
        response
            .headers_mut()
            .insert(http::header::UPGRADE, websocket);
    }
    response
}
