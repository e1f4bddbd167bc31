//! The descriptions of the native objects in `/openapi.json`, held against the objects themselves.

use guildhall_model::Rejection;
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
use guildhall_wire::native::request::read_json;
use guildhall_wire::native::request::role::{MemberRoles, RoleCreate, RoleUpdate};
use guildhall_wire::native::request::server::{ServerCreate, ServerUpdate};
use guildhall_wire::native::{
    Application, Ban, Channel, DirectChannel, DirectMessage, Invite, Member, Message, MessageBody,
    Role, Server, Session, User,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use utoipa::OpenApi;

use crate::sample::{self, SPELLING};

#[derive(OpenApi)]
#[openapi(components(schemas(
    Application,
    ApplicationCreate,
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

fn is_valid(schema: &str, body: &Value) -> Result<(), String> {
    let description = serde_json::to_value(Description::openapi()).unwrap();
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

fn answers() -> Vec<(&'static str, Value)> {
    let (ada, reply, whisper) = (sample::ada(), sample::reply(), sample::whisper());
    let own = User::own(&ada, Some("ada@example.org"), &SPELLING);
    let mine = [reply.reactions[0].emoji.clone()];
    let seen = MessageBody::seen_by_giver_of(&mine, &reply, &SPELLING);
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
    let member = Member::new(sample::guild_id(), &member, &SPELLING);
    vec![
        ("User", value(&own)),
        (
            "User",
            value(&User::new(&ada, &SPELLING).appearing(Appearance::Idle)),
        ),
        ("Session", value(&Session::new(own, "a", "r", 900))),
        (
            "Server",
            value(&Server::new(&sample::guild(), 3, &SPELLING)),
        ),
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
            value(&DirectChannel::new(&sample::direct(), [&ada], &SPELLING)),
        ),
        ("Message", value(&MessageBody::new(&reply, &SPELLING))),
        ("Message", value(&seen)),
        (
            "DirectMessage",
            value(&MessageBody::new(&whisper, &SPELLING)),
        ),
        ("Role", value(&Role::new(&sample::keeper(), &SPELLING))),
        ("Member", value(&member)),
        ("Ban", value(&Ban::new(&sample::ban(), &SPELLING))),
        ("Invite", value(&Invite::new(&sample::invite(), &SPELLING))),
        (
            "Application",
            value(&Application::created(&application, "t", &SPELLING)),
        ),
        (
            "Application",
            value(&Application::new(&application, &SPELLING)),
        ),
        ("Error", serde_json::from_slice(&fault).unwrap()),
    ]
}

#[test]
fn answers_are_as_described() {
    for (schema, body) in answers() {
        assert_eq!(is_valid(schema, &body), Ok(()), "{schema} {body:#}");
    }
}

#[test]
fn what_is_described_as_always_there_is_missed() {
    let description = serde_json::to_value(Description::openapi()).unwrap();
    for (schema, body) in answers() {
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
    let description = serde_json::to_value(Description::openapi()).unwrap();
    let mut nullable = 0;
    for (schema, _) in answers() {
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

type Parse = fn(&Value) -> Result<(), Rejection>;

/// Every body with texts, numbers or lists, as a client sends it, and how it is read.
const BODIES: &[(&str, &str, Parse)] = &[
    ("ApplicationCreate", r#"{"name": "Butler"}"#, |body| {
        read::<ApplicationCreate>(body)?.parse().map(drop)
    }),
    ("BanCreate", "{}", |body| {
        read::<BanCreate>(body)?.parse().map(drop)
    }),
    ("ChannelCreate", r#"{"name": "general"}"#, |body| {
        read::<ChannelCreate>(body)?.parse(&SPELLING).map(drop)
    }),
    ("ChannelUpdate", "{}", |body| {
        read::<ChannelUpdate>(body)?.parse(&SPELLING).map(drop)
    }),
    ("InviteCreate", "{}", |body| {
        read::<InviteCreate>(body)?
            .parse(&SPELLING, String::new())
            .map(drop)
    }),
    ("Join", "{}", |body| read::<Join>(body)?.parse().map(drop)),
    ("MemberNick", r#"{"nick": null}"#, |body| {
        read::<MemberNick>(body)?.parse().map(drop)
    }),
    ("MemberRoles", r#"{"roles": []}"#, |body| {
        read::<MemberRoles>(body)?.parse(&SPELLING).map(drop)
    }),
    ("MessageCreate", r#"{"content": "x"}"#, |body| {
        read::<MessageCreate>(body)?.parse(&SPELLING).map(drop)
    }),
    ("MessageEdit", r#"{"content": "x"}"#, |body| {
        read::<MessageEdit>(body)?.parse().map(drop)
    }),
    ("ProfileUpdate", "{}", |body| {
        read::<ProfileUpdate>(body)?.parse().map(drop)
    }),
    (
        "Register",
        r#"{"username": "ada", "email": "ada@example.org", "password": "12345678"}"#,
        |body| read::<Register>(body)?.parse().map(drop),
    ),
    ("RoleCreate", r#"{"name": "Keeper"}"#, |body| {
        read::<RoleCreate>(body)?.parse().map(drop)
    }),
    ("RoleUpdate", "{}", |body| {
        read::<RoleUpdate>(body)?.parse().map(drop)
    }),
    ("ServerCreate", r#"{"name": "Tavern"}"#, |body| {
        read::<ServerCreate>(body)?.parse().map(drop)
    }),
    ("ServerUpdate", "{}", |body| {
        read::<ServerUpdate>(body)?.parse(&SPELLING).map(drop)
    }),
];

fn read<T: DeserializeOwned>(body: &Value) -> Result<T, Rejection> {
    read_json(body.to_string().as_bytes())
}

/// The shortest address of a picture has more than a scheme.
fn is_picture(schema: &Value) -> bool {
    let pattern = schema["pattern"].as_str();
    pattern.is_some_and(|pattern| pattern.contains("http"))
}

/// A text that is wrong in nothing but, perhaps, its length.
fn filled(schema: &Value, length: usize) -> String {
    if schema["format"] == "email" && length > 2 {
        // Parts of a domain are short.
        let domain = (1..length - 1).map(|n| if n % 60 == 0 { '.' } else { 'x' });
        return format!("a@{}", domain.collect::<String>());
    }
    let scheme = if is_picture(schema) { "http://" } else { "" };
    format!(
        "{scheme}{}",
        "x".repeat(length.saturating_sub(scheme.len()))
    )
}

/// Values at each bound of a field, and just beyond it.
fn edges(schema: &Value) -> Vec<(Value, bool)> {
    let bound = |key: &str| schema[key].as_i64();
    let mut edges = Vec::new();
    let text = |length: i64| json!(filled(schema, usize::try_from(length).unwrap()));
    if let Some(min) = bound("minLength").filter(|&min| min > 0)
        && !is_picture(schema)
    {
        edges.extend([(text(min), true), (text(min - 1), false)]);
    }
    if let Some(max) = bound("maxLength").filter(|_| schema["format"] != "emoji") {
        edges.extend([(text(max), true), (text(max + 1), false)]);
    }
    if let Some(min) = bound("minimum") {
        edges.extend([(json!(min), true), (json!(min - 1), false)]);
    }
    if let Some(max) = bound("maximum") {
        edges.extend([(json!(max), true), (json!(max + 1), false)]);
    }
    if let Some(max) = bound("maxItems") {
        let of = |n: i64| -> Value { (1..=n).map(item).collect() };
        edges.extend([(of(max), true), (of(max + 1), false)]);
    }
    edges
}

/// An entry of a list, which is an id.
fn item(n: i64) -> Value {
    json!(
        SPELLING
            .uuid(sample::id::<()>(n.unsigned_abs()))
            .to_string()
    )
}

#[test]
fn the_described_bounds_are_those_of_the_parsers() {
    let description = serde_json::to_value(Description::openapi()).unwrap();
    let mut tried = 0;
    for (schema, good, parse) in BODIES {
        let good: Value = serde_json::from_str(good).unwrap();
        assert_eq!(parse(&good), Ok(()), "{schema}");
        assert_eq!(is_valid(schema, &good), Ok(()), "{schema}");
        let fields = &description["components"]["schemas"][schema]["properties"];
        for (field, described) in fields.as_object().unwrap() {
            for (value, is_good) in edges(described) {
                let mut body = good.clone();
                body[field] = value;
                assert_eq!(is_valid(schema, &body).is_ok(), is_good, "{schema} {body}");
                assert_eq!(parse(&body).is_ok(), is_good, "{schema} {body}");
                tried += 1;
            }
        }
    }
    assert!(tried > 80, "{tried}");
}

#[test]
fn the_described_patterns_are_what_the_parsers_take() {
    let name = |text: &str| json!({ "name": text });
    let content = |text: &str| json!({ "content": text });
    let picture = |text: &str| json!({ "name": "xy", "icon_url": text });
    let member = |text: &str| json!({ "username": text });
    for (schema, body) in [
        ("ServerCreate", name(" x ")),
        ("ServerCreate", name("x y")),
        ("ServerCreate", name("\u{3000}xy\u{2028}")),
        ("ServerCreate", name("x\ny")),
        ("ServerCreate", name("x\u{202e}y")),
        ("ServerCreate", name("x\u{feff}y")),
        ("ChannelCreate", name(" \u{a0} ")),
        ("ChannelCreate", name(" x ")),
        ("ChannelCreate", name("\t")),
        ("ChannelCreate", name("x\u{85}")),
        ("MessageEdit", content(" \n\t\u{2003}")),
        ("MessageEdit", content(" \nx\0")),
        ("MessageEdit", content(" \nx\u{1f}\n")),
        ("MessageEdit", content("\u{200b}")),
        ("BanCreate", json!({ "reason": "a\0b" })),
        ("BanCreate", json!({ "reason": " \n" })),
        ("BanCreate", json!({ "reason": null })),
        ("ServerCreate", picture("https://a")),
        ("ServerCreate", picture("http://a/b?c#d")),
        ("ServerCreate", picture("https:///a")),
        ("ServerCreate", picture("https://")),
        ("ServerCreate", picture("HTTP://a")),
        ("ServerCreate", picture("https://a b")),
        ("ServerCreate", picture("https://a\u{a0}")),
        ("ServerCreate", picture("https://a'")),
        ("ServerCreate", picture("https://\u{7f}")),
        ("ProfileUpdate", member("a.b-c_D9")),
        ("ProfileUpdate", member("a b")),
        ("ProfileUpdate", member("\u{430}dmin")),
        ("RoleUpdate", json!({ "color": "#12ab3" })),
        ("RoleUpdate", json!({ "color": "#12AB3f" })),
        ("RoleUpdate", json!({ "color": null })),
        ("RoleCreate", json!({ "color": null })),
        (
            "MessageCreate",
            json!({ "content": "x", "nonce": "\u{fc}".repeat(25) }),
        ),
        (
            "MessageCreate",
            json!({ "content": "x", "nonce": "\u{fc}".repeat(26) }),
        ),
        ("MessageCreate", json!({ "content": "x", "nonce": "" })),
        (
            "MessageCreate",
            json!({ "content": "x", "nonce": i64::MAX }),
        ),
        (
            "MessageCreate",
            json!({ "content": "x", "nonce": u64::MAX }),
        ),
        ("MessageCreate", json!({ "content": "x", "nonce": null })),
    ] {
        let (_, _, parse) = BODIES.iter().find(|(name, ..)| *name == schema).unwrap();
        assert_eq!(
            is_valid(schema, &body).is_ok(),
            parse(&body).is_ok(),
            "{schema} {body}"
        );
    }
}
