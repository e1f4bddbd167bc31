//! What real clients send is understood, field by field.

mod hostile;

use guildhall_model::account::Credential;
use guildhall_model::dispatch::Shard;
use guildhall_model::intent::Intents;
use guildhall_model::{ApplicationId, LoginId};
use serde_json::{Value as Json, json};

use super::*;

fn json_frame(frame: &Json) -> Result<Inbound, DecodeError> {
    decode(Encoding::Json, &serde_json::to_vec(frame).unwrap())
}

fn msgpack_frame(frame: &Json) -> Result<Inbound, DecodeError> {
    decode(Encoding::Msgpack, &rmp_serde::to_vec_named(frame).unwrap())
}

/// Both encodings must say the same.
fn read(frame: &Json) -> Result<Inbound, DecodeError> {
    let read = json_frame(frame);
    assert_eq!(read, msgpack_frame(frame), "{frame}");
    read
}

fn identify(d: &Json) -> Result<Identify, DecodeError> {
    match read(&json!({"op": 2, "d": d}))? {
        Inbound::Identify(identify) => Ok(*identify),
        other => panic!("{other:?}"),
    }
}

fn members(d: &Json) -> Result<RequestMembers, DecodeError> {
    match read(&json!({"op": 8, "d": d}))? {
        Inbound::RequestMembers(request) => Ok(*request),
        other => panic!("{other:?}"),
    }
}

#[test]
fn discord_pys_identify_is_understood() {
    let read = identify(&json!({
        "token": "MTIz.AA.secret",
        "properties": {"os": "linux", "browser": "discord.py", "device": "discord.py"},
        "compress": true,
        "large_threshold": 250,
        "intents": 3_276_799,
        "presence": {"status": "dnd", "game": null, "since": 0, "afk": false},
    }))
    .unwrap();
    assert_eq!(read.token.reveal(), "MTIz.AA.secret");
    assert_eq!(read.large_threshold, 250);
    assert_eq!(read.shard, None);
    assert_eq!(
        read.presence,
        Some(Presence {
            status: Status::Dnd
        })
    );
    assert!(read.intents.unwrap().contains(Intents::MESSAGE_CONTENT));
}

#[test]
fn a_prefix_of_the_token_is_taken_off_once() {
    let token = |text: &str| {
        let read = identify(&json!({"token": text, "intents": 1})).unwrap();
        read.token.reveal().to_owned()
    };
    assert_eq!(token("Bot abc"), "abc");
    assert_eq!(token("Bearer abc"), "abc");
    assert_eq!(token("abc"), "abc");
    assert_eq!(token("Bot Bot abc"), "Bot abc");
}

#[test]
fn a_share_of_guilds_must_be_possible() {
    let shard = |pair: Json| identify(&json!({"token": "t", "shard": pair})).map(|i| i.shard);
    assert_eq!(shard(json!([1, 4])), Ok(Some(Shard { index: 1, count: 4 })));
    assert_eq!(shard(Json::Null), Ok(None));
    for impossible in [json!([4, 4]), json!([0, 0]), json!([0, 1_u64 << 32])] {
        assert_eq!(shard(impossible), Err(DecodeError::Shard));
    }
    for senseless in [json!([0]), json!([0, 1, 2]), json!("0"), json!([-1, 2])] {
        let error = shard(senseless).unwrap_err();
        assert_eq!(error.close_code(), CloseCode::DecodeError);
    }
}

#[test]
fn unknown_intents_close_with_their_own_code() {
    let error = identify(&json!({"token": "t", "intents": 1 << 17})).unwrap_err();
    assert_eq!(u16::from(error.close_code()), 4013);
    let error = identify(&json!({"token": "t", "intents": "513"})).unwrap_err();
    assert_eq!(u16::from(error.close_code()), 4002);
}

#[test]
fn bots_need_intents_and_privileged_ones_need_a_grant() {
    let bot = |privileged_intents| Credential::Bot {
        application_id: ApplicationId::new(1).unwrap(),
        generation: 1,
        privileged_intents,
    };
    let person = Credential::Login(LoginId::new(1).unwrap());
    let silent = identify(&json!({"token": "t"})).unwrap();
    assert_eq!(silent.intents_for(&person), Ok(None));
    assert_eq!(
        silent.intents_for(&bot(Intents::all())),
        Err(IntentsError::Missing)
    );

    let content = Intents::GUILD_MESSAGES | Intents::MESSAGE_CONTENT;
    let asking = identify(&json!({"token": "t", "intents": content.bits()})).unwrap();
    assert_eq!(
        asking.intents_for(&bot(Intents::MESSAGE_CONTENT)),
        Ok(Some(content))
    );
    assert_eq!(
        asking.intents_for(&bot(Intents::GUILD_MEMBERS)),
        Err(IntentsError::Disallowed)
    );
    assert_eq!(asking.intents_for(&person), Ok(None));
    assert_eq!(u16::from(IntentsError::Disallowed.close_code()), 4014);
}

#[test]
fn a_large_threshold_is_brought_into_its_range() {
    let threshold = |n: Json| {
        let read = identify(&json!({"token": "t", "large_threshold": n}));
        read.map(|i| i.large_threshold)
    };
    assert_eq!(threshold(json!(0)), Ok(50));
    assert_eq!(threshold(json!(100)), Ok(100));
    assert_eq!(threshold(json!(u64::MAX)), Ok(250));
    assert_eq!(threshold(Json::Null), Ok(50));
    assert!(threshold(json!(1.5)).is_err());
}

#[test]
fn secrets_are_not_shown() {
    let read = read(&json!({"op": 2, "d": {"token": "Bot hunter2"}})).unwrap();
    assert!(!format!("{read:?}").contains("hunter2"));
    let resume = json!({"op": 6, "d": {"token": "hunter2", "session_id": "s", "seq": 1}});
    assert!(!format!("{:?}", json_frame(&resume)).contains("hunter2"));
    let wrong = json_frame(&json!({"op": 2, "d": {"token": ["hunter2"]}})).unwrap_err();
    assert!(!format!("{wrong:?} {wrong}").contains("hunter2"));
}

#[test]
fn heartbeats_of_every_library_are_understood() {
    let beat = |frame: Json| read(&frame).unwrap();
    assert_eq!(
        beat(json!({"op": 1, "d": 251})),
        Inbound::Heartbeat(Some(251))
    );
    assert_eq!(beat(json!({"op": 1, "d": null})), Inbound::Heartbeat(None));
    assert_eq!(beat(json!({"op": 1})), Inbound::Heartbeat(None));
    assert_eq!(beat(json!({"op": 1, "d": -1})), Inbound::Heartbeat(None));
    assert_eq!(beat(json!({"op": 1, "d": 0})), Inbound::Heartbeat(Some(0)));
    assert!(read(&json!({"op": 1, "d": "7"})).is_err());
    assert!(read(&json!({"op": 1, "d": 7.0})).is_err());
}

#[test]
fn resume_names_its_session() {
    let frame = json!({"op": 6, "d": {"token": "Bot t", "session_id": "abc", "seq": 1337}});
    let Ok(Inbound::Resume(resume)) = read(&frame) else {
        panic!("RESUME is understood");
    };
    assert_eq!(resume.token.reveal(), "t");
    assert_eq!((resume.session_id.as_str(), resume.seq), ("abc", 1337));
    for seq in [Json::Null, json!(-1), json!("1")] {
        let frame = json!({"op": 6, "d": {"token": "t", "session_id": "abc", "seq": seq}});
        assert!(read(&frame).is_err());
    }
}

#[test]
fn members_are_asked_for_in_every_documented_way() {
    let all = members(&json!({"guild_id": "9", "query": "", "limit": 0, "nonce": "n"})).unwrap();
    assert_eq!(all.guild_id, "9");
    assert_eq!(
        all.filter,
        MemberFilter::Prefix {
            query: String::new(),
            limit: 0
        }
    );
    assert_eq!(all.nonce.as_deref(), Some("n"));
    assert!(!all.presences);

    let some = json!({"guild_id": ["9"], "user_ids": ["7", 8], "presences": true});
    let some = members(&some).unwrap();
    assert_eq!(some.guild_id, "9");
    assert_eq!(some.filter, MemberFilter::Ids(vec!["7".into(), "8".into()]));
    assert!(some.presences);

    let one = members(&json!({"guild_id": 9, "user_ids": "7", "query": "x"})).unwrap();
    assert_eq!(one.filter, MemberFilter::Ids(vec!["7".into()]));
    let empty = members(&json!({"guild_id": 9, "user_ids": [], "query": "x"})).unwrap();
    assert!(matches!(empty.filter, MemberFilter::Prefix { .. }));
    let none = members(&json!({"guild_id": 9, "user_ids": []})).unwrap();
    assert_eq!(none.filter, MemberFilter::Ids(Vec::new()));
}

#[test]
fn sounds_and_channels_are_asked_for_by_guild() {
    let sounds = |ids: Json| read(&json!({"op": 31, "d": {"guild_ids": ids}}));
    let expected = RequestSounds {
        guild_ids: vec!["7".into(), "8".into()],
    };
    assert_eq!(
        sounds(json!(["7", 8])),
        Ok(Inbound::RequestSounds(expected))
    );
    assert!(sounds(json!(vec!["7"; 200])).is_ok());
    for wrong in [
        json!(vec!["7"; 201]),
        json!("7"),
        json!([["7"]]),
        Json::Null,
    ] {
        let error = sounds(wrong).unwrap_err();
        assert_eq!(u16::from(error.close_code()), 4002);
    }
    let channels = |d: Json| read(&json!({"op": 43, "d": d}));
    let expected = RequestChannelInfo {
        guild_id: "7".into(),
    };
    let asked = json!({"guild_id": "7", "fields": ["status", "voice_start_time"]});
    assert_eq!(channels(asked), Ok(Inbound::RequestChannelInfo(expected)));
    assert!(channels(json!({"fields": []})).is_err());
    assert!(channels(json!({"guild_id": "7", "fields": 1})).is_err());
}

#[test]
fn requests_for_members_are_bounded() {
    let ids = |n: usize| json!({"guild_id": "9", "user_ids": vec!["1"; n]});
    assert!(members(&ids(100)).is_ok());
    assert!(members(&ids(101)).is_err());
    assert!(members(&json!({"guild_id": "9"})).is_err());
    assert!(members(&json!({"guild_id": ["9", "8"], "query": ""})).is_err());
    assert!(members(&json!({"guild_id": "9".repeat(37), "query": ""})).is_err());
    assert!(members(&json!({"guild_id": "", "query": ""})).is_err());
    let nonce = |n: usize| {
        let request = json!({"guild_id": "9", "query": "", "nonce": "x".repeat(n)});
        members(&request).unwrap().nonce
    };
    assert_eq!(nonce(32).map(|nonce| nonce.len()), Some(32));
    assert_eq!(nonce(33), None);
}

#[test]
fn every_documented_status_is_understood() {
    let status = |text: &str| read(&json!({"op": 3, "d": {"status": text, "activities": []}}));
    for (text, status_read) in [
        ("online", Status::Online),
        ("idle", Status::Idle),
        ("dnd", Status::Dnd),
        ("invisible", Status::Invisible),
        ("offline", Status::Invisible),
    ] {
        assert_eq!(
            status(text),
            Ok(Inbound::Presence(Presence {
                status: status_read
            }))
        );
    }
    assert!(status("Online").is_err());
}

#[test]
fn a_voice_state_is_understood() {
    let frame = json!({"op": 4, "d": {
        "guild_id": "41", "channel_id": null, "self_mute": false, "self_deaf": true,
    }});
    assert_eq!(
        read(&frame),
        Ok(Inbound::VoiceState(VoiceState {
            guild_id: "41".into(),
            channel_id: None,
            self_mute: false,
            self_deaf: true,
        }))
    );
}
