//! What the server writes on the gateway: whatever happens, stock readers find the same document
//! in both encodings, with the envelope around it.

use guildhall_model::dispatch::Dispatch;
use guildhall_wire::dispatch::{self, EncodeError, Look};
use guildhall_wire::{Dialect, Encoding, FileUrls, Installation, Spelling, frame};
use serde_json::{Value, json};

use crate::document;
use crate::invent::invent;
use crate::script::Script;

const ENCODINGS: [Encoding; 2] = [Encoding::Json, Encoding::Msgpack];
const NAME_CHARS: &[u8; 27] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ_";
/// Dispatches of one case; what a script tells at its end is mostly empty.
const DISPATCHES_MAX: usize = 4;
const SPELLING: Spelling = Spelling::new(0x000B_EEF0_CAFE);

pub(crate) fn run(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let s = script.u32();
    check_own_frames(script.u32(), s, script.is_set());
    check_any_body(&mut script, s);
    for _ in 0..DISPATCHES_MAX {
        if let Some(dispatch) = invent::<Dispatch>(&mut script) {
            check_dispatch(&dispatch, s);
        }
    }
}

fn read(encoding: Encoding, frame: &[u8]) -> Value {
    match encoding {
        Encoding::Json => serde_json::from_slice(frame).expect("a frame is JSON"),
        Encoding::Msgpack => rmp_serde::from_slice(frame).expect("a frame is msgpack"),
    }
}

fn check_own_frames(interval: u32, s: u32, resumable: bool) {
    for encoding in ENCODINGS {
        let is = |write: &dyn Fn(&mut Vec<u8>), op: u8, data: Value| {
            let mut out = Vec::new();
            write(&mut out);
            let expected = json!({"t": null, "s": null, "op": op, "d": data});
            assert_eq!(read(encoding, &out), expected);
        };
        let hello = json!({"heartbeat_interval": interval});
        is(&|out| frame::hello(encoding, interval, out), 10, hello);
        is(&|out| frame::heartbeat(encoding, out), 1, Value::Null);
        is(&|out| frame::heartbeat_ack(encoding, out), 11, Value::Null);
        is(&|out| frame::reconnect(encoding, out), 7, Value::Null);
        let invalid = |out: &mut Vec<u8>| frame::invalid_session(encoding, resumable, out);
        is(&invalid, 9, json!(resumable));
        let mut out = Vec::new();
        frame::resumed(encoding, s, &mut out);
        let expected = json!({"t": "RESUMED", "s": s, "op": 0, "d": {}});
        assert_eq!(read(encoding, &out), expected);
    }
}

fn check_any_body(script: &mut Script<'_>, s: u32) {
    let length = script.below(40);
    let name: String = (0..length)
        .map(|_| char::from(script.pick(NAME_CHARS)))
        .collect();
    let body = document::document(script, &["id", "content"], 4);
    for encoding in ENCODINGS {
        let bytes = match encoding {
            Encoding::Json => serde_json::to_vec(&body).expect("a document is JSON"),
            Encoding::Msgpack => rmp_serde::to_vec_named(&body).expect("a document is msgpack"),
        };
        assert_eq!(read(encoding, &framed(encoding, &name, s, &bytes)), {
            json!({"t": name, "s": s, "op": 0, "d": body})
        });
    }
}

fn framed(encoding: Encoding, name: &str, s: u32, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    frame::dispatch_prefix(encoding, name, s, &mut out);
    out.extend_from_slice(body);
    out.extend_from_slice(frame::suffix(encoding));
    out
}

fn check_dispatch(dispatch: &Dispatch, s: u32) {
    let installation = Installation {
        spelling: SPELLING,
        urls: FileUrls::new("https://chat.example.org"),
    };
    let name = dispatch::name(dispatch);
    for dialect in [Dialect::Discord, Dialect::Native] {
        for blanked in [false, true] {
            let bodies = ENCODINGS.map(|encoding| {
                let look = Look {
                    dialect,
                    encoding,
                    blanked,
                };
                let body = match dispatch::body(dispatch, &look, &installation) {
                    Ok(body) => body,
                    Err(EncodeError::Misplaced) => return None,
                    Err(error) => panic!("{error}: {dispatch:?}"),
                };
                let frame = read(encoding, &framed(encoding, name, s, &body));
                assert_eq!(frame["t"], name);
                assert_eq!(frame["s"], s);
                Some(frame)
            });
            assert_eq!(bodies[0], bodies[1], "{dialect:?}: {dispatch:?}");
        }
    }
}
