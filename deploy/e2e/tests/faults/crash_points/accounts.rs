//! Crashes in the midst of what people do about their accounts: nobody is locked out by one, and
//! nothing is made twice.

use std::time::{Duration, Instant};

use guildhall_e2e::person::text;
use guildhall_e2e::{Person, Server, Session};
use guildhall_ports::crash::Point;
use hyper::Method;
use serde_json::{Value, json};

use super::{SETTINGS, Way, all_ways, die};

/// How long a request may take to end the server.
const WITHIN: Duration = Duration::from_secs(20);
/// Two looks for what may be given back.
const TRIM_WITHIN: Duration = Duration::from_secs(75);

/// Arms the server, makes a request that goes unanswered because of it, and starts it again.
async fn unanswered(
    server: &mut Server,
    point: Point,
    (method, path): (Method, &str),
    body: &Value,
) {
    let rest = server.rest();
    unanswered_by(server, point, &rest, (method, path), body).await;
}

async fn unanswered_by(
    server: &mut Server,
    point: Point,
    rest: &guildhall_e2e::Rest,
    (method, path): (Method, &str),
    body: &Value,
) {
    server.kill().await;
    let armed = format!("{}:1", point.name());
    let started = server.try_restart(("GUILDHALL_CRASH_AT", &armed)).await;
    started.expect("only the request passes the point");
    let kind = Some("application/json");
    let answer = rest.try_send(method, path, kind, body.to_string()).await;
    assert!(answer.is_err(), "{point:?} was not passed: {answer:?}");
    let ended = server.ended_within(WITHIN).await;
    assert!(ended.is_some(), "{point:?} was not passed");
    server.restart().await;
}

/// A session that can be resumed: whoever breaks off during its start begins anew.
async fn settled(person: &Person) -> Session {
    let (_, channel) = person.found("Reading club").await;
    let mut session = person.listen().await;
    person.post(&channel, "behind the start").await;
    session.until("MESSAGE_CREATE").await;
    session
}

async fn a_registration(server: &mut Server) {
    let who = json!({ "username": "ada", "email": "ada@example.org", "password": "a long walk" });
    let register = (Method::POST, "/auth/register");
    unanswered(server, Point::AccountStored, register, &who).await;
    let again = server.rest().post("/auth/register", who).await;
    assert_eq!(again.refusal().0, 409, "the account is there already");
    let login = json!({ "username": "ada", "password": "a long walk" });
    unanswered(
        server,
        Point::LoginStored,
        (Method::POST, "/auth/login"),
        &login,
    )
    .await;
    server.rest().post("/auth/login", login).await.expect(200);
}

/// A refresh token whose successor got lost is spent: who presents it again must log in anew, and
/// until then the access token is as good as before.
async fn a_refresh(server: &mut Server) {
    let bea = Person::register(server, "bea").await;
    let mut session = settled(&bea).await;
    let refresh = json!({ "refresh_token": bea.refresh });
    let path = (Method::POST, "/auth/refresh");
    unanswered(server, Point::TokenRotated, path, &refresh).await;
    assert!(session.resume().await.is_empty());
    bea.rest.get("/users/me").await.expect(200);
    let spent = server.rest().post("/auth/refresh", refresh).await;
    assert_eq!(spent.refusal().0, 401);
    let login = json!({ "username": "bea", "password": bea.password });
    server.rest().post("/auth/login", login).await.expect(200);
}

async fn heard_name(session: &mut Session) -> String {
    let missed = session.resume().await;
    let updates: Vec<_> = missed
        .iter()
        .filter(|payload| payload.name() == "USER_UPDATE")
        .collect();
    assert_eq!(updates.len(), 1, "{missed:?}");
    text(&updates[0].d, "/display_name")
}

async fn a_profile_and_a_direct_message(server: &mut Server) {
    let cid = Person::register(server, "cid").await;
    let dot = Person::register(server, "dot").await;
    let mut session = settled(&cid).await;
    let name = json!({ "display_name": "Cid again" });
    let path = (Method::PUT, "/users/me");
    unanswered_by(server, Point::DirectCommitted, &cid.rest, path, &name).await;
    assert_eq!(heard_name(&mut session).await, "Cid again");
    cid.rest.put("/users/me", name).await.expect(200);
    let next = json!({ "display_name": "Cid at last" });
    cid.rest.put("/users/me", next).await.expect(200);
    let told = session.until("USER_UPDATE").await;
    assert_eq!(told.d["display_name"], "Cid at last", "and nothing twice");
    let to = json!({ "content": "psst", "nonce": "1" });
    let path = format!("/dm/{}/messages", dot.id);
    let open = (Method::POST, path.as_str());
    unanswered_by(server, Point::DirectCommitted, &cid.rest, open, &to).await;
    let sent = cid.rest.post(&path, to).await;
    assert!(sent.status.is_success(), "{}", sent.text());
}

#[tokio::test]
async fn nobody_is_locked_out_by_a_crash_in_the_midst_of_their_own_affairs() {
    let mut server = Server::start(&SETTINGS).await;
    a_registration(&mut server).await;
    a_refresh(&mut server).await;
    a_profile_and_a_direct_message(&mut server).await;
    let walked = [
        Point::DirectCommitted,
        Point::AccountStored,
        Point::LoginStored,
        Point::TokenRotated,
    ];
    let accounts = all_ways().filter(|(_, way)| *way == Way::Account);
    let accounts: Vec<_> = accounts.map(|(point, _)| point).collect();
    assert_eq!(accounts, walked, "every point is died at");
}

#[tokio::test]
async fn a_server_that_dies_while_it_gives_space_back_has_a_whole_log() {
    let mut server = Server::start(&SETTINGS).await;
    let ada = Person::register(&server, "ada").await;
    let (_, channel) = ada.found("Reading club").await;
    let long = "x".repeat(2_000);
    let trims = all_ways().filter(|(_, way)| *way == Way::Trim);
    for (point, _) in trims {
        let mut last = String::new();
        for _ in 0..100 {
            last = ada.post(&channel, &long).await;
        }
        // Sessions have seen it all, and retention lets it go at the next look.
        let until = Instant::now() + TRIM_WITHIN;
        let has_died = die(&mut server, (point, 1), (until, TRIM_WITHIN)).await;
        assert!(has_died, "{point:?}");
        server.restart().await;
        let shown = ada.rest.get(&format!("/messages/{last}")).await.expect(200);
        assert_eq!(shown["content"], long.as_str());
    }
    server.terminate();
    assert!(server.ended().await.0.success(), "{}", server.log());
    server.restart().await;
    ada.post(&channel, "still here").await;
}
