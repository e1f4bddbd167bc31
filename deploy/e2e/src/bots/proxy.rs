//! Stands between a bot and the server, passes every byte on unchanged, writes down what was said,
//! and cuts the gateway's connections when it is told to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderValue, TRANSFER_ENCODING, UPGRADE};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::record::{Exchange, Record};
use super::tap;

/// How often a connection is offered to the server where it waits, and how far apart.
const ATTEMPTS_MAX: u32 = 300;
const PAUSE: Duration = Duration::from_millis(100);

/// Why nothing was passed on. The bot sees a connection that ends.
type Broken = Box<dyn std::error::Error + Send + Sync>;

/// A proxy in front of one server.
#[derive(Clone, Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Unknown until the server has started: it is told the proxy's address first.
    server: Mutex<Option<SocketAddr>>,
    http: Client<HttpConnector, Full<Bytes>>,
    record: Record,
    cut: watch::Sender<()>,
    /// Connections of the gateway wait for a server that takes them, as behind a load balancer.
    waits: AtomicBool,
}

impl Proxy {
    /// Listens on this address with a port of the system's choice.
    pub async fn start(ip: &str) -> Self {
        let listener = TcpListener::bind((ip, 0)).await;
        let listener = listener.expect("a loopback address can be bound");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            server: Mutex::new(None),
            http: Client::builder(TokioExecutor::new()).build_http(),
            record: Record::default(),
            cut: watch::Sender::new(()),
            waits: AtomicBool::new(false),
        });
        tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { address, shared }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on it passes everything on to this server.
    pub fn lead_to(&self, server: SocketAddr) {
        *self.shared.server.lock() = Some(server);
    }

    /// From now on connections of the gateway wait until a server takes them, as behind a load
    /// balancer.
    pub fn wait_for_servers(&self) {
        self.shared.waits.store(true, Ordering::Relaxed);
    }

    /// What it has seen.
    pub fn record(&self) -> &Record {
        &self.shared.record
    }

    /// Cuts all connections of the gateway, without a close frame to either side.
    pub fn cut(&self) {
        self.shared.cut.send_replace(());
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| pass_on(request, Arc::clone(&shared)));
        tokio::spawn(async move {
            let serving = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            // An error here is a bot that went away, or a server that is gone.
            drop(serving.await);
        });
    }
}

async fn pass_on(
    mut request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<Full<Bytes>>, Broken> {
    let server = shared.server.lock().ok_or("there is no server yet")?;
    let target = request.uri().path_and_query().map_or("/", |it| it.as_str());
    *request.uri_mut() = format!("http://{server}{target}").parse()?;
    if request.headers().contains_key(UPGRADE) {
        upgrade(request, server, shared).await
    } else {
        call(request, &shared).await
    }
}

async fn call(
    request: Request<Incoming>,
    shared: &Shared,
) -> Result<Response<Full<Bytes>>, Broken> {
    let (head, body) = request.into_parts();
    let (method, path) = (head.method.to_string(), head.uri.path().to_owned());
    let mut head = head;
    // The body travels whole.
    head.headers.remove(TRANSFER_ENCODING);
    let body = body.collect().await?.to_bytes();
    let request = Request::from_parts(head, Full::new(body));
    let (mut head, body) = shared.http.request(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    head.headers.remove(TRANSFER_ENCODING);
    shared.record.write(|seen| {
        seen.exchanges.push(Exchange {
            method,
            path,
            status: head.status.as_u16(),
            media_type: header(&head.headers, CONTENT_TYPE.as_str()),
            body: body.clone(),
        });
    });
    Ok(Response::from_parts(head, Full::new(body)))
}

/// Opens a connection to the server for this one of the bot's, and lets both run as they like.
async fn upgrade(
    mut request: Request<Incoming>,
    server: SocketAddr,
    shared: Arc<Shared>,
) -> Result<Response<Full<Bytes>>, Broken> {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let mut answer = ask_for_upgrade(&request, server).await;
    for _ in 0..ATTEMPTS_MAX {
        let is_taken = answer.as_ref().is_ok_and(|it| it.status().as_u16() != 503);
        if is_taken || !shared.waits.load(Ordering::Relaxed) {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        answer = ask_for_upgrade(&request, server).await;
    }
    let mut answer = answer?;
    let upgraded = hyper::upgrade::on(&mut answer);
    let (head, body) = answer.into_parts();
    if head.status.as_u16() != 101 {
        let body = body.collect().await?.to_bytes();
        return Ok(Response::from_parts(head, Full::new(body)));
    }
    let bot = hyper::upgrade::on(&mut request);
    let mut cut = shared.cut.subscribe();
    let record = shared.record.clone();
    tokio::spawn(async move {
        let (bot, server) = tokio::join!(bot, upgraded);
        if let (Ok(bot), Ok(server)) = (bot, server) {
            let (bot, server) = (TokioIo::new(bot), TokioIo::new(server));
            tokio::select! {
                _ = tap::copy(bot, server, &query, &record) => (),
                _ = cut.changed() => (),
            }
        }
    });
    Ok(Response::from_parts(head, Full::default()))
}

async fn ask_for_upgrade(
    request: &Request<Incoming>,
    server: SocketAddr,
) -> Result<Response<Incoming>, Broken> {
    let stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake::<_, Full<Bytes>>(TokioIo::new(stream)).await?;
    tokio::spawn(connection.with_upgrades());
    let mut asked = Request::get(request.uri().path_and_query().map_or("/", |it| it.as_str()));
    *asked.headers_mut().ok_or("the address is odd")? = request.headers().clone();
    let mut asked = asked.body(Full::default())?;
    let host = HeaderValue::from_str(&server.to_string())?;
    asked.headers_mut().insert(HOST, host);
    Ok(sender.send_request(asked).await?)
}

fn header(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}
