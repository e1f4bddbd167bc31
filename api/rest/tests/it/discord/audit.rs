//! The audit log, and the messages that a ban takes along.

use serde_json::{Value, json};

use super::{Tavern, call_because, fault, refused};
use crate::harness::{Answer, text};

impl Tavern {
    async fn audit_log(&self, query: &str) -> Value {
        let path = self.of_guild(&format!("/audit-logs{query}"));
        self.bot("GET", &path, None).await.expect(200)
    }
}

/// What entries are about, to whom it was done, and why.
fn told(log: &Value) -> Vec<(u64, Option<&str>, Option<&str>)> {
    let entries = log["audit_log_entries"].as_array().unwrap().iter();
    let one = |entry: &'_ Value| entry["action_type"].as_u64().unwrap();
    entries
        .map(|entry| {
            (
                one(entry),
                entry["target_id"].as_str(),
                entry["reason"].as_str(),
            )
        })
        .collect()
}

#[tokio::test]
async fn what_managers_do_is_logged_with_their_reasons() {
    let tavern = Tavern::open().await;
    let log = tavern.audit_log("").await;
    // The bot was brought in and given a role before.
    let bot = tavern.bot.id.as_str();
    let before = told(&log);
    assert_eq!(before[0], (25, Some(bot), None));
    assert!(before.contains(&(28, Some(bot), None)));

    let bob = tavern.bob.id.as_str();
    let path = tavern.of_guild(&format!("/members/{bob}"));
    let kicked = call_because(&tavern, &tavern.bot, "DELETE", &path, "too%20loud").await;
    assert_eq!(kicked.status, 204);
    let form = json!({"name": "attic", "topic": "dust"});
    let room = tavern
        .bot("POST", &tavern.of_guild("/channels"), form)
        .await
        .expect(201);
    let room = text(&room["id"]);
    let form = json!({"topic": null, "name": "loft"});
    let path = format!("/channels/{room}");
    tavern.bot("PATCH", &path, form).await.expect(200);

    let log = tavern.audit_log("?limit=3").await;
    let expected = [
        (11, Some(room.as_str()), None),
        (10, Some(room.as_str()), None),
        (20, Some(bob), Some("too loud")),
    ];
    assert_eq!(told(&log), expected);
    let changed = &log["audit_log_entries"][0];
    assert_eq!(changed["user_id"], bot);
    let changes = json!([
        {"key": "name", "old_value": "attic", "new_value": "loft"},
        {"key": "topic", "old_value": "dust"},
    ]);
    assert_eq!(changed["changes"], changes);
    let users: Vec<&str> = log["users"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|user| user["id"].as_str())
        .collect();
    assert!(users.contains(&bot) && users.contains(&bob));
}

#[tokio::test]
async fn a_log_is_searched_and_paged() {
    let tavern = Tavern::open().await;
    let made = async |name: &str| {
        let path = tavern.of_guild("/roles");
        let role = tavern.bot("POST", &path, json!({"name": name})).await;
        text(&role.expect(200)["id"])
    };
    let (first, second) = (made("smith").await, made("baker").await);
    let path = tavern.of_guild(&format!("/roles/{first}"));
    let by_ada = tavern.by(&tavern.ada, "DELETE", &path, None).await;
    assert_eq!(by_ada.status, 204);
    let (bot, ada) = (&tavern.bot.id, &tavern.ada.id);
    let is = |log: &Value, expected: &[(u64, &str)]| {
        let told: Vec<_> = told(log)
            .into_iter()
            .map(|(kind, target, _)| (kind, target))
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(kind, id)| (*kind, Some(*id)))
            .collect();
        assert_eq!(told, expected);
    };
    let log = tavern.audit_log(&format!("?user_id={bot}")).await;
    is(&log, &[(30, &second), (30, &first)]);
    let log = tavern.audit_log(&format!("?target_id={first}")).await;
    is(&log, &[(32, &first), (30, &first)]);
    let log = tavern
        .audit_log(&format!("?user_id={ada}&action_type=32"))
        .await;
    is(&log, &[(32, &first)]);
    let newest = text(&log["audit_log_entries"][0]["id"]);
    let log = tavern.audit_log(&format!("?before={newest}&limit=2")).await;
    is(&log, &[(30, &second), (30, &first)]);
    let older = text(&log["audit_log_entries"][1]["id"]);
    let log = tavern.audit_log(&format!("?after={older}")).await;
    is(&log, &[(30, &second), (32, &first)]);
    for (query, path) in [
        ("limit=101", "limit"),
        ("limit=0", "limit"),
        ("action_type=2", "action_type"),
        ("action_type=x", "action_type"),
        ("user_id=x", "user_id"),
        ("before=-1", "before"),
    ] {
        let asked = tavern.of_guild(&format!("/audit-logs?{query}"));
        let answer = tavern.bot("GET", &asked, None).await;
        assert_eq!(answer.status, 400, "{query}");
        assert!(!fault(&answer, path).is_empty(), "{query}");
    }
    let asked = tavern.of_guild("/audit-logs");
    let refusal = tavern.by(&tavern.bob, "GET", &asked, None).await;
    refused(&refusal, 403, 50_013);
}

async fn said(tavern: &Tavern, content: &str) -> String {
    let path = tavern.of_channel("/messages");
    let form = json!({"content": content});
    let posted = tavern.by(&tavern.bob, "POST", &path, form).await;
    text(&posted.expect(200)["id"])
}

async fn found(tavern: &Tavern, message: &str) -> Answer {
    let path = tavern.of_channel(&format!("/messages/{message}"));
    tavern.bot("GET", &path, None).await
}

#[tokio::test]
async fn what_is_done_to_messages_of_others_is_logged() {
    let tavern = Tavern::open().await;
    let (bob, channel) = (tavern.bob.id.as_str(), tavern.channel.as_str());
    let mut ids = Vec::new();
    for content in ["one", "two", "three", "four"] {
        ids.push(said(&tavern, content).await);
    }
    let pin = tavern.of_channel(&format!("/pins/{}", ids[3]));
    let one = tavern.of_channel(&format!("/messages/{}", ids[0]));
    for (method, path) in [("PUT", &pin), ("DELETE", &pin), ("DELETE", &one)] {
        let done = call_because(&tavern, &tavern.bot, method, path, "tidy").await;
        assert_eq!(done.status, 204);
    }
    let many = tavern.of_channel("/messages/bulk-delete");
    let form = json!({"messages": [ids[1], ids[2]]});
    assert_eq!(tavern.bot("POST", &many, form).await.status, 204);
    // One's own message is one's own affair.
    let own = tavern.say("mine").await;
    let own = tavern.of_channel(&format!("/messages/{own}"));
    assert_eq!(tavern.bot("DELETE", &own, None).await.status, 204);
    let log = tavern.audit_log("?limit=4").await;
    let expected = [
        (73, Some(channel), None),
        (72, Some(bob), Some("tidy")),
        (75, Some(bob), Some("tidy")),
        (74, Some(bob), Some("tidy")),
    ];
    assert_eq!(told(&log), expected);
    let options: Vec<&Value> = log["audit_log_entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["options"])
        .collect();
    let pinned = json!({"channel_id": channel, "message_id": ids[3]});
    let expected = [
        &json!({"count": "2"}),
        &json!({"channel_id": channel, "count": "1"}),
        &pinned,
        &pinned,
    ];
    assert_eq!(options, expected);
}

#[tokio::test]
async fn a_ban_takes_as_much_of_what_was_written_along_as_is_asked_for() {
    let tavern = Tavern::open().await;
    let hidden = tavern
        .bot(
            "POST",
            &tavern.of_guild("/channels"),
            json!({"name": "attic"}),
        )
        .await
        .expect(201);
    let hidden = format!("/channels/{}/messages", text(&hidden["id"]));
    let form = json!({"content": "upstairs"});
    let upstairs = tavern
        .by(&tavern.bob, "POST", &hidden, form)
        .await
        .expect(200);
    let old = said(&tavern, "old").await;
    tavern.house.clock.advance_ms(600_000);
    let new = said(&tavern, "new").await;
    let mine = tavern.say("mine").await;
    let ban = tavern.of_guild(&format!("/bans/{}", tavern.bob.id));
    let form = json!({"delete_message_seconds": 599});
    assert_eq!(tavern.bot("PUT", &ban, form).await.status, 204);
    assert_eq!(found(&tavern, &old).await.status, 200);
    refused(&found(&tavern, &new).await, 404, 10_008);
    assert_eq!(found(&tavern, &mine).await.status, 200);
    let many = json!({"user_ids": [tavern.bob.id], "delete_message_seconds": 604_800});
    let path = tavern.of_guild("/bulk-ban");
    tavern.bot("POST", &path, many).await.expect(200);
    refused(&found(&tavern, &old).await, 404, 10_008);
    let upstairs = format!("{hidden}/{}", text(&upstairs["id"]));
    refused(&tavern.bot("GET", &upstairs, None).await, 404, 10_008);
    assert_eq!(found(&tavern, &mine).await.status, 200);
}
