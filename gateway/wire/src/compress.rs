//! Transport compression that costs a connection nothing: what many sessions receive is compressed
//! once and spliced into each connection's stream.
//!
//! A stream is opened once. Then each message is a session's own prefix, which travels as it is
//! inside the stream's framing, before a shared body whose compressed bytes refer to nothing
//! outside themselves. Any stock decompressor reads the stream, message by message. Against a
//! context per connection this saves 320 KB (zlib) or more (zstd) of memory and most of the CPU;
//! it gives away the ratio that history would bring.
//!
//! Without compression every function passes the bytes through.

mod sequences;
mod zlib;
mod zstd;

use bytes::Bytes;

use crate::encode::Compression;

/// Writes what a stream begins with, before its first message.
pub fn open(compression: Compression, out: &mut Vec<u8>) {
    match compression {
        Compression::None => {}
        Compression::Zlib => zlib::open(out),
        Compression::Zstd => zstd::open(out),
    }
}

/// The compressed form of what many sessions receive: the body with the encoding's suffix. Made
/// once per event; it may stand in any stream at the end of a message, any number of times.
pub fn shared_body(compression: Compression, bytes: &[u8]) -> Bytes {
    let mut out = Vec::new();
    whole(compression, bytes, &mut out);
    // What is kept for many sessions is kept for long: without spare room.
    out.shrink_to_fit();
    out.into()
}

/// Writes a session's own bytes before a shared body, uncompressed inside the stream's framing.
pub fn splice_prefix(compression: Compression, prefix: &[u8], out: &mut Vec<u8>) {
    match compression {
        Compression::None => out.extend_from_slice(prefix),
        Compression::Zlib => zlib::stored(prefix, out),
        Compression::Zstd => zstd::raw(prefix, out),
    }
}

/// Writes a message that is not shared. Like a shared body it needs no prefix.
pub fn whole(compression: Compression, bytes: &[u8], out: &mut Vec<u8>) {
    match compression {
        Compression::None => out.extend_from_slice(bytes),
        Compression::Zlib => zlib::message_end(bytes, out),
        Compression::Zstd => zstd::blocks(bytes, out),
    }
}

#[cfg(test)]
mod tests;
