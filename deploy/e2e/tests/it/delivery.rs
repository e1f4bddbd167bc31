//! Nothing lost, nothing twice: sessions over crashes, restarts and absences.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use guildhall_e2e::person::{nonce, text};
use guildhall_e2e::{Link, PATIENCE, Payload, Person, Rest, Server, Session};
use hyper::Method;
use serde_json::{Value, json};

/// GUILDS, GUILD_MESSAGES and MESSAGE_CONTENT.
const BOT_INTENTS: u64 = 1 | 1 << 9 | 1 << 15;

/// Posts one message after the other until the server is gone. Answers the ids that it was told,
/// and the body whose fate it does not know.
async fn post_until_gone(rest: Rest, channel: String) -> (Vec<String>, Value) {
    let path = format!("/channels/{channel}/messages");
    let mut acknowledged = Vec::new();
    loop {
        let body = json!({ "content": "under load", "nonce": nonce() });
        let kind = Some("application/json");
        match rest
            .try_send(Method::POST, &path, kind, body.to_string())
            .await
        {
            Ok(answer) => acknowledged.push(text(&answer.expect(201), "/id")),
            Err(_) => return (acknowledged, body),
        }
    }
}

async fn everything(rest: &Rest, channel: &str) -> Vec<String> {
    let mut ids = Vec::new();
    loop {
        let before = ids.first().map(|id| format!("&before={id}"));
        let before = before.unwrap_or_default();
        let path = format!("/channels/{channel}/messages?limit=100{before}");
        let page = rest.get(&path).await.expect(200);
        let page = page.as_array().expect("a page is a list");
        if page.is_empty() {
            return ids;
        }
        let older: Vec<String> = page
            .iter()
            .rev()
            .map(|message| text(message, "/id"))
            .collect();
        ids.splice(0..0, older);
    }
}

fn messages(heard: &[Payload]) -> Vec<String> {
    let created = heard
        .iter()
        .filter(|payload| payload.name() == "MESSAGE_CREATE");
    created.map(|payload| text(&payload.d, "/id")).collect()
}

/// One session and the messages that it was told.
struct Ear {
    session: Session,
    heard: Vec<String>,
}

async fn ears(people: &[Person]) -> Vec<Ear> {
    let forms = [
        "encoding=json",
        "encoding=msgpack&compress=zlib-stream",
        "compress=zstd-stream",
    ];
    let mut ears = Vec::new();
    for (n, person) in people.iter().enumerate() {
        let query = format!("v=10&dialect=native&{}", forms[n % forms.len()]);
        let link = Link::open(person.rest.address(), &query).await;
        let session = Session::identify(link, &person.access, None).await;
        ears.push(Ear {
            session,
            heard: Vec::new(),
        });
    }
    ears
}

/// Nine people in one server, and its channel.
async fn reading_club(server: &Server) -> (Vec<Person>, String) {
    let ada = Person::register(server, "ada").await;
    let (guild, channel) = ada.found("Reading club").await;
    let mut people = vec![ada];
    for n in 0..8 {
        let person = Person::register(server, &format!("reader{n}")).await;
        person.join(&guild).await;
        people.push(person);
    }
    (people, channel)
}

#[tokio::test]
async fn killed_servers_lose_nothing_and_tell_nothing_twice() {
    let mut server = Server::start(&[("DELIVERY__SNAPSHOT_INTERVAL", "200ms")]).await;
    let (people, channel) = reading_club(&server).await;
    let ada = &people[0];
    let mut ears = ears(&people).await;
    let mut acknowledged = BTreeSet::new();
    for round in 0..4 {
        let posting = people[..3]
            .iter()
            .map(|person| tokio::spawn(post_until_gone(person.rest.clone(), channel.clone())));
        let posting: Vec<_> = posting.collect();
        // Each reads on for another while, so that the crash finds each at another place.
        for (n, ear) in ears.iter_mut().enumerate() {
            for _ in 0..n + round {
                let payload = ear.session.dispatch().await;
                ear.heard.extend(messages(&[payload]));
            }
        }
        server.kill().await;
        let mut open = Vec::new();
        for task in posting {
            let (ids, body) = task.await.unwrap();
            acknowledged.extend(ids);
            open.push(body);
        }
        server.restart().await;
        for ear in &mut ears {
            let missed = ear.session.resume().await;
            ear.heard.extend(messages(&missed));
        }
        let path = format!("/channels/{channel}/messages");
        for (person, body) in people.iter().zip(open) {
            // Twice, because nobody knows whether it was there before the first time.
            let first = person.rest.post(&path, body.clone()).await;
            let second = person.rest.post(&path, body).await;
            let id = text(&first.json(), "/id");
            assert_eq!(second.json()["id"], id.as_str());
            acknowledged.insert(id);
        }
    }
    let last = ada.post(&channel, "the last").await;
    acknowledged.insert(last.clone());
    let stored = everything(&ada.rest, &channel).await;
    let missing: Vec<_> = acknowledged
        .iter()
        .filter(|id| !stored.contains(id))
        .collect();
    assert!(
        missing.is_empty(),
        "acknowledged and not stored: {missing:?}"
    );
    assert!(
        20 < stored.len(),
        "the crashes came too early: {}",
        stored.len()
    );
    for ear in &mut ears {
        let rest = ear
            .session
            .up_to(|payload| payload.d["id"] == last.as_str())
            .await;
        ear.heard.extend(messages(&rest));
        assert_eq!(ear.heard, stored, "{:?}", ear.session);
    }
}

#[tokio::test]
async fn a_repeated_nonce_answers_with_the_first_message_after_a_crash_too() {
    let mut server = Server::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let (_, channel) = ada.found("Reading club").await;
    let path = format!("/channels/{channel}/messages");
    let body = json!({ "content": "once", "nonce": "the same" });
    let first = ada.rest.post(&path, body.clone()).await.expect(201);
    for _ in 0..2 {
        let again = ada.rest.post(&path, body.clone()).await;
        assert!(again.status.is_success(), "{}", again.text());
        assert_eq!(again.json()["id"], first["id"]);
        server.kill().await;
        server.restart().await;
    }
    assert_eq!(everything(&ada.rest, &channel).await.len(), 1);
}

#[tokio::test]
async fn everything_that_was_acknowledged_is_there_after_a_crash() {
    let mut server = Server::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let (guild, channel) = ada.found("Reading club").await;
    let bot = ada.make_bot("Echo").await;
    ada.invite_bot(&guild, &bot).await;
    let role = json!({ "name": "librarian", "permissions_bitmask": 4 });
    let role = ada
        .rest
        .post(&format!("/servers/{guild}/roles"), role)
        .await
        .expect(201);
    let message = ada.post(&channel, "first").await;
    let path = format!("/messages/{message}");
    ada.rest
        .put(&path, json!({ "content": "second" }))
        .await
        .expect(200);
    let reactions = format!("{path}/reactions");
    assert!(
        ada.rest
            .post(&reactions, json!({ "emoji": "\u{1f44d}" }))
            .await
            .status
            .is_success()
    );
    server.kill().await;
    server.restart().await;
    let shown = ada.rest.get(&path).await.expect(200);
    assert_eq!(shown["content"], "second");
    assert!(shown.to_string().contains("\u{1f44d}"), "{shown}");
    let roles = ada
        .rest
        .get(&format!("/servers/{guild}/roles"))
        .await
        .expect(200);
    assert!(roles.as_array().unwrap().contains(&role), "{roles}");
    let session = bot.listen(BOT_INTENTS).await;
    assert_eq!(session.guilds.len(), 1);
    let login = json!({ "username": "ada", "password": ada.password });
    server.rest().post("/auth/login", login).await.expect(200);
    let refresh = json!({ "refresh_token": ada.refresh });
    server
        .rest()
        .post("/auth/refresh", refresh)
        .await
        .expect(200);
}

/// Polls until something holds.
async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let until = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, until).await;
    waited.unwrap_or_else(|_| panic!("{what}: not within {PATIENCE:?}"));
}

/// All snapshots, with the times at which they were written.
fn snapshots(server: &Server) -> BTreeSet<(PathBuf, Option<SystemTime>)> {
    let mut seen = BTreeSet::new();
    let mut folders = vec![server.data().join("snapshots")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(data) if data.is_dir() => folders.push(entry.path()),
                Ok(data) => {
                    seen.insert((entry.path(), data.modified().ok()));
                }
                // It was replaced by its successor.
                Err(_) => {}
            }
        }
    }
    seen
}

#[tokio::test]
async fn a_session_is_resumed_across_snapshots_and_a_crash() {
    let mut server = Server::start(&[("DELIVERY__SNAPSHOT_INTERVAL", "100ms")]).await;
    let ada = Person::register(&server, "ada").await;
    let (_, channel) = ada.found("Reading club").await;
    let mut session = ada.listen().await;
    let mut posted = Vec::new();
    for _ in 0..3 {
        let before = snapshots(&server);
        posted.push(ada.post(&channel, "before a snapshot").await);
        eventually("a snapshot", || async { snapshots(&server) != before }).await;
    }
    server.kill().await;
    server.restart().await;
    posted.push(ada.post(&channel, "after the crash").await);
    let missed = session.resume().await;
    assert_eq!(messages(&missed), posted);
    // And once more from the first place, which is older than every snapshot that is left.
    session.s -= 4;
    assert_eq!(messages(&session.resume().await), posted);
}

async fn is_refused(session: &mut Session) {
    session.reach_out().await;
    let answer = session.link.payload().await;
    assert_eq!((answer.op, &answer.d), (9, &json!(false)), "{answer:?}");
}

#[tokio::test]
async fn what_lies_beyond_the_window_gets_op_9_and_a_new_session() {
    let mut server = Server::start(&[
        ("DELIVERY__RESUME_WINDOW", "1s"),
        ("DELIVERY__FRAMES_RETENTION", "1s"),
        ("DELIVERY__SNAPSHOT_INTERVAL", "100ms"),
    ])
    .await;
    let ada = Person::register(&server, "ada").await;
    let mut session = ada.listen().await;
    session.link = session.link.again().await;
    let is_gone = || async {
        let metrics = server.operator("/metrics").await.text();
        metrics.lines().any(|line| line == "guildhall_sessions 0")
    };
    eventually("the end of the session", is_gone).await;
    is_refused(&mut session).await;
    // The same connection may begin anew.
    session.link.identify(&ada.access, None).await;
    assert_eq!(session.link.op(0).await.name(), "READY");
    server.kill().await;
    server.restart().await;
    is_refused(&mut session).await;
}

#[tokio::test]
async fn only_its_own_client_can_resume_a_session_and_only_from_where_it_was() {
    let server = Server::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let eve = Person::register(&server, "eve").await;
    let (guild, channel) = ada.found("Reading club").await;
    let mut session = ada.listen().await;
    ada.post(&channel, "for members").await;
    session.until("MESSAGE_CREATE").await;
    let (id, s) = (session.id.clone(), session.s);
    session.token.clone_from(&eve.access);
    is_refused(&mut session).await;
    session.token.clone_from(&ada.access);
    for seq in [s + 1, s + 1_000, u64::from(u32::MAX), u64::MAX, 0, 1] {
        session.s = seq;
        is_refused(&mut session).await;
    }
    session.s = s;
    let mut turned = id.clone().into_bytes();
    let last = turned.last_mut().unwrap();
    *last = if *last == b'a' { b'b' } else { b'a' };
    let turned = String::from_utf8(turned).unwrap();
    for wrong in ["", "x", &turned, &id[1..], &id.repeat(20), &guild] {
        wrong.clone_into(&mut session.id);
        is_refused(&mut session).await;
    }
    session.id = id;
    assert!(
        session.resume().await.is_empty(),
        "none of this has cost the session"
    );
}

#[tokio::test]
async fn a_session_that_is_resumed_elsewhere_leaves_its_old_connection() {
    let server = Server::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let mut session = ada.listen().await;
    let fresh = session.link.again().await;
    let mut old = std::mem::replace(&mut session.link, fresh);
    session.link.op(10).await;
    session
        .link
        .resume(&session.token, &session.id, session.s)
        .await;
    assert_eq!(session.link.op(0).await.name(), "RESUMED");
    let code = old.close_code().await;
    assert!(
        code.is_none_or(|code| code != 1000),
        "{code:?} would end the session"
    );
    let (_, channel) = ada.found("Reading club").await;
    let message = ada.post(&channel, "to the new one").await;
    assert_eq!(
        session.until("MESSAGE_CREATE").await.d["id"],
        message.as_str()
    );
}
