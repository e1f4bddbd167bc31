//! Stock decompressors read every spliced stream, each message as soon as its bytes are there.

use flate2::{Decompress, FlushDecompress};
use proptest::prelude::*;
use zstd_safe::{DCtx, InBuffer, OutBuffer};

use super::*;

const STREAMS: [Compression; 2] = [Compression::Zlib, Compression::Zstd];
/// Longest body that the tests send: a guild with all its members.
const BODY_BYTES_MAX: usize = 400 * 1024;

/// A client's end of one connection: one decompressor for all messages.
enum Client {
    Zlib(Box<Decompress>),
    Zstd(DCtx<'static>),
}

impl Client {
    fn new(compression: Compression) -> Self {
        match compression {
            Compression::None => panic!("nothing to decompress"),
            Compression::Zlib => Self::Zlib(Box::new(Decompress::new(true))),
            Compression::Zstd => Self::Zstd(DCtx::create()),
        }
    }

    /// All that the stream says up to the end of these bytes.
    fn receive(&mut self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Zlib(inflate) => receive_zlib(inflate, message),
            Self::Zstd(context) => receive_zstd(context, message),
        }
    }
}

fn receive_zlib(inflate: &mut Decompress, message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() * 4 + 64);
    let start = inflate.total_in();
    loop {
        let read = usize::try_from(inflate.total_in() - start).unwrap();
        let before = out.len();
        inflate
            .decompress_vec(&message[read..], &mut out, FlushDecompress::Sync)
            .or_else(|error| {
                // zlib's word for "nothing to do", when the message is read to its end.
                let read = usize::try_from(inflate.total_in() - start).unwrap();
                (read == message.len())
                    .then_some(flate2::Status::BufError)
                    .ok_or(error)
            })
            .expect("the stream is valid");
        let read = usize::try_from(inflate.total_in() - start).unwrap();
        if read == message.len() && out.len() < out.capacity() {
            return out;
        }
        assert!(before < out.len() || out.len() == out.capacity());
        out.reserve(out.capacity());
    }
}

fn receive_zstd(context: &mut DCtx<'static>, message: &[u8]) -> Vec<u8> {
    let mut input = InBuffer::around(message);
    let mut out = Vec::new();
    loop {
        let mut room = Vec::with_capacity(1 << 16);
        let mut output = OutBuffer::around(&mut room);
        let hint = context
            .decompress_stream(&mut output, &mut input)
            .expect("the stream is valid");
        assert_ne!(hint, 0, "the frame never ends");
        let is_full = output.pos() == output.capacity();
        out.extend_from_slice(output.as_slice());
        if input.pos() == message.len() && !is_full {
            return out;
        }
    }
}

/// One message of a connection.
#[derive(Clone, Debug)]
enum Message {
    Shared { prefix: Vec<u8>, body: Vec<u8> },
    Whole(Vec<u8>),
}

impl Message {
    fn plain(&self) -> Vec<u8> {
        match self {
            Self::Shared { prefix, body } => [&prefix[..], body].concat(),
            Self::Whole(bytes) => bytes.clone(),
        }
    }

    fn packed(&self, compression: Compression, out: &mut Vec<u8>) {
        match self {
            Self::Shared { prefix, body } => {
                splice_prefix(compression, prefix, out);
                out.extend_from_slice(&shared_body(compression, body));
            }
            Self::Whole(bytes) => whole(compression, bytes, out),
        }
    }
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32;
        usize::try_from(high).unwrap() % sides
    }

    /// Text like a client's, noise, a run of one byte, or words that repeat at long distances.
    fn body(&mut self, len: usize) -> Vec<u8> {
        const WORDS: [&str; 8] = [
            "\"author\":{\"id\":\"175928847299117063\",",
            "\"content\":\"",
            "\"mentions\":[],",
            "\"timestamp\":\"2026-01-02T03:04:05.678000+00:00\",",
            "hello ",
            "\u{4f60}\u{597d}",
            "\"type\":0},",
            "null,",
        ];
        let mut body = Vec::with_capacity(len + 64);
        match self.roll(8) {
            0 => body.resize_with(len, || self.roll(256).to_le_bytes()[0]),
            1 => body.resize(len, b'a'),
            2 => {
                let noise = self.body_of_noise(self.0.to_le_bytes()[0].into());
                while body.len() < len {
                    body.extend_from_slice(&noise);
                    body.resize(body.len() + self.roll(20_000), b' ');
                }
            }
            _ => {
                while body.len() < len {
                    body.extend_from_slice(WORDS[self.roll(WORDS.len())].as_bytes());
                    body.extend_from_slice(self.roll(10_000).to_string().as_bytes());
                }
            }
        }
        body.truncate(len);
        body
    }

    fn body_of_noise(&mut self, len: usize) -> Vec<u8> {
        (0..=len).map(|_| self.roll(256).to_le_bytes()[0]).collect()
    }

    /// Small ones often, large ones too.
    fn size(&mut self) -> usize {
        let bound = 1 << self.roll(20);
        self.roll(bound).min(BODY_BYTES_MAX)
    }

    fn message(&mut self) -> Message {
        let len = self.size();
        let body = self.body(len);
        if self.roll(4) == 0 {
            return Message::Whole(body);
        }
        let prefix_len = if self.roll(50) == 0 {
            self.size()
        } else {
            self.roll(60)
        };
        let prefix = self.body(prefix_len);
        Message::Shared { prefix, body }
    }
}

#[test]
fn thousands_of_messages_are_read_one_by_one() {
    for compression in STREAMS {
        let mut dice = Dice(0x5EED);
        let mut client = Client::new(compression);
        let mut out = Vec::new();
        open(compression, &mut out);
        for n in 0..3_000 {
            let message = dice.message();
            message.packed(compression, &mut out);
            let is_read = client.receive(&out) == message.plain();
            assert!(is_read, "{compression:?}: message {n} of {}", out.len());
            out.clear();
        }
    }
}

/// What fan-out does: each connection has read other things before the shared body.
#[test]
fn one_body_is_read_by_connections_with_different_histories() {
    for compression in STREAMS {
        let mut dice = Dice(4711);
        let mut clients: Vec<Client> = (0..8).map(|_| Client::new(compression)).collect();
        let mut is_open = [false; 8];
        for _ in 0..200 {
            let plain = dice.body(2_000);
            let shared = shared_body(compression, &plain);
            for (client, is_open) in clients.iter_mut().zip(&mut is_open) {
                let mut out = Vec::new();
                if !*is_open {
                    open(compression, &mut out);
                    *is_open = true;
                }
                if dice.roll(3) == 0 {
                    let own_len = dice.roll(3_000);
                    let own = dice.body(own_len);
                    whole(compression, &own, &mut out);
                    assert_eq!(client.receive(&out), own);
                    out.clear();
                }
                if dice.roll(4) == 0 && out.is_empty() {
                    continue;
                }
                let prefix = dice.roll(1 << 31).to_string();
                splice_prefix(compression, prefix.as_bytes(), &mut out);
                out.extend_from_slice(&shared);
                let read = client.receive(&out);
                assert_eq!(read, [prefix.as_bytes(), &plain].concat());
            }
        }
    }
}

#[test]
fn a_zlib_message_ends_where_clients_look_for_its_end() {
    let mut dice = Dice(7);
    for len in (0..200).chain([65_534, 65_535, 65_536, 131_071, 400_000]) {
        let mut out = Vec::new();
        whole(Compression::Zlib, &dice.body(len), &mut out);
        assert!(out.ends_with(&[0, 0, 0xFF, 0xFF]), "length {len}");
    }
}

#[test]
fn text_shrinks_and_noise_hardly_grows() {
    let mut dice = Dice(11);
    let noise = dice.body_of_noise(200_000);
    let text =
        r#"{"content":"the quick brown fox","author":{"id":"175928847299117063"}},"#.repeat(20);
    for compression in STREAMS {
        let packed = shared_body(compression, text.as_bytes());
        let again = shared_body(compression, text.as_bytes());
        assert_eq!(
            packed, again,
            "{compression:?}: what came before leaves no trace"
        );
        assert!(
            packed.len() * 4 < text.len(),
            "{compression:?}: {}",
            packed.len()
        );
        for len in [0, 1, 10, 50, 1_000, 131_072, 131_075, 200_000] {
            let packed = shared_body(compression, &noise[..len]);
            let blocks = len.div_ceil(65_535) + 1;
            assert!(packed.len() <= len + 5 * blocks, "{compression:?}: {len}");
        }
    }
}

/// A body may end a few bytes behind a full block, where libzstd refuses to look for matches.
#[test]
fn bodies_around_the_size_of_a_block_are_read() {
    let mut dice = Dice(13);
    for compression in STREAMS {
        let mut client = Client::new(compression);
        let mut out = Vec::new();
        open(compression, &mut out);
        for blocks in [1, 2, 3] {
            for beyond in -9_i32..=9 {
                let len = usize::try_from(blocks * 131_072 + beyond).unwrap();
                let body = dice.body(len);
                whole(compression, &body, &mut out);
                assert!(client.receive(&out) == body, "{compression:?}: {len}");
                out.clear();
            }
        }
    }
}

#[test]
fn without_compression_bytes_pass_through() {
    let mut out = Vec::new();
    open(Compression::None, &mut out);
    splice_prefix(Compression::None, b"ab", &mut out);
    out.extend_from_slice(&shared_body(Compression::None, b"cd"));
    whole(Compression::None, b"ef", &mut out);
    assert_eq!(out, b"abcdef");
}

/// Short alphabets make matches, runs and repeated offsets.
fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        prop::collection::vec(0_u8..3, 0..3_000),
        prop::collection::vec("[a-d]{1,9}", 0..400).prop_map(|words| words.concat().into_bytes()),
        (any::<u8>(), 0_usize..5_000).prop_map(|(byte, len)| vec![byte; len]),
    ]
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        3 => (body(), body()).prop_map(|(prefix, body)| Message::Shared { prefix, body }),
        1 => body().prop_map(Message::Whole),
    ]
}

proptest! {
    #[test]
    fn every_stream_reads_back_message_by_message(
        messages in prop::collection::vec(message(), 1..12),
    ) {
        for compression in STREAMS {
            let mut client = Client::new(compression);
            let mut out = Vec::new();
            open(compression, &mut out);
            for message in &messages {
                message.packed(compression, &mut out);
                prop_assert_eq!(client.receive(&out), message.plain());
                out.clear();
            }
        }
    }
}
