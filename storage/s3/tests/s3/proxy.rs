//! A way to the engine on which bytes change and answers get stuck.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Passes everything on, until it is told otherwise.
pub(crate) struct Proxy {
    address: String,
    way: watch::Sender<Way>,
}

/// What happens on the way.
#[derive(Clone, Copy, Default)]
struct Way {
    is_spoiling: bool,
    is_holding: bool,
}

impl Proxy {
    /// What is changed on the way to the engine, and stands nowhere else.
    pub(crate) const MARK: &[u8] = b"<<guildhall mark>>";

    /// A way to the engine of this URL.
    pub(crate) async fn to(url: &str) -> Self {
        let engine = host_of(url).to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let way = watch::Sender::new(Way::default());
        let shared = way.clone();
        tokio::spawn(async move {
            while let Ok((node, _)) = listener.accept().await {
                let engine = TcpStream::connect(&engine).await.unwrap();
                let (from_node, to_node) = node.into_split();
                let (from_engine, to_engine) = engine.into_split();
                tokio::spawn(pass_on(from_node, to_engine, shared.subscribe()));
                tokio::spawn(pass_back(from_engine, to_node, shared.subscribe()));
            }
        });
        Self { address, way }
    }

    /// The URL by this way.
    pub(crate) fn url(&self, url: &str) -> String {
        url.replace(host_of(url), &self.address)
    }

    /// Whether the mark is changed from now on.
    pub(crate) fn set_spoiling(&self, is_spoiling: bool) {
        self.way.send_modify(|way| way.is_spoiling = is_spoiling);
    }

    /// Whether answers are kept from now on; what was kept is passed on at the end.
    pub(crate) fn hold_answers(&self, is_holding: bool) {
        self.way.send_modify(|way| way.is_holding = is_holding);
    }
}

fn host_of(url: &str) -> &str {
    let (_, rest) = url.split_once('@').unwrap();
    rest.split_once('/').unwrap().0
}

/// Towards the engine. Where a mark may have begun is held back until it is known.
async fn pass_on(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, way: watch::Receiver<Way>) {
    let mut bytes = vec![0; 64 * 1024];
    let mut held = 0;
    while let Ok(count @ 1..) = from.read(&mut bytes[held..]).await {
        let known = held + count;
        let is_spoiling = way.borrow().is_spoiling;
        if is_spoiling {
            spoil(&mut bytes[..known]);
        }
        let begun = if is_spoiling {
            begun(&bytes[..known])
        } else {
            0
        };
        if to.write_all(&bytes[..known - begun]).await.is_err() {
            return;
        }
        bytes.copy_within(known - begun..known, 0);
        held = begun;
    }
}

/// Towards the node.
async fn pass_back(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut way: watch::Receiver<Way>) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        let is_over = way.wait_for(|way| !way.is_holding).await.is_err();
        if is_over || to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

fn spoil(bytes: &mut [u8]) {
    let found = bytes
        .windows(Proxy::MARK.len())
        .position(|window| window == Proxy::MARK);
    if let Some(at) = found {
        bytes[at] ^= 1;
    }
}

/// How many bytes at the end are the beginning of the mark.
fn begun(bytes: &[u8]) -> usize {
    (1..Proxy::MARK.len())
        .rev()
        .find(|&length| bytes.ends_with(&Proxy::MARK[..length]))
        .unwrap_or(0)
}
