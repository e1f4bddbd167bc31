//! The rules of a gateway connection, and the close code of each breach.

use fastwebsockets::{Frame, OpCode};
use guildhall_e2e::{Bot, Heard, Link, Person, Server};
use serde_json::{Value, json};

/// Frames that a client may send in a minute, as Discord documents it.
const SENDS_MAX: usize = 120;
/// Bytes of a frame, as Discord documents it.
const FRAME_BYTES_MAX: usize = 4096;
/// Discord's GUILDS intent.
const GUILDS: u64 = 1;
const JSON: &str = "v=10&encoding=json";

/// What the server does about frames that follow HELLO.
async fn closed_after(server: &Server, query: &str, frames: &[Value]) -> Option<u16> {
    let mut link = Link::open(server.address(), query).await;
    for frame in frames {
        link.send(frame).await;
    }
    link.close_code().await
}

fn identify(token: &str, more: &Value) -> Value {
    let mut data = json!({ "token": token, "properties": {} });
    for (key, value) in more.as_object().into_iter().flatten() {
        data[key] = value.clone();
    }
    json!({ "op": 2, "d": data })
}

#[tokio::test]
async fn a_connection_is_greeted_first_and_may_beat_before_it_identifies() {
    let server = Server::start(&[]).await;
    let mut link = Link::open(server.address(), JSON).await;
    let hello = link.payload().await;
    assert_eq!((hello.op, hello.s, hello.t), (10, None, None));
    assert_eq!(hello.d["heartbeat_interval"], 41_250);
    // oceanic sends 0 where others send null.
    for seen in [Value::Null, json!(0)] {
        link.send(&json!({ "op": 1, "d": seen })).await;
        assert_eq!(link.payload().await.op, 11);
    }
    let mut bare = Link::open(server.address(), "").await;
    assert_eq!(bare.payload().await.op, 10, "serenity sends hardly a query");
}

/// What a client may get wrong with its first frame, and what it is closed with.
fn breaches(person: &Person, bot: &Bot) -> Vec<(&'static str, Value, u16)> {
    let of_person = |more: Value| identify(&person.access, &more);
    let of_bot = |more: Value| identify(&bot.token, &more);
    let bare = |token: &str| identify(token, &Value::Null);
    let op = |op: u64, d: Value| json!({ "op": op, "d": d });
    let lost = json!({ "token": "x", "session_id": "x", "seq": 1 });
    let members = json!({ "guild_id": "1", "query": "", "limit": 0 });
    vec![
        ("presence first", op(3, json!({ "status": "idle" })), 4003),
        ("members first", op(8, members), 4003),
        ("a forged token", bare(&format!("{}x", person.access)), 4004),
        ("no token at all", bare(""), 4004),
        ("a refresh token", bare(&person.refresh), 4004),
        ("RESUME with a bad token", op(6, lost), 4004),
        ("an op that does not exist", op(99, Value::Null), 4001),
        ("an op of the server", op(11, Value::Null), 4001),
        ("an op of the wrong type", json!({ "op": "2" }), 4002),
        ("no op", json!({ "d": null }), 4002),
        ("a list", json!([1, 2]), 4002),
        ("a number as token", op(2, json!({ "token": 5 })), 4002),
        ("a text as heartbeat", op(1, json!("1")), 4002),
        ("no data", json!({ "op": 2 }), 4002),
        (
            "a shard too high",
            of_person(json!({ "shard": [2, 2] })),
            4010,
        ),
        ("no shards", of_person(json!({ "shard": [0, 0] })), 4010),
        (
            "unknown intents",
            of_bot(json!({ "intents": 1 << 17 })),
            4013,
        ),
        ("a bot without intents", of_bot(Value::Null), 4013),
    ]
}

#[tokio::test]
async fn each_breach_of_the_protocol_has_its_close_code() {
    let server = Server::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let bot = ada.make_bot("Echo").await;
    for (what, frame, code) in breaches(&ada, &bot) {
        let closed = closed_after(&server, JSON, &[frame]).await;
        assert_eq!(closed, Some(code), "{what}");
    }
    let hello = identify(&ada.access, &Value::Null);
    let twice = closed_after(&server, JSON, &[hello.clone(), hello]).await;
    assert_eq!(twice, Some(4005));
}

#[tokio::test]
async fn what_the_query_asks_for_in_vain_is_answered_with_a_close_code() {
    let server = Server::start(&[]).await;
    for (query, code) in [
        ("v=8&encoding=json", 4012),
        ("v=ten", 4012),
        ("v=10&encoding=etf", 4002),
        ("v=10&compress=brotli", 4002),
        ("v=10&dialect=klingon", 4002),
    ] {
        assert_eq!(
            closed_after(&server, query, &[]).await,
            Some(code),
            "{query}"
        );
    }
    let mut nine = Link::open(server.address(), "v=9").await;
    assert_eq!(nine.payload().await.op, 10, "discordgo speaks v9");
}

#[tokio::test]
async fn payloads_that_cannot_be_read_are_decode_errors() {
    let server = Server::start(&[]).await;
    let deep = format!(
        "{{\"op\":1,\"d\":{}{}}}",
        "[".repeat(1_000),
        "]".repeat(1_000)
    );
    for (what, text) in [
        ("nothing", String::new()),
        ("half an object", "{\"op\":1".to_owned()),
        ("two objects", "{\"op\":1,\"d\":null}{\"op\":1}".to_owned()),
        ("deep nesting", deep),
        ("NaN", "{\"op\":NaN}".to_owned()),
        ("a huge number", format!("{{\"op\":1{}}}", "0".repeat(400))),
        (
            "a lone surrogate",
            "{\"op\":3,\"d\":{\"status\":\"\\ud800\"}}".to_owned(),
        ),
    ] {
        let mut link = Link::greeted(server.address(), JSON).await;
        link.send_text(&text).await;
        assert_eq!(link.close_code().await, Some(4002), "{what}");
    }
    let mut link = Link::greeted(server.address(), JSON).await;
    link.send_frame(Frame::text(vec![b'"', 0xff, b'"'].into()))
        .await;
    // The framing has a code of its own for it (RFC 6455 §7.4.1).
    assert_eq!(link.close_code().await, Some(1007), "bad UTF-8");
}

#[tokio::test]
async fn a_frame_may_have_4096_bytes_and_not_one_more() {
    let server = Server::start(&[]).await;
    let beat = "{\"op\":1,\"d\":null}";
    let padded = |len: usize| format!("{beat}{}", " ".repeat(len - beat.len()));
    let mut link = Link::greeted(server.address(), JSON).await;
    link.send_text(&padded(FRAME_BYTES_MAX)).await;
    assert_eq!(link.payload().await.op, 11);
    link.send_text(&padded(FRAME_BYTES_MAX + 1)).await;
    assert_eq!(link.close_code().await, Some(4002));
    let mut link = Link::greeted(server.address(), JSON).await;
    // In two fragments, each of which would be small enough.
    let (first, second) = (vec![b' '; 3_000], vec![b' '; 3_000]);
    link.send_frame(Frame::new(false, OpCode::Text, None, first.into()))
        .await;
    link.send_frame(Frame::new(true, OpCode::Continuation, None, second.into()))
        .await;
    assert_eq!(link.close_code().await, Some(4002));
}

#[tokio::test]
async fn the_121st_frame_of_a_minute_closes_the_connection() {
    let server = Server::start(&[]).await;
    let mut link = Link::greeted(server.address(), JSON).await;
    for _ in 0..SENDS_MAX {
        link.send(&json!({ "op": 1, "d": null })).await;
        assert_eq!(link.payload().await.op, 11);
    }
    link.send(&json!({ "op": 1, "d": null })).await;
    assert_eq!(link.close_code().await, Some(4008));
}

#[tokio::test]
async fn a_silent_client_is_closed_and_its_session_waits() {
    let server = Server::start(&[("GATEWAY__HEARTBEAT_INTERVAL", "1s")]).await;
    let ada = Person::register(&server, "ada").await;
    let mut session = ada.listen().await;
    assert_eq!(session.link.close_code().await, Some(4009));
    let (_, general) = ada.found("Reading club").await;
    let message = ada.post(&general, "while you were out").await;
    let missed = session.resume().await;
    assert_eq!(missed.len(), 2, "the guild and the message: {missed:?}");
    assert_eq!(missed[1].d["id"], message.as_str());
}

#[tokio::test]
async fn who_does_not_identify_in_time_is_closed() {
    let server = Server::start(&[("GATEWAY__IDENTIFY_TIMEOUT", "1s")]).await;
    let mut link = Link::greeted(server.address(), JSON).await;
    assert_eq!(link.close_code().await, Some(4009));
}

#[tokio::test]
async fn a_client_that_closes_normally_ends_its_session() {
    let server = Server::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let mut session = ada.listen().await;
    session.link.send_frame(Frame::close(1000, b"")).await;
    assert!(matches!(session.next().await, Heard::Closed(_)));
    session.reach_out().await;
    let answer = session.link.payload().await;
    assert_eq!((answer.op, answer.d), (9, json!(false)));
}

#[tokio::test]
async fn members_are_told_in_chunks_to_those_who_may_ask() {
    let server = Server::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let bea = Person::register(&server, "bea").await;
    let (guild, _) = ada.found("Reading club").await;
    bea.join(&guild).await;
    let mut session = ada.listen().await;
    let ask = |query: &str| json!({ "op": 8, "d": { "guild_id": guild, "query": query, "limit": 0, "nonce": "q" } });
    session.link.send(&ask("")).await;
    let chunk = session.until("GUILD_MEMBERS_CHUNK").await;
    assert_eq!(
        chunk.d["members"].as_array().map(Vec::len),
        Some(2),
        "{chunk:?}"
    );
    assert_eq!(chunk.d["nonce"], "q");
    session.link.send(&ask("be")).await;
    let chunk = session.until("GUILD_MEMBERS_CHUNK").await;
    assert_eq!(
        chunk.d["members"][0]["user"]["id"],
        bea.id.as_str(),
        "{chunk:?}"
    );
    // A bot without GUILD_MEMBERS gets no answer to a request for everybody; a heartbeat behind
    // it shows that the connection goes on.
    let bot = ada.make_bot("Echo").await;
    ada.invite_bot(&guild, &bot).await;
    let mut deaf = bot.listen(GUILDS).await;
    deaf.link.send(&ask("")).await;
    deaf.link.send(&json!({ "op": 1, "d": deaf.s })).await;
    assert_eq!(deaf.link.payload().await.op, 11);
}
