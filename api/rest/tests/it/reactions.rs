//! Reactions

use insta::assert_snapshot;
use serde_json::json;

use crate::harness::{House, text};

/// 👍 and ❤️ as they stand in a path.
const THUMB: &str = "%F0%9F%91%8D";
const HEART: &str = "%E2%9D%A4";

#[tokio::test]
async fn an_emoji_is_given_counted_and_taken_back() {
    let house = House::open().await;
    let [ada, bea] = house.people(["ada", "bea"]).await;
    let (server, channel) = house.server(&ada).await;
    house.join(&bea, &server).await;
    let message = house.say(&ada, &channel, "hello").await;
    let path = format!("/messages/{message}/reactions");
    let first = house.post(&ada, &path, json!({"emoji": "👍"})).await;
    assert_snapshot!(house.show(&first), @r#"
    201
    {
      "count": 1,
      "emoji": "👍",
      "me": true
    }
    "#);
    assert_eq!(
        house
            .post(&ada, &path, json!({"emoji": "👍"}))
            .await
            .expect(201),
        first.body
    );
    let second = house
        .post(&bea, &path, json!({"emoji": "👍"}))
        .await
        .expect(201);
    assert_eq!(second, json!({"emoji": "👍", "count": 2, "me": true}));
    house
        .post(&bea, &path, json!({"emoji": "❤"}))
        .await
        .expect(201);

    let seen = house.get(&ada, &path).await.expect(200);
    assert_eq!(
        seen,
        json!([
            {"emoji": "👍", "count": 2, "me": true},
            {"emoji": "❤️", "count": 1, "me": false},
        ])
    );
    let page = house
        .get(&ada, &format!("/channels/{channel}/messages"))
        .await
        .expect(200);
    assert_eq!(page[0]["reactions"], seen);

    assert_eq!(
        house.delete(&ada, &format!("{path}/{THUMB}")).await.status,
        204
    );
    house
        .delete(&ada, &format!("{path}/{THUMB}"))
        .await
        .refused(404, "unknown_reaction");
    assert_eq!(house.get(&ada, &path).await.body[0]["count"], 1);
    let of_bea = format!("{path}/{HEART}/{}", bea.id);
    assert_eq!(
        house.delete(&ada, &of_bea).await.status,
        204,
        "a moderator may"
    );
}

#[tokio::test]
async fn only_a_moderator_takes_another_users_emoji_away() {
    let house = House::open().await;
    let [ada, bea] = house.people(["ada", "bea"]).await;
    let (server, channel) = house.server(&ada).await;
    house.join(&bea, &server).await;
    let message = house.say(&ada, &channel, "hello").await;
    let path = format!("/messages/{message}/reactions");
    for giver in [&ada, &bea] {
        house
            .post(giver, &path, json!({"emoji": "👍"}))
            .await
            .expect(201);
    }
    let of_ada = format!("{path}/{THUMB}/{}", ada.id);
    house
        .delete(&bea, &of_ada)
        .await
        .refused(403, "missing_permission");
    let of_bea = format!("{path}/{THUMB}/{}", bea.id);
    assert_eq!(house.delete(&ada, &of_bea).await.status, 204);
    assert_eq!(house.delete(&ada, &of_ada).await.status, 204);
}

#[tokio::test]
async fn who_gave_an_emoji_is_listed_in_pages() {
    let house = House::open().await;
    let [ada, bea] = house.people(["ada", "bea"]).await;
    let (server, channel) = house.server(&ada).await;
    house.join(&bea, &server).await;
    let message = house.say(&ada, &channel, "hello").await;
    let path = format!("/messages/{message}/reactions");
    for giver in [&bea, &ada] {
        house
            .post(giver, &path, json!({"emoji": "👍"}))
            .await
            .expect(201);
    }
    let names = async |query: String| -> Vec<String> {
        let users = house
            .get(&ada, &format!("{path}/{THUMB}{query}"))
            .await
            .expect(200);
        users
            .as_array()
            .unwrap()
            .iter()
            .map(|user| text(&user["username"]))
            .collect()
    };
    assert_eq!(names(String::new()).await, ["ada", "bea"]);
    assert_eq!(names("?limit=1".into()).await, ["ada"]);
    assert_eq!(names(format!("?after={}", ada.id)).await, ["bea"]);
    let heart = house
        .get(&ada, &format!("{path}/{HEART}"))
        .await
        .expect(200);
    assert_eq!(heart, json!([]));
}

#[tokio::test]
async fn what_is_no_emoji_is_refused() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (_, channel) = house.server(&ada).await;
    let message = house.say(&ada, &channel, "hello").await;
    let path = format!("/messages/{message}/reactions");
    for wrong in ["", "a", ":thumbsup:", "👍👍", "\u{202e}"] {
        let refused = house.post(&ada, &path, json!({"emoji": wrong})).await;
        assert_eq!(
            refused.fields(),
            [("emoji".into(), "invalid_characters".into())],
            "{wrong}"
        );
    }
    for wrong in ["a", "%00", "..%2F..", "%F0%9F%91%8D%F0%9F%91%8D"] {
        let answer = house.delete(&ada, &format!("{path}/{wrong}")).await;
        answer.refused(404, "unknown_reaction");
    }
    house
        .delete(&ada, &format!("{path}/%FF%FE"))
        .await
        .refused(404, "unknown_route");
}

#[tokio::test]
async fn a_message_takes_twenty_emoji() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (_, channel) = house.server(&ada).await;
    let message = house.say(&ada, &channel, "hello").await;
    let path = format!("/messages/{message}/reactions");
    for n in 0..20 {
        let emoji = char::from_u32(0x1F600 + n).unwrap().to_string();
        house
            .post(&ada, &path, json!({"emoji": emoji}))
            .await
            .expect(201);
    }
    house
        .post(&ada, &path, json!({"emoji": "👍"}))
        .await
        .refused(400, "limit_reached");
}
