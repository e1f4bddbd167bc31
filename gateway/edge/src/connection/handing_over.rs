//! How a socket goes to the node that holds its session, and what is left to do here.

use std::time::Duration;

use guildhall_host::ByteStream;
use guildhall_model::{NodeId, limits};
use guildhall_wire::CloseCode;
use tracing::debug;

use super::Task;
use super::ending::{End, close};
use crate::copying::{Patience, copy_both_ways, patient};
use crate::preface::Preface;
use crate::socket::STALL_MAX;

impl Task {
    /// Opens the way to the node that holds the session. `said` is RESUME and what the client has
    /// sent behind it. Where there is no way the client may try again, and comes to another node
    /// perhaps.
    pub(super) async fn hand_over(&mut self, to: NodeId, mut said: Vec<u8>) -> End {
        if self.hops >= limits::SOCKET_HOPS_MAX {
            debug!(node.id = %to, "a socket is not handed over once more");
            return close(CloseCode::UnknownError);
        }
        self.inlet.give_up(&mut said);
        let preface = Preface {
            agreement: self.outlet.agreement(),
            heartbeat_interval_ms: self.heartbeat_interval_ms,
            hops: self.hops + 1,
            early: said,
        };
        let opened = self.gateway.hand_socket_over(to, preface.encode()).await;
        match opened {
            Ok(stream) => {
                self.gateway.meters().handed_over.increment(1);
                End::HandedOver(stream)
            }
            Err(error) => {
                // The link says what is wrong; here it may be thousands at once.
                debug!(%error, node.id = %to, "a socket could not be handed over");
                close(CloseCode::UnknownError)
            }
        }
    }

    /// Copies until the client or the other node ends it, or this node is to go. The other node
    /// looks after heartbeats: it would acknowledge them, or close.
    pub(super) async fn pass_on(&mut self, stream: ByteStream) {
        let interval = Duration::from_millis(self.heartbeat_interval_ms.into());
        let to_client = Patience {
            silence: None,
            stall: Some(STALL_MAX),
        };
        let to_node = Patience {
            silence: Some(2 * interval),
            stall: Some(STALL_MAX),
        };
        let client = patient(self.socket.stream(), to_client);
        let node = patient(stream, to_node);
        tokio::select! {
            // Cancel-safe: the client resumes with what it has seen.
            () = copy_both_ways(client, node) => {}
            () = self.gateway.drained() => {}
        }
    }
}
