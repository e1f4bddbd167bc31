//! `/users`

use insta::assert_snapshot;
use serde_json::json;

use crate::harness::{House, text};

#[tokio::test]
async fn a_profile_is_changed_and_shown_without_its_address() {
    let house = House::open().await;
    let [ada, bea] = house.people(["ada", "bea"]).await;
    let update = json!({
        "display_name": "Ada L.", "avatar_url": "https://example.org/a.png",
        "status": "invisible", "email": "Countess@example.org",
    });
    let own = house.put(&ada, "/users/me", update).await;
    assert_snapshot!(house.show(&own), @r#"
    200
    {
      "avatar_url": "https://example.org/a.png",
      "bot": false,
      "created_at": "<time>",
      "display_name": "Ada L.",
      "email": "countess@example.org",
      "id": "<ada>",
      "status": "invisible",
      "updated_at": "<time>",
      "username": "ada"
    }
    "#);
    assert_eq!(house.get(&ada, "/users/me").await.expect(200), own.body);
    let seen = house.get(&bea, &format!("/users/{}", ada.id)).await;
    assert_snapshot!(house.show(&seen), @r#"
    200
    {
      "avatar_url": "https://example.org/a.png",
      "bot": false,
      "created_at": "<time>",
      "display_name": "Ada L.",
      "id": "<ada>",
      "status": "offline",
      "updated_at": "<time>",
      "username": "ada"
    }
    "#);

    let bare = house
        .put(&ada, "/users/me", json!({"display_name": null}))
        .await
        .expect(200);
    assert_eq!(bare["display_name"], json!(null));
    assert_eq!(bare["avatar_url"], "https://example.org/a.png");
    house
        .get(&bea, "/users/1")
        .await
        .refused(404, "unknown_user");
}

#[tokio::test]
async fn names_stay_unique_when_they_change() {
    let house = House::open().await;
    let [ada, bea] = house.people(["ada", "bea"]).await;
    house
        .put(&ada, "/users/me", json!({"username": "BEA"}))
        .await
        .refused(409, "taken");
    let address = json!({"email": "bea@example.org"});
    house
        .put(&ada, "/users/me", address)
        .await
        .refused(409, "taken");
    let own_case = house
        .put(&ada, "/users/me", json!({"username": "Ada"}))
        .await
        .expect(200);
    assert_eq!(own_case["username"], "Ada");
    assert_eq!(house.get(&bea, "/users/me").await.body["username"], "bea");
}

#[tokio::test]
async fn members_see_a_changed_name() {
    let house = House::open().await;
    let [ada, bea] = house.people(["ada", "bea"]).await;
    let (server, _) = house.server(&ada).await;
    house.join(&bea, &server).await;
    house
        .put(&bea, "/users/me", json!({"username": "beatrix"}))
        .await
        .expect(200);
    let path = format!("/servers/{server}/members/{}", bea.id);
    let member = house.get(&ada, &path).await.expect(200);
    assert_eq!(text(&member["user"]["username"]), "beatrix");
}

#[tokio::test]
async fn a_bot_has_a_profile_and_no_address() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let bot = house.bot(&ada, "Weather Bot").await;
    let own = house.get(&bot, "/users/me").await;
    assert_snapshot!(house.show(&own), @r#"
    200
    {
      "avatar_url": null,
      "bot": true,
      "created_at": "<time>",
      "display_name": "Weather Bot",
      "id": "<Weather Bot>",
      "status": "online",
      "updated_at": "<time>",
      "username": "Weather-Bot"
    }
    "#);
    let refused = house
        .put(&bot, "/users/me", json!({"email": "bot@example.org"}))
        .await;
    assert_eq!(refused.fields(), [("email".into(), "not_for_bots".into())]);
    house
        .put(&bot, "/users/me", json!({"username": "weather"}))
        .await
        .expect(200);
}
