//! Requests that no client of good will sends: a clear answer, never a 5xx, and the server lives.

use std::time::{Duration, Instant};

use guildhall_e2e::person::text;
use guildhall_e2e::{Person, Server, soon};
use hyper::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An id that names nothing. Both dialects take decimal ids.
const NOTHING: &str = "175928847299117063";
/// Bytes of the largest body that is read.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// How long the body of a request may take.
const BODY_DEADLINE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn bodies_that_cannot_be_read_are_refused_for_what_they_are() {
    let server = Server::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let (_, channel) = ada.found("Reading club").await;
    let deep = format!(
        "{{\"content\":{}{}}}",
        "[".repeat(50_000),
        "]".repeat(50_000)
    );
    let large = format!("{{\"content\":\"{}\"}}", "x".repeat(BODY_BYTES_MAX));
    let json = Some("application/json");
    let path = format!("/channels/{channel}/messages");
    for (what, kind, body, status) in [
        ("too large", json, large.into_bytes(), 413),
        ("nothing", json, Vec::new(), 400),
        ("half an object", json, b"{\"content\":".to_vec(), 400),
        ("two objects", json, b"{\"content\":\"a\"}{}".to_vec(), 400),
        ("deep", json, deep.into_bytes(), 400),
        (
            "bad UTF-8",
            json,
            b"{\"content\":\"\xff\xfe\"}".to_vec(),
            400,
        ),
        (
            "a lone surrogate",
            json,
            b"{\"content\":\"\\ud800\"}".to_vec(),
            400,
        ),
        ("a list", json, b"[]".to_vec(), 400),
        ("a number", json, b"{\"content\":7}".to_vec(), 400),
        ("null", json, b"null".to_vec(), 400),
        ("empty content", json, b"{\"content\":\" \"}".to_vec(), 400),
        (
            "a form",
            Some("application/x-www-form-urlencoded"),
            b"content=a".to_vec(),
            415,
        ),
        (
            "a text",
            Some("text/plain"),
            b"{\"content\":\"a\"}".to_vec(),
            415,
        ),
        (
            "nothing said of its type",
            None,
            b"{\"content\":\"a\"}".to_vec(),
            415,
        ),
    ] {
        let answer = ada.rest.send(Method::POST, &path, kind, body).await;
        assert_eq!(answer.refusal().0, status, "{what}");
    }
    assert_eq!(
        ada.rest.get(&path).await.expect(200),
        json!([]),
        "nothing was stored"
    );
}

#[tokio::test]
async fn unknown_routes_methods_and_ids_are_told_so() {
    let server = Server::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    for path in [
        "/",
        "/nothing",
        "/servers/",
        "/users/me/nothing",
        "/auth/register/x",
        "/..%2f..",
    ] {
        assert_eq!(ada.rest.get(path).await.refusal().0, 404, "{path}");
    }
    assert_eq!(ada.rest.delete("/auth/register").await.refusal().0, 405);
    let foreign = "00000000-0000-8000-8000-000000000000";
    let huge = "9".repeat(400);
    for id in [
        "0",
        "-1",
        "x",
        "1e9",
        "18446744073709551616",
        "%00",
        "%ff",
        foreign,
        &huge,
        NOTHING,
    ] {
        for path in [
            format!("/servers/{id}"),
            format!("/channels/{id}"),
            format!("/users/{id}"),
        ] {
            let status = ada.rest.get(&path).await.refusal().0;
            assert!(matches!(status, 400 | 404), "{path}: {status}");
        }
    }
    let (_, channel) = ada.found("Reading club").await;
    for query in [
        "limit=0",
        "limit=-1",
        "limit=x",
        "limit=99999999999999999999",
        "before=x",
        "before=1&after=2&around=3",
        "limit=1&limit=2",
    ] {
        let answer = ada
            .rest
            .get(&format!("/channels/{channel}/messages?{query}"))
            .await;
        assert!(answer.status.as_u16() < 500, "{query}: {}", answer.text());
    }
}

/// Every request that names an object of a guild, with the object's kind for its id.
fn requests(member: &str) -> Vec<(Method, String, Option<Value>)> {
    let name = || Some(json!({ "name": "stolen" }));
    let say = || Some(json!({ "content": "hello" }));
    let thumb = "%F0%9F%91%8D";
    vec![
        (Method::GET, "/servers/{guild}".into(), None),
        (Method::PUT, "/servers/{guild}".into(), name()),
        (Method::DELETE, "/servers/{guild}".into(), None),
        (
            Method::POST,
            "/servers/{guild}/join".into(),
            Some(json!({})),
        ),
        (
            Method::POST,
            "/servers/{guild}/leave".into(),
            Some(json!({})),
        ),
        (Method::GET, "/servers/{guild}/channels".into(), None),
        (Method::POST, "/servers/{guild}/channels".into(), name()),
        (Method::GET, "/servers/{guild}/members".into(), None),
        (
            Method::GET,
            format!("/servers/{{guild}}/members/{member}"),
            None,
        ),
        (
            Method::DELETE,
            format!("/servers/{{guild}}/members/{member}"),
            None,
        ),
        (Method::GET, "/servers/{guild}/roles".into(), None),
        (Method::POST, "/servers/{guild}/roles".into(), name()),
        (Method::GET, "/servers/{guild}/invites".into(), None),
        (Method::GET, "/servers/{guild}/bans".into(), None),
        (
            Method::PUT,
            format!("/servers/{{guild}}/bans/{member}"),
            Some(json!({})),
        ),
        (Method::GET, "/channels/{channel}".into(), None),
        (Method::PUT, "/channels/{channel}".into(), name()),
        (Method::DELETE, "/channels/{channel}".into(), None),
        (Method::GET, "/channels/{channel}/messages".into(), None),
        (Method::POST, "/channels/{channel}/messages".into(), say()),
        (Method::GET, "/messages/{message}".into(), None),
        (Method::PUT, "/messages/{message}".into(), say()),
        (Method::DELETE, "/messages/{message}".into(), None),
        (Method::GET, "/messages/{message}/reactions".into(), None),
        (
            Method::DELETE,
            format!("/messages/{{message}}/reactions/{thumb}"),
            None,
        ),
        (Method::PUT, "/roles/{role}".into(), name()),
        (Method::DELETE, "/roles/{role}".into(), None),
    ]
}

#[tokio::test]
async fn what_one_may_not_see_is_answered_as_what_does_not_exist() {
    let server = Server::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let eve = Person::register(&server, "eve").await;
    let cabal = ada
        .rest
        .post("/servers", json!({ "name": "Cabal" }))
        .await
        .expect(201);
    let guild = text(&cabal, "/id");
    let channels = ada
        .rest
        .get(&format!("/servers/{guild}/channels"))
        .await
        .expect(200);
    let channel = text(&channels, "/0/id");
    let message = ada.post(&channel, "hidden").await;
    let role = ada
        .rest
        .post(
            &format!("/servers/{guild}/roles"),
            json!({ "name": "inner" }),
        )
        .await;
    let role = text(&role.expect(201), "/id");
    let ids = [
        ("{guild}", &guild),
        ("{channel}", &channel),
        ("{message}", &message),
        ("{role}", &role),
    ];
    for (method, path, body) in requests(&ada.id) {
        let (mut real, mut unreal) = (path.clone(), path.clone());
        for (name, id) in ids {
            real = real.replace(name, id);
            unreal = unreal.replace(name, NOTHING);
        }
        let hidden = eve.rest.call(method.clone(), &real, body.clone()).await;
        let absent = eve.rest.call(method.clone(), &unreal, body).await;
        assert_eq!(
            hidden.refusal().0,
            404,
            "{method} {path}: {}",
            hidden.text()
        );
        assert_eq!(hidden.text(), absent.text(), "{method} {path}");
    }
    ada.rest
        .get(&format!("/messages/{message}"))
        .await
        .expect(200);
}

/// Writes a request as bytes and reads the answer up to the end of the connection.
async fn exchange(server: &Server, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address())
        .await
        .expect("it listens");
    // The server may answer and close before all is written.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = soon("the end of the answer", stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn heads_against_the_rules_are_refused_or_cut() {
    let mut server = Server::start(&[]).await;
    let many = "x-many: y\r\n".repeat(2_000);
    let wide = format!("x-wide: {}\r\n", "y".repeat(1 << 20));
    let line = "/x".repeat(1 << 16);
    for (what, head) in [
        ("many headers", format!("GET / HTTP/1.1\r\nhost: a\r\n{many}\r\n")),
        ("a wide header", format!("GET / HTTP/1.1\r\nhost: a\r\n{wide}\r\n")),
        ("a long line", format!("GET {line} HTTP/1.1\r\nhost: a\r\n\r\n")),
        ("no HTTP", "\u{16}\u{3}\u{1}\u{2}hello\r\n\r\n".to_owned()),
        ("two lengths", "POST /auth/login HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}".to_owned()),
        ("a negative length", "POST /auth/login HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n".to_owned()),
        ("a bad chunk", "POST /auth/login HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_owned()),
    ] {
        let answer = exchange(&server, head.as_bytes()).await;
        let status = answer.strip_prefix("HTTP/1.1 ").unwrap_or_default();
        assert!(answer.is_empty() || status.starts_with('4'), "{what}: {answer}");
    }
    assert!(server.is_alive());
    server.rest().get("/openapi.json").await.expect(200);
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

#[tokio::test]
async fn a_body_of_unknown_length_is_cut_where_it_becomes_too_large() {
    let server = Server::start(&[]).await;
    let mut request = b"POST /auth/login HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\
        content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        .to_vec();
    for _ in 0..40 {
        request.extend(b"4000\r\n");
        request.extend([b' '; 0x4000]);
        request.extend(b"\r\n");
    }
    request.extend(b"0\r\n\r\n");
    let answer = exchange(&server, &request).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 413"),
        "{answer}"
    );
    server.rest().get("/openapi.json").await.expect(200);
}

#[tokio::test]
async fn a_client_that_never_finishes_its_head_is_cut() {
    let server = Server::start(&[]).await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream
        .write_all(b"GET /openapi.json HTTP/1.1\r\nhost: ")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let _ = soon("the end of the connection", stream.read_to_end(&mut answer)).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_body_that_trickles_is_cut_at_its_deadline_and_holds_up_nobody() {
    let server = Server::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let head = format!(
        "POST /servers HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\n\
        content-type: application/json\r\ncontent-length: 100000\r\n\r\n{{\"name\":\"",
        ada.access
    );
    let began = Instant::now();
    let mut trickles = Vec::new();
    for _ in 0..50 {
        let stream = TcpStream::connect(server.address()).await.unwrap();
        trickles.push(tokio::spawn(trickle(stream, head.clone())));
    }
    // Others are served meanwhile, again and again.
    let mut served = 0;
    while !trickles.iter().any(tokio::task::JoinHandle::is_finished) {
        ada.rest.get("/users/me").await.expect(200);
        served += 1;
        let waited = began.elapsed();
        assert!(waited < BODY_DEADLINE * 2, "not cut after {waited:?}");
    }
    assert!(served > 100, "{served} requests were served");
    assert!(
        began.elapsed() >= BODY_DEADLINE,
        "cut after {:?}",
        began.elapsed()
    );
    for trickle in trickles {
        let answer = soon("the end of a trickle", trickle).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(answer.contains("\"code\":\"invalid_json\""), "{answer}");
    }
    assert_eq!(ada.rest.get("/servers").await.expect(200), json!([]));
}

/// Sends a byte of the body at a time for as long as the server listens, then reads the answer.
async fn trickle(mut stream: TcpStream, head: String) -> String {
    stream.write_all(head.as_bytes()).await.expect("it reads");
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    let mut pace = tokio::time::interval(Duration::from_millis(200));
    loop {
        tokio::select! {
            // Cancel-safe: both branches lose nothing when the other one is taken.
            read = stream.read(&mut buffer) => match read {
                Ok(0) | Err(_) => return String::from_utf8_lossy(&answer).into_owned(),
                Ok(n) => answer.extend_from_slice(&buffer[..n]),
            },
            _ = pace.tick(), if answer.is_empty() => {
                let _ = stream.write_all(b"x").await;
            }
        }
    }
}
