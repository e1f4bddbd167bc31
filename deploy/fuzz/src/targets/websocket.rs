//! The reader of a client's WebSocket frames: what was framed by the rules is read as it was
//! meant, in whatever pieces it arrives; what breaks a rule is refused with the right code.

use guildhall_wire::ws::reader::{Message, Reader, Violation};

use crate::script::Script;

const MESSAGE_BYTES_MAX: usize = 600;
/// Pieces of a message: a reader has to take one for every 16 bytes, and some more.
const PIECES_MAX: usize = MESSAGE_BYTES_MAX / 16;
/// Codes that a client may close with, and some that nobody may.
const GOOD_CODES: [u16; 6] = [1000, 1001, 1007, 1011, 3000, 4999];
const BAD_CODES: [u16; 8] = [0, 999, 1004, 1005, 1006, 1015, 2999, 5000];
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// What reading a stream comes to.
type Outcome = (Vec<Message>, Option<Violation>);

pub(crate) fn run(bytes: &[u8]) {
    check_pieces(bytes);
    let mut script = Script::new(bytes);
    let mut stream = Vec::new();
    let mut meant = Vec::new();
    for _ in 0..script.below(8) {
        message(&mut script, &mut stream, &mut meant);
    }
    assert_eq!(read(&stream), (meant.clone(), None));
    let is_refused = fault(&mut script, &mut stream);
    let (messages, violation) = read(&stream);
    assert_eq!(messages, meant);
    assert_eq!(violation.map(|it| it.close_code().into()), Some(is_refused));
    check_pieces(&stream);
}

/// All messages of a stream that is there at once.
fn read(stream: &[u8]) -> Outcome {
    let mut reader = Reader::new(MESSAGE_BYTES_MAX);
    let mut messages = Vec::new();
    let mut rest = stream;
    loop {
        match reader.read(rest) {
            Ok(Some((length, message))) => {
                messages.extend(message);
                rest = &rest[length..];
            }
            Ok(None) => return (messages, None),
            Err(violation) => return (messages, Some(violation)),
        }
    }
}

/// The same of a stream that comes byte by byte.
fn check_pieces(stream: &[u8]) {
    let mut reader = Reader::new(MESSAGE_BYTES_MAX);
    let mut outcome: Outcome = (Vec::new(), None);
    let mut begin = 0;
    'stream: for end in 1..=stream.len() {
        loop {
            match reader.read(&stream[begin..end]) {
                Ok(Some((length, message))) => {
                    begin += length;
                    outcome.0.extend(message);
                }
                Ok(None) => break,
                Err(violation) => {
                    outcome.1 = Some(violation);
                    break 'stream;
                }
            }
        }
    }
    assert_eq!(outcome, read(stream));
    assert!(outcome.0.iter().all(|message| match message {
        Message::Text(bytes) => {
            bytes.len() <= MESSAGE_BYTES_MAX && std::str::from_utf8(bytes).is_ok()
        }
        Message::Binary(bytes) => bytes.len() <= MESSAGE_BYTES_MAX,
        Message::Ping(bytes) => bytes.len() <= 125,
        Message::Pong | Message::Close(_) => true,
    }));
}

fn message(script: &mut Script<'_>, stream: &mut Vec<u8>, meant: &mut Vec<Message>) {
    if script.below(3) == 0 {
        return control(script, stream, meant);
    }
    let text = script.text(200);
    let opcode = script.pick(&[TEXT, BINARY]);
    let mut rest = text.as_bytes();
    for count in 1.. {
        // Pieces end anywhere, also within a character; empty ones are allowed.
        let (piece, after) = rest.split_at(script.below(rest.len() + 1));
        let is_last = after.is_empty() || count == PIECES_MAX || script.below(4) == 0;
        let piece = if is_last { rest } else { piece };
        let opcode = if count == 1 { opcode } else { 0 };
        frame(script, opcode, is_last, piece, stream);
        if is_last {
            break;
        }
        rest = after;
        if script.below(4) == 0 {
            control(script, stream, meant);
        }
    }
    let bytes = text.into_bytes();
    meant.push(if opcode == TEXT {
        Message::Text(bytes)
    } else {
        Message::Binary(bytes)
    });
}

fn control(script: &mut Script<'_>, stream: &mut Vec<u8>, meant: &mut Vec<Message>) {
    let (opcode, payload, message) = match script.below(4) {
        0 => (PONG, b"alive".to_vec(), Message::Pong),
        1 => (CLOSE, Vec::new(), Message::Close(None)),
        2 => {
            let code = script.pick(&GOOD_CODES);
            let payload = [&code.to_be_bytes(), &b"bye"[..]].concat();
            (CLOSE, payload, Message::Close(Some(code)))
        }
        _ => {
            let length = script.below(126);
            let payload = script.take(length).to_vec();
            (PING, payload.clone(), Message::Ping(payload))
        }
    };
    frame(script, opcode, true, &payload, stream);
    meant.push(message);
}

/// A frame as a client writes it.
fn frame(
    script: &mut Script<'_>,
    opcode: u8,
    is_final: bool,
    payload: &[u8],
    stream: &mut Vec<u8>,
) {
    let mask = script.u32().to_be_bytes();
    head(opcode, is_final, payload.len() as u64, mask, stream);
    let masked = payload.iter().zip(mask.iter().cycle());
    stream.extend(masked.map(|(byte, key)| byte ^ key));
}

fn head(opcode: u8, is_final: bool, length: u64, mask: [u8; 4], stream: &mut Vec<u8>) {
    stream.push(u8::from(is_final) << 7 | opcode);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length), _) if length < 126 => stream.push(0x80 | length),
        (_, Ok(length)) => {
            stream.push(0xFE);
            stream.extend(length.to_be_bytes());
        }
        _ => {
            stream.push(0xFF);
            stream.extend(length.to_be_bytes());
        }
    }
    stream.extend(mask);
}

/// Breaks one rule, between two messages, and tells the close code that it earns.
fn fault(script: &mut Script<'_>, stream: &mut Vec<u8>) -> u16 {
    const PROTOCOL_ERROR: u16 = 1002;
    const NOT_UTF8: u16 = 1007;
    const TOO_LONG: u16 = 4002;
    let begin = stream.len();
    match script.below(13) {
        0 => {
            frame(script, TEXT, true, b"unmasked", stream);
            stream[begin + 1] &= 0x7F;
        }
        1 => {
            frame(script, TEXT, true, b"reserved", stream);
            stream[begin] |= 0x10 << script.below(3);
        }
        2 => {
            let opcode = script.pick(&[3, 4, 5, 6, 7, 11, 12, 13, 14, 15]);
            frame(script, opcode, true, b"", stream);
        }
        3 => {
            let opcode = script.pick(&[CLOSE, PING, PONG]);
            frame(script, opcode, false, b"", stream);
        }
        4 => {
            let opcode = script.pick(&[CLOSE, PING, PONG]);
            head(opcode, true, 126 + script.u64() / 2, [0; 4], stream);
        }
        5 => frame(script, 0, true, b"of nothing", stream),
        6 => {
            frame(script, TEXT, false, b"a message", stream);
            let opcode = script.pick(&[TEXT, BINARY]);
            frame(script, opcode, true, b"within", stream);
        }
        7 => frame(script, CLOSE, true, &[3], stream),
        8 => {
            let code = script.pick(&BAD_CODES);
            frame(script, CLOSE, true, &code.to_be_bytes(), stream);
        }
        9 => {
            // Nothing, for ever.
            frame(script, BINARY, false, b"", stream);
            for _ in 0..2 * PIECES_MAX {
                frame(script, 0, false, b"", stream);
            }
        }
        10 => {
            let bad: [&[u8]; 4] = [b"\xFF", b"\xC0\x80", b"\xED\xA0\x80", b"\xE2\x82"];
            let bad = script.pick(&bad);
            if script.is_set() {
                frame(script, TEXT, true, bad, stream);
            } else {
                frame(script, CLOSE, true, &[&[3, 232], bad].concat(), stream);
            }
            return NOT_UTF8;
        }
        11 => {
            let part = vec![b'a'; 1 + script.below(MESSAGE_BYTES_MAX)];
            frame(script, TEXT, false, &part, stream);
            let beyond = (MESSAGE_BYTES_MAX - part.len()) as u64 + 1;
            head(0, true, beyond, [0; 4], stream);
            return TOO_LONG;
        }
        _ => {
            let beyond = MESSAGE_BYTES_MAX as u64 + 1 + script.u64() / 2;
            let opcode = script.pick(&[TEXT, BINARY]);
            head(opcode, true, beyond, [0; 4], stream);
            return TOO_LONG;
        }
    }
    PROTOCOL_ERROR
}
