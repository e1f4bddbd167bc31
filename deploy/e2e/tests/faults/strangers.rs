//! Connections that ask for nothing, or for little at a time: each is cut at its deadline, memory
//! stays bounded, and others are served meanwhile.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use guildhall_e2e::{Link, Person, Server, is_long};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Connections that never identify.
const SILENT: usize = 2_000;
/// How long they may take.
const IDENTIFY: Duration = Duration::from_secs(5);
/// Memory that each may cost while it is there, both halves of the handshake included.
const BYTES_PER_SILENT: u64 = 64 * 1024;
/// A pause between two bytes of those who dribble: shorter than any timeout of one read.
const DRIBBLE: Duration = Duration::from_millis(500);
/// How long the head and the body of a request may take, with some grace.
const HEAD_WITHIN: Duration = Duration::from_secs(15 + 5);
const BODY_WITHIN: Duration = Duration::from_secs(30 + 5);
/// Connections that dribble at a time.
const DRIBBLING: usize = 50;

/// Each end of a connection is a descriptor, here and in the server that inherits the limit.
fn raise_open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("a process may use what it is allowed");
}

#[tokio::test]
async fn thousands_who_never_identify_are_closed_in_time_and_cost_little() {
    raise_open_files();
    let server = Server::start(&[("GATEWAY__IDENTIFY_TIMEOUT", "5s")]).await;
    let ada = Person::register(&server, "ada").await;
    let (_, channel) = ada.found("Reading club").await;
    let mut session = ada.listen().await;
    let before = server.memory();
    let address = server.address();
    let mut silent = JoinSet::new();
    for _ in 0..SILENT {
        silent.spawn(async move {
            let mut link = Link::greeted(address, "v=10").await;
            let began = Instant::now();
            (link.close_code().await, began.elapsed())
        });
    }
    let mut most = 0;
    let mut closed = 0;
    while closed < SILENT {
        // Who has business here is served all the while.
        let posted = ada.post(&channel, "meanwhile").await;
        assert_eq!(
            session.until("MESSAGE_CREATE").await.d["id"],
            posted.as_str()
        );
        most = most.max(server.memory());
        while let Some(ended) = silent.try_join_next() {
            let (code, after) = ended.expect("each is closed");
            assert_eq!(code, Some(4009));
            assert!(after < IDENTIFY * 2, "closed after {after:?}");
            closed += 1;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let grown = most.saturating_sub(before);
    assert!(
        grown < BYTES_PER_SILENT * SILENT as u64,
        "{grown} bytes more for {SILENT}"
    );
}

/// Sends the first part at once and the rest byte by byte, until the server has had enough.
/// Answers after which time it had, and what it said.
async fn dribble(address: SocketAddr, first: String, rest: String) -> (Duration, String) {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let began = Instant::now();
    let (mut read, mut write) = stream.split();
    let mut said = Vec::new();
    let dribbling = async {
        // Whether it is cut shows in what is read.
        let _ = write.write_all(first.as_bytes()).await;
        for byte in rest.bytes().cycle() {
            tokio::time::sleep(DRIBBLE).await;
            let _ = write.write_all(&[byte]).await;
        }
    };
    tokio::select! {
        () = dribbling => {}
        _ = read.read_to_end(&mut said) => {}
    }
    (began.elapsed(), String::from_utf8_lossy(&said).into_owned())
}

/// Has many of them dribble, and sees that each is cut in time while others are served.
async fn many_dribble(first: &str, rest: &str, within: Duration, status: &str) {
    let server = Server::start(&[]).await;
    let ada = Person::register(&server, "ada").await;
    let (_, channel) = ada.found("Reading club").await;
    let before = server.memory();
    let mut dribbling = JoinSet::new();
    let first = first.replace("{token}", &ada.access);
    for _ in 0..DRIBBLING {
        dribbling.spawn(dribble(server.address(), first.clone(), rest.to_owned()));
    }
    let mut ended = 0;
    while ended < DRIBBLING {
        ada.post(&channel, "meanwhile").await;
        while let Some(one) = dribbling.try_join_next() {
            let (after, said) = one.expect("each is cut");
            assert!(after < within, "cut after {after:?}");
            assert!(said.is_empty() || said.contains(status), "{said}");
            ended += 1;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 16 << 20, "{grown} bytes more than before");
}

#[tokio::test]
async fn who_dribbles_the_head_of_a_request_is_cut() {
    let first = "GET /users/me HTTP/1.1\r\nHost: x\r\nX-Slow: ";
    many_dribble(first, "x", HEAD_WITHIN, " 408 ").await;
}

#[tokio::test]
async fn who_dribbles_an_upgrade_is_cut() {
    let first = "GET /gateway?v=10 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nX-Slow: ";
    many_dribble(first, "x", HEAD_WITHIN, " 408 ").await;
}

#[tokio::test]
async fn who_dribbles_the_body_of_a_request_is_cut() {
    let first = "POST /servers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
                 Content-Type: application/json\r\nContent-Length: 5000\r\n\r\n{";
    many_dribble(first, " ", BODY_WITHIN, " 400 ").await;
}

#[tokio::test]
async fn who_opens_a_gateway_and_dribbles_a_frame_is_closed_like_who_says_nothing() {
    let server = Server::start(&[("GATEWAY__IDENTIFY_TIMEOUT", "2s")]).await;
    let first = "GET /gateway?v=10 HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\n\
                 Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\u{1}";
    let bound = Duration::from_secs(if is_long() { 10 } else { 8 });
    let (after, said) = dribble(server.address(), first.to_owned(), "\u{1}".to_owned()).await;
    assert!(said.contains(" 101 "), "{said}");
    assert!(after < bound, "closed after {after:?}");
}
