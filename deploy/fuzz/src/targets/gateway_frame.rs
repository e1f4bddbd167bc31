//! What clients send on the gateway: any bytes are decoded or refused, both encodings mean the
//! same, and what was decoded keeps the bounds of the protocol.

use guildhall_model::limits;
use guildhall_model::user::Status;
use guildhall_wire::Encoding;
use guildhall_wire::gateway::{
    DecodeError, Identify, Inbound, MemberFilter, Presence, RequestMembers, decode,
};
use serde_json::{Value, json};

use crate::document;
use crate::script::Script;

const ENCODINGS: [Encoding; 2] = [Encoding::Json, Encoding::Msgpack];
/// Close codes that a frame can earn before the rules of the connection are asked.
const CLOSE_CODES: [u16; 4] = [4001, 4002, 4010, 4013];
const KEYS: [&str; 20] = [
    "token",
    "intents",
    "shard",
    "presence",
    "large_threshold",
    "properties",
    "session_id",
    "seq",
    "status",
    "guild_id",
    "channel_id",
    "self_mute",
    "self_deaf",
    "user_ids",
    "query",
    "limit",
    "nonce",
    "presences",
    "op",
    "d",
];
const STATUSES: [&str; 5] = ["online", "idle", "dnd", "invisible", "offline"];

pub(crate) fn run(bytes: &[u8]) {
    for encoding in ENCODINGS {
        check(bytes, decode(encoding, bytes));
    }
    if bytes.len() <= limits::GATEWAY_FRAME_BYTES_MAX {
        if let Ok(value) = serde_json::from_slice(bytes) {
            assert_same_meaning(&decode(Encoding::Json, bytes), &value);
        }
        // Msgpack has fractions that JSON has not.
        let has_fractions = bytes.iter().any(|byte| matches!(byte, 0xCA | 0xCB));
        if let Ok(value) = rmp_serde::from_slice(bytes)
            && !has_fractions
        {
            assert_same_meaning(&decode(Encoding::Msgpack, bytes), &value);
        }
    }
    assert_same_in_both(&frame(&mut Script::new(bytes)));
}

/// A frame means what its value means, however that is spelled.
fn assert_same_meaning(raw: &Result<Inbound, DecodeError>, value: &Value) {
    if let Some(plain) = assert_same_in_both(value) {
        // A plain value has no key twice.
        assert!(
            *raw == plain || *raw == Err(DecodeError::Malformed),
            "{value}"
        );
    }
}

/// A frame that is about right.
fn frame(script: &mut Script<'_>) -> Value {
    let op = script.pick(&[1_u64, 2, 3, 4, 6, 8, 8, 2, 0, 99]);
    let mut data = match script.below(4) {
        0 => document::document(script, &KEYS, 3),
        _ => document::object(script, &KEYS, 3),
    };
    if let Value::Object(fields) = &mut data {
        // Few scripts guess these.
        if script.is_set() {
            fields.insert("token".to_owned(), script.text(20).into());
            fields.insert("guild_id".to_owned(), script.u64().into());
            fields.insert("status".to_owned(), script.pick(&STATUSES).into());
        }
    }
    json!({"op": op, "d": data, "s": null, "t": null})
}

fn check(bytes: &[u8], outcome: Result<Inbound, DecodeError>) {
    match outcome {
        Ok(inbound) => {
            assert!(bytes.len() <= limits::GATEWAY_FRAME_BYTES_MAX);
            check_bounds(&inbound);
            let again = written(&inbound);
            for (encoding, bytes) in both(&again) {
                if bytes.len() <= limits::GATEWAY_FRAME_BYTES_MAX {
                    assert_eq!(decode(encoding, &bytes).as_ref(), Ok(&inbound), "{again}");
                }
            }
        }
        Err(error) => {
            assert!(CLOSE_CODES.contains(&error.close_code().into()));
            let is_large = bytes.len() > limits::GATEWAY_FRAME_BYTES_MAX;
            assert_eq!(error == DecodeError::TooLarge, is_large);
        }
    }
}

fn both(value: &Value) -> [(Encoding, Vec<u8>); 2] {
    [
        (
            Encoding::Json,
            serde_json::to_vec(value).expect("values are JSON"),
        ),
        (
            Encoding::Msgpack,
            rmp_serde::to_vec_named(value).expect("values are msgpack"),
        ),
    ]
}

/// What a value is read as, if it is short enough in both encodings.
fn assert_same_in_both(value: &Value) -> Option<Result<Inbound, DecodeError>> {
    let [json, msgpack] = both(value);
    if json.1.len().max(msgpack.1.len()) > limits::GATEWAY_FRAME_BYTES_MAX {
        return None;
    }
    let (json, msgpack) = (decode(json.0, &json.1), decode(msgpack.0, &msgpack.1));
    assert_eq!(json, msgpack, "{value}");
    Some(json)
}

fn check_bounds(inbound: &Inbound) {
    match inbound {
        Inbound::Identify(identify) => {
            assert!((50..=250).contains(&identify.large_threshold));
            assert!(identify.shard.is_none_or(|shard| shard.index < shard.count));
        }
        Inbound::VoiceState(voice) => {
            assert!(is_id(&voice.guild_id));
            assert!(voice.channel_id.as_deref().is_none_or(is_id));
        }
        Inbound::RequestMembers(request) => {
            assert!(is_id(&request.guild_id));
            assert!(request.nonce.as_ref().is_none_or(|nonce| nonce.len() <= 32));
            if let MemberFilter::Ids(ids) = &request.filter {
                assert!(ids.len() <= limits::CHUNK_REQUEST_IDS_MAX);
                assert!(ids.iter().all(|id| is_id(id)));
            }
        }
        Inbound::RequestSounds(request) => {
            assert!(request.guild_ids.len() <= limits::GUILDS_MAX);
            assert!(request.guild_ids.iter().all(|id| is_id(id)));
        }
        Inbound::RequestChannelInfo(request) => assert!(is_id(&request.guild_id)),
        Inbound::Heartbeat(_) | Inbound::Presence(_) | Inbound::Resume(_) => {}
    }
}

fn is_id(id: &str) -> bool {
    (1..=36).contains(&id.len())
}

/// A command as a client would write it.
fn written(inbound: &Inbound) -> Value {
    match inbound {
        Inbound::Heartbeat(seen) => json!({"op": 1, "d": seen}),
        Inbound::Identify(identify) => json!({"op": 2, "d": written_identify(identify)}),
        Inbound::Presence(presence) => json!({"op": 3, "d": written_presence(*presence)}),
        Inbound::VoiceState(voice) => json!({"op": 4, "d": {
            "guild_id": voice.guild_id,
            "channel_id": voice.channel_id,
            "self_mute": voice.self_mute,
            "self_deaf": voice.self_deaf,
        }}),
        Inbound::Resume(resume) => json!({"op": 6, "d": {
            // One prefix is taken off, so that one is put before what may begin like another.
            "token": format!("Bot {}", resume.token.reveal()),
            "session_id": resume.session_id,
            "seq": resume.seq,
        }}),
        Inbound::RequestMembers(request) => json!({"op": 8, "d": written_request(request)}),
        Inbound::RequestSounds(request) => {
            json!({"op": 31, "d": {"guild_ids": request.guild_ids}})
        }
        Inbound::RequestChannelInfo(request) => {
            json!({"op": 43, "d": {"guild_id": request.guild_id, "fields": []}})
        }
    }
}

fn written_identify(identify: &Identify) -> Value {
    json!({
        "token": format!("Bot {}", identify.token.reveal()),
        "intents": identify.intents.map(|intents| intents.bits()),
        "shard": identify.shard.map(|shard| [shard.index, shard.count]),
        "presence": identify.presence.map(written_presence),
        "large_threshold": identify.large_threshold,
    })
}

fn written_presence(presence: Presence) -> Value {
    let status = match presence.status {
        Status::Online => "online",
        Status::Idle => "idle",
        Status::Dnd => "dnd",
        Status::Invisible => "invisible",
    };
    json!({"status": status})
}

fn written_request(request: &RequestMembers) -> Value {
    let mut data = json!({
        "guild_id": request.guild_id,
        "presences": request.presences,
        "nonce": request.nonce,
    });
    match &request.filter {
        MemberFilter::Ids(ids) => data["user_ids"] = json!(ids),
        MemberFilter::Prefix { query, limit } => {
            data["query"] = json!(query);
            data["limit"] = json!(limit);
        }
    }
    data
}
