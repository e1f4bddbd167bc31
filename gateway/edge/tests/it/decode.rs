//! Unpacks payloads as a stock client does: one decompressor per connection.

use flate2::{Decompress, FlushDecompress};
use serde_json::Value;
use zstd_safe::{DCtx, InBuffer, OutBuffer};

/// Bytes that one step of a decompressor may yield.
const STEP_BYTES: usize = 64 * 1024;

pub(crate) enum Decoder {
    Plain,
    Zlib(Box<Decompress>),
    Zstd(DCtx<'static>),
}

impl Decoder {
    /// What the query of the gateway's address asks for.
    pub(crate) fn of(query: &str) -> Self {
        if query.contains("compress=zlib-stream") {
            Self::Zlib(Box::new(Decompress::new(true)))
        } else if query.contains("compress=zstd-stream") {
            Self::Zstd(DCtx::create())
        } else {
            Self::Plain
        }
    }

    pub(crate) fn payload(&mut self, message: &[u8]) -> Value {
        let whole = match self {
            Self::Plain => message.to_vec(),
            Self::Zlib(inflate) => unzip(inflate, message),
            Self::Zstd(context) => unzstd(context, message),
        };
        serde_json::from_slice(&whole).unwrap()
    }
}

fn unzip(inflate: &mut Decompress, message: &[u8]) -> Vec<u8> {
    let (mut out, mut read) = (Vec::new(), 0);
    loop {
        let (read_before, written_before) = (inflate.total_in(), out.len());
        out.reserve(STEP_BYTES);
        let step = inflate.decompress_vec(&message[read..], &mut out, FlushDecompress::Sync);
        step.unwrap();
        read += usize::try_from(inflate.total_in() - read_before).unwrap();
        if read == message.len() && out.len() == written_before {
            return out;
        }
    }
}

fn unzstd(context: &mut DCtx<'static>, message: &[u8]) -> Vec<u8> {
    let mut input = InBuffer::around(message);
    let mut out = Vec::new();
    loop {
        let mut room = Vec::with_capacity(STEP_BYTES);
        let mut output = OutBuffer::around(&mut room);
        context
            .decompress_stream(&mut output, &mut input)
            .map_err(zstd_safe::get_error_name)
            .unwrap();
        let is_full = output.pos() == output.capacity();
        out.extend_from_slice(output.as_slice());
        if input.pos() == message.len() && !is_full {
            return out;
        }
    }
}
