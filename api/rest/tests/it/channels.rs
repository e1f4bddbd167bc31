//! Channels

use insta::assert_snapshot;
use serde_json::json;

use crate::harness::{House, text};

#[tokio::test]
async fn a_channel_is_made_read_changed_and_ended() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (server, general) = house.server(&ada).await;
    let path = format!("/servers/{server}/channels");
    let form = json!({
        "name": "stage", "type": "voice", "topic": "Tonight",
        "permissions": {"overwrites": [{"id": server, "type": "role", "deny": 2}]},
    });
    let made = house.post(&ada, &path, form).await;
    assert_snapshot!(house.show(&made), @r#"
    201
    {
      "created_at": "<time>",
      "id": "<id 1>",
      "name": "stage",
      "parent_id": null,
      "permissions": {
        "overwrites": [
          {
            "allow": 0,
            "deny": 2,
            "id": "<tavern>",
            "type": "role"
          }
        ]
      },
      "position": 1,
      "server_id": "<tavern>",
      "topic": "Tonight",
      "type": "voice"
    }
    "#);
    let one = format!("/channels/{}", text(&made.body["id"]));
    assert_eq!(house.get(&ada, &one).await.expect(200), made.body);
    let listed = house.get(&ada, &path).await.expect(200);
    assert_eq!((text(&listed[0]["id"]), &listed[1]), (general, &made.body));

    let update = json!({"name": "hall", "topic": null, "position": 0});
    let changed = house.put(&ada, &one, update).await.expect(200);
    assert_eq!(
        (&changed["name"], &changed["topic"]),
        (&json!("hall"), &json!(null))
    );
    assert_eq!(changed["permissions"], made.body["permissions"]);
    assert_eq!(house.delete(&ada, &one).await.status, 204);
    house.get(&ada, &one).await.refused(404, "unknown_channel");
    house
        .delete(&ada, &one)
        .await
        .refused(404, "unknown_channel");
}

#[tokio::test]
async fn an_overwrite_hides_a_channel_and_shows_it_to_one_member() {
    let house = House::open().await;
    let [ada, bea, cal] = house.people(["ada", "bea", "cal"]).await;
    let (server, channel) = house.server(&ada).await;
    house.join(&bea, &server).await;
    house.join(&cal, &server).await;
    let message = house.say(&bea, &channel, "hello").await;
    let overwrites = json!({"permissions": {"overwrites": [
        {"id": server, "type": "role", "deny": 1},
        {"id": cal.id, "type": "member", "allow": 1},
    ]}});
    let one = format!("/channels/{channel}");
    let hidden = house.put(&ada, &one, overwrites).await;
    assert_snapshot!(house.show(&hidden), @r#"
    200
    {
      "created_at": "<time>",
      "id": "<general>",
      "name": "general",
      "parent_id": null,
      "permissions": {
        "overwrites": [
          {
            "allow": 0,
            "deny": 1,
            "id": "<tavern>",
            "type": "role"
          },
          {
            "allow": 1,
            "deny": 0,
            "id": "<cal>",
            "type": "member"
          }
        ]
      },
      "position": 0,
      "server_id": "<tavern>",
      "topic": null,
      "type": "text"
    }
    "#);

    house.get(&bea, &one).await.refused(404, "unknown_channel");
    let messages = format!("{one}/messages");
    house
        .get(&bea, &messages)
        .await
        .refused(404, "unknown_channel");
    house
        .post(&bea, &messages, json!({"content": "x"}))
        .await
        .refused(404, "unknown_channel");
    let own = format!("/messages/{message}");
    house.get(&bea, &own).await.refused(404, "unknown_message");
    house
        .put(&bea, &own, json!({"content": "x"}))
        .await
        .refused(404, "unknown_message");
    house
        .delete(&bea, &own)
        .await
        .refused(404, "unknown_message");
    let listed = house
        .get(&bea, &format!("/servers/{server}/channels"))
        .await
        .expect(200);
    assert_eq!(listed, json!([]));
    assert_eq!(house.get(&cal, &own).await.status, 200);
}

#[tokio::test]
async fn overwrites_that_bind_nobody_or_somebody_twice_are_refused() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (_, channel) = house.server(&ada).await;
    let (other, _) = house.server(&ada).await;
    let one = format!("/channels/{channel}");
    let twice = json!([{"id": ada.id, "type": "member", "allow": 1}, {"id": ada.id, "type": "member", "deny": 1}]);
    let foreign = json!([{"id": other, "type": "role", "deny": 1}]);
    let unknown_bit = json!([{"id": ada.id, "type": "member", "allow": 1_u64 << 60}]);
    for overwrites in [twice, foreign, unknown_bit] {
        let form = json!({"permissions": {"overwrites": overwrites}});
        let refused = house.put(&ada, &one, form).await;
        refused.refused(400, "invalid_form");
        assert!(refused.fields()[0].0.starts_with("permissions.overwrites"));
    }
    house
        .put(&ada, &one, json!({"type": "x"}))
        .await
        .expect(200);
    let form = json!({"name": "stage", "type": "stage"});
    let refused = house
        .post(&ada, &format!("/servers/{other}/channels"), form)
        .await;
    assert_eq!(refused.fields(), [("type".into(), "unknown_value".into())]);
}
