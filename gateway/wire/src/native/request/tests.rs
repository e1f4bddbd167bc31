//! What clients send is read exactly, or refused with every wrong field named.

mod hostile;

use guildhall_model::channel::{ChannelKind, OverwriteTarget};
use guildhall_model::message::Nonce;
use guildhall_model::user::Status;
use guildhall_model::{Id, Permissions, Rejection};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::account::{Login, ProfileUpdate, Refresh, Register};
use super::application::ApplicationCreate;
use super::channel::{ChannelCreate, ChannelUpdate};
use super::invite::InviteCreate;
use super::member::{BanCreate, Join, MemberNick};
use super::message::{MessageCreate, MessageEdit, ReactionCreate};
use super::role::{MemberRoles, RoleInput};
use super::server::{ServerCreate, ServerUpdate};
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
    assert_eq!(removed.avatar_url, Some(None));
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
fn a_server_is_private_unless_said_otherwise() {
    let server = read::<ServerCreate>(&json!({"name": " Tavern "}))
        .parse()
        .unwrap();
    assert_eq!(server.name.as_str(), "Tavern");
    assert!(!server.is_public);
    let body = json!({"name": "T", "description": "d".repeat(1_001), "icon_url": "ftp://x"});
    assert_eq!(
        faults(read::<ServerCreate>(&body).parse()),
        [
            fault("name", "too_short"),
            fault("description", "too_long"),
            fault("icon_url", "invalid_characters"),
        ]
    );
}

#[test]
fn a_whole_object_may_be_sent_back() {
    let body = json!({
        "id": uuid(7), "name": "Tavern", "owner_id": uuid(8), "description": null,
        "icon_url": null, "member_count": 3, "is_public": true,
        "created_at": "2026-01-01T00:00:00.000Z",
    });
    let update = read::<ServerUpdate>(&body).parse(&SPELLING).unwrap();
    assert_eq!(update.description, Some(None));
    assert_eq!(update.is_public, Some(true));
    assert_eq!(update.owner_id, Id::new(8));
}

#[test]
fn ids_are_read_in_either_spelling_of_this_installation() {
    let owner = |text: &str| read::<ServerUpdate>(&json!({"owner_id": text})).parse(&SPELLING);
    assert_eq!(owner("8").unwrap().owner_id, Id::new(8));
    assert_eq!(owner(&uuid(8)).unwrap().owner_id, Id::new(8));
    let foreign = Spelling::new(1).uuid(Id::<()>::new(8).unwrap());
    assert_eq!(faults(owner(&foreign)), [fault("owner_id", "invalid_id")]);
    assert_eq!(
        misread::<ServerUpdate>(r#"{"owner_id":8}"#),
        [fault("owner_id", "invalid_type")]
    );
}

#[test]
fn a_channel_is_made_with_its_overwrites() {
    let body = json!({
        "name": "secrets", "type": "voice", "topic": "", "position": 2,
        "permissions": {"overwrites": [
            {"id": uuid(5), "type": "role", "deny": 1},
            {"id": "6", "type": "member", "allow": 3, "deny": 8},
        ]},
    });
    let channel = read::<ChannelCreate>(&body).parse(&SPELLING).unwrap();
    assert_eq!(channel.kind, ChannelKind::Voice);
    assert_eq!(channel.position, Some(2));
    let [role, member] = channel.overwrites[..] else {
        panic!("two overwrites")
    };
    assert_eq!(role.target, OverwriteTarget::Role(Id::new(5).unwrap()));
    assert_eq!(
        (role.allow, role.deny),
        (Permissions::empty(), Permissions::VIEW_CHANNEL)
    );
    assert_eq!(member.target, OverwriteTarget::Member(Id::new(6).unwrap()));
    assert_eq!(
        member.allow,
        Permissions::VIEW_CHANNEL | Permissions::SEND_MESSAGES
    );
    // The native 8 must never become the stored 8, which is ADMINISTRATOR.
    assert_eq!(member.deny, Permissions::MANAGE_CHANNELS);
}

#[test]
fn a_channel_is_a_text_channel_unless_said_otherwise() {
    let channel = read::<ChannelCreate>(&json!({"name": "x"}))
        .parse(&SPELLING)
        .unwrap();
    assert_eq!(channel.kind, ChannelKind::Text);
    assert!(channel.overwrites.is_empty());
    assert_eq!(channel.position, None);
}

#[test]
fn wrong_overwrites_are_named_each() {
    let body = json!({"position": -1, "permissions": {"overwrites": [
        {"id": "nobody", "type": "role", "allow": 1_u64 << 40},
        {"deny": 0},
        {"id": "6", "type": "member"},
        {"id": "6", "type": "member"},
        {"id": "6", "type": "role"},
    ]}});
    assert_eq!(
        faults(read::<ChannelUpdate>(&body).parse(&SPELLING)),
        [
            fault("position", "out_of_range"),
            fault("permissions.overwrites.0.id", "invalid_id"),
            fault("permissions.overwrites.0.allow", "unknown_permission"),
            fault("permissions.overwrites.1.type", "required"),
            fault("permissions.overwrites.1.id", "required"),
            fault("permissions.overwrites.3", "duplicate"),
        ]
    );
    for (body, path, code) in [
        (
            r#"{"permissions":{"overwrites":[{"allow":-1}]}}"#,
            "0.allow",
            "invalid_type",
        ),
        (
            r#"{"permissions":{"overwrites":[{"type":"guild"}]}}"#,
            "0.type",
            "unknown_value",
        ),
    ] {
        let path = format!("permissions.overwrites.{path}");
        assert_eq!(misread::<ChannelUpdate>(body), [(path, code)]);
    }
}

#[test]
fn an_update_without_overwrites_keeps_them() {
    let overwrites = |body| {
        read::<ChannelUpdate>(&body)
            .parse(&SPELLING)
            .unwrap()
            .overwrites
    };
    assert_eq!(overwrites(json!({})), None);
    assert_eq!(overwrites(json!({"permissions": {}})), None);
    assert_eq!(
        overwrites(json!({"permissions": {"overwrites": []}})),
        Some(Vec::new())
    );
    let null = read::<ChannelUpdate>(&json!({"permissions": null})).parse(&SPELLING);
    assert_eq!(faults(null), [fault("permissions", "required")]);
}

#[test]
fn a_role_changes_only_what_was_sent() {
    let role = read::<RoleInput>(&json!({"color": "#FF00aa", "permissions_bitmask": 64}));
    let update = role.parse().unwrap();
    assert_eq!(update.color, Some(0xFF_00AA));
    assert_eq!(update.name.map(String::from), None);
    let edit = update.permissions.unwrap();
    assert_eq!(edit.bits, Permissions::ADMINISTRATOR);
    let hidden = Permissions::from_bits_retain(1 << 50);
    assert!(
        edit.apply(hidden).contains(hidden),
        "bits without a native number stay"
    );
    let cleared = read::<RoleInput>(&json!({"color": null})).parse().unwrap();
    assert_eq!(cleared.color, Some(0));
}

#[test]
fn a_new_role_has_a_name() {
    assert_eq!(
        faults(read::<RoleInput>(&json!({})).parse_new()),
        [fault("name", "required")]
    );
    let body = json!({
        "name": null, "color": "red", "permissions_bitmask": 1_u64 << 31, "position": 65_536,
        "hoist": null,
    });
    assert_eq!(
        faults(read::<RoleInput>(&body).parse_new()),
        [
            fault("name", "required"),
            fault("color", "invalid_color"),
            fault("hoist", "required"),
            fault("permissions_bitmask", "unknown_permission"),
            fault("position", "out_of_range"),
        ]
    );
}

#[test]
fn assigned_roles_are_sorted_and_each_counts_once() {
    let body = json!({"roles": ["9", uuid(5), "9"]});
    let roles = read::<MemberRoles>(&body).parse(&SPELLING).unwrap();
    assert_eq!(roles, [5, 9].map(|raw| Id::new(raw).unwrap()));
    let body = json!({"roles": ["9", "x", 9.to_string(), ""]});
    assert_eq!(
        faults(read::<MemberRoles>(&body).parse(&SPELLING)),
        [
            fault("roles.1", "invalid_id"),
            fault("roles.3", "invalid_id")
        ]
    );
    let many = json!({"roles": vec!["1"; 251]});
    let refused = read::<MemberRoles>(&many).parse(&SPELLING);
    assert_eq!(faults(refused), [fault("roles", "too_many")]);
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
    let emoji = |text: &str| read::<ReactionCreate>(&json!({"emoji": text})).parse();
    assert_eq!(emoji("❤").unwrap().0, "❤️");
    assert_eq!(
        faults(emoji("hello")),
        [fault("emoji", "invalid_characters")]
    );
}

#[test]
fn bodies_that_may_be_left_out_may() {
    assert_eq!(
        read_optional_json::<Join>(b"").unwrap().parse().unwrap(),
        None
    );
    assert!(
        read_optional_json::<BanCreate>(b"{}")
            .unwrap()
            .parse()
            .unwrap()
            .is_none()
    );
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
