//! What the server writes around and beside the bodies: a dispatch's envelope and the frames that
//! have no body.
//!
//! A dispatch is a prefix that each session gets for itself (`t`, `s`, `op`) before a body that
//! all sessions share. The keys stand in the order `t`, `s`, `op`, `d`, and frames that are no
//! dispatch carry `t` and `s` as null, because twilight looks for the first `"t":`, `"s":` and
//! `"op":` in the text.

use rmp::encode as msgpack;

use crate::encode::Encoding;
use crate::opcode::Opcode;

/// Writes into a vector, which takes every write.
const INFALLIBLE: &str = "a vector takes every write";

/// Writes what stands before the body of the dispatch `name` with the number `s`.
pub fn dispatch_prefix(encoding: Encoding, name: &str, s: u32, out: &mut Vec<u8>) {
    envelope(encoding, Some((name, s)), Opcode::Dispatch, out);
}

/// What stands behind the body.
pub const fn suffix(encoding: Encoding) -> &'static [u8] {
    match encoding {
        Encoding::Json => b"}",
        Encoding::Msgpack => b"",
    }
}

/// The first frame of every connection.
pub fn hello(encoding: Encoding, heartbeat_interval_ms: u32, out: &mut Vec<u8>) {
    envelope(encoding, None, Opcode::Hello, out);
    match encoding {
        Encoding::Json => {
            out.extend_from_slice(br#"{"heartbeat_interval":"#);
            integer(heartbeat_interval_ms, out);
            out.push(b'}');
        }
        Encoding::Msgpack => {
            msgpack::write_map_len(out, 1).expect(INFALLIBLE);
            msgpack::write_str(out, "heartbeat_interval").expect(INFALLIBLE);
            msgpack::write_uint(out, heartbeat_interval_ms.into()).expect(INFALLIBLE);
        }
    }
    out.extend_from_slice(suffix(encoding));
}

/// Asks the client for a heartbeat at once.
pub fn heartbeat(encoding: Encoding, out: &mut Vec<u8>) {
    without_data(encoding, Opcode::Heartbeat, out);
}

/// Answers a heartbeat.
pub fn heartbeat_ack(encoding: Encoding, out: &mut Vec<u8>) {
    without_data(encoding, Opcode::HeartbeatAck, out);
}

/// Asks the client to connect again and RESUME.
pub fn reconnect(encoding: Encoding, out: &mut Vec<u8>) {
    without_data(encoding, Opcode::Reconnect, out);
}

/// Says that there is no session; `resumable` where the client may try RESUME again.
pub fn invalid_session(encoding: Encoding, resumable: bool, out: &mut Vec<u8>) {
    envelope(encoding, None, Opcode::InvalidSession, out);
    match encoding {
        Encoding::Json => {
            out.extend_from_slice(if resumable { b"true" } else { b"false" });
        }
        Encoding::Msgpack => msgpack::write_bool(out, resumable).expect(INFALLIBLE),
    }
    out.extend_from_slice(suffix(encoding));
}

/// Ends a replay. `s` is the number of the last dispatch that was replayed: RESUMED takes none of
/// its own. Its data is an object, because discord.py and its relatives fail on null.
pub fn resumed(encoding: Encoding, s: u32, out: &mut Vec<u8>) {
    dispatch_prefix(encoding, "RESUMED", s, out);
    match encoding {
        Encoding::Json => out.extend_from_slice(b"{}"),
        Encoding::Msgpack => {
            msgpack::write_map_len(out, 0).expect(INFALLIBLE);
        }
    }
    out.extend_from_slice(suffix(encoding));
}

fn without_data(encoding: Encoding, opcode: Opcode, out: &mut Vec<u8>) {
    envelope(encoding, None, opcode, out);
    match encoding {
        Encoding::Json => out.extend_from_slice(b"null"),
        Encoding::Msgpack => msgpack::write_nil(out).expect(INFALLIBLE),
    }
    out.extend_from_slice(suffix(encoding));
}

/// Everything before the value of `d`.
fn envelope(encoding: Encoding, dispatch: Option<(&str, u32)>, opcode: Opcode, out: &mut Vec<u8>) {
    debug_assert!(
        dispatch.is_none_or(|(name, _)| name.bytes().all(|b| b == b'_' || b.is_ascii_uppercase())),
        "names of dispatches need no escapes"
    );
    match encoding {
        Encoding::Json => json_envelope(dispatch, opcode, out),
        Encoding::Msgpack => msgpack_envelope(dispatch, opcode, out),
    }
}

fn json_envelope(dispatch: Option<(&str, u32)>, opcode: Opcode, out: &mut Vec<u8>) {
    if let Some((name, s)) = dispatch {
        out.extend_from_slice(br#"{"t":""#);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(br#"","s":"#);
        integer(s, out);
        out.extend_from_slice(br#","op":"#);
    } else {
        out.extend_from_slice(br#"{"t":null,"s":null,"op":"#);
    }
    integer(u8::from(opcode).into(), out);
    out.extend_from_slice(br#","d":"#);
}

fn msgpack_envelope(dispatch: Option<(&str, u32)>, opcode: Opcode, out: &mut Vec<u8>) {
    msgpack::write_map_len(out, 4).expect(INFALLIBLE);
    msgpack::write_str(out, "t").expect(INFALLIBLE);
    match dispatch {
        Some((name, _)) => msgpack::write_str(out, name).expect(INFALLIBLE),
        None => msgpack::write_nil(out).expect(INFALLIBLE),
    }
    msgpack::write_str(out, "s").expect(INFALLIBLE);
    match dispatch {
        Some((_, s)) => {
            msgpack::write_uint(out, s.into()).expect(INFALLIBLE);
        }
        None => msgpack::write_nil(out).expect(INFALLIBLE),
    }
    msgpack::write_str(out, "op").expect(INFALLIBLE);
    msgpack::write_uint(out, u8::from(opcode).into()).expect(INFALLIBLE);
    msgpack::write_str(out, "d").expect(INFALLIBLE);
}

fn integer(number: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const ENCODINGS: [Encoding; 2] = [Encoding::Json, Encoding::Msgpack];

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out);
        out
    }

    fn read(encoding: Encoding, frame: &[u8]) -> Value {
        match encoding {
            Encoding::Json => serde_json::from_slice(frame).unwrap(),
            Encoding::Msgpack => rmp_serde::from_slice(frame).unwrap(),
        }
    }

    #[test]
    fn the_keys_stand_in_the_order_that_twilight_needs() {
        let frame = written(|out| {
            dispatch_prefix(Encoding::Json, "MESSAGE_CREATE", 42, out);
            out.extend_from_slice(br#"{"id":"1"}"#);
            out.extend_from_slice(suffix(Encoding::Json));
        });
        assert_eq!(
            frame,
            br#"{"t":"MESSAGE_CREATE","s":42,"op":0,"d":{"id":"1"}}"#
        );
        assert_eq!(
            written(|out| heartbeat_ack(Encoding::Json, out)),
            br#"{"t":null,"s":null,"op":11,"d":null}"#
        );
    }

    #[test]
    fn a_msgpack_frame_is_a_named_map_in_the_same_order() {
        let frame = written(|out| {
            dispatch_prefix(Encoding::Msgpack, "READY", 1, out);
            msgpack::write_map_len(out, 0).unwrap();
        });
        assert_eq!(frame, b"\x84\xA1t\xA5READY\xA1s\x01\xA2op\x00\xA1d\x80");
    }

    #[test]
    fn frames_without_a_body_say_the_same_in_every_encoding() {
        for encoding in ENCODINGS {
            let frame = |write: &dyn Fn(&mut Vec<u8>)| read(encoding, &written(write));
            let plain = |op: u8, d: Value| json!({"t": null, "s": null, "op": op, "d": d});
            assert_eq!(
                frame(&|out| hello(encoding, 41_250, out)),
                plain(10, json!({"heartbeat_interval": 41_250}))
            );
            assert_eq!(
                frame(&|out| heartbeat(encoding, out)),
                plain(1, Value::Null)
            );
            assert_eq!(
                frame(&|out| heartbeat_ack(encoding, out)),
                plain(11, Value::Null)
            );
            assert_eq!(
                frame(&|out| reconnect(encoding, out)),
                plain(7, Value::Null)
            );
            for resumable in [true, false] {
                assert_eq!(
                    frame(&|out| invalid_session(encoding, resumable, out)),
                    plain(9, json!(resumable))
                );
            }
            assert_eq!(
                frame(&|out| resumed(encoding, 7, out)),
                json!({"t": "RESUMED", "s": 7, "op": 0, "d": {}})
            );
        }
    }

    proptest! {
        #[test]
        fn a_shared_body_reads_the_same_behind_every_prefix(
            name in "[A-Z_]{1,40}",
            s in any::<u32>(),
            text in "\\PC{0,40}",
        ) {
            let body = json!({"content": text, "n": [1, 2]});
            for encoding in ENCODINGS {
                let frame = written(|out| {
                    dispatch_prefix(encoding, &name, s, out);
                    match encoding {
                        Encoding::Json => serde_json::to_writer(&mut *out, &body).unwrap(),
                        Encoding::Msgpack => {
                            out.extend(rmp_serde::to_vec_named(&body).unwrap());
                        }
                    }
                    out.extend_from_slice(suffix(encoding));
                });
                prop_assert_eq!(
                    read(encoding, &frame),
                    json!({"t": name, "s": s, "op": 0, "d": body})
                );
            }
        }
    }
}
