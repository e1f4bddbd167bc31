//! Who is connected, for all to see.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use guildhall_model::NodeId;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Lane;

/// How this node's connections to another one stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Both lanes are connected.
    Up {
        /// Since when.
        since: Instant,
    },
    /// A lane is not connected.
    Down {
        /// Since when.
        since: Instant,
        /// Nobody listens at its address: its process is gone, or has not begun. Otherwise it is
        /// silent, or refuses, or was not tried yet.
        refused: bool,
    },
}

impl LinkState {
    /// Whether calls on both lanes can be sent.
    pub fn is_up(self) -> bool {
        matches!(self, Self::Up { .. })
    }

    /// Whether nobody listens at the node's address.
    pub fn is_refused(self) -> bool {
        matches!(self, Self::Down { refused: true, .. })
    }
}

/// How one lane stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Up,
    Down { refused: bool },
}

/// The states of all peers on the list.
pub(super) struct States {
    peers: Mutex<Peers>,
    shown: watch::Sender<BTreeMap<NodeId, LinkState>>,
}

#[derive(Default)]
struct Peers {
    registered: u64,
    by_node: HashMap<NodeId, Entry>,
}

struct Entry {
    registration: u64,
    lanes: [Standing; 2],
}

impl States {
    pub(super) fn new() -> Self {
        Self {
            peers: Mutex::default(),
            shown: watch::Sender::new(BTreeMap::new()),
        }
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<BTreeMap<NodeId, LinkState>> {
        self.shown.subscribe()
    }

    /// Takes a peer in, as not connected yet.
    pub(super) fn register(self: &Arc<Self>, node: NodeId) -> StateOf {
        let mut peers = self.peers.lock();
        peers.registered += 1;
        let registration = peers.registered;
        let down = Standing::Down { refused: false };
        let entry = Entry {
            registration,
            lanes: [down, down],
        };
        peers.by_node.insert(node, entry);
        self.show(node, Some(down));
        drop(peers);
        StateOf {
            states: Arc::clone(self),
            node,
            registration,
        }
    }

    pub(super) fn forget(&self, node: NodeId) {
        let mut peers = self.peers.lock();
        peers.by_node.remove(&node);
        self.show(node, None);
    }

    fn show(&self, node: NodeId, standing: Option<Standing>) {
        let now = Instant::now();
        self.shown.send_if_modified(|shown| {
            let before = shown.get(&node).copied();
            let after = standing.map(|standing| match (standing, before) {
                (Standing::Up, Some(up @ LinkState::Up { .. })) => up,
                (Standing::Up, _) => LinkState::Up { since: now },
                (Standing::Down { refused }, Some(LinkState::Down { since, .. })) => {
                    LinkState::Down { since, refused }
                }
                (Standing::Down { refused }, _) => LinkState::Down {
                    since: now,
                    refused,
                },
            });
            match after {
                Some(after) => shown.insert(node, after),
                None => shown.remove(&node),
            };
            after != before
        });
    }
}

/// Where the lanes of one peer say how they stand. What is said after the peer was taken off the
/// list, or put on it anew, is not heard.
#[derive(Clone)]
pub(super) struct StateOf {
    states: Arc<States>,
    node: NodeId,
    registration: u64,
}

impl StateOf {
    pub(super) fn set(&self, lane: Lane, standing: Standing) {
        let mut peers = self.states.peers.lock();
        let Some(entry) = peers.by_node.get_mut(&self.node) else {
            return;
        };
        if entry.registration != self.registration {
            return;
        }
        let [control, bulk] = &mut entry.lanes;
        match lane {
            Lane::Control => *control = standing,
            Lane::Bulk => *bulk = standing,
        }
        let both = match (*control, *bulk) {
            (Standing::Up, Standing::Up) => Standing::Up,
            (control, bulk) => {
                let refused = Standing::Down { refused: true };
                Standing::Down {
                    refused: control == refused || bulk == refused,
                }
            }
        };
        self.states.show(self.node, Some(both));
    }
}
