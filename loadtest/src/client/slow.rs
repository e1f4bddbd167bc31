//! A gateway socket of which hardly anything is read: a byte at a time, out of the least buffer that the
//! system has.

use std::io;

use fastwebsockets::{Frame, Payload, Role, WebSocketWrite, after_handshake_split};
use tokio::io::AsyncReadExt as _;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::gateway::Dialect;
use super::socket::{self, SocketError};
use super::target::Target;

/// What the kernel is asked to buffer for us; it takes a few kilobytes at least.
const RECEIVE_BYTES: u32 = 2048;

/// The socket.
pub struct SlowSocket {
    read: OwnedReadHalf,
    write: WebSocketWrite<OwnedWriteHalf>,
}

impl SlowSocket {
    /// Opens one.
    ///
    /// # Errors
    ///
    /// As [`socket::connect`].
    pub async fn open(target: &Target, dialect: Dialect) -> Result<Self, SocketError> {
        let (stream, _) = socket::open(target, dialect, Some(RECEIVE_BYTES)).await?;
        let (read, write) = stream.into_split();
        // What comes is never understood, so no reader of frames is needed.
        let (_, write) = after_handshake_split(tokio::io::empty(), write, Role::Client);
        Ok(Self { read, write })
    }

    /// Sends a text message. Its future must run to its end, or the stream is broken.
    ///
    /// # Errors
    ///
    /// When the connection is lost.
    pub async fn send(&mut self, text: String) -> Result<(), SocketError> {
        let payload = Payload::Owned(text.into_bytes());
        Ok(self.write.write_frame(Frame::text(payload)).await?)
    }

    /// Takes one byte. Cancel-safe.
    ///
    /// # Errors
    ///
    /// When the connection is lost or closed.
    pub async fn take_byte(&mut self) -> io::Result<()> {
        self.read.read_u8().await.map(drop)
    }
}
