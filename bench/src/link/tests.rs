//! What stock compressors write is read message by message, and nothing that is broken counts.

use flate2::{Compress, FlushCompress};
use zstd_safe::CCtx;
use zstd_safe::zstd_sys::ZSTD_EndDirective;

use super::*;

const CONTENT_BYTES: usize = 250;
const ALL: [Compression; 3] = [Compression::None, Compression::Zlib, Compression::Zstd];

/// A server's end of a connection, with libraries that are not ours.
enum Outlet {
    Plain,
    Zlib(Compress),
    Zstd(CCtx<'static>),
}

impl Outlet {
    fn new(compression: Compression) -> Self {
        match compression {
            Compression::None => Self::Plain,
            Compression::Zlib => Self::Zlib(Compress::new(flate2::Compression::fast(), true)),
            Compression::Zstd => Self::Zstd(CCtx::create()),
        }
    }

    fn write(&mut self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(2 * text.len() + 1024);
        match self {
            Self::Plain => out.extend_from_slice(text),
            Self::Zlib(deflate) => {
                let flush = FlushCompress::Sync;
                deflate.compress_vec(text, &mut out, flush).unwrap();
            }
            Self::Zstd(context) => {
                let mut output = OutBuffer::around(&mut out);
                let mut input = InBuffer::around(text);
                let flush = ZSTD_EndDirective::ZSTD_e_flush;
                let left = context.compress_stream2(&mut output, &mut input, flush);
                assert_eq!(left.unwrap(), 0);
            }
        }
        out
    }
}

fn message(s: u32, mark: u64) -> Vec<u8> {
    let mut text =
        format!(r#"{{"t":"MESSAGE_CREATE","s":{s},"op":0,"d":{{"content":""#).into_bytes();
    frame::content(mark, CONTENT_BYTES, &mut text);
    text.extend_from_slice(br#"","type":0}}"#);
    text
}

fn link(compression: Compression) -> Link {
    Link {
        dialect: Dialect::Discord,
        compression,
    }
}

fn reader() -> Reader {
    Reader::new(Marks::new(), CONTENT_BYTES)
}

fn frame(compression: Compression, payload: &[u8]) -> Frame<'_> {
    let opcode = match compression {
        Compression::None => frame::TEXT,
        _ => frame::BINARY,
    };
    Frame { opcode, payload }
}

#[test]
fn payloads_of_every_compression_are_heard_one_by_one() {
    for compression in ALL {
        let (mut outlet, mut inlet) = (Outlet::new(compression), Inlet::new(link(compression)));
        let mut reader = reader();
        let mut hear = |text: &[u8]| {
            let bytes = outlet.write(text);
            reader
                .hear(&mut inlet, &frame(compression, &bytes))
                .unwrap()
        };
        let hello = br#"{"t":null,"s":null,"op":10,"d":{"heartbeat_interval":1}}"#;
        assert_eq!(hear(hello), Heard::Other);
        // READY is larger than one step of a decompressor.
        let mut ready = br#"{"t":"READY","s":1,"op":0,"d":"#.to_vec();
        ready.extend((0..100_000_u32).flat_map(|n| n.to_string().into_bytes()));
        ready.push(b'}');
        assert_eq!(hear(&ready), Heard::Dispatch(1));
        for s in 2..50 {
            let mark = u64::from(s) * 7;
            assert_eq!(hear(&message(s, mark)), Heard::Message { s, mark });
        }
    }
}

#[test]
fn a_message_that_is_cut_or_changed_is_not_heard() {
    for compression in ALL {
        let bytes = Outlet::new(compression).write(&message(2, 7));
        for cut in 0..bytes.len() {
            let mut inlet = Inlet::new(link(compression));
            let heard = reader().hear(&mut inlet, &frame(compression, &bytes[..cut]));
            assert!(
                !matches!(heard, Ok(Heard::Message { .. })),
                "{compression:?} {cut}"
            );
        }
    }
    let as_posted = message(2, 7);
    let changes: [(&[u8], &[u8]); 3] = [(b"fox", b"cat"), (b"fox", b"fo"), (b"}}", b"}")];
    for (old, new) in changes {
        let at = memchr::memmem::find(&as_posted, old).unwrap();
        let text = [&as_posted[..at], new, &as_posted[at + old.len()..]].concat();
        let mut inlet = Inlet::new(link(Compression::None));
        let heard = reader().hear(&mut inlet, &frame(Compression::None, &text));
        assert!(heard.is_err(), "{heard:?}");
    }
}

#[test]
fn frames_of_another_kind_than_was_asked_for_are_refused() {
    for compression in ALL {
        let text = message(2, 7);
        let other = match compression {
            Compression::None => frame::BINARY,
            _ => frame::TEXT,
        };
        let frame = Frame {
            opcode: other,
            payload: &text,
        };
        let mut inlet = Inlet::new(link(compression));
        assert!(
            reader().hear(&mut inlet, &frame).is_err(),
            "{compression:?}"
        );
    }
}

#[test]
fn bots_name_intents_and_people_none() {
    let bot = link(Compression::Zlib);
    assert_eq!(
        bot.query(),
        "v=10&encoding=json&dialect=discord&compress=zlib-stream"
    );
    assert_eq!(bot.intents(), Some(33_281));
    assert_eq!(Link::default().intents(), None);
}
