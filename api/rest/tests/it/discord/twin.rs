//! The same acts through either dialect leave the same state and are told in the same events.

use guildhall_host::session::SessionHandle;
use guildhall_model::dispatch::Dispatch;
use guildhall_model::event::Event;
use guildhall_wire::dispatch::{self, Look};
use serde_json::{Value, json};

use super::{Tavern, call, call_because};
use crate::harness::text;

/// What the last message says, so that a listener knows that it has heard everything.
const END: &str = "the end";
/// Bytes of dispatches that are taken at a time.
const BUDGET: usize = 1 << 20;

#[tokio::test]
async fn either_dialect_leaves_the_same_state_and_the_same_events() {
    let (native, discord) = (Tavern::open().await, Tavern::open().await);
    let mut ears = (
        native.house.session(&native.ada).await,
        discord.house.session(&discord.ada).await,
    );
    in_native_words(&native).await;
    in_discords_words(&discord).await;
    let heard = (
        heard(&mut ears.0, &native).await,
        heard(&mut ears.1, &discord).await,
    );
    assert!(heard.0.len() > 20, "{:#?}", heard.0);
    assert_eq!(heard.0, heard.1);
    let (before, after) = (photo(&native).await, photo(&discord).await);
    assert_eq!(before, after);
}

async fn in_native_words(tavern: &Tavern) {
    let (house, ada, bob) = (&tavern.house, &tavern.ada, &tavern.bob);
    let server = format!("/servers/{}", tavern.guild);
    let put = async |path: &str, form| house.put(ada, path, form).await.expect(200);
    let post = async |path: &str, form| house.post(ada, path, form).await.expect(201);
    let delete = async |path: &str| assert_eq!(house.delete(ada, path).await.status, 204);

    put(&server, json!({"description": "warm"})).await;
    let form = json!({"name": "guards", "color": "#2ecc71", "permissions_bitmask": 2});
    let role = text(&post(&format!("{server}/roles"), form).await["id"]);
    put(&format!("/roles/{role}"), json!({"hoist": true})).await;
    let member = format!("{server}/members/{}", bob.id);
    put(&format!("{member}/roles"), json!({"roles": [role]})).await;
    put(&format!("{member}/nick"), json!({"nick": "Bert"})).await;

    let form = json!({"name": "lore", "topic": "tales"});
    let channel = text(&post(&format!("{server}/channels"), form).await["id"]);
    let one = format!("/channels/{channel}");
    put(&one, json!({"name": "myth", "topic": null})).await;
    let hidden = json!({"id": role, "type": "role", "deny": 2});
    put(&one, json!({"permissions": {"overwrites": [hidden]}})).await;

    let messages = format!("/channels/{}/messages", tavern.channel);
    let form = json!({"content": "hello", "nonce": 7});
    let first = text(&post(&messages, form).await["id"]);
    post(&messages, json!({"content": "answer", "reply_to": first})).await;
    let message = format!("/messages/{first}");
    put(&message, json!({"content": "hello again"})).await;
    post(&format!("{message}/reactions"), json!({"emoji": "🎉"})).await;
    delete(&format!("{message}/reactions/%F0%9F%8E%89")).await;
    delete(&message).await;

    // To the first channel that the maker sees.
    post(&format!("{server}/invites"), json!({"max_uses": 3})).await;
    let ban = format!("{server}/bans/{}", bob.id);
    let banned = house.put(ada, &ban, json!({"reason": "noise"})).await;
    assert_eq!(banned.status, 204);
    delete(&ban).await;
    delete(&one).await;
    delete(&format!("/roles/{role}")).await;
    post(&messages, json!({"content": END})).await;
}

async fn in_discords_words(tavern: &Tavern) {
    let (house, ada, bob) = (&tavern.house, &tavern.ada, &tavern.bob);
    let send = async |method: &str, path: &str, form: Value| {
        let answer = call(house, ada, method, path, form).await;
        assert!(answer.status < 300, "{method} {path}: {}", answer.body);
        answer.body
    };
    let none = async |method: &str, path: &str| {
        assert_eq!(call(house, ada, method, path, None).await.status, 204);
    };
    let guild = tavern.of_guild("");
    send("PATCH", &guild, json!({"description": "warm"})).await;
    let form = json!({"name": "guards", "color": 0x002e_cc71, "permissions": "2048"});
    let role = text(&send("POST", &format!("{guild}/roles"), form).await["id"]);
    let one_role = format!("{guild}/roles/{role}");
    send("PATCH", &one_role, json!({"hoist": true})).await;
    let member = format!("{guild}/members/{}", bob.id);
    none("PUT", &format!("{member}/roles/{role}")).await;
    send("PATCH", &member, json!({"nick": "Bert"})).await;

    let form = json!({"name": "lore", "topic": "tales"});
    let channel = text(&send("POST", &format!("{guild}/channels"), form).await["id"]);
    let one = format!("/channels/{channel}");
    send("PATCH", &one, json!({"name": "myth", "topic": null})).await;
    let hidden = json!({"type": 0, "deny": "2048"});
    send("PUT", &format!("{one}/permissions/{role}"), hidden).await;

    let messages = tavern.of_channel("/messages");
    let form = json!({"content": "hello", "nonce": 7});
    let first = text(&send("POST", &messages, form).await["id"]);
    // The native dialect mentions nobody whom the text does not name.
    let form = json!({"content": "answer", "message_reference": {"message_id": first},
        "allowed_mentions": {"parse": ["users"], "replied_user": false}});
    send("POST", &messages, form).await;
    let message = format!("{messages}/{first}");
    send("PATCH", &message, json!({"content": "hello again"})).await;
    none("PUT", &format!("{message}/reactions/%F0%9F%8E%89/@me")).await;
    none("DELETE", &format!("{message}/reactions/%F0%9F%8E%89/@me")).await;
    none("DELETE", &message).await;

    send(
        "POST",
        &tavern.of_channel("/invites"),
        json!({"max_uses": 3}),
    )
    .await;
    let ban = format!("{guild}/bans/{}", bob.id);
    let banned = call_because(tavern, ada, "PUT", &ban, "noise").await;
    assert_eq!(banned.status, 204);
    none("DELETE", &ban).await;
    send("DELETE", &one, Value::Null).await;
    none("DELETE", &one_role).await;
    send("POST", &messages, json!({"content": END})).await;
}

/// What a session is told until the end, as clients of this dialect see it.
async fn heard(ear: &mut SessionHandle, tavern: &Tavern) -> Vec<(&'static str, Value)> {
    let mut heard = Vec::new();
    let mut seen = Vec::new();
    loop {
        let mut out = Vec::new();
        ear.drain(BUDGET, &mut out);
        if out.is_empty() {
            ear.wait().await;
        }
        for told in out {
            let told = told.payload.dispatch();
            let body = dispatch::body(told, &Look::default(), &tavern.house.installation).unwrap();
            let mut body: Value = serde_json::from_slice(&body).unwrap();
            if !matches!(told, Dispatch::Ready(_)) {
                nameless(&mut body, &mut seen);
                heard.push((dispatch::name(told), body));
            }
            if let Dispatch::Event(record) = told
                && matches!(&record.event, Event::MessageCreated(last) if last.content == END)
            {
                return heard;
            }
        }
    }
}

/// Everything that the owner can see of the guild.
async fn photo(tavern: &Tavern) -> Vec<Value> {
    let mut photo = Vec::new();
    let mut seen = Vec::new();
    let server = format!("/servers/{}", tavern.guild);
    let mut paths: Vec<String> = ["", "/channels", "/roles", "/members", "/bans", "/invites"]
        .iter()
        .map(|part| format!("{server}{part}"))
        .collect();
    paths.push(format!("/channels/{}/messages", tavern.channel));
    for path in paths {
        let mut body = tavern.house.get(&tavern.ada, &path).await.expect(200);
        nameless(&mut body, &mut seen);
        photo.push(body);
    }
    photo
}

/// Puts numbers in order of appearance in place of ids, and takes codes and times out.
fn nameless(value: &mut Value, seen: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| nameless(item, seen)),
        Value::Object(fields) => {
            for (key, field) in fields {
                if key == "code" {
                    *field = json!("<code>");
                }
                nameless(field, seen);
            }
        }
        Value::String(text) if is_id(text) => {
            let known = seen.iter().position(|id| id == text);
            let number = known.unwrap_or_else(|| {
                seen.push(text.clone());
                seen.len() - 1
            });
            *value = json!(format!("<id {number}>"));
        }
        Value::String(text) if text.starts_with("20") && text.contains('T') => {
            *value = json!("<time>");
        }
        _ => {}
    }
}

fn is_id(text: &str) -> bool {
    let is_decimal = text.len() > 16 && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_uuid = text.len() == 36 && text.bytes().filter(|&byte| byte == b'-').count() == 4;
    is_decimal || is_uuid
}
