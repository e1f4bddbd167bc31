//! What a connection writes, in the form that its client has asked for.

use bytes::Bytes;
use guildhall_host::session::{Outgoing, Payload};
use guildhall_model::dispatch::Viewer;
use guildhall_wire::dispatch::{self, EncodeError, Look};
use guildhall_wire::encode::{Agreement, Compression};
use guildhall_wire::ws::{self, FrameKind};
use guildhall_wire::{Dialect, Encoding, Installation, compress, frame};

use crate::batch::Batch;

/// Bytes that a compressed stream puts around a stored prefix, about; more only costs time.
const SPLICE_BYTES: usize = 16;

/// The form of a connection's frames.
#[derive(Debug)]
pub(crate) struct Outlet {
    agreement: Agreement,
    installation: Installation,
}

impl Outlet {
    pub(crate) const fn new(agreement: Agreement, installation: Installation) -> Self {
        Self {
            agreement,
            installation,
        }
    }

    pub(crate) const fn agreement(&self) -> Agreement {
        self.agreement
    }

    pub(crate) const fn encoding(&self) -> Encoding {
        self.agreement.encoding
    }

    /// The beginning of the stream and HELLO, in one message.
    pub(crate) fn hello(&self, heartbeat_interval_ms: u32) -> Vec<u8> {
        let mut payload = Vec::new();
        frame::hello(self.agreement.encoding, heartbeat_interval_ms, &mut payload);
        let mut message = Vec::new();
        compress::open(self.agreement.compression, &mut message);
        compress::whole(self.agreement.compression, &payload, &mut message);
        self.message(&message)
    }

    /// A frame that belongs to this connection alone.
    pub(crate) fn own(&self, write: impl FnOnce(Encoding, &mut Vec<u8>)) -> Vec<u8> {
        let mut payload = Vec::new();
        write(self.agreement.encoding, &mut payload);
        if self.agreement.compression == Compression::None {
            return self.message(&payload);
        }
        let mut message = Vec::new();
        compress::whole(self.agreement.compression, &payload, &mut message);
        self.message(&message)
    }

    fn message(&self, payload: &[u8]) -> Vec<u8> {
        ws::frame(self.kind(), payload)
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
        let Batch { bytes, prefix, .. } = batch;
        prefix.clear();
        frame::dispatch_prefix(self.agreement.encoding, name, outgoing.s, prefix);
        if self.agreement.compression == Compression::None {
            ws::header(self.kind(), prefix.len() + body.len(), bytes);
            bytes.extend_from_slice(prefix);
        } else {
            let mut spliced = Vec::with_capacity(prefix.len() + SPLICE_BYTES);
            compress::splice_prefix(self.agreement.compression, prefix, &mut spliced);
            ws::header(self.kind(), spliced.len() + body.len(), bytes);
            bytes.extend_from_slice(&spliced);
        }
        batch.add_body(body);
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
        payload.rendering(key(look, compression), |dispatch| {
            let body = dispatch::body(dispatch, &look, &self.installation)?;
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
}

/// Numbers the ways in which one dispatch may look.
fn key(look: Look, compression: Compression) -> u8 {
    let dialect = u8::from(look.dialect == Dialect::Native);
    let encoding = u8::from(look.encoding == Encoding::Msgpack);
    let compression = match compression {
        Compression::None => 0,
        Compression::Zlib => 1,
        Compression::Zstd => 2,
    };
    dialect | encoding << 1 | u8::from(look.blanked) << 2 | compression << 3
}
