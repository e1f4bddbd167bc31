//! A socket whose owner reads a byte per second for as long as that is wanted, and then hangs up.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

/// Between two bytes.
const PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Trickle {
    stream: TcpStream,
    is_slow: Arc<AtomicBool>,
    was_slow: bool,
    pause: Pin<Box<Sleep>>,
}

impl Trickle {
    pub(super) fn new(stream: TcpStream, is_slow: Arc<AtomicBool>) -> Self {
        let pause = Box::pin(sleep(PAUSE));
        Self {
            stream,
            is_slow,
            was_slow: false,
            pause,
        }
    }
}

impl AsyncRead for Trickle {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.is_slow.load(Ordering::Relaxed) {
            if self.was_slow {
                return Poll::Ready(Ok(()));
            }
            return Pin::new(&mut self.stream).poll_read(cx, out);
        }
        self.was_slow = true;
        ready!(self.pause.as_mut().poll(cx));
        let mut byte = [0];
        let mut one = ReadBuf::new(&mut byte);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut one))?;
        out.put_slice(one.filled());
        self.pause.as_mut().reset(Instant::now() + PAUSE);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Trickle {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
