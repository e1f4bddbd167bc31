//! Reads payloads as a stock client does: one decompressor per connection, then the encoding.

use flate2::{Decompress, FlushDecompress, Status};
use serde_json::Value;
use zstd_safe::{DCtx, InBuffer, OutBuffer};

use super::Payload;

/// Bytes that one step of a decompressor may yield.
const STEP_BYTES: usize = 64 * 1024;
/// What every message of a zlib stream ends with.
const ZLIB_SUFFIX: [u8; 4] = [0, 0, 0xff, 0xff];

pub(crate) struct Decoder {
    stream: Stream,
    is_msgpack: bool,
}

enum Stream {
    Plain,
    Zlib(Box<Decompress>),
    Zstd(DCtx<'static>),
}

impl Decoder {
    /// What the query of the gateway's address asks for.
    pub(crate) fn of(query: &str) -> Self {
        let stream = if query.contains("compress=zlib-stream") {
            Stream::Zlib(Box::new(Decompress::new(true)))
        } else if query.contains("compress=zstd-stream") {
            Stream::Zstd(DCtx::create())
        } else {
            Stream::Plain
        };
        Self {
            stream,
            is_msgpack: query.contains("encoding=msgpack"),
        }
    }

    pub(super) const fn is_msgpack(&self) -> bool {
        self.is_msgpack
    }

    pub(crate) fn payload(&mut self, message: &[u8]) -> Payload {
        let raw = match &mut self.stream {
            Stream::Plain => message.to_vec(),
            Stream::Zlib(inflate) => unzip(inflate, message),
            Stream::Zstd(context) => unzstd(context, message),
        };
        let whole: Value = if self.is_msgpack {
            rmp_serde::from_slice(&raw).expect("the payload is msgpack")
        } else {
            serde_json::from_slice(&raw).expect("the payload is JSON")
        };
        Payload {
            op: whole["op"].as_u64().expect("every payload has an op"),
            s: whole["s"].as_u64(),
            t: whole["t"].as_str().map(str::to_owned),
            d: whole["d"].clone(),
            raw,
        }
    }
}

fn unzip(inflate: &mut Decompress, message: &[u8]) -> Vec<u8> {
    assert!(message.ends_with(&ZLIB_SUFFIX), "a message ends flushed");
    let (mut out, mut read) = (Vec::new(), 0);
    loop {
        let (read_before, written_before) = (inflate.total_in(), out.len());
        out.reserve(STEP_BYTES);
        let step = inflate.decompress_vec(&message[read..], &mut out, FlushDecompress::Sync);
        let status = step.expect("the stream is zlib");
        assert_ne!(status, Status::StreamEnd, "the stream never ends");
        let step = inflate.total_in() - read_before;
        read += usize::try_from(step).expect("a message fits memory");
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
        let hint = context.decompress_stream(&mut output, &mut input);
        assert_ne!(hint.expect("the stream is zstd"), 0, "the frame never ends");
        let is_full = output.pos() == output.capacity();
        out.extend_from_slice(output.as_slice());
        if input.pos() == message.len() && !is_full {
            return out;
        }
    }
}
