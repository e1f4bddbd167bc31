//! The side that listens: lets those in who know the secret, and gives each connection to its job.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use guildhall_model::NodeId;
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::answering::{Room, answer_lane};
use super::answers::Duplex;
use super::bounds::{ACCEPT_RETRY, HELLO_WITHIN, HELLOS_MAX, PREFACE_BYTES_MAX, STREAMS_MAX};
use super::error::{Ended, HelloError, Refusal};
use super::hello::{self, Party, Use, read_bounded};
use super::metrics::{LaneMetrics, refused_connections};
use super::{Answers, Lane, Own, tls};

/// Attends to all connections that others make to this node.
pub(super) struct Listener {
    own: Arc<Own>,
    answers: Arc<dyn Answers>,
    desks: Mutex<HashMap<(NodeId, Lane), Desk>>,
    streams: Arc<Semaphore>,
    metrics: [LaneMetrics; 2],
}

/// What one lane of one peer has: a single connection, since a new one replaces the one before.
#[derive(Default)]
struct Desk {
    present: CancellationToken,
    room: Room,
}

/// A connection that was let in.
enum Admitted {
    Lane(Lane),
    Stream {
        preface: Bytes,
        place: OwnedSemaphorePermit,
    },
}

impl Listener {
    pub(super) fn new(own: Arc<Own>, answers: Arc<dyn Answers>) -> Self {
        Self {
            own,
            answers,
            desks: Mutex::default(),
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            metrics: [Lane::Control, Lane::Bulk].map(LaneMetrics::of),
        }
    }

    /// Accepts connections for as long as it runs; they end with it.
    pub(super) async fn run(self: Arc<Self>, socket: TcpListener) {
        let hellos = Arc::new(Semaphore::new(HELLOS_MAX));
        let mut connections = JoinSet::new();
        // The semaphore is never closed.
        while let Ok(hello) = Arc::clone(&hellos).acquire_owned().await {
            // Cancel-safe: `accept` loses no connection.
            let accepted = tokio::select! {
                accepted = socket.accept() => accepted,
                Some(_) = connections.join_next() => continue,
            };
            match accepted {
                Ok((io, address)) => {
                    connections.spawn(Arc::clone(&self).attend_socket(io, address, hello));
                }
                Err(error) => {
                    warn!(%error, "the link accepted no connection; is the descriptor limit too low?");
                    sleep(ACCEPT_RETRY).await;
                }
            }
        }
    }

    async fn attend_socket(
        self: Arc<Self>,
        io: TcpStream,
        address: SocketAddr,
        hello: OwnedSemaphorePermit,
    ) {
        if let Err(error) = io.set_nodelay(true) {
            debug!(%error, "a socket does not take an option");
        }
        let io = tls::answer(self.own.identity.tls.as_ref(), io);
        if let Err(error) = self.attend(io, hello).await {
            if error.is_knock() {
                return debug!(%address, "somebody knocked at the link and left");
            }
            refused_connections().increment(1);
            warn!(%address, "the link refused a connection: {error}");
        }
    }

    /// Attends to a connection until its end, once TLS has been agreed on where there is any.
    pub(super) async fn attend<S: Duplex>(
        &self,
        io: impl Future<Output = Result<S, HelloError>>,
        hello: OwnedSemaphorePermit,
    ) -> Result<(), HelloError> {
        let welcoming = async {
            let mut io = io.await?;
            let (caller, admitted) = self.welcome(&mut io).await?;
            Ok((io, caller, admitted))
        };
        let welcomed = timeout(HELLO_WITHIN, welcoming).await;
        let (io, caller, admitted) = welcomed.unwrap_or(Err(HelloError::Slow))?;
        drop(hello);
        match admitted {
            Admitted::Lane(lane) => self.attend_lane(io, caller, lane).await,
            Admitted::Stream { preface, place } => {
                let stream = self.answers.stream(caller.node, preface, Box::new(io));
                // Cancel-safe: a stream has no more to lose than its connection.
                tokio::select! {
                    () = stream => {}
                    () = self.own.roster.outdated(caller) => {}
                }
                drop(place);
            }
        }
        Ok(())
    }

    async fn welcome(&self, io: &mut impl Duplex) -> Result<(Party, Admitted), HelloError> {
        let nonce = self.own.env.bytes();
        let admit = |caller, connection| self.admit(caller, connection);
        let (caller, connection, place) =
            hello::answer(io, &self.own.identity, nonce, admit).await?;
        let admitted = match (connection, place) {
            (Use::Stream, Some(place)) => {
                let preface = read_bounded(io, PREFACE_BYTES_MAX).await?;
                let preface = preface.ok_or(HelloError::Preface)?.into();
                Admitted::Stream { preface, place }
            }
            (Use::Stream, None) => return Err(HelloError::SentAway(Refusal::Busy)),
            (Use::Lane(lane), _) => Admitted::Lane(lane),
        };
        Ok((caller, admitted))
    }

    /// Whether somebody who has proved to know the secret is let in; a stream gets its place.
    fn admit(
        &self,
        caller: Party,
        connection: Use,
    ) -> Result<Option<OwnedSemaphorePermit>, Refusal> {
        if caller.incarnation < self.own.roster.newest(caller.node) {
            return Err(Refusal::Stale);
        }
        self.own.roster.note(caller);
        match connection {
            Use::Lane(_) => Ok(None),
            Use::Stream => match Arc::clone(&self.streams).try_acquire_owned() {
                Ok(place) => Ok(Some(place)),
                Err(_) => Err(Refusal::Busy),
            },
        }
    }

    async fn attend_lane(&self, io: impl Duplex, caller: Party, lane: Lane) {
        let present = CancellationToken::new();
        let room = {
            let mut desks = self.desks.lock();
            let desk = desks.entry((caller.node, lane)).or_default();
            std::mem::replace(&mut desk.present, present.clone()).cancel();
            desk.room.clone()
        };
        let [control, bulk] = &self.metrics;
        let metrics = match lane {
            Lane::Control => control,
            Lane::Bulk => bulk,
        };
        // Cancel-safe: whichever ends first, the connection has ended.
        let ended = tokio::select! {
            ended = answer_lane(io, caller.node, &self.answers, &room, metrics) => ended,
            () = self.own.roster.outdated(caller) => Ended::Outdated,
            () = present.cancelled() => Ended::Replaced,
        };
        let (node, lane) = (caller.node, lane.name());
        if ended.is_violation() {
            warn!(peer.node = %node, lane, "the connection from node {node} was closed: {ended}");
        } else {
            info!(peer.node = %node, lane, "the connection from node {node} ended: {ended}");
        }
    }
}

#[cfg(test)]
mod tests;
