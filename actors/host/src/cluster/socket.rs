//! Sockets that clients have opened at one node and whose sessions another one holds, and leaving.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use guildhall_cluster::link::{ByteStream, LinkError};
use guildhall_model::{NodeId, NodeRole};
use tokio::time::Instant;

use super::Sockets;
use crate::node::Node;

/// How often a leaving node looks whether it has handed everything over.
const LOOK: Duration = Duration::from_millis(50);

impl Node {
    /// From now on sockets that other nodes hand over are attended to. Once per node.
    pub fn attend_sockets(&self, sockets: Arc<dyn Sockets>) {
        if let Some(company) = &self.inner.company {
            company.set_sockets(sockets);
        }
    }

    /// Hands a socket over to the node that holds its session: what the client sends is written
    /// into the stream, and what comes out of it is sent to the client.
    pub async fn hand_socket_over(
        &self,
        to: NodeId,
        preface: Bytes,
    ) -> Result<ByteStream, LinkError> {
        match &self.inner.company {
            Some(company) => company.links().open_stream(to, preface).await,
            None => Err(LinkError::Unreachable),
        }
    }

    /// Has other nodes take over what this node owns, one partition after the other, and waits
    /// until they have, or the time is up. Says whether they have. Sessions find their next node
    /// when they come back.
    pub async fn hand_over_all(&self, within: Duration) -> bool {
        let Some(company) = &self.inner.company else {
            return true;
        };
        company.own.lock().is_draining = true;
        let deadline = Instant::now() + within;
        while Instant::now() < deadline {
            let inner = &self.inner;
            let mut left = [
                (NodeRole::Worker, inner.events.all().is_empty()),
                (NodeRole::Gateway, inner.sequencers.is_empty()),
            ]
            .into_iter();
            // To nobody nothing is handed over.
            if left.all(|(role, is_empty)| is_empty || !company.has_takers(role)) {
                return true;
            }
            tokio::time::sleep(LOOK).await;
        }
        false
    }

    /// Takes this node off the list of nodes; others need not find out that it is gone.
    pub async fn leave(&self) {
        let Some(company) = &self.inner.company else {
            return;
        };
        let (node, incarnation) = {
            let own = company.own.lock();
            (own.node, own.incarnation)
        };
        company.note_left();
        // If this fails, the others find out.
        let _ = company.membership.resign(node, incarnation).await;
        let _ = company.membership.leave(node, incarnation).await;
        company.links().stop();
    }
}
