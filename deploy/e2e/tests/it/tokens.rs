//! What a login can and cannot do, and how fast its end is felt.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use guildhall_e2e::person::text;
use guildhall_e2e::{Answer, Link, Person, Rest, Server};
use serde_json::{Value, json};

/// Within which the sockets of a login that ended are closed.
const CLOSED_WITHIN: Duration = Duration::from_secs(1);

async fn refresh(rest: &Rest, token: &str) -> Answer {
    rest.post("/auth/refresh", json!({ "refresh_token": token }))
        .await
}

async fn log_in(server: &Server, person: &Person) -> Value {
    let body = json!({ "username": person.name, "password": person.password });
    server.rest().post("/auth/login", body).await.expect(200)
}

#[tokio::test]
async fn a_replayed_refresh_token_revokes_the_family_and_closes_its_sockets() {
    let server = Server::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let other = log_in(&server, &ada).await;
    let mut session = ada.listen().await;
    let next = refresh(&server.rest(), &ada.refresh).await.expect(200);
    let fresh = text(&next, "/access_token");
    // The family's other socket, opened with the successor.
    let mut heir = Link::greeted(server.address(), "v=10").await;
    heir.identify(&fresh, None).await;
    assert_eq!(heir.payload().await.name(), "READY");
    // The refresh alone ends nothing.
    ada.rest.get("/users/me").await.expect(200);
    let replayed = Instant::now();
    assert_eq!(refresh(&server.rest(), &ada.refresh).await.refusal().0, 401);
    assert_eq!(session.link.close_code().await, Some(4004));
    assert_eq!(heir.close_code().await, Some(4004));
    let took = replayed.elapsed();
    assert!(took < CLOSED_WITHIN, "the sockets closed after {took:?}");
    let fresh = server.rest().authorized(format!("Bearer {fresh}"));
    for rest in [&ada.rest, &fresh] {
        assert_eq!(rest.get("/users/me").await.refusal().0, 401);
    }
    let newest = text(&next, "/refresh_token");
    assert_eq!(refresh(&server.rest(), &newest).await.refusal().0, 401);
    session.reach_out().await;
    assert_eq!(
        session.link.close_code().await,
        Some(4004),
        "RESUME asks for the login"
    );
    refresh(&server.rest(), &text(&other, "/refresh_token"))
        .await
        .expect(200);
}

#[tokio::test]
async fn a_logout_closes_its_own_sockets_and_no_others() {
    let server = Server::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let elsewhere = text(&log_in(&server, &ada).await, "/access_token");
    let mut gone = ada.listen().await;
    let mut stays = Link::greeted(server.address(), "v=10").await;
    stays.identify(&elsewhere, None).await;
    assert_eq!(stays.payload().await.name(), "READY");
    ada.rest.post("/auth/logout", json!({})).await.expect(204);
    assert_eq!(gone.link.close_code().await, Some(4004));
    assert_eq!(ada.rest.get("/users/me").await.refusal().0, 401);
    assert_eq!(refresh(&server.rest(), &ada.refresh).await.refusal().0, 401);
    stays.send(&json!({ "op": 1, "d": null })).await;
    assert_eq!(stays.op(11).await.op, 11);
}

#[tokio::test]
async fn a_revoked_login_stays_revoked_after_a_crash() {
    let mut server = Server::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let mut session = ada.listen().await;
    ada.rest.post("/auth/logout", json!({})).await.expect(204);
    server.kill().await;
    server.restart().await;
    assert_eq!(ada.rest.get("/users/me").await.refusal().0, 401);
    session.reach_out().await;
    assert_eq!(session.link.close_code().await, Some(4004));
}

#[tokio::test]
async fn of_fifty_refreshes_at_once_one_wins_and_the_family_is_revoked() {
    let server = Server::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let mut racing = Vec::new();
    for _ in 0..50 {
        let (rest, token) = (server.rest(), ada.refresh.clone());
        racing.push(tokio::spawn(async move { refresh(&rest, &token).await }));
    }
    let mut winners = Vec::new();
    for racer in racing {
        let answer = racer.await.unwrap();
        match answer.status.as_u16() {
            200 => winners.push(answer.json()),
            status => assert_eq!(status, 401, "{}", answer.text()),
        }
    }
    assert_eq!(winners.len(), 1);
    let newest = text(&winners[0], "/refresh_token");
    assert_eq!(refresh(&server.rest(), &newest).await.refusal().0, 401);
    assert_eq!(ada.rest.get("/users/me").await.refusal().0, 401);
}

fn segment(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

/// Another character in the middle of a part, where every bit counts.
fn turned(part: &str) -> String {
    let mut bytes = part.as_bytes().to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] = if bytes[middle] == b'A' { b'B' } else { b'A' };
    String::from_utf8(bytes).expect("the letters are ASCII")
}

#[tokio::test]
async fn forged_tokens_open_nothing() {
    let server = Server::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let eve = Person::register(&server, "eve").await;
    let parts: Vec<&str> = ada.access.split('.').collect();
    let [head, claims, signature] = parts[..] else {
        panic!("a JWT has three parts")
    };
    let foreign = eve.access.split('.').nth(2).unwrap();
    let none = segment(&json!({ "alg": "none", "typ": "at+jwt" }));
    let hmac = segment(&json!({ "alg": "HS256", "typ": "at+jwt" }));
    let jwk = segment(&json!({ "alg": "EdDSA", "typ": "at+jwt", "jku": "http://127.0.0.1:1/" }));
    for (what, token) in [
        ("no algorithm", format!("{none}.{claims}.")),
        (
            "no algorithm but a signature",
            format!("{none}.{claims}.{signature}"),
        ),
        ("another algorithm", format!("{hmac}.{claims}.{signature}")),
        (
            "a key from elsewhere",
            format!("{jwk}.{claims}.{signature}"),
        ),
        ("no signature", format!("{head}.{claims}.")),
        ("another's signature", format!("{head}.{claims}.{foreign}")),
        (
            "a turned signature",
            format!("{head}.{claims}.{}", turned(signature)),
        ),
        (
            "turned claims",
            format!("{head}.{}.{signature}", turned(claims)),
        ),
        ("two parts", format!("{head}.{claims}")),
        ("a refresh token", ada.refresh.clone()),
        ("nothing", String::new()),
        ("a long token", "x".repeat(8_000)),
    ] {
        let rest = server.rest().authorized(format!("Bearer {token}"));
        assert_eq!(rest.get("/users/me").await.refusal().0, 401, "{what}");
    }
    for header in [
        "Bot ",
        "Bearer",
        "Basic YWRhOmFkYQ==",
        &ada.access,
        "Bot a.b.c",
    ] {
        let rest = server.rest().authorized(header);
        assert_eq!(rest.get("/users/me").await.refusal().0, 401, "{header}");
    }
    let as_bot = server.rest().authorized(format!("Bot {}", ada.access));
    assert_eq!(
        as_bot.get("/users/me").await.refusal().0,
        401,
        "a person is no bot"
    );
}

#[tokio::test]
async fn an_expired_token_is_refused_until_it_is_refreshed() {
    let server = Server::start(&[("AUTH__ACCESS_TOKEN_LIFETIME", "1s")]).await;
    let ada = Person::register(&server, "ada").await;
    let expired = async { while ada.rest.get("/users/me").await.status.is_success() {} };
    guildhall_e2e::soon("the end of the token", expired).await;
    let mut link = Link::greeted(server.address(), "v=10").await;
    link.identify(&ada.access, None).await;
    assert_eq!(link.close_code().await, Some(4004));
    refresh(&server.rest(), &ada.refresh).await.expect(200);
}

#[tokio::test]
async fn a_session_survives_the_access_token_that_opened_it() {
    let server = Server::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let mut session = ada.listen().await;
    let next = refresh(&server.rest(), &ada.refresh).await.expect(200);
    session.token = text(&next, "/access_token");
    assert!(session.resume().await.is_empty());
}
