//! Frames whole and in pieces, within the rules and against them.

use proptest::prelude::*;

use super::*;
use crate::ws::{FrameKind, client_frame};

const LIMIT: usize = 64;
const KEY: [u8; 4] = [1, 2, 3, 4];

/// A client's frame with the shortest form of its length.
fn frame(flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![flags];
    match payload.len() {
        len @ 0..126 => bytes.push(0x80 | u8::try_from(len).unwrap()),
        len => {
            bytes.push(0x80 | 0x7E);
            bytes.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
    }
    bytes.extend(KEY);
    let start = bytes.len();
    bytes.extend(payload);
    unmask(&mut bytes[start..], KEY);
    bytes
}

/// Everything that a reader makes of these bytes if they come in pieces of this size.
fn read(bytes: &[u8], piece: usize) -> Result<Vec<Message>, Violation> {
    let mut reader = Reader::new(LIMIT);
    let (mut held, mut messages) = (Vec::new(), Vec::new());
    for piece in bytes.chunks(piece) {
        held.extend_from_slice(piece);
        while let Some((used, message)) = reader.read(&held)? {
            held.drain(..used);
            messages.extend(message);
        }
    }
    Ok(messages)
}

#[test]
fn a_message_is_read_however_it_is_cut_into_packets() {
    let bytes = [
        frame(0x81, b"hello"),
        frame(0x89, b"?"),
        frame(0x82, &[7; 40]),
    ]
    .concat();
    let expected = vec![
        Message::Text(b"hello".to_vec()),
        Message::Ping(b"?".to_vec()),
        Message::Binary(vec![7; 40]),
    ];
    for piece in 1..bytes.len() {
        assert_eq!(read(&bytes, piece), Ok(expected.clone()), "{piece}");
    }
}

#[test]
fn pieces_of_a_message_are_joined_and_control_frames_may_come_between() {
    let bytes = [
        frame(0x01, b"a\xC3"),
        frame(0x8A, b""),
        frame(0x00, b""),
        frame(0x80, b"\xA9b"),
    ]
    .concat();
    let text = Message::Text("aéb".as_bytes().to_vec());
    assert_eq!(read(&bytes, bytes.len()), Ok(vec![Message::Pong, text]));
}

#[test]
fn a_long_form_of_a_short_length_is_read() {
    let mut bytes = vec![0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0, 1];
    bytes.extend(KEY);
    bytes.push(9 ^ KEY[0]);
    assert_eq!(read(&bytes, 3), Ok(vec![Message::Binary(vec![9])]));
}

#[test]
fn what_breaks_the_framing_is_refused_at_its_header() {
    let mut unmasked = frame(0x81, b"{}");
    unmasked[1] &= 0x7F;
    for (what, bytes) in [
        ("a reserved bit", frame(0xC1, b"{}")),
        ("a reserved op code", frame(0x83, b"{}")),
        ("a reserved control op code", frame(0x8B, b"")),
        ("no mask", unmasked),
        ("a control frame in pieces", frame(0x09, b"")),
        ("a long ping", frame(0x89, &[b'x'; 126])),
        ("a continuation of nothing", frame(0x80, b"{}")),
        (
            "a text within a text",
            [frame(0x01, b"{"), frame(0x81, b"}")].concat(),
        ),
        ("half a close code", frame(0x88, &[3])),
    ] {
        let read = read(&bytes, bytes.len());
        assert!(
            matches!(read, Err(Violation::Protocol(_))),
            "{what}: {read:?}"
        );
    }
}

#[test]
fn a_length_beyond_the_limit_is_refused_before_the_payload_comes() {
    let mut endless = vec![0x81, 0xFF];
    endless.extend(u64::MAX.to_be_bytes());
    assert_eq!(read(&endless, endless.len()), Err(Violation::TooLong));
    let header = &frame(0x81, &[b'x'; LIMIT + 1])[..2];
    assert_eq!(read(header, 2), Err(Violation::TooLong));
    let whole = frame(0x81, &[b'x'; LIMIT]);
    assert_eq!(read(&whole, whole.len()).unwrap().len(), 1);
    let joined = [frame(0x01, &[b'x'; LIMIT]), frame(0x80, b"x")].concat();
    assert_eq!(read(&joined, joined.len()), Err(Violation::TooLong));
}

#[test]
fn empty_pieces_do_not_come_for_ever() {
    let mut bytes = frame(0x01, b"");
    for _ in 0..FRAGMENTS_FREE + LIMIT / FRAGMENT_BYTES {
        bytes.extend(frame(0x00, b""));
    }
    assert!(matches!(
        read(&bytes, bytes.len()),
        Err(Violation::Protocol(_))
    ));
}

#[test]
fn text_that_is_no_text_is_refused() {
    assert_eq!(read(&frame(0x81, b"\xFF"), 99), Err(Violation::NotUtf8));
    assert_eq!(
        read(&frame(0x88, b"\x03\xE8\xFF"), 99),
        Err(Violation::NotUtf8)
    );
    assert_eq!(read(&frame(0x82, b"\xFF"), 99).unwrap().len(), 1);
}

#[test]
fn a_close_names_a_code_that_may_be_sent() {
    let close = |code: u16| read(&frame(0x88, &code.to_be_bytes()), 99);
    for code in [1000, 1001, 1003, 1007, 1012, 3000, 4000, 4999] {
        assert_eq!(close(code), Ok(vec![Message::Close(Some(code))]));
    }
    for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000] {
        assert!(matches!(close(code), Err(Violation::Protocol(_))), "{code}");
    }
    assert_eq!(read(&frame(0x88, b""), 99), Ok(vec![Message::Close(None)]));
}

#[test]
fn what_the_server_writes_as_a_client_is_read_as_the_clients() {
    for len in [0, 125, 126, 65_535, 65_536] {
        let (mut bytes, payload) = (Vec::new(), vec![b'x'; len]);
        client_frame(FrameKind::Text, &payload, &mut bytes);
        let read = Reader::new(len).read(&bytes);
        assert_eq!(read, Ok(Some((bytes.len(), Some(Message::Text(payload))))));
    }
    let mut bytes = Vec::new();
    client_frame(FrameKind::Binary, &[7], &mut bytes);
    assert_eq!(read(&bytes, 1), Ok(vec![Message::Binary(vec![7])]));
}

#[test]
fn another_reader_goes_on_within_a_message() {
    for (opcode, message) in [
        (0x01, Message::Text(b"abc".to_vec())),
        (0x02, Message::Binary(b"abc".to_vec())),
    ] {
        let mut first = Reader::new(LIMIT);
        for piece in [frame(opcode, b"a"), frame(0x00, b"b")] {
            assert_eq!(first.read(&piece), Ok(Some((piece.len(), None))));
        }
        let mut bytes = Vec::new();
        first.unfinished(&mut bytes);
        bytes.extend(frame(0x80, b"c"));
        assert_eq!(read(&bytes, bytes.len()), Ok(vec![message]));
    }
    let mut bytes = Vec::new();
    Reader::new(LIMIT).unfinished(&mut bytes);
    assert!(bytes.is_empty(), "between messages nothing is unfinished");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>, piece in 1_usize..20) {
        let _ = read(&bytes, piece);
    }

    #[test]
    fn packets_make_no_difference(
        frames in prop::collection::vec((0_u8..16, any::<bool>(), prop::collection::vec(any::<u8>(), 0..40)), 0..6),
        piece in 1_usize..50,
    ) {
        let bytes: Vec<u8> = frames
            .iter()
            .flat_map(|(opcode, is_final, payload)| frame(opcode | u8::from(*is_final) << 7, payload))
            .collect();
        let whole = read(&bytes, bytes.len().max(1));
        let pieces = read(&bytes, piece);
        prop_assert_eq!(whole, pieces);
    }
}
