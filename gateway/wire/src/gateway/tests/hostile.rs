//! What no client should send is refused, never believed and never harmful.

use proptest::prelude::*;

use super::*;

#[test]
fn opcodes_of_the_server_and_of_nobody_are_refused() {
    for op in [0_u64, 5, 7, 9, 10, 11, 12, 14, 30, 32, u64::MAX] {
        let error = read(&json!({"op": op, "d": {}})).unwrap_err();
        assert_eq!(u16::from(error.close_code()), 4001, "op {op}");
    }
    for op in [json!("1"), json!(-1), json!(1.0), Json::Null, json!([])] {
        let error = read(&json!({"op": op})).unwrap_err();
        assert_eq!(u16::from(error.close_code()), 4002);
    }
}

#[test]
fn a_repeated_key_is_refused_at_every_depth() {
    for frame in [
        r#"{"op":1,"op":2,"d":null}"#,
        r#"{"op":2,"d":{"token":"a","token":"b"}}"#,
        r#"{"op":2,"d":{"token":"a","properties":{"os":1,"os":1}}}"#,
    ] {
        assert_eq!(
            decode(Encoding::Json, frame.as_bytes()),
            Err(DecodeError::Malformed)
        );
    }
    let twice = b"\x83\xA2op\x01\xA1d\xC0\xA2op\x01";
    assert_eq!(
        decode(Encoding::Msgpack, twice),
        Err(DecodeError::Malformed)
    );
}

#[test]
fn nesting_is_bounded() {
    let nested = |levels: usize| {
        let list = "[".repeat(levels) + &"]".repeat(levels);
        let json = format!(r#"{{"op":2,"d":{{"token":"t","properties":{list}}}}}"#);
        let mut msgpack = b"\x82\xA2op\x02\xA1d\x82\xA5token\xA1t\xAAproperties".to_vec();
        msgpack.extend(std::iter::repeat_n(0x91, levels - 1));
        msgpack.push(0x90);
        [
            decode(Encoding::Json, json.as_bytes()),
            decode(Encoding::Msgpack, &msgpack),
        ]
    };
    let levels_max = limits::NESTING_MAX - 2;
    assert!(nested(levels_max).iter().all(Result::is_ok));
    for levels in [levels_max + 1, 1_000] {
        for read in nested(levels) {
            assert_eq!(read, Err(DecodeError::Malformed));
        }
    }
}

#[test]
fn a_frame_is_bounded_before_it_is_read() {
    let frame = |bytes: usize| {
        let frame = br#"{"op":1,"d":null}"#;
        let mut frame = frame.to_vec();
        frame.resize(bytes, b' ');
        decode(Encoding::Json, &frame)
    };
    assert!(frame(limits::GATEWAY_FRAME_BYTES_MAX).is_ok());
    let error = frame(limits::GATEWAY_FRAME_BYTES_MAX + 1).unwrap_err();
    assert_eq!(error, DecodeError::TooLarge);
    assert_eq!(u16::from(error.close_code()), 4002);
}

#[test]
fn claimed_lengths_are_not_believed() {
    for claim in [
        &b"\xDF\xFF\xFF\xFF\xFF"[..],
        b"\xDD\xFF\xFF\xFF\xFF",
        b"\xDB\xFF\xFF\xFF\xFF",
        b"\xC6\xFF\xFF\xFF\xFF",
        b"\xC9\xFF\xFF\xFF\xFF\x01",
        b"\x82\xA2op\x01\xA1d\xDD\xFF\xFF\xFF\xFF\x01",
    ] {
        assert_eq!(
            decode(Encoding::Msgpack, claim),
            Err(DecodeError::Malformed)
        );
    }
}

#[test]
fn what_is_no_single_value_is_refused() {
    for frame in [
        &b""[..],
        b" ",
        b"{",
        br#"{"op":1}{"op":1}"#,
        br#"{"op":1} x"#,
        br#"{"op":NaN}"#,
        br#"{"op":1,"d":1e999}"#,
        b"{\"op\":1,\"x\":\"\xFF\"}",
        br#"{"op":1,"x":"\ud800"}"#,
        br#"{"op":1,"x":"\udc00\ud800"}"#,
        b"{\"op\":1,\"x\":\"\0\"}",
        b"\xEF\xBB\xBF{\"op\":1}",
    ] {
        let read = decode(Encoding::Json, frame);
        assert_eq!(read, Err(DecodeError::Malformed), "{frame:?}");
    }
    for frame in [
        &b""[..],
        b"\x81\xA2op",
        b"\x81\xA2op\x01\x01",
        b"\x81\x01\x01",
        b"\x82\xA2op\x01\xA1x\xC1",
        b"\x82\xA2op\x01\xA1x\xA2\xC3\x28",
        b"\x82\xA2op\x01\xA1x\xD4\x01\x01",
        b"\x82\xA2op\x01\xA1x\xC4\x01\x01",
    ] {
        let read = decode(Encoding::Msgpack, frame);
        assert_eq!(read, Err(DecodeError::Malformed), "{frame:?}");
    }
    let nan = b"\x82\xA2op\x01\xA1d\xCB\x7F\xF8\0\0\0\0\0\0";
    assert_eq!(
        decode(Encoding::Msgpack, nan).unwrap_err().close_code(),
        CloseCode::DecodeError
    );
    for not_a_map in [&b"[]"[..], b"1", b"null", br#""x""#, b"true"] {
        let error = decode(Encoding::Json, not_a_map).unwrap_err();
        assert_eq!(error.close_code(), CloseCode::DecodeError);
    }
}

/// Values like those that clients send, right and wrong.
fn any_value() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        (0_u64..20).prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "\\PC{0,12}".prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let key = prop_oneof![
            "[a-z_]{1,8}",
            Just("token".to_owned()),
            Just("shard".to_owned()),
            Just("intents".to_owned()),
            Just("guild_id".to_owned()),
            Just("user_ids".to_owned()),
            Just("status".to_owned()),
            Just("seq".to_owned()),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            prop::collection::hash_map(key, inner, 0..6).prop_map(Json::from_iter),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_break_the_decoder(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode(Encoding::Json, &bytes);
        let _ = decode(Encoding::Msgpack, &bytes);
    }

    #[test]
    fn every_well_formed_value_reads_the_same_in_both_encodings(
        op in 0_u64..13,
        d in any_value(),
    ) {
        let frame = json!({"op": op, "d": d, "s": null, "t": null});
        prop_assert_eq!(json_frame(&frame), msgpack_frame(&frame));
    }

    #[test]
    fn damaged_frames_are_refused_or_read_but_never_break(
        d in any_value(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let frame = json!({"op": 2, "d": d});
        for encoding in [Encoding::Json, Encoding::Msgpack] {
            let mut bytes = match encoding {
                Encoding::Json => serde_json::to_vec(&frame).unwrap(),
                Encoding::Msgpack => rmp_serde::to_vec_named(&frame).unwrap(),
            };
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = decode(encoding, &bytes);
            let _ = decode(encoding, &bytes[..at]);
        }
    }
}
