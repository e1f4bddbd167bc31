//! The side that connects: keeps a lane to a peer connected, and opens streams.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use guildhall_model::NodeId;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, info, warn};

use super::answers::ByteStream;
use super::batch::Message;
use super::bounds::{HELLO_WITHIN, PREFACE_BYTES_MAX, RETRY_AFTER};
use super::connection::{Frames, write_frames};
use super::error::{Ended, HelloError, Refusal};
use super::hello::{self, Party, Use};
use super::outbox::Outbox;
use super::states::{Standing, StateOf};
use super::tls::{self, Wire};
use super::{Lane, LinkError, Own};

/// Keeps one lane to one peer connected for as long as it runs.
pub(super) struct Caller {
    pub(super) own: Arc<Own>,
    pub(super) node: NodeId,
    pub(super) address: String,
    pub(super) lane: Lane,
    pub(super) outbox: Arc<Outbox>,
    pub(super) state: StateOf,
}

impl Caller {
    pub(super) async fn run(self) {
        let mut pause = Pause::default();
        let mut complaint = None;
        loop {
            let attempt = connect(&self.own, self.node, &self.address, Use::Lane(self.lane)).await;
            match attempt {
                Ok((io, peer)) => {
                    complaint = None;
                    let began = Instant::now();
                    self.attend(io, peer).await;
                    if began.elapsed() > RETRY_AFTER.1 {
                        pause = Pause::default();
                    }
                }
                Err(error) => {
                    self.outbox.metrics.failed_connections.increment(1);
                    let refused = error.is_nobody();
                    self.state.set(self.lane, Standing::Down { refused });
                    self.complain(&error, &mut complaint);
                }
            }
            sleep(pause.next(&self.own)).await;
        }
    }

    /// One line for each new reason why there is no connection, however often it is tried.
    fn complain(&self, error: &HelloError, last: &mut Option<String>) {
        let (node, lane, complaint) = (self.node, self.lane.name(), error.to_string());
        if last.as_ref() == Some(&complaint) {
            debug!(peer.node = %node, lane, "node {node} cannot be called: {complaint}");
        } else {
            warn!(peer.node = %node, lane, "node {node} cannot be called: {complaint}");
            *last = Some(complaint);
        }
    }

    /// Uses a connection until its end.
    async fn attend(&self, io: impl AsyncRead + AsyncWrite, peer: Party) {
        let (node, lane) = (self.node, self.lane.name());
        let open = self.outbox.open();
        self.outbox.metrics.connections.increment(1);
        self.state.set(self.lane, Standing::Up);
        info!(peer.node = %node, lane, "node {node} is connected");
        let (reader, writer) = tokio::io::split(io);
        let frames = Frames::new(reader, self.outbox.metrics.received_bytes.clone());
        let sent_bytes = &self.outbox.metrics.sent_bytes;
        // Cancel-safe: whichever ends first, the connection has ended.
        let ended = tokio::select! {
            ended = self.read_answers(frames) => ended,
            ended = write_frames(writer, self.outbox.as_ref(), sent_bytes) => ended,
            () = self.own.roster.outdated(peer) => Ended::Outdated,
        };
        drop(open);
        let refused = false;
        self.state.set(self.lane, Standing::Down { refused });
        warn!(peer.node = %node, lane, "the connection to node {node} ended: {ended}");
    }

    async fn read_answers(&self, mut frames: Frames<impl AsyncRead>) -> Ended {
        loop {
            let read = match frames.next().await {
                Ok(mut messages) => loop {
                    match messages.next() {
                        Ok(Some(Message::Answer { id, body })) => {
                            self.outbox.answered(id, Ok(body));
                        }
                        Ok(Some(Message::NoAnswer { id })) => {
                            self.outbox.answered(id, Err(LinkError::Lost));
                        }
                        Ok(Some(Message::Call { .. } | Message::Tell { .. })) => {
                            break Err(Ended::Unexpected);
                        }
                        Ok(None) => break Ok(()),
                        Err(error) => break Err(error),
                    }
                },
                Err(error) => Err(error),
            };
            if let Err(ended) = read {
                return ended;
            }
        }
    }
}

/// Opens a stream of its own to the peer.
pub(super) async fn open_stream(
    own: &Own,
    node: NodeId,
    address: &str,
    preface: &Bytes,
) -> Result<ByteStream, LinkError> {
    let length = u32::try_from(preface.len()).map_err(|_| LinkError::TooLarge)?;
    if preface.len() > PREFACE_BYTES_MAX {
        return Err(LinkError::TooLarge);
    }
    let opening = async {
        let (mut io, _) = connect(own, node, address, Use::Stream).await?;
        io.write_u32(length).await?;
        io.write_all(preface).await?;
        Ok(io)
    };
    let opened = timeout(HELLO_WITHIN, opening).await;
    match opened.unwrap_or(Err(HelloError::Slow)) {
        Ok(io) => Ok(Box::new(io)),
        Err(HelloError::Refused(Refusal::Busy)) => Err(LinkError::Busy),
        Err(error) => {
            debug!(peer.node = %node, "no stream to node {node}: {error}");
            Err(LinkError::Unreachable)
        }
    }
}

/// A connection to the peer after the hello, and which of its lives is at the other end.
pub(super) async fn connect(
    own: &Own,
    node: NodeId,
    address: &str,
    connection: Use,
) -> Result<(Wire<TcpStream>, Party), HelloError> {
    let connecting = async {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        let mut io = tls::call(own.identity.tls.as_ref(), socket, address).await?;
        let (newest, nonce) = (own.roster.newest(node), own.env.bytes());
        let incarnation =
            hello::call(&mut io, &own.identity, connection, node, newest, nonce).await?;
        let peer = Party { node, incarnation };
        own.roster.note(peer);
        Ok((io, peer))
    };
    let connected = timeout(HELLO_WITHIN, connecting).await;
    connected.unwrap_or(Err(HelloError::Slow))
}

/// The pauses between attempts: doubled each time, and each shortened by chance, so that nodes do
/// not call in step.
#[derive(Default)]
struct Pause {
    attempts: u32,
}

impl Pause {
    fn next(&mut self, own: &Own) -> Duration {
        let longest = RETRY_AFTER.0 * 2_u32.saturating_pow(self.attempts.min(16));
        self.attempts += 1;
        let [chance] = own.env.bytes();
        // Between half of it and all of it.
        longest.min(RETRY_AFTER.1) * (255 + u32::from(chance)) / 510
    }
}
