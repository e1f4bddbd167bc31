//! Nodes for tests, each with a desk that answers calls by what they say.

use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use guildhall_cluster::link::bounds::BODY_BYTES_MAX;
use guildhall_cluster::link::{
    Answers, ByteStream, Identity, Lane, LinkError, LinkState, Links, Peer, Secret, Tls,
};
use guildhall_model::NodeId;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

/// How long a test waits for what has to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for what has to happen.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("it happens at all")
}

/// Answers a call with its own body, except for those that begin with `wait` (when the gate lets
/// it through), `panic` and `large`.
pub(crate) struct Desk {
    pub(crate) gate: Semaphore,
    pub(crate) seen: watch::Sender<Seen>,
}

/// What a desk has had to do with.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    /// How often a call came, by its body.
    pub(crate) calls: HashMap<Bytes, usize>,
    /// Calls that are being answered, now and at most.
    pub(crate) at_once: (usize, usize),
    /// One-way messages.
    pub(crate) told: Vec<(NodeId, Bytes)>,
    /// Streams with what was read from those that are held.
    pub(crate) streams: Vec<(NodeId, Bytes, Vec<u8>)>,
}

#[async_trait]
impl Answers for Desk {
    async fn answer(&self, _: NodeId, call: Bytes) -> Bytes {
        self.seen.send_modify(|seen| {
            *seen.calls.entry(call.clone()).or_default() += 1;
            seen.at_once.0 += 1;
            seen.at_once.1 = seen.at_once.1.max(seen.at_once.0);
        });
        if call.starts_with(b"wait") {
            self.gate.acquire().await.unwrap().forget();
        }
        self.seen.send_modify(|seen| seen.at_once.0 -= 1);
        assert!(!call.starts_with(b"panic"), "as the call asked for");
        if call.starts_with(b"large") {
            return vec![0; BODY_BYTES_MAX + 1].into();
        }
        call
    }

    fn heard(&self, from: NodeId, told: Bytes) {
        self.seen.send_modify(|seen| seen.told.push((from, told)));
    }

    async fn stream(&self, from: NodeId, preface: Bytes, mut stream: ByteStream) {
        let mut read = Vec::new();
        if preface == "echo" {
            let (mut reader, mut writer) = tokio::io::split(stream);
            tokio::io::copy(&mut reader, &mut writer).await.unwrap();
        } else {
            self.gate.acquire().await.unwrap().forget();
            stream.read_to_end(&mut read).await.unwrap();
        }
        self.seen
            .send_modify(|seen| seen.streams.push((from, preface, read)));
    }
}

/// A node with its desk.
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) incarnation: u64,
    pub(crate) address: SocketAddr,
    pub(crate) links: Links,
    pub(crate) desk: Arc<Desk>,
}

pub(crate) fn secret(byte: u8) -> Secret {
    Secret::new(&[byte; 32]).unwrap()
}

impl Node {
    /// The first life of a node of the cluster.
    pub(crate) async fn start(number: u16) -> Self {
        Self::start_as(number, 1, secret(7)).await
    }

    pub(crate) async fn start_as(number: u16, incarnation: u64, secret: Secret) -> Self {
        let socket = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        Self::start_at(socket, number, incarnation, secret, None)
    }

    /// A node that speaks TLS alone.
    pub(crate) async fn start_secured(number: u16, tls: Tls) -> Self {
        let socket = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        Self::start_at(socket, number, 1, secret(7), Some(tls))
    }

    fn start_at(
        socket: TcpListener,
        number: u16,
        incarnation: u64,
        secret: Secret,
        tls: Option<Tls>,
    ) -> Self {
        let desk = Arc::new(Desk {
            gate: Semaphore::new(0),
            seen: watch::Sender::default(),
        });
        let identity = Identity {
            node: NodeId(number),
            incarnation,
            secret,
            tls,
        };
        let address = socket.local_addr().unwrap();
        let links = Links::start(identity, socket, Arc::clone(&desk) as Arc<dyn Answers>);
        Self {
            id: NodeId(number),
            incarnation,
            address,
            links,
            desk,
        }
    }

    /// Two nodes that are connected, the first one as the caller.
    pub(crate) async fn pair() -> (Self, Self) {
        let (one, two) = (Self::start(1).await, Self::start(2).await);
        one.links.set_peers(vec![two.peer()]);
        one.is_up(&two).await;
        (one, two)
    }

    /// Ends it as a process ends, and begins its next life at the same address.
    pub(crate) async fn restart(self) -> Self {
        let (number, incarnation, address) = (self.id.0, self.incarnation, self.address);
        drop(self);
        // The socket that listened is closed by its own task.
        let socket = soon(async {
            loop {
                match TcpListener::bind(address).await {
                    Ok(socket) => break socket,
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        });
        Self::start_at(socket.await, number, incarnation + 1, secret(7), None)
    }

    pub(crate) fn peer(&self) -> Peer {
        self.peer_at(self.address)
    }

    pub(crate) fn peer_at(&self, address: SocketAddr) -> Peer {
        Peer {
            node: self.id,
            incarnation: self.incarnation,
            address: address.to_string(),
        }
    }

    pub(crate) async fn sees(&self, node: NodeId, is: impl Fn(LinkState) -> bool) -> LinkState {
        let mut states = self.links.watch();
        let seen = soon(states.wait_for(|states| states.get(&node).is_some_and(|&it| is(it))));
        *seen.await.unwrap().get(&node).unwrap()
    }

    pub(crate) async fn is_up(&self, other: &Self) {
        self.sees(other.id, LinkState::is_up).await;
    }

    pub(crate) async fn call(&self, other: &Self, body: &str) -> Result<String, LinkError> {
        self.call_on(Lane::Control, other, body).await
    }

    pub(crate) async fn call_on(
        &self,
        lane: Lane,
        other: &Self,
        body: &str,
    ) -> Result<String, LinkError> {
        let body = Bytes::from(body.to_owned());
        let answer = self.links.call(other.id, lane, body, PATIENCE).await?;
        Ok(String::from_utf8(answer.to_vec()).unwrap())
    }

    /// Waits until the desk has seen it.
    pub(crate) async fn has_seen(&self, what: impl FnMut(&Seen) -> bool) -> Seen {
        let mut seen = self.desk.seen.subscribe();
        soon(seen.wait_for(what)).await.unwrap().clone()
    }

    /// Waits until a call with this body is being answered.
    pub(crate) async fn has_begun(&self, body: &str) {
        self.has_seen(|seen| seen.calls.contains_key(body.as_bytes()))
            .await;
    }
}
