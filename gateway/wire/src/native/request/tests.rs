//! What clients send is read exactly, or refused with every wrong field named.

mod guilds;
mod hostile;
mod overwrites;

use guildhall_model::message::Emoji;
use guildhall_model::message::Nonce;
use guildhall_model::user::Status;
use guildhall_model::{Id, Rejection};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::account::{Login, ProfileUpdate, Refresh, Register};
use super::application::ApplicationCreate;
use super::invite::InviteCreate;
use super::member::{BanCreate, Join, MemberNick};
use super::message::{MessageCreate, MessageEdit, ReactionCreate};
use super::{read_json, read_optional_json};
use crate::id::Spelling;

const SPELLING: Spelling = Spelling::new(0xABC);

fn read<T: DeserializeOwned>(body: &Value) -> T {
    read_json(body.to_string().as_bytes()).unwrap()
}

/// The paths and codes of a refusal.
fn faults<T>(result: Result<T, Rejection>) -> Vec<(String, &'static str)> {
    match result {
        Err(Rejection::Invalid(fields)) => fields
            .into_iter()
            .map(|field| (field.path, field.code))
            .collect(),
        Err(other) => panic!("{other}"),
        Ok(_) => Vec::new(),
    }
}

fn fault(path: &str, code: &'static str) -> (String, &'static str) {
    (path.to_owned(), code)
}

/// The refusal of a body whose types are wrong.
fn misread<T: DeserializeOwned>(body: &str) -> Vec<(String, &'static str)> {
    faults(read_json::<T>(body.as_bytes()))
}

fn uuid(raw: u64) -> String {
    SPELLING.uuid(Id::<()>::new(raw).unwrap()).to_string()
}

#[test]
fn all_wrong_fields_are_reported_at_once() {
    let body = json!({"username": "a b", "email": "nobody", "password": "short"});
    assert_eq!(
        faults(read::<Register>(&body).parse()),
        [
            fault("username", "invalid_characters"),
            fault("email", "invalid_characters"),
            fault("password", "too_short"),
        ]
    );
    assert_eq!(
        faults(read::<Register>(&json!({"email": null})).parse()),
        ["username", "email", "password"].map(|path| fault(path, "required"))
    );
}

#[test]
fn a_person_registers() {
    let body = json!({"username": "Ada", "email": "Ada@Example.org", "password": "correct horse"});
    let person = read::<Register>(&body).parse().unwrap();
    assert_eq!(person.username.as_str(), "Ada");
    assert_eq!(person.email.as_str(), "ada@example.org");
    assert_eq!(person.password.expose(), "correct horse");
    assert!(!format!("{person:?}").contains("horse"));
}

#[test]
fn a_person_logs_in_by_either_name() {
    for key in ["email", "username"] {
        let login: Login = read(&json!({key: " ada ", "password": "x"}));
        let credentials = login.parse().unwrap();
        assert_eq!(credentials.name, "ada");
        assert_eq!(credentials.password.expose(), "x");
        assert!(!format!("{credentials:?}").contains("\"x\""));
    }
    assert_eq!(
        faults(read::<Login>(&json!({})).parse()),
        [fault("email", "required"), fault("password", "required")]
    );
    let long = "x".repeat(300);
    assert_eq!(
        faults(read::<Login>(&json!({"username": long, "password": long})).parse()),
        [fault("username", "too_long"), fault("password", "too_long")]
    );
}

#[test]
fn a_refresh_token_is_taken_as_it_is() {
    let token = read::<Refresh>(&json!({"refresh_token": "gr_1"}))
        .parse()
        .unwrap();
    assert_eq!(token.expose(), "gr_1");
    assert_eq!(
        faults(read::<Refresh>(&json!({})).parse()),
        [fault("refresh_token", "required")]
    );
}

#[test]
fn what_an_update_leaves_out_is_not_what_it_removes() {
    let absent = read::<ProfileUpdate>(&json!({})).parse().unwrap();
    assert_eq!(absent, guildhall_model::command::ProfileUpdate::default());
    let body = json!({"display_name": null, "avatar_url": null, "status": "invisible"});
    let removed = read::<ProfileUpdate>(&body).parse().unwrap();
    assert_eq!(removed.display_name, Some(None));
    assert_eq!(removed.avatar, Some(None));
    assert_eq!(removed.status, Some(Status::Invisible));
    assert_eq!(removed.username, None);
}

#[test]
fn what_must_stay_cannot_be_removed() {
    let body = json!({"username": null, "email": null, "status": null});
    assert_eq!(
        faults(read::<ProfileUpdate>(&body).parse()),
        ["username", "status", "email"].map(|path| fault(path, "required"))
    );
}

#[test]
fn nobody_chooses_to_be_offline() {
    assert_eq!(
        misread::<ProfileUpdate>(r#"{"status":"offline"}"#),
        [fault("status", "unknown_value")]
    );
}

#[test]
fn a_nonce_is_kept_in_the_form_in_which_it_came() {
    let nonce = |value: Value| {
        let body = json!({"content": "hi", "nonce": value});
        read::<MessageCreate>(&body)
            .parse(&SPELLING)
            .map(|message| message.nonce)
    };
    assert_eq!(
        nonce(json!("n1")).unwrap(),
        Some(Nonce::Text("n1".to_owned()))
    );
    assert_eq!(nonce(json!(-7)).unwrap(), Some(Nonce::Number(-7)));
    assert_eq!(nonce(json!(null)).unwrap(), None);
    assert_eq!(faults(nonce(json!(""))), [fault("nonce", "invalid_length")]);
    assert_eq!(
        faults(nonce(json!("n".repeat(26)))),
        [fault("nonce", "invalid_length")]
    );
    for odd in ["1.5", "9223372036854775808", "true", "[]", "{}"] {
        let body = format!(r#"{{"content":"hi","nonce":{odd}}}"#);
        assert_eq!(
            misread::<MessageCreate>(&body),
            [fault("nonce", "invalid_type")],
            "{odd}"
        );
    }
}

#[test]
fn a_message_is_trimmed_and_may_answer_another() {
    let body = json!({"content": " hi\n", "reply_to": uuid(3)});
    let message = read::<MessageCreate>(&body).parse(&SPELLING).unwrap();
    assert_eq!(message.content.as_str(), "hi");
    assert_eq!(message.reply_to, Id::new(3));
    let body = json!({"content": "  ", "reply_to": "x"});
    assert_eq!(
        faults(read::<MessageCreate>(&body).parse(&SPELLING)),
        [
            fault("content", "too_short"),
            fault("reply_to", "invalid_id")
        ]
    );
    assert_eq!(
        read::<MessageEdit>(&json!({"content": "ho"}))
            .parse()
            .unwrap()
            .as_str(),
        "ho"
    );
    assert_eq!(
        faults(read::<MessageEdit>(&json!({})).parse()),
        [fault("content", "required")]
    );
}

#[test]
fn a_reaction_is_one_standard_emoji() {
    let emoji = |text: &str| read::<ReactionCreate>(&json!({"emoji": text})).parse(&SPELLING);
    let heart = Emoji::Standard("❤️".to_owned());
    assert_eq!(emoji("❤").unwrap(), heart);
    assert_eq!(
        faults(emoji("hello")),
        [fault("emoji", "invalid_characters")]
    );
}

#[test]
fn bodies_that_may_be_left_out_may() {
    for nothing in [&b""[..], b"null", b"{}"] {
        let join = read_optional_json::<Join>(nothing).unwrap();
        assert_eq!(join.parse().unwrap(), None);
    }
    let ban = read_optional_json::<BanCreate>(b"{}").unwrap();
    assert_eq!(ban.parse().unwrap(), (None, 0));
    assert!(read_optional_json::<Join>(b" ").is_err());
    assert_eq!(
        read_optional_json::<Join>(br#"{"code":"abc"}"#)
            .unwrap()
            .parse()
            .unwrap()
            .unwrap(),
        "abc"
    );
    let long = read::<Join>(&json!({"code": "a".repeat(65)})).parse();
    assert_eq!(faults(long), [fault("code", "invalid_code")]);
}

#[test]
fn an_invite_lasts_a_day_unless_said_otherwise() {
    let invite = |body: Value| read::<InviteCreate>(&body).parse(&SPELLING, "abc".to_owned());
    let plain = invite(json!({})).unwrap();
    assert_eq!(
        (plain.max_age_s, plain.max_uses, plain.temporary),
        (86_400, 0, false)
    );
    let ever = invite(json!({"max_age": 0, "max_uses": 100, "temporary": true})).unwrap();
    assert_eq!(
        (ever.max_age_s, ever.max_uses, ever.temporary),
        (0, 100, true)
    );
    let body = json!({"max_age": 604_801, "max_uses": i64::MIN, "channel_id": "general"});
    assert_eq!(
        faults(invite(body)),
        [
            fault("channel_id", "invalid_id"),
            fault("max_uses", "out_of_range"),
            fault("max_age", "out_of_range"),
        ]
    );
}

#[test]
fn a_nickname_is_set_or_removed_but_never_left_out() {
    let nick = |body: Value| read::<MemberNick>(&body).parse();
    assert_eq!(nick(json!({"nick": null})).unwrap(), None);
    assert_eq!(
        nick(json!({"nick": "Lady A"})).unwrap().unwrap().as_str(),
        "Lady A"
    );
    assert_eq!(faults(nick(json!({}))), [fault("nick", "required")]);
    assert_eq!(
        faults(nick(json!({"nick": " "}))),
        [fault("nick", "too_short")]
    );
}

#[test]
fn an_application_has_a_name() {
    let name = read::<ApplicationCreate>(&json!({"name": "Butler"}))
        .parse()
        .unwrap();
    assert_eq!(name.as_str(), "Butler");
    assert_eq!(
        faults(read::<ApplicationCreate>(&json!({})).parse()),
        [fault("name", "required")]
    );
}
