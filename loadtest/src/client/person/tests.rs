//! Tokens are renewed when they have to be, and each refresh token is used once.

use serde_json::json;

use super::*;
use crate::client::scripted::{Answer, Call, serve};

fn login(access: &str, refresh: &str) -> Answer {
    let login = json!({
        "user": {"id": "ann", "username": "ann"},
        "access_token": access,
        "refresh_token": refresh,
        "token_type": "Bearer",
        "expires_in": 900,
    });
    Answer::Json(200, login)
}

fn registration() -> Registration {
    Registration {
        username: "ann".to_owned(),
        email: "ann@example.org".to_owned(),
        password: "correct horse".to_owned(),
    }
}

/// Only the token "new" is good.
fn guarded(call: &Call) -> Answer {
    match call.token.as_deref() {
        Some("new") => Answer::Json(200, json!([{"id": "c", "name": "general"}])),
        _ => Answer::Json(401, json!({"code": "unauthenticated", "message": "x"})),
    }
}

#[tokio::test]
async fn an_expired_token_is_refreshed_once_for_all_who_need_it() {
    let (target, calls) = serve(|_, call| match call.route.as_str() {
        "POST /auth/register" => login("old", "r1"),
        "POST /auth/refresh" => login("new", "r2"),
        _ => guarded(call),
    })
    .await;
    let api = Api::new(target);
    let person = Person::register(&api, &registration()).await.unwrap().body;
    let reads = (0..4).map(|_| person.channels("s"));
    let read = futures_util::future::join_all(reads).await;
    assert!(
        read.into_iter()
            .all(|channels| channels.unwrap().body[0].id == "c")
    );
    let calls = calls.lock().unwrap();
    let refreshes: Vec<&Call> = calls
        .iter()
        .filter(|call| call.route.ends_with("refresh"))
        .collect();
    assert_eq!(refreshes.len(), 1);
    assert_eq!(refreshes[0].body, json!({"refresh_token": "r1"}));
}

#[tokio::test]
async fn a_refresh_token_that_was_used_up_is_followed_by_a_login() {
    let (target, _) = serve(|_, call| match call.route.as_str() {
        "POST /auth/register" => login("old", "r1"),
        "POST /auth/refresh" => Answer::Json(401, json!({"code": "reused", "message": "x"})),
        "POST /auth/login" => login("new", "r9"),
        _ => guarded(call),
    })
    .await;
    let person = Person::register(&Api::new(target), &registration())
        .await
        .unwrap()
        .body;
    assert_eq!(person.channels("s").await.unwrap().body.len(), 1);
    assert_eq!(person.access_token().await, "new");
}

#[tokio::test]
async fn refusals_losses_and_nonsense_are_told_apart() {
    let (target, _) = serve(|index, _| match index {
        0 => login("new", "r1"),
        1 => Answer::Json(403, json!({"code": "missing_permission", "message": "no"})),
        2 => Answer::Json(
            429,
            json!({"code": "x", "message": "x", "retry_after": 0.25}),
        ),
        3 => Answer::Json(503, json!("overloaded")),
        4 => Answer::Nothing,
        _ => Answer::Json(200, json!({"id": 5})),
    })
    .await;
    let person = Person::register(&Api::new(target), &registration())
        .await
        .unwrap()
        .body;
    let refused = person.channels("s").await.unwrap_err();
    assert_eq!(refused.to_string(), "403 missing_permission: no");
    assert!(!refused.is_passing());
    let limited = person.channels("s").await.unwrap_err();
    assert_eq!(
        limited.retry_after(),
        Some(std::time::Duration::from_millis(250))
    );
    let overloaded = person.channels("s").await.unwrap_err();
    assert!(overloaded.is_passing() && overloaded.status() == 503);
    let lost = person.channels("s").await.unwrap_err();
    assert!(lost.is_passing() && lost.status() == 0, "{lost}");
    let nonsense = person.channels("s").await.unwrap_err();
    assert!(
        !nonsense.is_passing() && nonsense.status() == 200,
        "{nonsense}"
    );
}

#[tokio::test]
async fn a_page_is_asked_for_as_it_is_wanted() {
    let (target, calls) = serve(|index, _| match index {
        0 => login("new", "r1"),
        _ => Answer::Json(200, json!([])),
    })
    .await;
    let person = Person::register(&Api::new(target), &registration())
        .await
        .unwrap()
        .body;
    let query = PageQuery {
        before: Some("m9"),
        limit: Some(100),
        ..PageQuery::default()
    };
    person.messages("c", &query).await.unwrap();
    person.messages("c", &PageQuery::default()).await.unwrap();
    let calls = calls.lock().unwrap();
    assert_eq!(
        calls[1].route,
        "GET /channels/c/messages?before=m9&limit=100"
    );
    assert_eq!(calls[2].route, "GET /channels/c/messages");
}
