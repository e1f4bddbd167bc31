//! Sessions against a scripted gateway: each test plays the server's side of the protocol.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use fastwebsockets::{FragmentCollector, Frame, OpCode, Payload, upgrade};
use http_body_util::Empty;
use hyper::body::Incoming as Body;
use hyper::service::service_fn;
use hyper::upgrade::Upgraded;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use super::*;

/// One socket that the client opened.
struct Line(FragmentCollector<TokioIo<Upgraded>>);

impl Line {
    async fn say(&mut self, payload: Value) {
        let text = payload.to_string().into_bytes();
        let frame = Frame::text(Payload::Owned(text));
        self.0.write_frame(frame).await.unwrap();
    }

    async fn dispatch(&mut self, s: u64, t: &str, d: Value) {
        self.say(json!({"t": t, "s": s, "op": 0, "d": d})).await;
    }

    async fn hello(&mut self, interval_ms: u64) {
        self.say(json!({"op": 10, "d": {"heartbeat_interval": interval_ms}}))
            .await;
    }

    async fn ready(&mut self, session: &str, address: &Target, guilds: &[&str]) {
        let guilds: Vec<Value> = guilds.iter().map(|id| json!({"id": id})).collect();
        let ready = json!({
            "session_id": session,
            "resume_gateway_url": format!("ws://{}", address.authority()),
            "user": {"id": "ann"},
            "servers": guilds,
        });
        self.dispatch(1, "READY", ready).await;
    }

    /// The next payload that is no heartbeat.
    async fn hear(&mut self) -> Value {
        loop {
            let payload = self.hear_any().await;
            if payload["op"] != 1 {
                return payload;
            }
        }
    }

    async fn hear_any(&mut self) -> Value {
        let frame = self.0.read_frame().await.unwrap();
        assert!(frame.opcode == OpCode::Text, "a text frame");
        serde_json::from_slice(&frame.payload).unwrap()
    }

    async fn close(&mut self, code: u16) {
        self.0.write_frame(Frame::close(code, b"")).await.unwrap();
    }
}

/// A gateway whose sockets are handed to the test.
struct Gateway {
    target: Target,
    lines: mpsc::Receiver<Line>,
}

impl Gateway {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = format!("http://{}", listener.local_addr().unwrap());
        let (sender, lines) = mpsc::channel(8);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let sender = sender.clone();
                let service = service_fn(move |mut request: Request<Body>| {
                    let sender = sender.clone();
                    async move {
                        let (answer, socket) = upgrade::upgrade(&mut request).unwrap();
                        tokio::spawn(async move {
                            let socket = FragmentCollector::new(socket.await.unwrap());
                            let _ = sender.send(Line(socket)).await;
                        });
                        Ok::<Response<Empty<Bytes>>, hyper::Error>(answer)
                    }
                });
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(
                    http.serve_connection(TokioIo::new(stream), service)
                        .with_upgrades(),
                );
            }
        });
        Self {
            target: Target::parse(&target).unwrap(),
            lines,
        }
    }

    /// The next socket, greeted with HELLO, and the first payload on it.
    async fn next(&mut self) -> (Line, Value) {
        let mut line = self.lines.recv().await.unwrap();
        line.hello(60_000).await;
        let first = line.hear().await;
        (line, first)
    }
}

/// Writes down what it hears, one word or two for each.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Listener for Notes {
    fn hear(&mut self, news: News<'_>) {
        let note = match news {
            News::Connect => "connect".to_owned(),
            News::Identify => "identify".to_owned(),
            News::Resume { session, seq } => format!("resume {session} {seq}"),
            News::Open { session, user } => format!("open {session} {user}"),
            News::Settle { session } => format!("settle {session}"),
            News::Dispatch { s, event, .. } => format!("{event} {s}"),
            News::Reconnect { .. } => "reconnect".to_owned(),
            News::Invalid { resumable, .. } => format!("invalid {resumable}"),
            News::Close { code } => format!("close {code:?}"),
        };
        self.0.lock().unwrap().push(note);
    }
}

struct Running {
    notes: Notes,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<(Notes, Result<(), SessionError>)>,
}

fn start(target: &Target) -> Running {
    let identity = Identity::Token {
        token: "secret".to_owned(),
        intents: None,
    };
    let notes = Notes::default();
    let session = Session::new(target.clone(), Dialect::Native, identity, notes.clone(), 1);
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(session.run(async move {
        let _ = stopped.await;
    }));
    Running { notes, stop, task }
}

impl Running {
    async fn finish(self) -> Vec<String> {
        let _ = self.stop.send(());
        let (_, ended) = self.task.await.unwrap();
        ended.unwrap();
        let notes = self.notes.0.lock().unwrap();
        notes.clone()
    }
}

#[tokio::test]
async fn a_lost_socket_is_resumed_from_the_last_number() {
    let mut gateway = Gateway::open().await;
    let target = gateway.target.clone();
    let running = start(&target);
    let (mut line, first) = gateway.next().await;
    assert_eq!(first["op"], 2);
    assert_eq!(first["d"]["token"], "secret");
    line.ready("one", &target, &["g"]).await;
    line.dispatch(2, "GUILD_CREATE", json!({"id": "g"})).await;
    line.dispatch(3, "MESSAGE_CREATE", json!({})).await;
    // The client has read all of it once it answers the server's own heartbeat.
    line.say(json!({"op": 1, "d": null})).await;
    assert_eq!(line.hear_any().await, json!({"op": 1, "d": 3}));
    drop(line);
    let (mut line, first) = gateway.next().await;
    assert_eq!(
        first,
        json!({"op": 6, "d": {"token": "secret", "session_id": "one", "seq": 3}})
    );
    line.dispatch(4, "MESSAGE_CREATE", json!({})).await;
    line.dispatch(4, "RESUMED", Value::Null).await;
    line.say(json!({"op": 1, "d": null})).await;
    assert_eq!(line.hear_any().await["d"], 4);
    assert_eq!(
        running.finish().await,
        [
            "connect",
            "identify",
            "open one ann",
            "READY 1",
            "GUILD_CREATE 2",
            "settle one",
            "MESSAGE_CREATE 3",
            "close None",
            "connect",
            "resume one 3",
            "MESSAGE_CREATE 4",
            "RESUMED 4",
        ]
    );
}

#[tokio::test]
async fn op_seven_is_followed_by_a_resume_and_op_nine_by_a_new_session() {
    let mut gateway = Gateway::open().await;
    let target = gateway.target.clone();
    let running = start(&target);
    let (mut line, _) = gateway.next().await;
    line.ready("one", &target, &[]).await;
    line.say(json!({"op": 7, "d": null})).await;
    let (mut line, first) = gateway.next().await;
    assert_eq!(first["op"], 6);
    line.say(json!({"op": 9, "d": true})).await;
    let (mut line, first) = gateway.next().await;
    assert_eq!(first["op"], 6, "a resumable op 9 keeps the session");
    line.say(json!({"op": 9, "d": false})).await;
    let (mut line, first) = gateway.next().await;
    assert_eq!(first["op"], 2);
    line.ready("two", &target, &[]).await;
    line.say(json!({"op": 1, "d": null})).await;
    assert_eq!(line.hear_any().await["d"], 1);
    let notes = running.finish().await;
    assert_eq!(notes.iter().filter(|note| *note == "settle one").count(), 1);
    assert_eq!(notes.last().unwrap(), "settle two");
}

#[tokio::test]
async fn a_session_whose_guilds_had_not_all_come_starts_anew() {
    let mut gateway = Gateway::open().await;
    let target = gateway.target.clone();
    let running = start(&target);
    let (mut line, _) = gateway.next().await;
    line.ready("one", &target, &["g", "h"]).await;
    line.dispatch(2, "GUILD_CREATE", json!({"id": "g"})).await;
    line.close(1012).await;
    let (_line, first) = gateway.next().await;
    assert_eq!(first["op"], 2);
    let notes = running.finish().await;
    assert!(notes.contains(&"close Some(1012)".to_owned()), "{notes:?}");
    assert!(
        !notes.iter().any(|note| note.starts_with("settle")),
        "{notes:?}"
    );
}

#[tokio::test]
async fn a_server_that_answers_no_heartbeat_is_left() {
    let mut gateway = Gateway::open().await;
    let target = gateway.target.clone();
    let running = start(&target);
    let mut line = gateway.lines.recv().await.unwrap();
    line.hello(1).await;
    assert_eq!(line.hear().await["op"], 2);
    line.ready("one", &target, &[]).await;
    // The line stays open and silent; the client comes back on another one.
    let (_other, first) = gateway.next().await;
    assert_eq!(first["op"], 6);
    drop(line);
    running.finish().await;
}

#[tokio::test]
async fn pings_are_answered_and_fragments_joined() {
    let mut gateway = Gateway::open().await;
    let target = gateway.target.clone();
    let running = start(&target);
    let (mut line, _) = gateway.next().await;
    let text = json!({"op": 0, "s": 1, "t": "READY", "d": {
        "session_id": "one", "user": {"id": "ann"}, "servers": []
    }});
    let text = text.to_string();
    let (head, tail) = text.split_at(20);
    let part = |fin, opcode, text: &str| {
        Frame::new(fin, opcode, None, Payload::Owned(text.as_bytes().to_vec()))
    };
    line.0
        .write_frame(part(false, OpCode::Text, head))
        .await
        .unwrap();
    let ping = Frame::new(true, OpCode::Ping, None, Payload::Owned(b"x".to_vec()));
    line.0.write_frame(ping).await.unwrap();
    let answer = line.0.read_frame().await.unwrap();
    assert!(answer.opcode == OpCode::Pong && *answer.payload == *b"x");
    line.0
        .write_frame(part(true, OpCode::Continuation, tail))
        .await
        .unwrap();
    line.say(json!({"op": 1, "d": null})).await;
    assert_eq!(line.hear_any().await["d"], 1);
    assert!(running.finish().await.contains(&"READY 1".to_owned()));
}

#[tokio::test]
async fn a_code_that_forbids_to_come_back_ends_the_session() {
    for (code, words) in [(4014, "4014"), (4004, "refused the token")] {
        let mut gateway = Gateway::open().await;
        let running = start(&gateway.target);
        let (mut line, _) = gateway.next().await;
        line.close(code).await;
        let (_, ended) = running.task.await.unwrap();
        let error = ended.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[tokio::test]
async fn nonsense_from_the_server_costs_a_connection_and_no_more() {
    let mut gateway = Gateway::open().await;
    let running = start(&gateway.target);
    for nonsense in [
        json!({"op": 99}),
        json!({"op": "x"}),
        json!([]),
        json!({"op": 0, "s": 1, "t": "READY", "d": {"user": 7}}),
        json!({"op": 0, "s": 1, "t": "READY"}),
    ] {
        let (mut line, first) = gateway.next().await;
        assert_eq!(first["op"], 2);
        line.say(nonsense).await;
    }
    let mut line = gateway.lines.recv().await.unwrap();
    line.say(json!({"op": 11})).await;
    let (_line, first) = gateway.next().await;
    assert_eq!(first["op"], 2);
    running.finish().await;
}
