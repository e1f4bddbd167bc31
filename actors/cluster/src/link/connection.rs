//! One lane's connection after the hello: frames both ways, each side heard at least every second.

use std::io;
use std::pin::Pin;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::StreamExt;
use metrics::Counter;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};
use tokio_io_timeout::TimeoutReader;
use tokio_util::codec::{FramedRead, LengthDelimitedCodec};

use super::batch::{Batch, Messages, framing};
use super::bounds::{PING_EVERY, SILENCE_MAX};
use super::error::Ended;

/// What waits to be sent.
pub(super) trait Source: Send + Sync {
    /// Moves what waits into the frame, in order, as far as there is room.
    fn fill(&self, batch: &mut Batch);

    /// Rings when something waits.
    fn bell(&self) -> &Notify;
}

/// Sends what waits, at once when nothing is being sent. What comes while a frame is being
/// written is in the next one together. Returns only with the connection's end.
pub(super) async fn write_frames<W>(mut io: W, source: &dyn Source, sent_bytes: &Counter) -> Ended
where
    W: AsyncWrite + Unpin,
{
    let mut number = 0;
    let mut last = Instant::now();
    loop {
        let mut batch = Batch::new(number);
        source.fill(&mut batch);
        if batch.is_empty() {
            let rung = timeout_at(last + PING_EVERY, source.bell().notified()).await;
            if rung.is_ok() {
                continue;
            }
            // The empty frame tells the other side that we live.
        }
        let bytes = batch.into_bytes();
        sent_bytes.increment(bytes.len() as u64);
        if let Err(error) = write_frame(&mut io, bytes).await {
            return error.into();
        }
        number += 1;
        last = Instant::now();
    }
}

/// Writes a frame as [`framing`] reads it, without a second copy of its bytes.
async fn write_frame<W: AsyncWrite + Unpin>(io: &mut W, bytes: Bytes) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    let mut frame = Bytes::copy_from_slice(&length.to_be_bytes()).chain(bytes);
    io.write_all_buf(&mut frame).await?;
    io.flush().await
}

/// Frames as they come.
pub(super) struct Frames<R> {
    // The silence is measured in bytes, because a large frame may take longer on its way.
    incoming: FramedRead<Pin<Box<TimeoutReader<R>>>, LengthDelimitedCodec>,
    frame: BytesMut,
    number: u64,
    received_bytes: Counter,
}

impl<R: AsyncRead> Frames<R> {
    pub(super) fn new(io: R, received_bytes: Counter) -> Self {
        let mut io = TimeoutReader::new(io);
        io.set_timeout(Some(SILENCE_MAX));
        Self {
            incoming: FramedRead::new(Box::pin(io), framing()),
            frame: BytesMut::new(),
            number: 0,
            received_bytes,
        }
    }

    /// The messages of the next frame. Who does not ask holds the other side back, and does not
    /// notice its silence.
    pub(super) async fn next(&mut self) -> Result<Messages<'_>, Ended> {
        self.frame = match self.incoming.next().await {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return Err(error.into()),
            None => return Err(Ended::Closed),
        };
        self.received_bytes.increment(self.frame.len() as u64);
        let number = self.number;
        self.number += 1;
        Messages::of(&self.frame, number)
    }
}

#[cfg(test)]
mod tests;
