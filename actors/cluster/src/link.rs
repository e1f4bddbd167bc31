//! The link between nodes: calls with answers, one-way messages, and byte streams.
//!
//! Bodies are opaque; whoever sits above says what they mean, and puts the epoch into them
//! (`deploy/docs/decisions/0004`). A node connects to every peer on its list, twice: the control
//! lane stays quick while the bulk lane is full. Calls and one-way messages go over the
//! connections that the calling node has made, and answers come back on them. A stream has a
//! connection of its own.
//!
//! Both sides prove at the start that they know the cluster's secret (`hello`). Below that there is
//! TLS, where a node has certificates for it ([`Tls`]): then it speaks with no node that has not.
//! Without it nothing is encrypted or authenticated after the start, so the link belongs into a private
//! network.
//!
//! Nothing is sent again and nothing is kept for later: a call ends with its answer or with a
//! [`LinkError`] that says whether it may have been heard. Every queue has a bound, in [`bounds`].

mod answering;
mod answers;
mod batch;
pub mod bounds;
mod caller;
mod connection;
mod error;
mod hello;
mod identity;
mod listener;
mod metrics;
mod outbox;
mod roster;
mod states;
mod tls;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use guildhall_model::NodeId;
use guildhall_ports::Env;
use parking_lot::{Mutex, RwLock};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use answers::{Answers, ByteStream, Duplex};
pub use error::LinkError;
pub use identity::{Identity, Peer, SECRET_BYTES_MIN, Secret, ShortSecret};
pub use states::LinkState;
pub use tls::Tls;

use caller::Caller;
use hello::Party;
use listener::Listener;
use outbox::Outbox;
use roster::Roster;
use states::States;

/// Which of the two connections to a peer. They do not hold up each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// What is small and must be quick.
    Control,
    /// What is large or much.
    Bulk,
}

impl Lane {
    fn name(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Bulk => "bulk",
        }
    }
}

/// This node's link to all others. Clones are the same link; it ends with the last of them, and
/// all connections with it.
#[derive(Clone)]
pub struct Links {
    inner: Arc<Inner>,
}

struct Inner {
    own: Arc<Own>,
    states: Arc<States>,
    peers: RwLock<HashMap<NodeId, Connected>>,
    runtime: Handle,
    // Ends its tasks when it is dropped.
    listening: Mutex<JoinSet<()>>,
}

/// What both sides need to know about this node and about whom it has heard of.
struct Own {
    identity: Identity,
    roster: Roster,
    env: Env,
}

/// A peer on the list.
struct Connected {
    address: String,
    control: Arc<Outbox>,
    bulk: Arc<Outbox>,
    // Ends its tasks when it is dropped.
    _callers: JoinSet<()>,
}

impl Links {
    /// Listens, and answers whoever knows the secret. It calls nobody until it is given peers.
    /// Must be called within a runtime of tokio, which then runs everything.
    pub fn start(identity: Identity, listener: TcpListener, answers: Arc<dyn Answers>) -> Self {
        let own = Arc::new(Own {
            identity,
            roster: Roster::default(),
            env: Env::system(),
        });
        let mut listening = JoinSet::new();
        listening.spawn(Arc::new(Listener::new(Arc::clone(&own), answers)).run(listener));
        Self {
            inner: Arc::new(Inner {
                own,
                states: Arc::new(States::new()),
                peers: RwLock::default(),
                runtime: Handle::current(),
                listening: Mutex::new(listening),
            }),
        }
    }

    /// Replaces the list of whom this node calls. Connections to those end who are not on it; the
    /// others are called for as long as they are on it. This node itself is passed over. Who may
    /// call this node does not depend on the list, except that an incarnation on it outdates all
    /// older ones, in both directions.
    pub fn set_peers(&self, peers: Vec<Peer>) {
        let Inner { own, states, .. } = &*self.inner;
        let mut connected = self.inner.peers.write();
        connected.retain(|node, present| {
            let stays = peers
                .iter()
                .any(|peer| peer.node == *node && peer.address == present.address);
            if !stays {
                states.forget(*node);
            }
            stays
        });
        for peer in peers {
            if peer.node == own.identity.node {
                continue;
            }
            own.roster.note(Party {
                node: peer.node,
                incarnation: peer.incarnation,
            });
            let connect = || self.inner.connect(peer.node, peer.address);
            connected.entry(peer.node).or_insert_with(connect);
        }
    }

    /// Stops listening, and ends all connections that this node and others have made. Needed where
    /// what answers has the link itself.
    pub fn stop(&self) {
        self.inner.listening.lock().abort_all();
        self.set_peers(Vec::new());
    }

    /// Calls a node and waits for its answer. At most [`bounds::CALLS_IN_FLIGHT_MAX`] calls are
    /// under way on a lane to a node, and [`bounds::QUEUE_BYTES_MAX`] bytes wait to be sent. Who
    /// drops the future gives up: a call that is not sent yet never will be.
    pub async fn call(
        &self,
        node: NodeId,
        lane: Lane,
        body: Bytes,
        within: Duration,
    ) -> Result<Bytes, LinkError> {
        let outbox = self.outbox(node, lane).ok_or(LinkError::Unreachable)?;
        outbox.call(body, within).await
    }

    /// Sends a one-way message. Nobody says whether it arrives; those that arrive on one lane do
    /// so in order. It is dropped, and the error says so, when the lane is down or full.
    pub fn tell(&self, node: NodeId, lane: Lane, body: Bytes) -> Result<(), LinkError> {
        let outbox = self.outbox(node, lane).ok_or(LinkError::Unreachable)?;
        outbox.tell(body)
    }

    /// Opens a byte stream to a node on the list, within [`bounds::HELLO_WITHIN`]. The other side
    /// gets `preface` with it, of at most [`bounds::PREFACE_BYTES_MAX`] bytes. Everything may still
    /// be lost with the connection: that the stream is open does not say that it was looked at.
    pub async fn open_stream(&self, node: NodeId, preface: Bytes) -> Result<ByteStream, LinkError> {
        let address = {
            let peers = self.inner.peers.read();
            peers.get(&node).map(|peer| peer.address.clone())
        };
        let address = address.ok_or(LinkError::Unreachable)?;
        caller::open_stream(&self.inner.own, node, &address, &preface).await
    }

    /// How the connections to all peers on the list stand.
    pub fn states(&self) -> BTreeMap<NodeId, LinkState> {
        self.watch().borrow().clone()
    }

    /// The same, to be waited on.
    pub fn watch(&self) -> watch::Receiver<BTreeMap<NodeId, LinkState>> {
        self.inner.states.subscribe()
    }

    fn outbox(&self, node: NodeId, lane: Lane) -> Option<Arc<Outbox>> {
        let peers = self.inner.peers.read();
        let peer = peers.get(&node)?;
        Some(Arc::clone(match lane {
            Lane::Control => &peer.control,
            Lane::Bulk => &peer.bulk,
        }))
    }
}

impl std::fmt::Debug for Links {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Links")
            .field("identity", &self.inner.own.identity)
            .field("states", &self.states())
            .finish()
    }
}

impl Inner {
    /// Begins to call a peer on both lanes.
    fn connect(&self, node: NodeId, address: String) -> Connected {
        let state = self.states.register(node);
        let mut callers = JoinSet::new();
        let mut call = |lane| {
            let outbox = Arc::new(Outbox::new(lane));
            let caller = Caller {
                own: Arc::clone(&self.own),
                node,
                address: address.clone(),
                lane,
                outbox: Arc::clone(&outbox),
                state: state.clone(),
            };
            callers.spawn_on(caller.run(), &self.runtime);
            outbox
        };
        let (control, bulk) = (call(Lane::Control), call(Lane::Bulk));
        Connected {
            address,
            control,
            bulk,
            _callers: callers,
        }
    }
}
