//! Bodies that are no JSON, nest too deep, repeat keys or quote themselves into the answer.

use guildhall_model::limits::NESTING_MAX;
use guildhall_model::rejection::FieldError;
use proptest::prelude::*;

use super::super::channel::{ChannelCreate, ChannelUpdate};
use super::super::role::{MemberRoles, RoleUpdate};
use super::super::server::ServerUpdate;
use super::*;

fn fields(body: &[u8]) -> Vec<FieldError> {
    match read_json::<ChannelUpdate>(body) {
        Err(Rejection::Invalid(fields)) => fields,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_no_json_is_refused_as_such() {
    for bad in [
        "",
        " ",
        "{",
        "}",
        "{'name':1}",
        "{\"name\":}",
        "{} {}",
        "nul",
        "\"\\ud800\"",
        "{\"topic\":NaN}",
    ] {
        let fields = fields(bad.as_bytes());
        assert_eq!(
            (fields[0].path.as_str(), fields[0].code),
            ("", "invalid_json"),
            "{bad}"
        );
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_also_where_nobody_looks() {
    let fields = fields(b"{\"unknown\":\"\xFF\"}");
    assert_eq!(fields[0].code, "invalid_utf8");
}

#[test]
fn a_body_is_an_object() {
    for (body, path) in [
        ("[]", ""),
        ("1", ""),
        ("null", ""),
        (r#"{"permissions":[]}"#, "permissions"),
    ] {
        // A list would be read as the fields in their order.
        let fields = fields(body.as_bytes());
        assert_eq!(
            (fields[0].path.as_str(), fields[0].code),
            (path, "invalid_type"),
            "{body}"
        );
        assert_eq!(fields[0].message, "must be an object");
    }
}

#[test]
fn a_repeated_key_is_refused() {
    let fields = fields(br#"{"name":"a","name":"b"}"#);
    assert_eq!(fields[0].code, "duplicate");
}

#[test]
fn nesting_is_bounded_in_unknown_fields_too() {
    let nested = |depth: usize| {
        format!(
            r#"{{"x":{}{}}}"#,
            "[".repeat(depth - 1),
            "]".repeat(depth - 1)
        )
    };
    assert!(read_json::<ChannelUpdate>(nested(NESTING_MAX).as_bytes()).is_ok());
    assert_eq!(
        fields(nested(NESTING_MAX + 1).as_bytes())[0].code,
        "too_deep"
    );
    assert_eq!(fields("[".repeat(250_000).as_bytes())[0].code, "too_deep");
    let brackets_in_text = format!(r#"{{"x":"\"{}"}}"#, "[".repeat(100));
    assert!(read_json::<ChannelUpdate>(brackets_in_text.as_bytes()).is_ok());
}

#[test]
fn an_answer_never_quotes_what_was_sent() {
    let secret = format!("SECRET, expected {}", "x".repeat(10_000));
    for body in [
        json!({"position": secret}),
        json!({"permissions": {"overwrites": [{"type": secret}]}}),
        json!({"permissions": {"overwrites": [{"allow": secret}]}}),
        json!({"permissions": secret}),
    ] {
        let fields = fields(body.to_string().as_bytes());
        assert!(fields[0].message.len() < 80, "{}", fields[0].message);
        assert!(!fields[0].message.contains("SECRET"));
    }
}

#[test]
fn thousands_of_wrong_fields_make_a_short_answer() {
    let body = json!({"permissions": {"overwrites": vec![json!({}); 500]}});
    assert_eq!(
        faults(read::<ChannelUpdate>(&body).parse(&SPELLING)).len(),
        50
    );
    let body = json!({"permissions": {"overwrites": vec![json!({}); 501]}});
    assert_eq!(
        faults(read::<ChannelUpdate>(&body).parse(&SPELLING)),
        [fault("permissions.overwrites", "too_many")]
    );
}

fn read_as_everything(bytes: &[u8]) {
    let _ = read_json::<Register>(bytes).map(Register::parse);
    let _ = read_json::<Login>(bytes).map(Login::parse);
    let _ = read_json::<ProfileUpdate>(bytes).map(ProfileUpdate::parse);
    let _ = read_json::<ServerUpdate>(bytes).map(|body| body.parse(&SPELLING));
    let _ = read_json::<ChannelCreate>(bytes).map(|body| body.parse(&SPELLING));
    let _ = read_json::<ChannelUpdate>(bytes).map(|body| body.parse(&SPELLING));
    let _ = read_json::<RoleUpdate>(bytes).map(RoleUpdate::parse);
    let _ = read_json::<MemberRoles>(bytes).map(|body| body.parse(&SPELLING));
    let _ = read_json::<MessageCreate>(bytes).map(|body| body.parse(&SPELLING));
    let _ = read_json::<InviteCreate>(bytes).map(|body| body.parse(&SPELLING, String::new()));
    let _ = read_optional_json::<Join>(bytes).map(Join::parse);
    let _ = read_json::<MemberNick>(bytes).map(MemberNick::parse);
}

/// Any document whose keys are mostly ours.
fn document() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec![
        "name",
        "type",
        "topic",
        "position",
        "permissions",
        "overwrites",
        "id",
        "allow",
        "deny",
        "nonce",
        "content",
        "roles",
        "color",
        "status",
        "username",
        "password",
        "nick",
        "max_age",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,40}".prop_map(Value::from),
        prop::sample::select(vec!["role", "text", "9", "#112233"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(key.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|map| Value::from(serde_json::Map::from_iter(map))),
        ]
    })
}

proptest! {
    #[test]
    fn any_document_is_read_or_refused(document in document()) {
        read_as_everything(document.to_string().as_bytes());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read_as_everything(&bytes);
    }

    #[test]
    fn a_cut_body_is_refused(cut in 0_usize..60) {
        let body = br#"{"name":"secrets","topic":"x","permissions":{"overwrites":[]}}"#;
        prop_assert!(read_json::<ChannelUpdate>(&body[..cut]).is_err());
    }
}
