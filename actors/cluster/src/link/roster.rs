//! The newest incarnation of every node that this one has heard of.

use std::collections::HashMap;

use guildhall_model::NodeId;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::hello::Party;

/// Grows with the numbers of nodes, of which there are 65,536; only those get in that are on the
/// list of members or have proved that they know the secret.
#[derive(Default)]
pub(super) struct Roster {
    newest: Mutex<HashMap<NodeId, watch::Sender<u64>>>,
}

impl Roster {
    /// The newest incarnation of the node that is known, 0 if none is.
    pub(super) fn newest(&self, node: NodeId) -> u64 {
        let newest = self.newest.lock();
        newest.get(&node).map_or(0, |newest| *newest.borrow())
    }

    /// An incarnation lives. Older ones of the node are outdated with that.
    pub(super) fn note(&self, party: Party) {
        let mut newest = self.newest.lock();
        let newest = newest.entry(party.node).or_default();
        newest.send_if_modified(|newest| {
            let is_newer = party.incarnation > *newest;
            *newest = party.incarnation.max(*newest);
            is_newer
        });
    }

    /// Waits until a newer incarnation of the node is known.
    pub(super) async fn outdated(&self, party: Party) {
        let mut newest = {
            let mut newest = self.newest.lock();
            newest.entry(party.node).or_default().subscribe()
        };
        // The roster outlives who waits, so the channel does not close.
        let _ = newest.wait_for(|newest| *newest > party.incarnation).await;
    }
}
