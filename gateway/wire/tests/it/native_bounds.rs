//! The bounds and patterns in the descriptions of requests, held against the parsers.

use guildhall_model::Rejection;
use guildhall_wire::native::request::account::{ProfileUpdate, Register};
use guildhall_wire::native::request::application::ApplicationCreate;
use guildhall_wire::native::request::channel::{ChannelCreate, ChannelUpdate};
use guildhall_wire::native::request::invite::InviteCreate;
use guildhall_wire::native::request::member::{BanCreate, Join, MemberNick};
use guildhall_wire::native::request::message::{MessageCreate, MessageEdit};
use guildhall_wire::native::request::read_json;
use guildhall_wire::native::request::role::{MemberRoles, RoleCreate, RoleUpdate};
use guildhall_wire::native::request::server::{ServerCreate, ServerUpdate};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::native_schema::{description, is_valid};
use crate::sample::{self, SPELLING};

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
    if let Some(min) = bound("minLength").filter(|&min| min > 0 && !is_picture(schema)) {
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
    let description = description();
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
