//! The descriptions of the native objects in `/openapi.json`, held against the objects themselves.

use guildhall_model::account::Application as ModelApplication;
use guildhall_model::intent::Intents;
use guildhall_model::user::Appearance;
use guildhall_wire::Dialect;
use guildhall_wire::error::{ErrorBody, Problem};
use guildhall_wire::native::request::account::{Login, ProfileUpdate, Refresh, Register};
use guildhall_wire::native::request::application::ApplicationCreate;
use guildhall_wire::native::request::channel::{ChannelCreate, ChannelUpdate, OverwriteInput};
use guildhall_wire::native::request::invite::InviteCreate;
use guildhall_wire::native::request::member::{BanCreate, Join, MemberNick};
use guildhall_wire::native::request::message::{MessageCreate, MessageEdit};
use guildhall_wire::native::request::role::{MemberRoles, RoleCreate, RoleUpdate};
use guildhall_wire::native::request::server::{ServerCreate, ServerUpdate};
use guildhall_wire::native::{
    Application, Attachment, Ban, Channel, DirectChannel, DirectMessage, Invite, Member, Message,
    MessageBody, Role, Server, Session, User,
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::OpenApi;

use crate::sample::{self, SPELLING};

#[derive(OpenApi)]
#[openapi(components(schemas(
    Application,
    ApplicationCreate,
    Attachment,
    Ban,
    BanCreate,
    Channel,
    ChannelCreate,
    ChannelUpdate,
    DirectChannel,
    DirectMessage,
    ErrorBody,
    Invite,
    InviteCreate,
    Join,
    Login,
    Member,
    MemberNick,
    MemberRoles,
    Message,
    MessageBody,
    MessageCreate,
    MessageEdit,
    OverwriteInput,
    ProfileUpdate,
    Refresh,
    Register,
    Role,
    RoleCreate,
    RoleUpdate,
    Server,
    ServerCreate,
    ServerUpdate,
    Session,
    User,
)))]
struct Description;

pub(crate) fn description() -> Value {
    serde_json::to_value(Description::openapi()).unwrap()
}

pub(crate) fn is_valid(schema: &str, body: &Value) -> Result<(), String> {
    let description = description();
    assert!(
        description["components"]["schemas"][schema].is_object(),
        "{schema}"
    );
    let root = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": format!("#/components/schemas/{schema}"),
        "components": description["components"],
    });
    let validator = jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&root)
        .unwrap();
    validator
        .validate(body)
        .map_err(|error| format!("{}: {error}", error.instance_path()))
}

fn value(body: &impl Serialize) -> Value {
    serde_json::to_value(body).unwrap()
}

fn files() -> Vec<(&'static str, Value)> {
    let (picture, notes) = (sample::picture(), sample::notes());
    let (reply, urls) = (sample::reply(), sample::file_urls());
    let posted = (reply.channel_id, Some(reply.id));
    let waiting = (reply.channel_id, None);
    vec![
        (
            "Attachment",
            value(&Attachment::new(posted, &picture, &urls, &SPELLING)),
        ),
        (
            "Attachment",
            value(&Attachment::new(waiting, &notes, &urls, &SPELLING)),
        ),
    ]
}

fn answers() -> Vec<(&'static str, Value)> {
    let (ada, reply, whisper) = (sample::ada(), sample::reply(), sample::whisper());
    let installation = sample::installation();
    let own = User::own(&ada, Some("ada@example.org"), &installation);
    let mine = [reply.reactions[0].emoji.clone()];
    let seen = MessageBody::seen_by_giver_of(&mine, &reply, &installation);
    let (guild, ban) = (sample::guild(), sample::ban());
    let application = ModelApplication {
        id: sample::id(12),
        name: "Butler".to_owned(),
        owner_id: ada.id,
        bot: sample::bob(),
        privileged_intents: Intents::empty(),
    };
    let fault = guildhall_model::Rejection::field("name", "too_short", "must be longer");
    let fault = Problem::from(&fault).body(Dialect::Native);
    let member = sample::keeper_bob();
    let member = Member::new(sample::guild_id(), &member, &installation);
    vec![
        ("User", value(&own)),
        (
            "User",
            value(&User::new(&ada, &installation).appearing(Appearance::Idle)),
        ),
        ("Session", value(&Session::new(own, "a", "r", 900))),
        ("Server", value(&Server::new(&guild, 3, &installation))),
        (
            "Channel",
            value(&Channel::new(&sample::general(), &SPELLING)),
        ),
        (
            "Channel",
            value(&Channel::new(&sample::parlor(), &SPELLING)),
        ),
        (
            "DirectChannel",
            value(&DirectChannel::new(
                &sample::direct(),
                [&ada],
                &installation,
            )),
        ),
        ("Message", value(&MessageBody::new(&reply, &installation))),
        ("Message", value(&seen)),
        (
            "DirectMessage",
            value(&MessageBody::new(&whisper, &installation)),
        ),
        ("Role", value(&Role::new(&sample::keeper(), &SPELLING))),
        ("Member", value(&member)),
        ("Ban", value(&Ban::new(&ban, &installation))),
        ("Invite", value(&Invite::new(&sample::invite(), &SPELLING))),
        (
            "Application",
            value(&Application::created(&application, "t", &installation)),
        ),
        (
            "Application",
            value(&Application::new(&application, &installation)),
        ),
        ("Error", serde_json::from_slice(&fault).unwrap()),
    ]
}

#[test]
fn answers_are_as_described() {
    for (schema, body) in answers().into_iter().chain(files()) {
        assert_eq!(is_valid(schema, &body), Ok(()), "{schema} {body:#}");
    }
}

#[test]
fn what_is_described_as_always_there_is_missed() {
    let description = description();
    for (schema, body) in answers().into_iter().chain(files()) {
        let required = description["components"]["schemas"][schema]["required"].as_array();
        let required = required.unwrap_or_else(|| panic!("{schema} requires nothing"));
        for field in required.iter().filter_map(Value::as_str) {
            let mut body = body.clone();
            assert!(
                body.as_object_mut().unwrap().remove(field).is_some(),
                "{schema}.{field}"
            );
            assert!(is_valid(schema, &body).is_err(), "{schema} without {field}");
        }
    }
}

#[test]
fn a_field_that_may_be_null_is_always_there() {
    let description = description();
    let mut nullable = 0;
    for (schema, _) in answers().into_iter().chain(files()) {
        let described = &description["components"]["schemas"][schema];
        let required = described["required"].as_array().unwrap();
        for (field, described) in described["properties"].as_object().unwrap() {
            if described.to_string().contains("\"null\"") {
                assert!(required.contains(&json!(field)), "{schema}.{field}");
                nullable += 1;
            }
        }
    }
    assert!(nullable > 10, "{nullable}");
}

#[test]
fn requests_are_described_as_they_are_read() {
    let role = SPELLING.uuid(sample::keeper().id).to_string();
    for (schema, good, bad) in [
        (
            "Register",
            json!({"username": "ada", "email": "ada@example.org", "password": "12345678"}),
            json!({"username": "ada", "email": "ada@example.org"}),
        ),
        (
            "Login",
            json!({"username": "ada", "password": "x"}),
            json!({"username": "ada"}),
        ),
        (
            "Refresh",
            json!({"refresh_token": "r"}),
            json!({"refresh_token": null}),
        ),
        (
            "ProfileUpdate",
            json!({"display_name": null}),
            json!({"status": "offline"}),
        ),
        (
            "ServerCreate",
            json!({"name": "Tavern", "icon_url": null}),
            json!({"is_public": true}),
        ),
        ("ServerUpdate", json!({}), json!({"name": null})),
        (
            "ChannelCreate",
            json!({"name": "x", "type": "voice"}),
            json!({"type": "forum"}),
        ),
        (
            "ChannelUpdate",
            json!({"permissions": {"overwrites": [{"id": role, "type": "role", "deny": 1}]}}),
            json!({"permissions": {"overwrites": [{"id": role}]}}),
        ),
        (
            "RoleUpdate",
            json!({"color": "#FF00aa"}),
            json!({"color": "red"}),
        ),
        (
            "MemberRoles",
            json!({"roles": [role]}),
            json!({"roles": null}),
        ),
        (
            "MessageCreate",
            json!({"content": "x", "nonce": 1}),
            json!({"content": "x", "nonce": true}),
        ),
    ] {
        assert_eq!(is_valid(schema, &good), Ok(()), "{schema} {good}");
        assert!(is_valid(schema, &bad).is_err(), "{schema} {bad}");
    }
}
