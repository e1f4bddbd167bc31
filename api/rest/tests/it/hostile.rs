//! What clients send that they should not.

use axum::body::Body;
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use guildhall_app::Registration;
use guildhall_model::limits::BODY_BYTES_MAX;
use serde_json::json;

use crate::harness::{Answer, Caller, House};

async fn raw(house: &House, who: &Caller, body: impl Into<Body>) -> Answer {
    let request = Request::post("/servers")
        .header(AUTHORIZATION, &who.authorization)
        .header(CONTENT_TYPE, "application/json");
    house.send(request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn what_is_no_json_is_told_where_it_breaks() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    for (body, code) in [
        ("", "invalid_json"),
        ("{", "invalid_json"),
        ("{\"name\": \"a\"} x", "invalid_json"),
        ("{\"name\": NaN}", "invalid_json"),
        ("{'name': 'a'}", "invalid_json"),
        ("{\"name\": \"\\ud800\"}", "invalid_json"),
        ("{\"name\": \"ab\", \"name\": \"cd\"}", "invalid_form"),
        ("[]", "invalid_form"),
        ("null", "invalid_form"),
        ("17", "invalid_form"),
        ("{\"name\": 1e999}", "invalid_json"),
        ("{\"name\": {\"a\": 1}}", "invalid_form"),
    ] {
        let answer = raw(&house, &ada, body).await;
        answer.refused(400, code);
        assert!(answer.body["errors"].is_array(), "{body}");
    }
    raw(&house, &ada, &b"{\"name\": \"\xff\xfe\"}"[..])
        .await
        .refused(400, "invalid_form");
    let deep = format!("{{\"name\": {}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    raw(&house, &ada, deep).await.refused(400, "invalid_form");
}

#[tokio::test]
async fn a_body_is_bounded_before_it_is_held() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let at_the_bound = format!("{{\"name\": \"{}\"}}", "a".repeat(BODY_BYTES_MAX - 12));
    assert_eq!(at_the_bound.len(), BODY_BYTES_MAX);
    raw(&house, &ada, at_the_bound.clone())
        .await
        .refused(400, "invalid_form");
    raw(&house, &ada, at_the_bound + " ")
        .await
        .refused(413, "payload_too_large");

    // A length that is announced is believed before a byte has come.
    let request = Request::post("/servers")
        .header(AUTHORIZATION, &ada.authorization)
        .header(CONTENT_TYPE, "application/json")
        .header(CONTENT_LENGTH, u64::MAX)
        .body(Body::empty())
        .unwrap();
    house.send(request).await.refused(413, "payload_too_large");

    // One that is not announced is counted.
    let endless = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 8_192]));
    raw(&house, &ada, Body::from_stream(endless))
        .await
        .refused(413, "payload_too_large");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_the_callers_fault() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let parts = [Ok("{\"name\":"), Err(std::io::Error::other("gone"))];
    let broken = Body::from_stream(futures_util::stream::iter(parts));
    raw(&house, &ada, broken).await.refused(400, "invalid_json");
}

#[tokio::test]
async fn only_plain_json_is_read() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let post = |media_type: &'static str| {
        Request::post("/servers")
            .header(AUTHORIZATION, &ada.authorization)
            .header(CONTENT_TYPE, media_type)
    };
    let form = || Body::from(json!({"name": "Tavern"}).to_string());
    for wrong in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "",
    ] {
        let answer = house.send(post(wrong).body(form()).unwrap()).await;
        answer.refused(415, "unsupported_media_type");
    }
    for right in ["application/json", "Application/JSON; charset=utf-8"] {
        assert_eq!(
            house.send(post(right).body(form()).unwrap()).await.status,
            201
        );
    }
    let request = post("application/json").header(CONTENT_ENCODING, "gzip");
    house
        .send(request.body(form()).unwrap())
        .await
        .refused(415, "unsupported_media_type");
    let request = post("application/json").header(CONTENT_ENCODING, "identity");
    assert_eq!(house.send(request.body(form()).unwrap()).await.status, 201);
}

#[tokio::test]
async fn ids_that_cannot_be_are_answered_like_ids_that_do_not_exist() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (server, _) = house.server(&ada).await;
    let foreign = format!("{}0000", &server[..server.len() - 4]);
    let long = "1".repeat(5_000);
    for id in [
        "1",
        "0",
        "-1",
        "x",
        "%20",
        "18446744073709551616",
        "1e3",
        &foreign,
        &long,
    ] {
        for (path, code) in [
            (format!("/servers/{id}"), "unknown_server"),
            (format!("/channels/{id}"), "unknown_channel"),
            (format!("/messages/{id}"), "unknown_message"),
            (format!("/users/{id}"), "unknown_user"),
            (format!("/invites/{id}"), "unknown_invite"),
            (format!("/servers/{server}/members/{id}"), "unknown_"),
        ] {
            let answer = house.get(&ada, &path).await;
            assert_eq!(answer.status, 404, "{path}");
            assert!(answer.code().starts_with(code), "{path}: {}", answer.body);
            assert!(answer.body.get("errors").is_none());
        }
        house
            .put(&ada, &format!("/roles/{id}"), json!({}))
            .await
            .refused(404, "unknown_role");
    }
}

#[tokio::test]
async fn paths_and_methods_that_do_not_exist_are_errors_like_all_others() {
    let house = House::open().await;
    for path in [
        "/",
        "/nothing",
        "/servers/",
        "/servers//",
        "/auth",
        "/%2e%2e/etc/passwd",
    ] {
        house.get(None, path).await.refused(404, "unknown_route");
    }
    for method in ["PATCH", "TRACE", "OPTIONS", "BREW"] {
        let answer = house.call(None, method, "/servers", None).await;
        answer.refused(405, "method_not_allowed");
        let allowed = answer.headers["allow"].to_str().unwrap();
        assert!(
            allowed.contains("GET") && allowed.contains("POST"),
            "{allowed}"
        );
    }
}

#[tokio::test]
async fn every_answer_carries_its_request_id_and_the_headers_that_browsers_need() {
    let house = House::open().await;
    for (given, is_kept) in [
        (Some("abc-123_4.5"), true),
        (Some("a b"), false),
        (Some("{\"a\":1}"), false),
        (Some(""), false),
        (Some(&*"x".repeat(65)), false),
        (None, false),
    ] {
        let mut request = Request::get("/nothing");
        if let Some(id) = given {
            request = request.header("x-request-id", id);
        }
        let answer = house.send(request.body(Body::empty()).unwrap()).await;
        let id = answer.headers["x-request-id"].to_str().unwrap();
        assert_eq!(given == Some(id), is_kept, "{given:?}");
        assert!(!id.is_empty());
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
}

#[tokio::test]
async fn pages_of_other_origins_are_let_in_only_if_the_operator_says_so() {
    let preflight = |origin: &str| {
        Request::options("/servers")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .body(Body::empty())
            .unwrap()
    };
    let closed = House::open().await;
    let answer = closed.send(preflight("https://chat.example")).await;
    assert!(!answer.headers.contains_key("access-control-allow-origin"));

    let open = House::with(Registration::Open, vec!["https://chat.example"]).await;
    let answer = open.send(preflight("https://chat.example")).await;
    assert_eq!(
        answer.headers["access-control-allow-origin"],
        "https://chat.example"
    );
    assert!(
        !answer
            .headers
            .contains_key("access-control-allow-credentials")
    );
    let answer = open.send(preflight("https://evil.example")).await;
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn two_credentials_are_none() {
    let house = House::open().await;
    let [ada, bea] = house.people(["ada", "bea"]).await;
    let request = Request::get("/users/me")
        .header(AUTHORIZATION, &ada.authorization)
        .header(AUTHORIZATION, &bea.authorization)
        .body(Body::empty())
        .unwrap();
    house.send(request).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_stranger_is_refused_before_its_body_is_read() {
    let house = House::open().await;
    let endless = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
    let request = Request::post("/servers")
        .body(Body::from_stream(endless))
        .unwrap();
    house.send(request).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    tokio::time::pause();
    let endless = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
    let body = Body::from_stream(endless);
    raw(&house, &ada, body).await.refused(400, "invalid_json");
}
