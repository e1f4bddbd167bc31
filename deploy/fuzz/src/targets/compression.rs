//! The spliced streams: stock decompressors read every message as soon as its bytes are there.

use flate2::{Decompress, FlushDecompress};
use guildhall_wire::Compression;
use guildhall_wire::compress::{open, shared_body, splice_prefix, whole};
use zstd_safe::{DCtx, InBuffer, OutBuffer};

use crate::script::Script;

/// Messages of one connection.
const MESSAGES_MAX: usize = 12;
/// Bytes of one message, about: more than two blocks of zstd, which is what could go wrong.
const MESSAGE_BYTES_MAX: usize = 300 * 1024;
/// How a message of a zlib stream ends.
const ZLIB_END: [u8; 4] = [0, 0, 0xFF, 0xFF];

pub(crate) fn run(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let mut zlib = Decompress::new(true);
    let mut zstd = DCtx::create();
    let mut streams = [Vec::new(), Vec::new()];
    open(Compression::Zlib, &mut streams[0]);
    open(Compression::Zstd, &mut streams[1]);
    for _ in 0..MESSAGES_MAX {
        if script.is_over() {
            break;
        }
        let prefix = script.is_set().then(|| stretch(&mut script));
        let body = stretch(&mut script);
        for (compression, out) in [Compression::Zlib, Compression::Zstd]
            .into_iter()
            .zip(&mut streams)
        {
            match &prefix {
                Some(prefix) => {
                    splice_prefix(compression, prefix, out);
                    out.extend_from_slice(&shared_body(compression, &body));
                }
                None => whole(compression, &body, out),
            }
        }
        let plain = [prefix.unwrap_or_default(), body].concat();
        assert!(streams[0].ends_with(&ZLIB_END));
        assert!(inflated(&mut zlib, &streams[0]) == plain, "zlib");
        assert!(decompressed(&mut zstd, &streams[1]) == plain, "zstd");
        streams.iter_mut().for_each(Vec::clear);
    }
}

/// Bytes of the script, runs of one byte, and repetitions of what came before, near and far.
fn stretch(script: &mut Script<'_>) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    for _ in 0..script.below(8) {
        match script.below(4) {
            0 => {
                let length = script.below(200);
                out.extend_from_slice(script.take(length));
            }
            1 => {
                let (byte, length) = (script.byte(), length(script));
                out.resize(out.len() + length, byte);
            }
            2 if script.below(4) == 0 => out.resize(
                out.len().next_multiple_of(128 * 1024) + script.below(8),
                b' ',
            ),
            _ => {
                let from = out.len().saturating_sub(1 + length(script));
                let upto = (from + script.below(2_000)).min(out.len());
                out.extend_from_within(from..upto);
            }
        }
        out.truncate(MESSAGE_BYTES_MAX);
    }
    out
}

/// Mostly short.
fn length(script: &mut Script<'_>) -> usize {
    if script.below(4) == 0 {
        script.below(60_000)
    } else {
        script.below(256)
    }
}

/// All that the stream says up to the end of these bytes.
fn inflated(inflate: &mut Decompress, message: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(64 * 1024);
    let start = inflate.total_in();
    loop {
        let read = usize::try_from(inflate.total_in() - start).expect("less than the message");
        let rest = &message[read..];
        let step = inflate.decompress_vec(rest, &mut plain, FlushDecompress::Sync);
        let is_full = plain.len() == plain.capacity();
        let read = usize::try_from(inflate.total_in() - start).expect("less than the message");
        // zlib's word for "nothing to do" is an error; that is right only at the end.
        assert!(step.is_ok() || read == message.len(), "the stream is valid");
        if read == message.len() && !is_full {
            return plain;
        }
        assert!(is_full, "nothing is left unread");
        plain.reserve(plain.capacity());
    }
}

fn decompressed(context: &mut DCtx<'static>, message: &[u8]) -> Vec<u8> {
    let mut input = InBuffer::around(message);
    let mut plain = Vec::new();
    loop {
        let mut room = Vec::with_capacity(1 << 16);
        let mut output = OutBuffer::around(&mut room);
        let hint = context
            .decompress_stream(&mut output, &mut input)
            .expect("the stream is valid");
        assert_ne!(hint, 0, "the frame never ends");
        let is_full = output.pos() == output.capacity();
        plain.extend_from_slice(output.as_slice());
        if input.pos() == message.len() && !is_full {
            return plain;
        }
    }
}
