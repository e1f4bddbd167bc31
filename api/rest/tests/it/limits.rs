//! How often callers may call, and what they are told about it.

use std::net::IpAddr;

use axum::body::Body;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Request};
use guildhall_app::Peer;
use guildhall_model::Rate;
use guildhall_rest::Limits;
use serde_json::json;

use crate::harness::{Answer, Caller, House, registration};

const BUCKET_HEADERS: [&str; 5] = [
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-ratelimit-reset-after",
    "x-ratelimit-bucket",
];

#[expect(clippy::unnecessary_wraps, reason = "each limit may be absent")]
fn rate(count: u32, window_ms: u32) -> Option<Rate> {
    Some(Rate::new(count, window_ms).unwrap())
}

/// Two messages per 5 s and nothing else limited.
fn two_messages() -> Limits {
    Limits {
        messages: rate(2, 5_000),
        ..Limits::default()
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

async fn post(house: &House, caller: &Caller, channel: &str) -> Answer {
    let path = format!("/channels/{channel}/messages");
    house.post(caller, &path, json!({"content": "hail"})).await
}

/// Sends a request from an address.
async fn from(house: &House, address: &str, path: &str, authorization: Option<&str>) -> Answer {
    let mut request = Request::builder().uri(path);
    if let Some(authorization) = authorization {
        request = request.header(AUTHORIZATION, authorization);
    }
    let mut request = request.body(Body::empty()).unwrap();
    let address: IpAddr = address.parse().unwrap();
    request.extensions_mut().insert(Peer(address));
    house.send(request).await
}

#[tokio::test]
async fn every_answer_of_a_bucket_tells_how_it_stands() {
    let house = House::limited(two_messages()).await;
    let ada = house.person("ada").await;
    let (_, channel) = house.server(&ada).await;
    let first = post(&house, &ada, &channel).await;
    assert_eq!(first.status, 201);
    house.clock.advance_ms(1_250);
    let second = post(&house, &ada, &channel).await;
    let told = |answer: &Answer| {
        BUCKET_HEADERS.map(|name| header(&answer.headers, name).unwrap().to_owned())
    };
    let [limit, remaining, reset, reset_after, bucket] = told(&first);
    assert_eq!([&*limit, &remaining], ["2", "1"]);
    assert_eq!([&*reset, &reset_after], ["1767323050.678", "5.000"]);
    assert!(bucket.len() == 32 && bucket.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(
        told(&second),
        ["2", "0", "1767323050.678", "3.750", &bucket]
    );
    for name in [
        "retry-after",
        "x-ratelimit-scope",
        "x-ratelimit-global",
        "via",
    ] {
        assert_eq!(header(&second.headers, name), None, "{name} is for 429");
    }
}

#[tokio::test]
async fn who_comes_too_often_is_told_when_to_come_back_and_is_let_in_then() {
    let house = House::limited(two_messages()).await;
    let ada = house.person("ada").await;
    let (_, channel) = house.server(&ada).await;
    for _ in 0..2 {
        post(&house, &ada, &channel).await.expect(201);
    }
    house.clock.advance_ms(1_999);
    let refused = post(&house, &ada, &channel).await;
    refused.refused(429, "rate_limited");
    let told = |name| header(&refused.headers, name);
    assert_eq!(told("retry-after"), Some("4"), "3.001 s, rounded up");
    assert_eq!(told("x-ratelimit-reset-after"), Some("3.001"));
    assert_eq!(told("x-ratelimit-remaining"), Some("0"));
    assert_eq!(told("x-ratelimit-scope"), Some("user"));
    assert_eq!(told("x-ratelimit-global"), None);
    assert_eq!(told("via"), Some("1.1 guildhall"));
    assert_eq!(told("content-type"), Some("application/json"));
    house.clock.advance_ms(3_000);
    post(&house, &ada, &channel)
        .await
        .refused(429, "rate_limited");
    house.clock.advance_ms(1);
    post(&house, &ada, &channel).await.expect(201);
}

#[tokio::test]
async fn neither_another_channel_nor_another_caller_nor_another_route_is_held_off() {
    let house = House::limited(two_messages()).await;
    let [ada, bob] = house.people(["ada", "bob"]).await;
    let (server, channel) = house.server(&ada).await;
    house.join(&bob, &server).await;
    let form = json!({"name": "side", "type": "text"});
    let path = format!("/servers/{server}/channels");
    let side = house.post(&ada, &path, form).await.expect(201);
    let side = side["id"].as_str().unwrap();
    for _ in 0..2 {
        post(&house, &ada, &channel).await.expect(201);
    }
    post(&house, &ada, &channel)
        .await
        .refused(429, "rate_limited");
    post(&house, &ada, side).await.expect(201);
    post(&house, &bob, &channel).await.expect(201);
    let path = format!("/channels/{channel}/messages");
    house.get(&ada, &path).await.expect(200);
}

#[tokio::test]
async fn both_spellings_of_a_channel_are_one_bucket() {
    let house = House::limited(two_messages()).await;
    let ada = house.person("ada").await;
    let (_, channel) = house.server(&ada).await;
    let number = house.spelling.parse::<()>(&channel).unwrap().to_string();
    post(&house, &ada, &channel).await.expect(201);
    post(&house, &ada, &number).await.expect(201);
    post(&house, &ada, &channel)
        .await
        .refused(429, "rate_limited");
    post(&house, &ada, &number)
        .await
        .refused(429, "rate_limited");
}

#[tokio::test]
async fn one_bot_has_one_allowance_for_all_routes_together() {
    let house = House::limited(Limits {
        bots: rate(3, 1_000),
        ..Limits::default()
    })
    .await;
    let ada = house.person("ada").await;
    let bot = house.bot(&ada, "clerk").await;
    for path in ["/users/me", "/servers", "/users/me"] {
        house.get(&bot, path).await.expect(200);
    }
    let refused = house.get(&bot, "/servers").await;
    refused.refused(429, "rate_limited");
    let told = |name| header(&refused.headers, name);
    assert_eq!(told("x-ratelimit-global"), Some("true"));
    assert_eq!(told("x-ratelimit-scope"), Some("global"));
    assert_eq!(told("retry-after"), Some("1"));
    assert_eq!(told("via"), Some("1.1 guildhall"));
    // People have an allowance of their own, here none at all.
    house.get(&ada, "/servers").await.expect(200);
    house.clock.advance_ms(1_000);
    house.get(&bot, "/servers").await.expect(200);
}

#[tokio::test]
async fn people_without_a_credential_are_told_apart_by_their_address() {
    let house = House::limited(Limits {
        addresses: rate(2, 1_000),
        ..Limits::default()
    })
    .await;
    let ask = async |address| from(&house, address, "/openapi.json", None).await.status;
    assert_eq!(ask("192.0.2.1").await, 200);
    assert_eq!(ask("192.0.2.1").await, 200);
    assert_eq!(ask("192.0.2.1").await, 429);
    assert_eq!(ask("192.0.2.2").await, 200);
    house.clock.advance_ms(1_000);
    assert_eq!(ask("192.0.2.1").await, 200);
}

#[tokio::test]
async fn one_address_signs_in_only_so_often() {
    let house = House::limited(Limits {
        sign_in: rate(2, 60_000),
        ..Limits::default()
    })
    .await;
    for name in ["ada", "bob"] {
        let form = registration(name);
        house.post(None, "/auth/register", form).await.expect(201);
    }
    let third = house
        .post(None, "/auth/register", registration("eve"))
        .await;
    third.refused(429, "rate_limited");
    let login = json!({"username": "ada", "password": "wrong and longer"});
    house
        .post(None, "/auth/login", login)
        .await
        .refused(401, "wrong_credentials");
}

#[tokio::test]
async fn who_guesses_tokens_is_no_longer_listened_to() {
    let house = House::limited(Limits {
        refusals: rate(3, 600_000),
        ..Limits::default()
    })
    .await;
    let ada = house.person("ada").await;
    let ask = async |address, token| from(&house, address, "/users/me", Some(token)).await.status;
    for _ in 0..3 {
        assert_eq!(ask("192.0.2.1", "Bot MTIz.a.guess").await, 401);
    }
    // A guess that hits would not be noticed either.
    assert_eq!(ask("192.0.2.1", &ada.authorization).await, 429);
    assert_eq!(ask("192.0.2.2", &ada.authorization).await, 200);
    house.clock.advance_ms(600_000);
    assert_eq!(ask("192.0.2.1", &ada.authorization).await, 200);
}

#[tokio::test]
async fn adding_and_removing_reactions_has_a_rate_of_its_own() {
    let house = House::limited(Limits {
        reactions: rate(1, 250),
        ..Limits::default()
    })
    .await;
    let ada = house.person("ada").await;
    let (_, channel) = house.server(&ada).await;
    let message = house.say(&ada, &channel, "hail").await;
    let path = format!("/messages/{message}/reactions");
    let react = async |emoji| {
        house
            .post(&ada, &path, json!({"emoji": emoji}))
            .await
            .status
    };
    let first = react("👍").await;
    assert!(first < 300, "{first}");
    assert_eq!(react("👎").await, 429);
    house.get(&ada, &path).await.expect(200);
    house.clock.advance_ms(250);
    assert!(react("👎").await < 300);
}

#[tokio::test]
async fn a_node_without_limits_says_nothing_about_them() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (_, channel) = house.server(&ada).await;
    for _ in 0..60 {
        let answer = post(&house, &ada, &channel).await;
        assert_eq!(answer.status, 201);
        assert!(
            answer
                .headers
                .keys()
                .all(|name| !name.as_str().starts_with("x-ratelimit"))
        );
    }
}

#[tokio::test]
async fn the_discord_dialect_has_its_own_body() {
    let house = House::limited(Limits {
        refusals: rate(1, 1_500),
        ..Limits::default()
    })
    .await;
    let here = "192.0.2.1";
    assert_eq!(from(&house, here, "/users/me", None).await.status, 401);
    let refused = from(&house, here, "/api/v10/users/@me", None).await;
    let body = json!({
        "message": "You are being rate limited.", "retry_after": 1.5, "global": true, "code": 0,
    });
    assert_eq!(refused.expect(429), body);
}

#[tokio::test]
async fn the_three_prefixes_of_the_discord_dialect_share_their_buckets() {
    let house = House::limited(two_messages()).await;
    let ada = house.person("ada").await;
    let (_, channel) = house.server(&ada).await;
    let number = house.spelling.parse::<()>(&channel).unwrap();
    let post = async |prefix| {
        let path = format!("{prefix}/channels/{number}/messages");
        house.post(&ada, &path, json!({"content": "hail"})).await
    };
    let first = post("/api/v10").await;
    let second = post("/api/v9").await;
    for answer in [&first, &second] {
        assert!(answer.status < 300, "{}", answer.body);
    }
    let told = |answer: &Answer| header(&answer.headers, "x-ratelimit-bucket").map(str::to_owned);
    assert!(told(&first).is_some());
    assert_eq!(told(&first), told(&second));
    let refused = post("/api").await;
    assert_eq!(header(&refused.headers, "via"), Some("1.1 guildhall"));
    let body = json!({
        "message": "You are being rate limited.", "retry_after": 5.0, "global": false, "code": 0,
    });
    assert_eq!(refused.expect(429), body);
}
