//! `/users`

use serde_json::json;

use super::{Tavern, call, fault, refused};
use crate::harness::text;

#[tokio::test]
async fn a_profile_is_read_by_all_and_changed_by_oneself() {
    let tavern = Tavern::open().await;
    let me = tavern.bot("GET", "/users/@me", None).await.expect(200);
    assert_eq!(me["username"], "Echo");
    assert_eq!(
        (&me["discriminator"], &me["bot"]),
        (&json!("0"), &json!(true))
    );
    let form = json!({"username": "Mimic", "avatar": null});
    let changed = tavern.bot("PATCH", "/users/@me", form).await.expect(200);
    assert_eq!(changed["username"], "Mimic");
    let path = format!("/users/{}", tavern.bot.id);
    let seen = tavern.by(&tavern.ada, "GET", &path, None).await.expect(200);
    assert_eq!(seen["username"], "Mimic");
    assert!(seen.get("email").is_none());
    refused(&tavern.bot("GET", "/users/17", None).await, 404, 10_013);

    let same = tavern
        .bot("PATCH", "/users/@me", json!({}))
        .await
        .expect(200);
    assert_eq!(same, changed);
    let taken = tavern
        .bot("PATCH", "/users/@me", json!({"username": "ada"}))
        .await;
    assert_eq!(taken.body["code"], 50_035);
    let short = tavern
        .bot("PATCH", "/users/@me", json!({"username": "a"}))
        .await;
    assert_eq!(fault(&short, "username"), "BASE_TYPE_BAD_LENGTH");
}

#[tokio::test]
async fn own_guilds_come_in_pages_by_id() {
    let tavern = Tavern::open().await;
    let (second, _) = tavern.house.server(&tavern.ada).await;
    let second = super::decimal(&tavern.house, &second);
    let list = async |query: &str| {
        let path = format!("/users/@me/guilds{query}");
        let page = tavern.by(&tavern.ada, "GET", &path, None).await.expect(200);
        let ids = page.as_array().unwrap().iter();
        ids.map(|guild| text(&guild["id"])).collect::<Vec<_>>()
    };
    let (first, both) = (&tavern.guild, vec![tavern.guild.clone(), second.clone()]);
    assert_eq!(list("").await, both);
    assert_eq!(list("?limit=1").await, both[..1]);
    assert_eq!(list(&format!("?after={first}")).await, both[1..]);
    assert_eq!(list(&format!("?before={second}&after=0")).await, both[..1]);
    let path = "/users/@me/guilds?with_counts=true";
    let counted = tavern.bot("GET", path, None).await.expect(200);
    assert_eq!(counted[0]["approximate_member_count"], 3);
    assert_eq!(counted[0]["owner"], false);
    let all = ((1_u64 << 53) - 1).to_string();
    assert_eq!(counted[0]["permissions"], all);
    let wrong = tavern
        .bot("GET", "/users/@me/guilds?limit=201&after=x", None)
        .await;
    assert_eq!(fault(&wrong, "limit"), "NUMBER_TYPE_MAX");
    assert_eq!(fault(&wrong, "after"), "NUMBER_TYPE_COERCE");
}

#[tokio::test]
async fn a_bot_leaves_a_guild_and_the_owner_does_not() {
    let tavern = Tavern::open().await;
    let path = format!("/users/@me/guilds/{}", tavern.guild);
    let member = format!("{path}/member");
    let own = tavern
        .by(&tavern.bob, "GET", &member, None)
        .await
        .expect(200);
    assert_eq!(own["user"]["id"], tavern.bob.id.as_str());
    assert_eq!(
        tavern.by(&tavern.ada, "DELETE", &path, None).await.status,
        409
    );
    assert_eq!(tavern.bot("DELETE", &path, None).await.status, 204);
    refused(&tavern.bot("DELETE", &path, None).await, 404, 10_004);
}

#[tokio::test]
async fn a_direct_channel_is_opened_once_and_names_the_other_end() {
    let tavern = Tavern::open().await;
    let form = json!({"recipient_id": tavern.bob.id});
    let path = "/users/@me/channels";
    let opened = tavern.bot("POST", path, form.clone()).await.expect(200);
    assert_eq!(opened["type"], 1);
    assert_eq!(opened["recipients"][0]["id"], tavern.bob.id.as_str());
    assert_eq!(tavern.bot("POST", path, form).await.expect(200), opened);
    assert_eq!(
        tavern.bot("GET", path, None).await.expect(200),
        json!([opened])
    );
    let by_bob = tavern.by(&tavern.bob, "GET", path, None).await.expect(200);
    assert_eq!(by_bob[0]["recipients"][0]["id"], tavern.bot.id.as_str());
    let channel = format!("/channels/{}", text(&opened["id"]));
    assert_eq!(tavern.bot("GET", &channel, None).await.expect(200), opened);
    let posted = format!("{channel}/messages");
    let said = tavern
        .bot("POST", &posted, json!({"content": "psst"}))
        .await;
    assert!(said.expect(200).get("guild_id").is_none());
    let read = tavern
        .by(&tavern.bob, "GET", &posted, None)
        .await
        .expect(200);
    assert_eq!(read[0]["content"], "psst");

    refused(
        &tavern.by(&tavern.ada, "GET", &channel, None).await,
        404,
        10_003,
    );
    let nobody = tavern.bot("POST", path, json!({})).await;
    assert_eq!(fault(&nobody, "recipient_id"), "BASE_TYPE_REQUIRED");
    let unknown = tavern.bot("POST", path, json!({"recipient_id": 17})).await;
    refused(&unknown, 404, 10_013);
    let other = tavern.house.bot(&tavern.ada, "Other").await;
    let form = json!({"recipient_id": super::decimal(&tavern.house, &other.id)});
    let answer = call(&tavern.house, &tavern.bot, "POST", path, form).await;
    refused(&answer, 403, 20_001);
}
