//! What clients of this dialect send that they should not.

use axum::body::Body;
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use guildhall_model::limits::BODY_BYTES_MAX;
use serde_json::json;

use super::{Tavern, fault, judge, refused};
use crate::harness::Answer;

async fn raw(tavern: &Tavern, media_type: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post(format!("/api/v10{}", tavern.of_channel("/messages")))
        .header(AUTHORIZATION, &tavern.bot.authorization)
        .header(CONTENT_TYPE, media_type);
    let answer = tavern.house.send(request.body(body.into()).unwrap()).await;
    judge::judge().answered("POST", &tavern.of_channel("/messages"), &answer);
    answer
}

#[tokio::test]
async fn bodies_that_are_no_json_or_too_large_or_of_another_type() {
    let tavern = Tavern::open().await;
    for body in ["", "{", "nonsense", "{\"content\": \"a\"} x"] {
        refused(&raw(&tavern, "application/json", body).await, 400, 50_109);
    }
    for body in ["[]", "null", "17", "{\"content\": 1, \"content\": 2}"] {
        refused(&raw(&tavern, "application/json", body).await, 400, 50_035);
    }
    let deep = format!("{{\"content\": {}", "[".repeat(10_000));
    assert_eq!(
        fault(&raw(&tavern, "application/json", deep).await, ""),
        "TOO_DEEP"
    );
    let large = "x".repeat(BODY_BYTES_MAX + 1);
    refused(&raw(&tavern, "application/json", large).await, 413, 40_005);
    refused(&raw(&tavern, "text/plain", "{}").await, 415, 0);
}

#[tokio::test]
async fn ids_that_cannot_be_name_nothing() {
    let tavern = Tavern::open().await;
    let long = "1".repeat(5_000);
    for id in ["0", "-1", "x", "%20", "18446744073709551616", "1e3", &long] {
        for (path, code) in [
            (format!("/guilds/{id}"), 10_004),
            (format!("/channels/{id}"), 10_003),
            (format!("/users/{id}"), 10_013),
            (tavern.of_guild(&format!("/members/{id}")), 10_013),
            (tavern.of_guild(&format!("/roles/{id}")), 10_011),
            (tavern.of_channel(&format!("/messages/{id}")), 10_008),
        ] {
            refused(&tavern.bot("GET", &path, None).await, 404, code);
        }
        let overwrite = tavern.of_channel(&format!("/permissions/{id}"));
        refused(&tavern.bot("DELETE", &overwrite, None).await, 404, 10_009);
    }
    for code in ["..%2f", "a-b", "%00", &"a".repeat(65)] {
        let path = format!("/invites/{code}");
        refused(&tavern.bot("GET", &path, None).await, 404, 10_006);
    }
}

#[tokio::test]
async fn wrong_types_are_named_where_they_stand() {
    let tavern = Tavern::open().await;
    let channel = tavern.of_channel("");
    let member = tavern.of_guild(&format!("/members/{}", tavern.bob.id));
    let roles = tavern.of_guild("/roles");
    for (method, path, body, place, code) in [
        (
            "PATCH",
            &channel,
            json!({"name": 5}),
            "name",
            "STRING_TYPE_CONVERT",
        ),
        (
            "PATCH",
            &channel,
            json!({"position": "x"}),
            "position",
            "NUMBER_TYPE_COERCE",
        ),
        (
            "PATCH",
            &channel,
            json!({"position": 1.5}),
            "position",
            "NUMBER_TYPE_COERCE",
        ),
        (
            "PATCH",
            &member,
            json!({"roles": "x"}),
            "roles",
            "LIST_TYPE_CONVERT",
        ),
        (
            "PATCH",
            &member,
            json!({"roles": [{}]}),
            "roles.0",
            "NUMBER_TYPE_COERCE",
        ),
        (
            "POST",
            &roles,
            json!({"hoist": "yes"}),
            "hoist",
            "BOOLEAN_TYPE_CONVERT",
        ),
        (
            "POST",
            &roles,
            json!({"colors": 5}),
            "colors",
            "MODEL_TYPE_CONVERT",
        ),
        ("PATCH", &roles, json!([5]), "0", "MODEL_TYPE_CONVERT"),
    ] {
        let answer = tavern.bot(method, path, body).await;
        assert_eq!(fault(&answer, place), code, "{}", answer.body);
    }
}
