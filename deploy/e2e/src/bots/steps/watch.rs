//! Steps about what a bot sees of guilds and people.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::bots::record::Side;
use crate::bots::stage::{Stage, snowflake};
use crate::person::text;
use crate::soon;

/// Texts at a place in each element of a list.
fn texts(list: &Value, pointer: &str) -> BTreeSet<String> {
    let list = list.as_array();
    let list = list.unwrap_or_else(|| panic!("no list"));
    list.iter().map(|it| text(it, pointer)).collect()
}

/// The same for a list of the native dialect, whose texts are ids.
fn ids(list: &Value, pointer: &str) -> BTreeSet<String> {
    texts(list, pointer)
        .iter()
        .map(|it| snowflake(it))
        .collect()
}

pub(super) async fn guild(stage: &mut Stage) {
    let id = snowflake(&stage.guild);
    let seen = stage.bot().await.ask("guild", json!({ "guild": id })).await;
    assert_eq!(seen["name"], "Reading club");
    assert_eq!(seen["owner"], snowflake(&stage.ada.id));

    let rest = &stage.ada.rest;
    let roles = rest.get(&format!("/servers/{}/roles", stage.guild)).await;
    assert_eq!(texts(&seen["roles"], "/id"), ids(&roles.expect(200), "/id"));
    // A person's 3, reading and sending, is Discord's VIEW_CHANNEL and SEND_MESSAGES.
    let keepers = json!({
        "id": snowflake(&stage.keepers),
        "name": "keepers",
        "permissions": ((1 << 10) | (1 << 11)).to_string(),
    });
    let is_there = seen["roles"]
        .as_array()
        .is_some_and(|roles| roles.contains(&keepers));
    assert!(is_there, "no {keepers} in {}", seen["roles"]);

    let members = rest.get(&format!("/servers/{}/members", stage.guild)).await;
    let members = ids(&members.expect(200), "/user/id");
    assert_eq!(texts(&seen["members"], "/id"), members);
    let bob = json!({
        "id": snowflake(&stage.bob.id),
        "roles": [snowflake(&stage.keepers)],
    });
    let is_there = seen["members"]
        .as_array()
        .is_some_and(|members| members.contains(&bob));
    assert!(is_there, "no {bob} in {}", seen["members"]);

    let channels = rest
        .get(&format!("/servers/{}/channels", stage.guild))
        .await;
    let channels = channels.expect(200);
    assert_eq!(texts(&seen["channels"], "/id"), ids(&channels, "/id"));
    assert_eq!(texts(&seen["channels"], "/name"), texts(&channels, "/name"));
}

pub(super) async fn members(stage: &mut Stage) {
    let id = snowflake(&stage.guild);
    let record = stage.proxy.record().clone();
    let mark = record.mark();
    let heard = stage
        .bot()
        .await
        .ask("members", json!({ "guild": id }))
        .await;
    let expected: BTreeSet<String> = [&stage.ada.id, &stage.bob.id, &stage.robot.id]
        .map(|id| snowflake(id))
        .into();
    let heard = heard["members"].as_array().cloned().unwrap_or_default();
    let heard: BTreeSet<String> = heard.iter().map(|id| text(id, "")).collect();
    assert_eq!(heard, expected);
    let asked = record.until(mark, 1, |f| f.from == Side::Bot && f.payload.op == 8);
    soon("op 8", asked).await;
}

pub(super) async fn presence(stage: &mut Stage) {
    stage.bot().await;
    let bob_id = snowflake(&stage.bob.id);
    let mut bob = stage.bob.listen().await;
    for status in ["online", "dnd", "idle"] {
        let chosen = json!({ "since": null, "activities": [], "status": status, "afk": false });
        bob.link.send(&json!({ "op": 3, "d": chosen })).await;
        let fields = json!({ "user": bob_id, "status": status });
        stage.bot().await.hears("presence", fields).await;
    }
    let mut ada = stage.ada.listen().await;
    let wanted = json!({ "status": "dnd", "activity": "chess" });
    stage.bot().await.ask("presence", wanted).await;
    let robot = stage.robot.id.clone();
    let seen = async {
        loop {
            let told = ada.link.op(0).await;
            let is_robot = told.d["user_id"] == robot.as_str();
            if told.name() == "PRESENCE_UPDATE" && is_robot && told.d["status"] == "dnd" {
                return;
            }
        }
    };
    soon("the bot's presence", seen).await;
}

pub(super) async fn shards(stage: &mut Stage) {
    let own: u64 = snowflake(&stage.guild).parse().expect("an id is a number");
    let own_shard = (own >> 22) % 2;
    let elsewhere = stage.found_on_shard(1 - own_shard).await;
    let ready = stage.start(2).await;
    let mut expected = vec![
        json!({ "id": own.to_string(), "shard": own_shard }),
        json!({ "id": snowflake(&elsewhere), "shard": 1 - own_shard }),
    ];
    let mut seen = ready["guilds"].as_array().cloned().unwrap_or_default();
    for list in [&mut expected, &mut seen] {
        list.sort_by_key(|guild| text(guild, "/id"));
    }
    assert_eq!(seen, expected);
    // Each guild's events arrive once, whatever shard it is on.
    let path = format!("/servers/{elsewhere}/channels");
    let channels = stage.ada.rest.get(&path).await;
    let there = text(&channels.expect(200), "/0/id");
    stage.ada.post(&stage.channel, "shards: here").await;
    stage.ada.post(&there, "shards: there").await;
    let bot = stage.bot().await;
    for content in ["shards: here", "shards: there"] {
        bot.hears("message", json!({ "content": content })).await;
    }
    stage.ada.post(&stage.channel, "shards: last").await;
    stage.ada.post(&there, "shards: last").await;
    let bot = stage.bot().await;
    bot.hears("message", json!({ "content": "shards: last" }))
        .await;
    for content in ["shards: here", "shards: there"] {
        assert_eq!(
            bot.contents(content).len(),
            1,
            "{content} was told more than once"
        );
    }
}
