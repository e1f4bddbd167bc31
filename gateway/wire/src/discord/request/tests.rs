//! Bodies of the Discord dialect: what is read, and what is said about the rest.

mod rich;

use guildhall_model::channel::OverwriteTarget;
use guildhall_model::command::RolesEdit;
use guildhall_model::{Permissions, Rejection, RoleId, UserId};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::channel::{ChannelCreate, ChannelPatch, ChannelPlace, OverwritePut};
use super::guild::GuildPatch;
use super::invite::InviteCreate;
use super::member::{BulkBan, MemberPatch};
use super::message::{MessageCreate, MessagePatch};
use super::role::{RolePatch, RolePlace};
use super::user::{DirectCreate, UserPatch};
use super::{read_json, read_json_list};
use crate::Dialect;
use crate::error::Problem;
use crate::id::Spelling;

const SPELLING: Spelling = Spelling::new(7);
const ID: u64 = 175_928_847_299_117_063;

fn read<T: DeserializeOwned>(body: &Value) -> Result<T, Rejection> {
    read_json(body.to_string().as_bytes())
}

/// Discord's names for what is wrong, by place.
fn faults<T>(outcome: Result<T, Rejection>) -> Value {
    let rejection = outcome.err().expect("the body is wrong");
    let body = Problem::from(&rejection).body(Dialect::Discord);
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["code"], 50_035);
    codes(&body["errors"])
}

/// An error's tree with the codes only.
fn codes(at: &Value) -> Value {
    match at {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| match (key.as_str(), value) {
                ("_errors", Value::Array(own)) => {
                    let own: Vec<&Value> = own.iter().map(|error| &error["code"]).collect();
                    (key.clone(), json!(own))
                }
                _ => (key.clone(), codes(value)),
            })
            .collect(),
        other => other.clone(),
    }
}

fn own(code: &str) -> Value {
    json!({"_errors": [code]})
}

#[test]
fn ids_and_permissions_are_taken_as_text_and_as_numbers() {
    let id = RoleId::new(ID).unwrap();
    for (id_given, bits) in [
        (json!(ID.to_string()), json!("2048")),
        (json!(ID), json!(2048)),
    ] {
        let body = json!({"name": "a", "permission_overwrites": [
            {"id": id_given, "type": 0, "allow": bits, "deny": null},
        ]});
        let new = read::<ChannelCreate>(&body)
            .unwrap()
            .parse(&SPELLING)
            .unwrap();
        assert_eq!(new.overwrites[0].target, OverwriteTarget::Role(id));
        assert_eq!(new.overwrites[0].allow, Permissions::SEND_MESSAGES);
        assert_eq!(new.overwrites[0].deny, Permissions::empty());
    }
}

#[test]
fn every_wrong_field_is_named_in_discords_words() {
    let channel = |body: &Value| read::<ChannelCreate>(body).and_then(|form| form.parse(&SPELLING));
    let body = json!({"type": 13, "topic": "t".repeat(1_025), "position": -1, "parent_id": "x",
        "permission_overwrites": [{"id": "x", "type": 2, "allow": "-1"}, {"type": 1}]});
    assert_eq!(
        faults(channel(&body)),
        json!({
            "name": own("BASE_TYPE_REQUIRED"),
            "type": own("BASE_TYPE_CHOICES"),
            "topic": own("BASE_TYPE_BAD_LENGTH"),
            "position": own("NUMBER_TYPE_MIN"),
            "parent_id": own("NUMBER_TYPE_COERCE"),
            "permission_overwrites": {
                "0": {
                    "id": own("NUMBER_TYPE_COERCE"),
                    "type": own("BASE_TYPE_CHOICES"),
                    "allow": own("NUMBER_TYPE_COERCE"),
                },
                "1": {"id": own("BASE_TYPE_REQUIRED")},
            },
        })
    );
    for (body, expected) in [
        (
            json!({"name": 5}),
            json!({"name": own("STRING_TYPE_CONVERT")}),
        ),
        (
            json!({"name": "a", "type": "x"}),
            json!({"type": own("NUMBER_TYPE_COERCE")}),
        ),
        (
            json!({"name": "a", "permission_overwrites": {}}),
            json!({"permission_overwrites": own("LIST_TYPE_CONVERT")}),
        ),
        (
            json!({"name": "a", "permission_overwrites": [1]}),
            json!({"permission_overwrites": {"0": own("MODEL_TYPE_CONVERT")}}),
        ),
        (
            json!({"name": "a", "parent_id": true}),
            json!({"parent_id": own("NUMBER_TYPE_COERCE")}),
        ),
    ] {
        assert_eq!(faults(channel(&body)), expected, "{body}");
    }
}

#[test]
fn a_patch_tells_leaving_from_clearing() {
    let parse = |body: &Value| read::<ChannelPatch>(body).unwrap().parse(&SPELLING);
    assert_eq!(parse(&json!({})).unwrap().topic, None);
    assert_eq!(parse(&json!({"topic": null})).unwrap().topic, Some(None));
    assert!(
        parse(&json!({"position": null}))
            .unwrap()
            .position
            .is_none()
    );
    let faults_of_null = faults(parse(&json!({"name": null})));
    assert_eq!(faults_of_null, json!({"name": own("BASE_TYPE_REQUIRED")}));

    let member = |body: &Value| read::<MemberPatch>(body).unwrap().parse(&SPELLING).unwrap();
    assert_eq!(member(&json!({"nick": ""})).nick, Some(None));
    assert_eq!(member(&json!({"nick": null})).nick, Some(None));
    assert!(member(&json!({})).nick.is_none() && member(&json!({})).roles.is_none());
    let cleared = member(&json!({"roles": null, "communication_disabled_until": null}));
    assert!(matches!(&cleared.roles, Some(RolesEdit::Exactly(roles)) if roles.is_empty()));
    assert_eq!(cleared.timed_out_until, Some(None));
    let until = member(&json!({"communication_disabled_until": "1970-01-01T00:00:01+00:00"}));
    assert_eq!(until.timed_out_until.flatten().unwrap().0, 1_000);
}

#[test]
fn lists_are_read_as_lists_and_errors_are_counted_through_them() {
    let places = |body: &Value| {
        let list = read_json_list::<ChannelPlace>(body.to_string().as_bytes())?;
        ChannelPlace::parse(list, &SPELLING)
    };
    let body = json!([{"id": ID.to_string(), "position": 3}, {"id": ID, "position": null}]);
    let parsed = places(&body).unwrap();
    let positions: Vec<_> = parsed.iter().map(|place| place.position).collect();
    assert_eq!(positions, [Some(3), None]);
    assert_eq!(
        faults(places(
            &json!([{"position": 1}, {"id": "5", "position": 70_000}])
        )),
        json!({
            "0": {"id": own("BASE_TYPE_REQUIRED")},
            "1": {"position": own("NUMBER_TYPE_MAX")},
        })
    );
    for no_list in [json!({}), json!("x"), json!(null)] {
        assert_eq!(
            faults(places(&no_list)),
            own("LIST_TYPE_CONVERT"),
            "{no_list}"
        );
    }
    let roles = RolePlace::parse(
        read_json_list(json!([{"id": "5", "position": 2}]).to_string().as_bytes()).unwrap(),
        &SPELLING,
    );
    assert_eq!(roles.unwrap(), [(RoleId::new(5).unwrap(), 2)]);
}

#[test]
fn a_reply_says_what_becomes_of_it_without_its_message() {
    let parse = |body: &Value| read::<MessageCreate>(body).unwrap().parse(&SPELLING);
    let body = json!({"content": "hi", "nonce": 5,
        "message_reference": {"message_id": "5", "fail_if_not_exists": false}});
    let reply = parse(&body).unwrap().reply.unwrap();
    assert!(!reply.must_exist && reply.channel_id.is_none());
    let forward = json!({"content": "hi", "message_reference": {"type": 1}});
    assert_eq!(
        faults(parse(&forward)),
        json!({"message_reference": {
            "type": own("BASE_TYPE_CHOICES"), "message_id": own("BASE_TYPE_REQUIRED"),
        }})
    );
}

#[test]
fn the_newer_way_to_say_a_color_counts() {
    let parse = |body: &Value| read::<RolePatch>(body).unwrap().parse();
    let both = json!({"color": 1, "colors": {"primary_color": 2}, "permissions": "8"});
    let role = parse(&both).unwrap();
    assert_eq!(role.color, Some(2));
    assert_eq!(role.permissions.unwrap().bits, Permissions::ADMINISTRATOR);
    assert_eq!(
        faults(parse(&json!({"color": 16_777_216, "hoist": null}))),
        json!({"color": own("NUMBER_TYPE_MAX")})
    );
}

#[test]
fn bounds_are_those_that_discord_documents() {
    let ban = |n: usize| {
        let ids: Vec<String> = (1..=n).map(|id| id.to_string()).collect();
        read::<BulkBan>(&json!({"user_ids": ids}))
            .unwrap()
            .parse(&SPELLING)
    };
    assert_eq!(ban(200).unwrap().0.len(), 200);
    assert_eq!(
        faults(ban(201)),
        json!({"user_ids": own("BASE_TYPE_BAD_LENGTH")})
    );
    let invite = |body: &Value| read::<InviteCreate>(body).unwrap().parse();
    assert_eq!(invite(&json!({})).unwrap().max_age_s, 86_400);
    assert_eq!(
        faults(invite(&json!({"max_age": 604_801, "max_uses": -1}))),
        json!({"max_age": own("NUMBER_TYPE_MAX"), "max_uses": own("NUMBER_TYPE_MIN")})
    );
}

#[test]
fn pictures_are_given_as_data_or_removed() {
    let guild = |body: &Value| read::<GuildPatch>(body).unwrap().parse(&SPELLING);
    let (removed, image) = guild(&json!({"icon": null})).unwrap();
    assert_eq!((removed.icon, image), (Some(None), None));
    let (left, image) =
        guild(&json!({"icon": "data:image/gif;base64,R0lGODlhAQABAAAAAA=="})).unwrap();
    assert_eq!(left.icon, None);
    assert_eq!(image.unwrap().bytes(), b"GIF89a\x01\0\x01\0\0\0\0");
    let upload = json!({"icon": "data:image/png;base64,AAAA"});
    assert_eq!(
        faults(guild(&upload)),
        json!({"icon": own("IMAGE_INVALID")})
    );
    let user = |body: &Value| read::<UserPatch>(body).unwrap().parse();
    assert!(user(&json!({"avatar": "data:"})).is_err());
    assert!(user(&json!({"avatar": null, "username": "Echo"})).is_ok());
}

#[test]
fn whom_to_talk_to_must_be_said() {
    let parse = |body: &Value| read::<DirectCreate>(body).unwrap().parse(&SPELLING);
    assert_eq!(
        parse(&json!({"recipient_id": ID})).unwrap(),
        UserId::new(ID).unwrap()
    );
    assert!(parse(&json!({})).is_err());
}

#[test]
fn an_overwrite_says_which_of_the_two_its_path_means() {
    let role = OverwriteTarget::Role(RoleId::new(5).unwrap());
    let member = OverwriteTarget::Member(UserId::new(5).unwrap());
    let parse = |body: &Value| {
        let form: OverwritePut = read(body).unwrap();
        form.parse([role, member])
    };
    let target = |kind: u8| parse(&json!({"type": kind, "allow": "0"})).unwrap().target;
    assert_eq!((target(0), target(1)), (role, member));
    assert_eq!(
        faults(parse(&json!({"allow": "x"}))).get("type"),
        Some(&own("BASE_TYPE_REQUIRED"))
    );
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(text in ".{0,300}") {
        let bytes = text.as_bytes();
        let _ = read_json::<MessageCreate>(bytes).map(|form| form.parse(&SPELLING));
        let _ = read_json::<MemberPatch>(bytes).map(|form| form.parse(&SPELLING));
        let _ = read_json_list::<RolePlace>(bytes);
    }
}
