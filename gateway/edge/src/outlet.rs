//! The writing side of a connection: frames of its own and shared bodies, in vectored writes.

use std::io::{self, IoSlice};
use std::ops::Range;

use bytes::Bytes;
use guildhall_host::session::{Outgoing, Payload};
use guildhall_model::dispatch::Viewer;
use guildhall_wire::dispatch::{self, EncodeError, Look};
use guildhall_wire::encode::{Agreement, Compression};
use guildhall_wire::ws::{self, FrameKind};
use guildhall_wire::{CloseCode, Dialect, Encoding, Spelling, compress, frame};
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;

/// Slices of one vectored write; the kernel takes up to 1,024.
const SLICES_MAX: usize = 512;

/// Writes a connection's frames. Its buffer is given back whenever nothing is under way.
pub(crate) struct Outlet {
    socket: OwnedWriteHalf,
    agreement: Agreement,
    spelling: Spelling,
}

/// Frames that are ready to be written together.
#[derive(Default)]
pub(crate) struct Batch {
    /// Headers and prefixes, one behind the other.
    heads: Vec<u8>,
    parts: Vec<(Range<usize>, Bytes)>,
}

impl Outlet {
    pub(crate) fn new(socket: OwnedWriteHalf, agreement: Agreement, spelling: Spelling) -> Self {
        Self {
            socket,
            agreement,
            spelling,
        }
    }

    pub(crate) const fn encoding(&self) -> Encoding {
        self.agreement.encoding
    }

    /// Writes the beginning of the stream and HELLO, in one message.
    pub(crate) async fn hello(&mut self, heartbeat_interval_ms: u32) -> io::Result<()> {
        let mut payload = Vec::new();
        frame::hello(self.agreement.encoding, heartbeat_interval_ms, &mut payload);
        let mut message = Vec::new();
        compress::open(self.agreement.compression, &mut message);
        compress::whole(self.agreement.compression, &payload, &mut message);
        self.message(&message).await
    }

    /// Writes a frame that belongs to this connection alone.
    pub(crate) async fn own(
        &mut self,
        write: impl FnOnce(Encoding, &mut Vec<u8>),
    ) -> io::Result<()> {
        let mut payload = Vec::new();
        write(self.agreement.encoding, &mut payload);
        if self.agreement.compression == Compression::None {
            return self.message(&payload).await;
        }
        let mut message = Vec::new();
        compress::whole(self.agreement.compression, &payload, &mut message);
        self.message(&message).await
    }

    async fn message(&mut self, payload: &[u8]) -> io::Result<()> {
        let mut out = Vec::with_capacity(payload.len() + ws::HEADER_BYTES_MAX);
        ws::header(self.kind(), payload.len(), &mut out);
        out.extend_from_slice(payload);
        self.socket.write_all(&out).await
    }

    pub(crate) async fn pong(&mut self, payload: &[u8]) -> io::Result<()> {
        let mut out = Vec::with_capacity(payload.len() + 2);
        ws::header(FrameKind::Pong, payload.len(), &mut out);
        out.extend_from_slice(payload);
        self.socket.write_all(&out).await
    }

    pub(crate) async fn close(&mut self, code: CloseCode, reason: &str) -> io::Result<()> {
        let payload = ws::close_payload(code, reason);
        let mut out = Vec::with_capacity(payload.len() + 2);
        ws::header(FrameKind::Close, payload.len(), &mut out);
        out.extend_from_slice(&payload);
        self.socket.write_all(&out).await?;
        self.socket.shutdown().await
    }

    const fn kind(&self) -> FrameKind {
        FrameKind::of(self.agreement.encoding, self.agreement.compression)
    }

    /// Adds a dispatch to a batch.
    pub(crate) fn add(
        &self,
        viewer: &Viewer,
        outgoing: &Outgoing,
        batch: &mut Batch,
    ) -> Result<(), EncodeError> {
        let body = self.body(viewer, &outgoing.payload)?;
        let name = dispatch::name(outgoing.payload.dispatch());
        let mut prefix = Vec::with_capacity(64);
        frame::dispatch_prefix(self.agreement.encoding, name, outgoing.s, &mut prefix);
        let start = batch.heads.len();
        if self.agreement.compression == Compression::None {
            ws::header(self.kind(), prefix.len() + body.len(), &mut batch.heads);
            batch.heads.extend_from_slice(&prefix);
        } else {
            let mut spliced = Vec::with_capacity(prefix.len() + 16);
            compress::splice_prefix(self.agreement.compression, &prefix, &mut spliced);
            ws::header(self.kind(), spliced.len() + body.len(), &mut batch.heads);
            batch.heads.extend_from_slice(&spliced);
        }
        batch.parts.push((start..batch.heads.len(), body));
        Ok(())
    }

    /// The body with what stands behind it, as all connections of this kind share it.
    fn body(&self, viewer: &Viewer, payload: &Payload) -> Result<Bytes, EncodeError> {
        let Agreement {
            encoding,
            compression,
            dialect,
            ..
        } = self.agreement;
        let look = Look {
            dialect,
            encoding,
            blanked: viewer.must_blank(payload.dispatch()),
        };
        payload.rendering(key(&look, compression), |dispatch| {
            let body = dispatch::body(dispatch, &look, &self.spelling)?;
            let suffix = frame::suffix(encoding);
            let whole = if suffix.is_empty() {
                body
            } else {
                let mut whole = Vec::with_capacity(body.len() + suffix.len());
                whole.extend_from_slice(&body);
                whole.extend_from_slice(suffix);
                whole.into()
            };
            Ok(match compression {
                Compression::None => whole,
                _ => compress::shared_body(compression, &whole),
            })
        })
    }

    /// Writes a batch. Not cancel-safe: a frame may be cut, so that the socket can only be closed.
    pub(crate) async fn write(&mut self, batch: &Batch) -> io::Result<()> {
        let mut slices: Vec<IoSlice<'_>> = Vec::with_capacity(2 * batch.parts.len());
        for (head, body) in &batch.parts {
            slices.push(IoSlice::new(&batch.heads[head.clone()]));
            slices.push(IoSlice::new(body));
        }
        let mut rest = &mut slices[..];
        while !rest.is_empty() {
            let upto = rest.len().min(SLICES_MAX);
            let n = self.socket.write_vectored(&rest[..upto]).await?;
            if n == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            IoSlice::advance_slices(&mut rest, n);
        }
        Ok(())
    }
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.parts.len()
    }
}

/// Numbers the ways in which one dispatch may look.
fn key(look: &Look, compression: Compression) -> u8 {
    let dialect = u8::from(look.dialect == Dialect::Native);
    let encoding = u8::from(look.encoding == Encoding::Msgpack);
    let compression = match compression {
        Compression::None => 0,
        Compression::Zlib => 1,
        Compression::Zstd => 2,
    };
    dialect | encoding << 1 | u8::from(look.blanked) << 2 | compression << 3
}
