//! Messages and reactions

use serde_json::{Value, json};

use super::{Tavern, call, fault, refused};
use crate::harness::text;

#[tokio::test]
async fn a_message_is_posted_read_edited_and_deleted() {
    let tavern = Tavern::open().await;
    let path = tavern.of_channel("/messages");
    let form = json!({"content": "hello", "nonce": "n1", "enforce_nonce": true, "tts": false,
        "embeds": [], "allowed_mentions": {"parse": []}, "flags": 0});
    let posted = tavern.bot("POST", &path, form.clone()).await.expect(200);
    assert_eq!(
        (&posted["content"], &posted["nonce"]),
        (&json!("hello"), &json!("n1"))
    );
    assert_eq!(posted["author"]["id"], tavern.bot.id.as_str());
    assert_eq!(
        tavern.bot("POST", &path, form).await.expect(200)["id"],
        posted["id"]
    );
    let one = format!("{path}/{}", text(&posted["id"]));
    assert_eq!(
        tavern.bot("GET", &one, None).await.expect(200)["id"],
        posted["id"]
    );
    let edited = tavern
        .bot("PATCH", &one, json!({"content": "bye"}))
        .await
        .expect(200);
    assert_eq!(edited["content"], "bye");
    assert!(edited["edited_timestamp"].is_string());
    let same = tavern
        .bot("PATCH", &one, json!({"flags": 0}))
        .await
        .expect(200);
    assert_eq!(same, edited);
    refused(
        &tavern
            .by(&tavern.bob, "PATCH", &one, json!({"content": "mine"}))
            .await,
        403,
        50_005,
    );
    refused(
        &tavern.by(&tavern.bob, "DELETE", &one, None).await,
        403,
        50_013,
    );
    assert_eq!(tavern.bot("DELETE", &one, None).await.status, 204);
    refused(&tavern.bot("GET", &one, None).await, 404, 10_008);
    let empty = tavern.bot("POST", &path, json!({"content": ""})).await;
    refused(&empty, 400, 50_006);
    let long = tavern
        .bot("POST", &path, json!({"content": "x".repeat(2_001)}))
        .await;
    assert_eq!(fault(&long, "content"), "BASE_TYPE_BAD_LENGTH");
}

#[tokio::test]
async fn history_is_read_from_any_side() {
    let tavern = Tavern::open().await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(tavern.say(&format!("m{n}")).await);
    }
    let page = async |query: &str| {
        let path = tavern.of_channel(&format!("/messages{query}"));
        let page = tavern.bot("GET", &path, None).await.expect(200);
        let contents = page.as_array().unwrap().iter();
        contents.map(|m| text(&m["content"])).collect::<Vec<_>>()
    };
    assert_eq!(page("").await, ["m4", "m3", "m2", "m1", "m0"]);
    assert_eq!(page("?limit=2").await, ["m4", "m3"]);
    assert_eq!(page(&format!("?before={}&limit=1", ids[2])).await, ["m1"]);
    assert_eq!(
        page("?after=0&limit=2").await,
        ["m1", "m0"],
        "from the beginning"
    );
    assert_eq!(
        page(&format!("?around={}&limit=3", ids[2])).await,
        ["m3", "m2", "m1"]
    );
    let path = tavern.of_channel("/messages?limit=101&before=x");
    let wrong = tavern.bot("GET", &path, None).await;
    assert_eq!(fault(&wrong, "limit"), "NUMBER_TYPE_MAX");
    assert_eq!(fault(&wrong, "before"), "NUMBER_TYPE_COERCE");
}

#[tokio::test]
async fn a_reply_names_a_message_of_its_channel() {
    let tavern = Tavern::open().await;
    let first = tavern.say("first").await;
    let path = tavern.of_channel("/messages");
    let reply = |id: &str, more: Value| {
        let mut reference = json!({"message_id": id});
        reference
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({"content": "second", "message_reference": reference})
    };
    let here = json!({"channel_id": tavern.channel});
    let posted = tavern
        .bot("POST", &path, reply(&first, here))
        .await
        .expect(200);
    assert_eq!(posted["type"], 19);
    assert_eq!(posted["message_reference"]["message_id"], first.as_str());
    for (id, more) in [
        ("17", json!({})),
        (first.as_str(), json!({"channel_id": "17"})),
    ] {
        let unknown = tavern.bot("POST", &path, reply(id, more.clone())).await;
        assert_eq!(
            fault(&unknown, "message_reference"),
            "REPLIES_UNKNOWN_MESSAGE"
        );
        let mut gentle = more;
        gentle["fail_if_not_exists"] = json!(false);
        let posted = tavern
            .bot("POST", &path, reply(id, gentle))
            .await
            .expect(200);
        assert_eq!(posted["type"], 0);
    }
    let wrong = tavern
        .bot("POST", &path, reply("x", json!({"type": 1})))
        .await;
    assert_eq!(fault(&wrong, "message_reference.type"), "BASE_TYPE_CHOICES");
    assert_eq!(
        fault(&wrong, "message_reference.message_id"),
        "NUMBER_TYPE_COERCE"
    );
}

#[tokio::test]
async fn a_message_is_found_in_its_own_channel_only() {
    let tavern = Tavern::open().await;
    let message = tavern.say("here").await;
    let made = tavern
        .bot(
            "POST",
            &tavern.of_guild("/channels"),
            json!({"name": "lore"}),
        )
        .await;
    let other = text(&made.expect(201)["id"]);
    let elsewhere = format!("/channels/{other}/messages/{message}");
    let reaction = format!("{elsewhere}/reactions/%F0%9F%91%8D");
    for (method, path, body) in [
        ("GET", &elsewhere, None),
        ("PATCH", &elsewhere, Some(json!({"content": "x"}))),
        ("DELETE", &elsewhere, None),
        ("GET", &reaction, None),
        ("PUT", &format!("{reaction}/@me"), None),
        ("DELETE", &format!("{reaction}/@me"), None),
        ("DELETE", &format!("{reaction}/{}", tavern.bob.id), None),
    ] {
        let answer = tavern.bot(method, path, body).await;
        refused(&answer, 404, 10_008);
    }
}

#[tokio::test]
async fn emoji_are_given_counted_and_taken_back() {
    let tavern = Tavern::open().await;
    let message = tavern.say("like me").await;
    let one = tavern.of_channel(&format!("/messages/{message}"));
    let thumb = format!("{one}/reactions/%F0%9F%91%8D");
    let own = format!("{thumb}/@me");
    for who in [&tavern.bot, &tavern.bob, &tavern.bob] {
        assert_eq!(tavern.by(who, "PUT", &own, None).await.status, 204);
    }
    let seen = tavern.by(&tavern.ada, "GET", &one, None).await.expect(200);
    assert_eq!(seen["reactions"][0]["count"], 2);
    assert_eq!(seen["reactions"][0]["me"], false);
    let givers = tavern.bot("GET", &thumb, None).await.expect(200);
    assert_eq!(givers.as_array().unwrap().len(), 2);
    let page = format!("{thumb}?limit=1&after={}", text(&givers[0]["id"]));
    assert_eq!(
        tavern.bot("GET", &page, None).await.expect(200),
        json!([givers[1]])
    );
    let burst = format!("{thumb}?type=1");
    assert_eq!(tavern.bot("GET", &burst, None).await.expect(200), json!([]));
    let of_bot = format!("{thumb}/{}", tavern.bot.id);
    refused(
        &tavern.by(&tavern.bob, "DELETE", &of_bot, None).await,
        403,
        50_013,
    );
    assert_eq!(tavern.bot("DELETE", &own, None).await.status, 204);
    let of_bob = format!("{thumb}/{}", tavern.bob.id);
    assert_eq!(tavern.bot("DELETE", &of_bob, None).await.status, 204);
    assert_eq!(tavern.bot("GET", &thumb, None).await.expect(200), json!([]));
    let unknown = format!("{one}/reactions/nothing:17/@me");
    refused(&tavern.bot("PUT", &unknown, None).await, 404, 10_014);
}

#[tokio::test]
async fn who_may_not_write_is_told_and_who_may_not_see_learns_nothing() {
    let tavern = Tavern::open().await;
    let bound = tavern.of_channel(&format!("/permissions/{}", tavern.bob.id));
    let path = tavern.of_channel("/messages");
    let mute = json!({"type": 1, "deny": (1 << 11).to_string()});
    assert_eq!(tavern.bot("PUT", &bound, mute).await.status, 204);
    let say = json!({"content": "x"});
    refused(
        &tavern.by(&tavern.bob, "POST", &path, say.clone()).await,
        403,
        50_013,
    );
    let hide = json!({"type": 1, "deny": (1 << 10).to_string()});
    assert_eq!(tavern.bot("PUT", &bound, hide).await.status, 204);
    refused(
        &tavern.by(&tavern.bob, "POST", &path, say.clone()).await,
        404,
        10_003,
    );
    let eve = tavern.house.person("eve").await;
    refused(
        &call(&tavern.house, &eve, "POST", &path, say).await,
        404,
        10_003,
    );
    refused(
        &call(&tavern.house, &eve, "GET", &path, None).await,
        404,
        10_003,
    );
}
