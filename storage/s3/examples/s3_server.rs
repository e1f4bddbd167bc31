//! An S3 server for tests and trials, which keeps objects as files. It is no store for anything of
//! value: what it acknowledges need not survive the end of its machine. `deploy/engines/s3` runs it.
//!
//! ```text
//! S3_ACCESS_KEY=… S3_SECRET_KEY=… s3_server HOST:PORT FOLDER
//! ```
//!
//! Each folder in `FOLDER` is a bucket. The first SIGTERM or SIGINT ends it in good order.

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// How long requests may take that are not done when it is told to end.
const GRACE: Duration = Duration::from_secs(10);
/// How long it does not listen where the system has no room for one more connection.
const ROOM: Duration = Duration::from_millis(50);

#[tokio::main]
async fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, folder] = arguments.as_slice() else {
        return Err("usage: s3_server HOST:PORT FOLDER".into());
    };
    let files = FileSystem::new(folder).map_err(|why| format!("{folder}: {why:?}"))?;
    let mut service = S3ServiceBuilder::new(files);
    let (access, secret) = (variable("S3_ACCESS_KEY")?, variable("S3_SECRET_KEY")?);
    service.set_auth(SimpleAuth::from_single(access, secret));
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let listener = TcpListener::bind(address).await?;
    // Each connection holds a receiver, so that the sender knows when the last of them is gone.
    let (end, is_ending) = watch::channel(());
    tokio::select! {
        never = listen(listener, service.build(), is_ending) => match never {},
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    end.send_replace(());
    // Whoever is not done by then is cut off.
    let _ = tokio::time::timeout(GRACE, end.closed()).await;
    Ok(())
}

async fn listen(
    listener: TcpListener,
    service: S3Service,
    is_ending: watch::Receiver<()>,
) -> Infallible {
    loop {
        match listener.accept().await {
            Ok((socket, _)) => {
                tokio::spawn(serve(socket, service.clone(), is_ending.clone()));
            }
            Err(_) => tokio::time::sleep(ROOM).await,
        }
    }
}

/// Answers the requests of one connection. A client that goes away is no failure of ours.
async fn serve(socket: TcpStream, service: S3Service, mut is_ending: watch::Receiver<()>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new());
    let mut connection = pin!(http.serve_connection(TokioIo::new(socket), service));
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = is_ending.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// A secret, which must not stand among the arguments: everybody on the machine can read those.
#[expect(
    clippy::disallowed_methods,
    reason = "its caller has no other way to pass a secret"
)]
fn variable(name: &str) -> Result<String, Error> {
    std::env::var(name).map_err(|_| format!("{name} must be set").into())
}
