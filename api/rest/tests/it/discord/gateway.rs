//! Connecting, and what is the same for all routes.

use axum::http::HeaderMap;
use serde_json::json;

use super::{Tavern, call, refused};
use crate::harness::House;

#[tokio::test]
async fn bots_are_told_where_and_how_to_connect() {
    let tavern = Tavern::open().await;
    let url = "wss://chat.example/gateway";
    let open = call(&tavern.house, None, "GET", "/gateway", None).await;
    assert_eq!(open.expect(200), json!({"url": url}));
    let told = tavern.bot("GET", "/gateway/bot", None).await.expect(200);
    assert_eq!(
        told,
        json!({"url": url, "shards": 1, "session_start_limit": {
            "total": 1_000, "remaining": 1_000, "reset_after": 0, "max_concurrency": 16,
        }})
    );
}

#[tokio::test]
async fn every_version_serves_the_same() {
    let tavern = Tavern::open().await;
    for prefix in ["/api", "/api/v9", "/api/v10"] {
        let path = format!("{prefix}/users/@me");
        let me = tavern.house.get(&tavern.bot, &path).await.expect(200);
        assert_eq!(me["id"], tavern.bot.id.as_str(), "{prefix}");
    }
    for path in [
        "/api/v8/users/@me",
        "/api/v11/gateway",
        "/api/nothing",
        "/api/",
    ] {
        let answer = tavern.house.get(&tavern.bot, path).await;
        assert_eq!(
            answer.expect(404),
            json!({"message": "404: Not Found", "code": 0}),
            "{path}"
        );
    }
}

#[tokio::test]
async fn who_brings_no_good_credential_is_told_in_discords_words() {
    let tavern = Tavern::open().await;
    let mut stale = tavern.bot.clone();
    stale.authorization.push('x');
    let unauthorized = json!({"message": "401: Unauthorized", "code": 0});
    for who in [None, Some(&stale)] {
        for path in ["/users/@me", "/gateway/bot", "/guilds/5", "/channels/x"] {
            let answer = call(&tavern.house, who, "GET", path, None).await;
            assert_eq!(answer.expect(401), unauthorized, "{path}");
        }
    }
}

#[tokio::test]
async fn bots_have_an_application_and_people_have_none() {
    let tavern = Tavern::open().await;
    for path in ["/applications/@me", "/oauth2/applications/@me"] {
        let own = tavern.bot("GET", path, None).await.expect(200);
        assert_eq!(own["id"], tavern.bot.id.as_str());
        assert_eq!(own["owner"]["id"], tavern.ada.id.as_str());
        assert_eq!(own["approximate_guild_count"], 1);
        assert_eq!(own["flags"], (1 << 13) | (1 << 15) | (1 << 19));
        refused(
            &tavern.by(&tavern.ada, "GET", path, None).await,
            403,
            20_002,
        );
    }
}

#[tokio::test]
async fn lists_of_what_there_is_not_are_empty() {
    let tavern = Tavern::open().await;
    let regions = tavern.of_guild("/regions");
    for path in ["/voice/regions", "/soundboard-default-sounds", &regions] {
        assert_eq!(tavern.bot("GET", path, None).await.expect(200), json!([]));
    }
}

#[tokio::test]
async fn answers_are_labelled_exactly_and_errors_too() {
    let house = House::open().await;
    let label = |headers: &HeaderMap| headers["content-type"].to_str().unwrap().to_owned();
    for (method, path, status) in [
        ("GET", "/gateway", 200),
        ("GET", "/nothing", 404),
        ("POST", "/gateway", 405),
        ("GET", "/users/@me", 401),
    ] {
        let answer = call(&house, None, method, path, None).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(label(&answer.headers), "application/json", "{path}");
        assert!(status == 200 || answer.body["code"].is_u64(), "{path}");
    }
}
