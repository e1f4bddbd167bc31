//! Messages

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::harness::{House, text};

#[tokio::test]
async fn a_message_is_posted_read_edited_and_deleted() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (_, channel) = house.server(&ada).await;
    let path = format!("/channels/{channel}/messages");
    let first = house
        .post(&ada, &path, json!({"content": " hello\n", "nonce": 7}))
        .await;
    assert_snapshot!(house.show(&first), @r#"
    201
    {
      "attachments": [],
      "author": {
        "avatar_url": null,
        "bot": false,
        "created_at": "<time>",
        "display_name": null,
        "id": "<ada>",
        "status": "online",
        "updated_at": "<time>",
        "username": "ada"
      },
      "channel_id": "<general>",
      "components": [],
      "content": "hello",
      "edited_at": null,
      "embeds": [],
      "ephemeral": false,
      "id": "<id 1>",
      "interaction": null,
      "loading": false,
      "mention_everyone": false,
      "mention_roles": [],
      "mentions": [],
      "nonce": 7,
      "pinned": false,
      "reactions": [],
      "reply_to": null,
      "server_id": "<tavern>",
      "timestamp": "<time>",
      "user_id": "<ada>",
      "webhook_id": null
    }
    "#);
    let one = format!("/messages/{}", text(&first.body["id"]));
    assert_eq!(house.get(&ada, &one).await.expect(200)["content"], "hello");

    let goodbye = json!({"content": "goodbye"});
    let edited = house.put(&ada, &one, goodbye.clone()).await.expect(200);
    assert_eq!(edited["content"], "goodbye");
    assert!(edited["edited_at"].is_string());
    let again = house.put(&ada, &one, goodbye).await.expect(200);
    assert_eq!(again, edited);
    let page = house.get(&ada, &path).await.expect(200);
    assert_eq!(page[0]["content"], "goodbye");

    assert_eq!(house.delete(&ada, &one).await.status, 204);
    house.get(&ada, &one).await.refused(404, "unknown_message");
    let gone = house.delete(&ada, &one).await;
    gone.refused(404, "unknown_message");
    assert_eq!(house.get(&ada, &path).await.expect(200), json!([]));
}

#[tokio::test]
async fn history_comes_newest_first_from_where_it_is_asked() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (_, channel) = house.server(&ada).await;
    let mut ids = Vec::new();
    for n in 0..7 {
        ids.push(house.say(&ada, &channel, &format!("m{n}")).await);
    }
    let path = format!("/channels/{channel}/messages");
    let page = async |query: String| -> Vec<String> {
        let page = house
            .get(&ada, &format!("{path}?{query}"))
            .await
            .expect(200);
        page.as_array()
            .unwrap()
            .iter()
            .map(|message| text(&message["content"]))
            .collect()
    };
    assert_eq!(
        page(String::new()).await,
        ["m6", "m5", "m4", "m3", "m2", "m1", "m0"]
    );
    assert_eq!(page("limit=2".into()).await, ["m6", "m5"]);
    assert_eq!(
        page(format!("before={}&limit=2", ids[3])).await,
        ["m2", "m1"]
    );
    assert_eq!(
        page(format!("after={}&limit=2", ids[3])).await,
        ["m5", "m4"]
    );
    assert_eq!(
        page(format!("around={}&limit=3", ids[3])).await,
        ["m4", "m3", "m2"]
    );
    let two = format!("{path}?before={}&after={}", ids[1], ids[2]);
    house.get(&ada, &two).await.refused(400, "invalid_form");
}

#[tokio::test]
async fn a_repeated_nonce_is_answered_with_the_first_message() {
    let house = House::open().await;
    let [ada, bea] = house.people(["ada", "bea"]).await;
    let (server, channel) = house.server(&ada).await;
    house.join(&bea, &server).await;
    let path = format!("/channels/{channel}/messages");
    let first = house
        .post(&ada, &path, json!({"content": "one", "nonce": "n"}))
        .await
        .expect(201);
    let again = house
        .post(&ada, &path, json!({"content": "two", "nonce": "n"}))
        .await
        .expect(200);
    assert_eq!(text(&again["id"]), text(&first["id"]));
    assert_eq!(again["content"], "one");
    house
        .post(&bea, &path, json!({"content": "three", "nonce": "n"}))
        .await
        .expect(201);
    let tries = (0..10).map(|_| house.post(&ada, &path, json!({"content": "x", "nonce": 5})));
    let answers = futures_util::future::join_all(tries).await;
    let ids: std::collections::BTreeSet<String> = answers
        .iter()
        .map(|answer| text(&answer.body["id"]))
        .collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(
        house.get(&ada, &path).await.body.as_array().unwrap().len(),
        3
    );
}

#[tokio::test]
async fn a_reply_names_a_message_of_its_channel() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (server, channel) = house.server(&ada).await;
    let first = house.say(&ada, &channel, "one").await;
    let path = format!("/channels/{channel}/messages");
    let reply = json!({"content": "two", "reply_to": first});
    assert_eq!(
        house.post(&ada, &path, reply).await.expect(201)["reply_to"],
        json!(first)
    );

    let other = house
        .post(
            &ada,
            &format!("/servers/{server}/channels"),
            json!({"name": "b"}),
        )
        .await;
    let elsewhere = format!("/channels/{}/messages", text(&other.body["id"]));
    for wrong in [first, server] {
        let form = json!({"content": "x", "reply_to": wrong});
        let refused = house.post(&ada, &elsewhere, form).await;
        assert_eq!(
            refused.fields(),
            [("reply_to".into(), "unknown_message".into())]
        );
    }
}

#[tokio::test]
async fn users_and_roles_that_a_message_names_are_listed() {
    let house = House::open().await;
    let [ada, bea, eve] = house.people(["ada", "bea", "eve"]).await;
    let (server, channel) = house.server(&ada).await;
    house.join(&bea, &server).await;
    let number = |id: &str| {
        house
            .spelling
            .parse::<guildhall_model::id::kind::User>(id)
            .unwrap()
    };
    let content = format!(
        "<@{}> <@!{}> <@{}> <@1> @everyone",
        number(&bea.id),
        number(&eve.id),
        number(&bea.id)
    );
    let path = format!("/channels/{channel}/messages");
    let message = house
        .post(&ada, &path, json!({"content": content}))
        .await
        .expect(201);
    let mut mentioned: Vec<String> = message["mentions"]
        .as_array()
        .unwrap()
        .iter()
        .map(text)
        .collect();
    mentioned.sort();
    let mut expected = [bea.id.clone(), eve.id.clone()];
    expected.sort();
    assert_eq!(mentioned, expected);
    assert_eq!(message["mention_everyone"], true);
    let by_bea = house
        .post(&bea, &path, json!({"content": "@everyone"}))
        .await
        .expect(201);
    assert_eq!(
        by_bea["mention_everyone"], false,
        "the permission is not everybody's"
    );
}

#[tokio::test]
async fn only_the_author_edits_and_only_a_moderator_deletes_what_is_not_its_own() {
    let house = House::open().await;
    let [ada, bea] = house.people(["ada", "bea"]).await;
    let (server, channel) = house.server(&ada).await;
    house.join(&bea, &server).await;
    let of_ada = format!("/messages/{}", house.say(&ada, &channel, "a").await);
    let of_bea = format!("/messages/{}", house.say(&bea, &channel, "b").await);
    let form = || json!({"content": "x"});
    house
        .put(&bea, &of_ada, form())
        .await
        .refused(403, "not_the_author");
    house
        .put(&ada, &of_bea, form())
        .await
        .refused(403, "not_the_author");
    house
        .delete(&bea, &of_ada)
        .await
        .refused(403, "missing_permission");
    assert_eq!(house.delete(&ada, &of_bea).await.status, 204);
}

#[tokio::test]
async fn without_the_history_permission_a_page_is_empty() {
    let house = House::open().await;
    let [ada, bea] = house.people(["ada", "bea"]).await;
    let (server, channel) = house.server(&ada).await;
    house.join(&bea, &server).await;
    house.say(&ada, &channel, "secret").await;
    let everyone = json!({"permissions_bitmask": 3});
    house
        .put(&ada, &format!("/roles/{server}"), everyone)
        .await
        .expect(200);
    let path = format!("/channels/{channel}/messages");
    assert_eq!(house.get(&bea, &path).await.expect(200), json!([]));
    house.say(&bea, &channel, "but I may speak").await;
}

#[tokio::test]
async fn what_cannot_be_a_message_is_refused() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (_, channel) = house.server(&ada).await;
    let path = format!("/channels/{channel}/messages");
    let cases: [(Value, &str, &str); 9] = [
        (json!({}), "content", "required"),
        (json!({"content": null}), "content", "required"),
        (json!({"content": " \n "}), "content", "too_short"),
        (json!({"content": "ü".repeat(2_001)}), "content", "too_long"),
        (
            json!({"content": "a\u{0}b"}),
            "content",
            "invalid_characters",
        ),
        (json!({"content": ["a"]}), "content", "invalid_type"),
        (
            json!({"content": "a", "nonce": ""}),
            "nonce",
            "invalid_length",
        ),
        (
            json!({"content": "a", "nonce": 1.5}),
            "nonce",
            "invalid_type",
        ),
        (
            json!({"content": "a", "reply_to": "x"}),
            "reply_to",
            "invalid_id",
        ),
    ];
    for (form, field, code) in cases {
        let refused = house.post(&ada, &path, form.clone()).await;
        refused.refused(400, "invalid_form");
        assert_eq!(refused.fields(), [(field.into(), code.into())], "{form}");
    }
    assert_eq!(house.get(&ada, &path).await.expect(200), json!([]));
    house
        .post(&ada, &path, json!({"content": "ü".repeat(2_000)}))
        .await
        .expect(201);
}
