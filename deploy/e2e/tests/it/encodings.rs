//! Every encoding and compression says the same.

use guildhall_e2e::{Link, Payload, Person, Server, Session};
use serde_json::{Value, json};

const ENCODINGS: [&str; 2] = ["json", "msgpack"];
const COMPRESSIONS: [&str; 3] = ["none", "zlib-stream", "zstd-stream"];

/// Sessions of one person in every encoding and compression of a dialect.
async fn in_all_forms(person: &Person, dialect: &str) -> Vec<(String, Session)> {
    let mut sessions = Vec::new();
    for encoding in ENCODINGS {
        for compression in COMPRESSIONS {
            let query =
                format!("v=10&encoding={encoding}&compress={compression}&dialect={dialect}");
            let link = Link::open(person.rest.address(), &query).await;
            sessions.push((query, Session::identify(link, &person.access, None).await));
        }
    }
    sessions
}

/// Things of all sizes happen, and a message ends them.
async fn events(ada: &Person, guild: &str, channel: &str) -> String {
    let first = ada
        .post(channel, "bonjour, 世界 \u{1f30d} \"quoted\" \\ \u{2028}")
        .await;
    let path = format!("/messages/{first}");
    let long = "長い本文".repeat(500);
    ada.rest
        .put(&path, json!({ "content": long }))
        .await
        .expect(200);
    let reactions = format!("{path}/reactions");
    ada.rest
        .post(&reactions, json!({ "emoji": "\u{1f44d}" }))
        .await;
    let overwrites: Vec<Value> = vec![json!({"id": ada.id, "type": "member", "allow": 3})];
    let channels = format!("/servers/{guild}/channels");
    let new = json!({ "name": "plots", "permissions": { "overwrites": overwrites } });
    ada.rest.post(&channels, new).await.expect(201);
    ada.rest.delete(&path).await.expect(204);
    for n in 0..40 {
        ada.post(channel, &format!("{n} of forty")).await;
    }
    ada.post(channel, "the last").await
}

fn gist(heard: &[Payload]) -> Vec<(Option<u64>, String, Value)> {
    let parts = |payload: &Payload| (payload.s, payload.name().to_owned(), payload.d.clone());
    heard.iter().map(parts).collect()
}

/// twilight takes the first `"t":`, `"s":` and `"op":` that it finds in the text.
fn keys_are_in_order(query: &str, payload: &Payload) {
    let raw = &payload.raw;
    if query.contains("msgpack") {
        assert!(raw.starts_with(b"\x84\xa1t"), "{query}: {raw:?}");
        return;
    }
    let text = std::str::from_utf8(raw).expect("JSON is text");
    let at = |key: &str| text.find(key).unwrap_or_else(|| panic!("{query}: {text}"));
    let places = [at("{\"t\":"), at("\"s\":"), at("\"op\":"), at("\"d\":")];
    assert!(places.is_sorted() && places[0] == 0, "{query}: {text}");
}

#[tokio::test]
async fn every_encoding_and_compression_delivers_the_same_events() {
    let server = Server::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let (guild, channel) = ada.found("Reading club").await;
    for dialect in ["native", "discord"] {
        let mut sessions = in_all_forms(&ada, dialect).await;
        let last = events(&ada, &guild, &channel).await;
        let mut first: Option<Vec<_>> = None;
        for (query, session) in &mut sessions {
            let is_last = |payload: &Payload| payload.d["content"] == "the last";
            let heard = session.up_to(is_last).await;
            for payload in heard.iter().chain([&session.ready]).chain(&session.guilds) {
                keys_are_in_order(query, payload);
            }
            // The new channel is an entry of the audit log too.
            assert_eq!(heard.len(), 47, "{query}");
            let mut told = gist(&session.guilds);
            told.extend(gist(&heard));
            if dialect == "native" {
                assert_eq!(heard[46].d["id"], last.as_str(), "{query}");
            }
            match &first {
                Some(first) => assert_eq!(&told, first, "{query}"),
                None => first = Some(told),
            }
        }
        // Each comes back in its own form, to a stream that begins anew.
        for (query, session) in &mut sessions {
            let before = session.s;
            session.s -= 41;
            let again = session.resume().await;
            assert_eq!((again.len(), session.s), (41, before), "{query}");
        }
    }
}

#[tokio::test]
async fn frames_that_are_no_dispatches_begin_with_their_null_names() {
    let server = Server::start(&[]).await;
    let mut link = Link::open(server.address(), "v=10&encoding=json").await;
    let hello = link.payload().await;
    assert!(
        hello
            .raw
            .starts_with(b"{\"t\":null,\"s\":null,\"op\":10,\"d\":{")
    );
    link.send(&json!({ "op": 1, "d": null })).await;
    let ack = link.payload().await;
    assert!(ack.raw.starts_with(b"{\"t\":null,\"s\":null,\"op\":11"));
}
