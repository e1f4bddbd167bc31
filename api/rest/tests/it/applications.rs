//! Applications and their bots.

use insta::assert_snapshot;
use serde_json::json;

use crate::harness::House;

#[tokio::test]
async fn an_application_shows_its_token_once() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let made = house
        .post(&ada, "/applications", json!({"name": "Echo"}))
        .await;
    assert_snapshot!(house.show(&made), @r#"
    201
    {
      "bot": {
        "avatar_url": null,
        "bot": true,
        "created_at": "<time>",
        "display_name": null,
        "id": "<id 1>",
        "status": "online",
        "updated_at": "<time>",
        "username": "Echo"
      },
      "bot_token": "<secret>",
      "id": "<id 1>",
      "name": "Echo"
    }
    "#);
    let mut listed = house.get(&ada, "/users/me/applications").await.expect(200);
    assert_eq!(listed[0]["bot_token"].take(), json!(null));
    let mut first = made.body;
    first.as_object_mut().unwrap().remove("bot_token");
    let mut shown = listed[0].clone();
    shown.as_object_mut().unwrap().remove("bot_token");
    assert_eq!(shown, first);
    let twin = house
        .post(&ada, "/applications", json!({"name": "Echo"}))
        .await
        .expect(201);
    assert_eq!(twin["bot"]["display_name"], "Echo");
    assert_ne!(twin["bot"]["username"], "Echo");
}

#[tokio::test]
async fn a_manager_brings_a_bot_in_and_it_acts() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (server, channel) = house.server(&ada).await;
    let bot = house.bot(&ada, "Echo").await;
    house
        .get(&bot, &format!("/channels/{channel}"))
        .await
        .refused(404, "unknown_channel");
    let path = format!("/servers/{server}/bots/{}", bot.id);
    let member = house.put(&ada, &path, json!({})).await;
    assert_snapshot!(house.show(&member), @r#"
    200
    {
      "joined_at": "<time>",
      "nick": null,
      "roles": [],
      "server_id": "<tavern>",
      "user": {
        "avatar_url": null,
        "bot": true,
        "created_at": "<time>",
        "display_name": null,
        "id": "<Echo>",
        "status": "online",
        "updated_at": "<time>",
        "username": "Echo"
      }
    }
    "#);
    assert_eq!(
        house.put(&ada, &path, json!({})).await.expect(200),
        member.body
    );
    house.say(&bot, &channel, "beep").await;
}

#[tokio::test]
async fn bots_do_what_people_decide() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (server, _) = house.server(&ada).await;
    let bot = house.bot(&ada, "Echo").await;
    for refused in [
        house.post(&bot, "/servers", json!({"name": "Mine"})).await,
        house
            .post(&bot, &format!("/servers/{server}/join"), json!({}))
            .await,
        house
            .post(&bot, "/applications", json!({"name": "Child"}))
            .await,
        house.get(&bot, "/users/me/applications").await,
        house.post(&bot, "/auth/logout", json!({})).await,
        house
            .put(
                &bot,
                &format!("/servers/{server}/bots/{}", bot.id),
                json!({}),
            )
            .await,
    ] {
        refused.refused(403, "not_for_bots");
    }
}

#[tokio::test]
async fn an_application_that_does_not_exist_cannot_be_brought_in() {
    let house = House::open().await;
    let [ada, bea] = house.people(["ada", "bea"]).await;
    let (server, _) = house.server(&ada).await;
    let path = format!("/servers/{server}/bots/{}", ada.id);
    house
        .put(&ada, &path, json!({}))
        .await
        .refused(404, "unknown_application");
    house
        .put(&bea, &path, json!({}))
        .await
        .refused(404, "unknown_server");
}
