//! `/dm`

use insta::assert_snapshot;
use serde_json::json;

use crate::harness::{House, text};

#[tokio::test]
async fn two_people_write_to_each_other() {
    let house = House::open().await;
    let [ada, bea] = house.people(["ada", "bea"]).await;
    let to_bea = format!("/dm/{}/messages", bea.id);
    let to_ada = format!("/dm/{}/messages", ada.id);
    assert_eq!(
        house.get(&ada, &to_bea).await.expect(200),
        json!([]),
        "reading opens nothing"
    );
    let first = house
        .post(&ada, &to_bea, json!({"content": "psst", "nonce": "n"}))
        .await;
    assert_snapshot!(house.show(&first), @r#"
    201
    {
      "attachments": [],
      "channel_id": "<id 1>",
      "components": [],
      "content": "psst",
      "edited_at": null,
      "embeds": [],
      "ephemeral": false,
      "id": "<id 2>",
      "interaction": null,
      "loading": false,
      "nonce": "n",
      "pinned": false,
      "reactions": [],
      "recipient_id": "<bea>",
      "reply_to": null,
      "sender_id": "<ada>",
      "timestamp": "<time>"
    }
    "#);
    let again = house
        .post(&ada, &to_bea, json!({"content": "psst", "nonce": "n"}))
        .await;
    assert_eq!(again.expect(200), first.body);
    let answer = json!({"content": "yes?", "reply_to": first.body["id"]});
    let answer = house.post(&bea, &to_ada, answer).await.expect(201);
    assert_eq!(answer["channel_id"], first.body["channel_id"]);
    for (reader, path) in [(&ada, &to_bea), (&bea, &to_ada)] {
        let history = house.get(reader, path).await.expect(200);
        assert_eq!(history, json!([answer, first.body]));
    }
}

#[tokio::test]
async fn what_two_people_write_exists_for_nobody_else() {
    let house = House::open().await;
    let [ada, bea, eve] = house.people(["ada", "bea", "eve"]).await;
    let to_bea = format!("/dm/{}/messages", bea.id);
    let first = house.post(&ada, &to_bea, json!({"content": "psst"})).await;
    let channel = text(&first.body["channel_id"]);
    let message = format!("/messages/{}", text(&first.body["id"]));
    let seen = house
        .get(&bea, &format!("/channels/{channel}"))
        .await
        .expect(200);
    assert_eq!(seen["type"], "direct");
    house
        .get(&eve, &format!("/channels/{channel}"))
        .await
        .refused(404, "unknown_channel");
    let messages = format!("/channels/{channel}/messages");
    house
        .get(&eve, &messages)
        .await
        .refused(404, "unknown_channel");
    house
        .post(&eve, &messages, json!({"content": "x"}))
        .await
        .refused(404, "unknown_channel");
    house
        .get(&eve, &message)
        .await
        .refused(404, "unknown_message");
    house
        .delete(&bea, &message)
        .await
        .refused(403, "missing_permission");
    house
        .post(&bea, &messages, json!({"content": "by channel"}))
        .await
        .expect(201);
    for refused in [
        house
            .put(&ada, &format!("/channels/{channel}"), json!({"name": "x"}))
            .await,
        house.delete(&ada, &format!("/channels/{channel}")).await,
    ] {
        refused.refused(409, "conflict");
    }
    house
        .delete(&eve, &format!("/channels/{channel}"))
        .await
        .refused(404, "unknown_channel");
}

#[tokio::test]
async fn nobody_writes_to_nobody_or_to_oneself() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let form = || json!({"content": "hello?"});
    let own = format!("/dm/{}/messages", ada.id);
    house
        .post(&ada, &own, form())
        .await
        .refused(409, "conflict");
    house.get(&ada, &own).await.refused(409, "conflict");
    house
        .post(&ada, "/dm/1/messages", form())
        .await
        .refused(404, "unknown_user");
    house
        .get(&ada, "/dm/1/messages")
        .await
        .refused(404, "unknown_user");
    house
        .get(&ada, "/dm/x/messages")
        .await
        .refused(404, "unknown_user");
}

#[tokio::test]
async fn bots_answer_people_but_not_each_other() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (one, two) = (house.bot(&ada, "One").await, house.bot(&ada, "Two").await);
    let form = || json!({"content": "beep"});
    house
        .post(&one, &format!("/dm/{}/messages", ada.id), form())
        .await
        .expect(201);
    house
        .post(&ada, &format!("/dm/{}/messages", one.id), form())
        .await
        .expect(201);
    let between = format!("/dm/{}/messages", two.id);
    house
        .post(&one, &between, form())
        .await
        .refused(403, "not_for_bots");
}
