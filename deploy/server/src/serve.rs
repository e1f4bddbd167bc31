//! The life of a node: assemble, report ready, drain, stop.

use std::future::Future;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use anyhow::{Context, bail};
use axum::Router;
use axum::http::StatusCode;
use guildhall_edge::listener;
use guildhall_model::NodeRole;
use guildhall_rest::{GatewayUrl, Limits};
use rustix::process::Signal;
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::assemble::{Assembly, assemble};
use crate::config::{Config, OperatorListen, PublicUrl, Switch};
use crate::operator::{self, Operator, Phase, Readiness, StateProbe};
use crate::telemetry::Telemetry;

/// Connections that may wait to be accepted; the system may allow fewer.
const LISTEN_BACKLOG: u32 = 4_096;
/// How often a starting node looks whether its partitions work.
const SETTLE_LOOK: std::time::Duration = std::time::Duration::from_millis(20);
/// How often a draining node looks whether all sockets are gone.
const DRAIN_LOOK: std::time::Duration = std::time::Duration::from_millis(50);

/// What is answered by a node that leaves requests to others.
const NO_API: &str = "this node answers no requests: it has not the role api\n";

/// Runs a node until it is told to stop.
pub async fn run(config: Config, telemetry: Telemetry) -> anyhow::Result<()> {
    // Handlers first: a signal that comes while the node recovers must not be lost.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // A handler is enough: the write at a limit of file sizes then fails like one on a full disk,
    // where the system would otherwise end the process.
    let _file_size = signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?;
    let readiness = Readiness::starting();
    let state = Arc::default();
    start_operator(&config, telemetry, &readiness, &state).await?;
    let listener = listen(config.server.listen)
        .with_context(|| format!("{} cannot be listened on", config.server.listen))?;
    let address = listener.local_addr()?;
    let assembly = assemble(&config, &public_url(&config, address), &readiness).await?;
    let node = assembly.node.clone();
    let _ = state.set(StateProbe::new(move || node.observe()));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let socket = format!(
        "{}/gateway",
        public_url(&config, address).websocket_origin()
    );
    let gateway = match &config.server.public_url {
        Some(_) => GatewayUrl::Fixed(socket),
        None => GatewayUrl::AtHost(socket),
    };
    let serving = serve(listener, &config, &assembly, gateway, async {
        let _ = stopped.await;
    });
    let serving = tokio::spawn(serving);
    let node = assembly.node.clone();
    let until_settled = async {
        // A node of a cluster gets its share from the others.
        while node.check().is_err() {
            tokio::time::sleep(SETTLE_LOOK).await;
        }
        readiness.enter(Phase::Serving);
        let announced = announce(address);
        match announced {
            Ok(()) => std::future::pending().await,
            Err(error) => error,
        }
    };
    let cause = tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
        error = until_settled => return Err(error),
        () = node.until_superseded() => bail!(
            "another process runs as node {}: give each node its own cluster.node",
            config.cluster.node
        ),
    };
    info!(cause, "draining");
    readiness.enter(Phase::Draining);
    let hurry = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    drain(&config, &assembly, hurry).await;
    drop(stop);
    serving.await?;
    assembly.close().await?;
    info!("stopped");
    Ok(())
}

/// After a restart all clients come back at once: those that do not fit into the backlog would
/// wait for their system's next attempt, seconds later.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(LISTEN_BACKLOG)
}

fn serve(
    listener: TcpListener,
    config: &Config,
    assembly: &Assembly,
    gateway: GatewayUrl,
    stop: impl Future<Output = ()> + Send + 'static,
) -> impl Future<Output = ()> + Send + 'static {
    let settings = guildhall_rest::Settings {
        installation: assembly.installation.clone(),
        origins: Vec::new(),
        gateway,
        limits: limits(config),
        quotas: assembly.quotas(),
    };
    let roles = config.cluster.roles;
    let routes = if roles.contains(NodeRole::Api) {
        guildhall_rest::router(assembly.app.clone(), settings)
    } else {
        routes_without_api()
    };
    let gateway = roles.contains(NodeRole::Gateway);
    let gateway = gateway.then(|| assembly.gateway.clone());
    listener::serve(listener, gateway, routes, stop)
}

fn routes_without_api() -> Router {
    Router::new().fallback((StatusCode::NOT_FOUND, NO_API))
}

fn limits(config: &Config) -> Limits {
    let limits = &config.limits;
    if limits.rate_limits == Switch::Off {
        return Limits::default();
    }
    Limits {
        bots: limits.bots.rate(),
        people: limits.people.rate(),
        addresses: limits.addresses.rate(),
        messages: limits.messages.rate(),
        reactions: limits.reactions.rate(),
        sign_in: limits.sign_in.rate(),
        others: limits.others.rate(),
        refusals: limits.refusals.rate(),
        proxies: limits.proxies,
    }
}

/// Asks everybody to go elsewhere, and waits until they have gone, or the time is up.
async fn drain(config: &Config, assembly: &Assembly, hurry: impl Future<Output = ()>) {
    assembly.gateway.drain();
    let deadline = Instant::now() + config.gateway.drain_timeout;
    let gone = async {
        // In a cluster other nodes take over first, so that whoever is sent away finds its session.
        if !assembly
            .node
            .hand_over_all(config.gateway.drain_timeout)
            .await
        {
            warn!("not everything was handed over: other nodes will take it when this one is gone");
        }
        assembly.node.drain();
        while assembly.gateway.connection_count() > 0 && Instant::now() < deadline {
            tokio::time::sleep(DRAIN_LOOK).await;
        }
    };
    tokio::select! {
        () = gone => {}
        () = hurry => warn!("told to stop a second time: not waiting for clients"),
    }
    let left = assembly.gateway.connection_count();
    if left > 0 {
        warn!(left, "connections are cut; their sessions may be resumed");
    }
}

async fn start_operator(
    config: &Config,
    telemetry: Telemetry,
    readiness: &Readiness,
    state: &Arc<OnceLock<StateProbe>>,
) -> anyhow::Result<()> {
    let OperatorListen::At(address) = config.operator.listen else {
        return Ok(());
    };
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("operator.listen: {address} cannot be listened on"))?;
    let address = listener.local_addr()?;
    info!(%address, "operator's listener: http://{address}/metrics /livez /readyz /state");
    let routes = operator::router(Operator {
        metrics: telemetry.metrics,
        readiness: readiness.clone(),
        metrics_token: config.operator.metrics_token.clone(),
        state: Arc::clone(state),
    });
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, routes).await {
            warn!(%error, "the operator's listener has stopped");
        }
    });
    Ok(())
}

/// Where clients find us: where they are told to reach us, or where we listen.
fn public_url(config: &Config, address: SocketAddr) -> PublicUrl {
    let told = config.server.public_url.clone();
    told.unwrap_or_else(|| PublicUrl::of_listener(address))
}

/// Tells whoever has started us that we serve.
fn announce(address: SocketAddr) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "ready http://{address}")?;
    stdout.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::{Method, Request};
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_node_that_is_no_api_answers_every_request_that_it_has_nothing_there() {
        for (method, path) in [
            (Method::GET, "/"),
            (Method::GET, "/users/me"),
            (Method::POST, "/api/v10/channels/1/messages"),
            (Method::DELETE, "/servers/1"),
        ] {
            let request = Request::builder().method(method).uri(path);
            let request = request.body(Body::empty()).unwrap();
            let answer = routes_without_api().oneshot(request).await.unwrap();
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
            let body = to_bytes(answer.into_body(), 1 << 10).await.unwrap();
            assert_eq!(body, NO_API, "{path}");
        }
    }
}
