//! Bytes both ways between two streams, until one side ends.

use std::io;
use std::pin::pin;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy, split};
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;
use tracing::debug;

use crate::farewell::GRACE;

/// How long a stream may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Without bringing anything.
    pub(crate) silence: Option<Duration>,
    /// Without taking anything.
    pub(crate) stall: Option<Duration>,
}

/// A stream that breaks when its patience is over.
pub(crate) fn patient<S: AsyncRead + AsyncWrite>(
    stream: S,
    patience: Patience,
) -> TimeoutStream<S> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_read_timeout(patience.silence);
    stream.set_write_timeout(patience.stall);
    stream
}

/// Copies until one side ends, and then the other way a moment longer: what comes last is still
/// read.
pub(crate) async fn copy_both_ways(
    one: impl AsyncRead + AsyncWrite,
    other: impl AsyncRead + AsyncWrite,
) {
    let (one, other) = (split(one), split(other));
    let mut there = pin!(copy_one_way(one.0, other.1));
    let mut back = pin!(copy_one_way(other.0, one.1));
    let left = async {
        tokio::select! {
            // Cancel-safe: the other way goes on, and both halves end with the streams.
            () = &mut there => timeout(GRACE, back).await,
            () = &mut back => timeout(GRACE, there).await,
        }
    };
    let _ = left.await;
}

/// The end of the one is the end of the other, whatever it came by.
async fn copy_one_way(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) {
    let copied: io::Result<u64> = copy(&mut from, &mut to).await;
    if let Err(error) = copied {
        debug!(%error, "a socket that was handed over broke");
    }
    let _ = to.shutdown().await;
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, duplex};
    use tokio::time::Instant;

    use super::*;

    const PATIENT: Patience = Patience {
        silence: None,
        stall: None,
    };
    const LIMIT: Duration = Duration::from_secs(7);

    #[tokio::test]
    async fn what_comes_last_is_read_before_the_end() {
        let ((mut client, near), (far, mut node)) = (duplex(4), duplex(4));
        let copying = tokio::spawn(copy_both_ways(near, far));
        client.write_all(b"question").await.unwrap();
        let mut question = [0; 8];
        node.read_exact(&mut question).await.unwrap();
        node.write_all(b"last").await.unwrap();
        node.shutdown().await.unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        client.write_all(b"bye").await.unwrap();
        client.shutdown().await.unwrap();
        let mut bye = Vec::new();
        node.read_to_end(&mut bye).await.unwrap();
        copying.await.unwrap();
        assert_eq!(
            (&question, &answer[..], &bye[..]),
            (b"question", &b"last"[..], &b"bye"[..])
        );
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_end_its_own_way_is_not_waited_for() {
        let ((client, near), (far, mut node)) = (duplex(4), duplex(4));
        let (copying, began) = (tokio::spawn(copy_both_ways(near, far)), Instant::now());
        node.shutdown().await.unwrap();
        copying.await.unwrap();
        assert_eq!(began.elapsed(), GRACE);
        drop(client);
    }

    #[tokio::test(start_paused = true)]
    async fn who_falls_silent_is_given_up() {
        let ((mut client, near), (far, node)) = (duplex(4), duplex(4));
        let silence = Some(LIMIT);
        let far = patient(far, Patience { silence, ..PATIENT });
        let (copying, began) = (tokio::spawn(copy_both_ways(near, far)), Instant::now());
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
        assert_eq!(began.elapsed(), LIMIT);
        drop(client);
        copying.await.unwrap();
        drop(node);
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_given_up() {
        let ((client, near), (far, mut node)) = (duplex(4), duplex(4));
        let stall = Some(LIMIT);
        let near = patient(near, Patience { stall, ..PATIENT });
        let (copying, began) = (tokio::spawn(copy_both_ways(near, far)), Instant::now());
        node.write_all(b"more than fits into it")
            .await
            .unwrap_or_default();
        copying.await.unwrap();
        assert_eq!(began.elapsed(), LIMIT + GRACE);
        drop(client);
    }
}
