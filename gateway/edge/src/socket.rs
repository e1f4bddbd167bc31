//! A client's stream as its one task uses it: it reads into no buffer of its own, and no write
//! waits for ever.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use guildhall_host::Duplex;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

/// Bytes that one read takes at most.
const READ_BYTES: usize = 16 * 1024;
/// How long a write may make no progress at all. A client that lives takes something within one
/// interval of its heartbeats.
pub(crate) const STALL_MAX: Duration = Duration::from_mins(1);

thread_local! {
    /// What all connections of a thread read into, one after the other: an idle connection holds
    /// no buffer.
    static READ: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

/// The stream of one connection.
#[derive(Debug)]
pub(crate) enum Socket {
    /// The client's own.
    Own(TcpStream),
    /// Another node has the client's; what goes through here is copied from there and to there.
    HandedOver(UnixStream),
}

/// The same for either stream.
macro_rules! on {
    ($socket:expr, $stream:ident => $work:expr) => {
        match $socket {
            Socket::Own($stream) => $work,
            Socket::HandedOver($stream) => $work,
        }
    };
}

impl Socket {
    /// Appends what has come to `held`. Zero bytes are the end.
    pub(crate) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        held: &mut Vec<u8>,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(on!(self, stream => stream.poll_read_ready(cx)))?;
            let read = READ.with_borrow_mut(|buffer| {
                let n = on!(self, stream => stream.try_read(buffer))?;
                held.extend_from_slice(&buffer[..n]);
                Ok(n)
            });
            match read {
                Err(error) if is_blocked(&error) => {}
                read => return Poll::Ready(read),
            }
        }
    }

    /// Writes what the system takes at once: `None` when it takes nothing now.
    pub(crate) fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<Option<usize>> {
        let written = match slices {
            [one] => on!(self, stream => stream.try_write(one)),
            many => on!(self, stream => stream.try_write_vectored(many)),
        };
        match written {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => Ok(Some(n)),
            Err(error) if is_blocked(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns when the system may take more, and fails when the client has stopped reading.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        let writable = on!(self, stream => timeout(STALL_MAX, stream.writable()).await);
        match writable {
            Ok(writable) => writable,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// Writes all of it. Not cancel-safe: a frame may be cut, so that the socket can only be closed.
    pub(crate) async fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.try_write(&[IoSlice::new(bytes)])? {
                Some(n) => bytes = &bytes[n..],
                None => self.writable().await?,
            }
        }
        Ok(())
    }

    /// Nothing more is written.
    pub(crate) async fn shut_down(&mut self) -> io::Result<()> {
        on!(self, stream => stream.shutdown().await)
    }

    /// The stream as others read and write it.
    pub(crate) fn stream(&mut self) -> &mut dyn Duplex {
        on!(self, stream => stream)
    }
}

fn is_blocked(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}
