//! WebSocket framing that no library sends (RFC 6455): the connection ends, the server lives.

use std::net::SocketAddr;

use guildhall_e2e::{Link, Server, soon};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An upgraded connection on which any bytes can be written.
async fn upgraded(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let request = format!(
        "GET /gateway?v=10 HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    let asked = stream.write_all(request.as_bytes()).await;
    asked.expect("it reads");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("it answers"));
    }
    assert!(
        head.starts_with(b"HTTP/1.1 101"),
        "{}",
        String::from_utf8_lossy(&head)
    );
    stream
}

/// All that the server writes until it closes.
async fn until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut heard = Vec::new();
    // A reset is an end, too.
    let _ = soon("the end of the connection", stream.read_to_end(&mut heard)).await;
    heard
}

fn masked(head: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut frame = head.to_vec();
    frame.extend([0, 0, 0, 0]);
    frame.extend(payload);
    frame
}

#[tokio::test]
async fn frames_against_the_rules_end_the_connection_and_nothing_else() {
    let server = Server::start(&[]).await;
    let length = u64::MAX.to_be_bytes();
    let endless = [&[0x81, 0xff][..], &length].concat();
    let mut unmasked = masked(&[0x81, 0x02], b"{}");
    unmasked.drain(2..6);
    for (what, code, bytes) in [
        ("no mask", 1002_u16, unmasked),
        ("a reserved bit", 1002, masked(&[0xc1, 0x82], b"{}")),
        ("a reserved op code", 1002, masked(&[0x83, 0x82], b"{}")),
        (
            "a control frame in pieces",
            1002,
            masked(&[0x09, 0x80], b""),
        ),
        (
            "a long ping",
            1002,
            masked(&[0x89, 0xfe, 0x00, 0x80], &[b'x'; 128]),
        ),
        (
            "a continuation of nothing",
            1002,
            masked(&[0x80, 0x82], b"{}"),
        ),
        ("a text within a text", 1002, {
            let mut both = masked(&[0x01, 0x81], b"{");
            both.extend(masked(&[0x81, 0x81], b"}"));
            both
        }),
        (
            "a text that is no text",
            1007,
            masked(&[0x81, 0x81], b"\xff"),
        ),
        ("a length beyond all memory", 4002, masked(&endless, b"")),
        (
            "no WebSocket at all",
            1002,
            b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        ),
    ] {
        let mut stream = upgraded(server.address()).await;
        stream.write_all(&bytes).await.unwrap();
        let heard = until_closed(&mut stream).await;
        let closed = heard.windows(2).any(|pair| pair == code.to_be_bytes());
        assert!(closed, "{what}: {:?}", String::from_utf8_lossy(&heard));
    }
    Link::greeted(server.address(), "v=10").await;
}

/// A socket that is closed over unread bytes is reset, and a reset may take back what the client
/// has not read yet: why it was closed.
#[tokio::test]
async fn a_client_that_broke_a_rule_is_heard_out() {
    const MORE_BYTES: usize = 8 * 1024 * 1024;
    let server = Server::start(&[]).await;
    let mut stream = upgraded(server.address()).await;
    let mut bytes = masked(&[0xc1, 0x82], b"{}");
    bytes.resize(bytes.len() + MORE_BYTES, b'x');
    let written = soon("the rest is read", stream.write_all(&bytes)).await;
    written.expect("no reset");
    stream.shutdown().await.expect("no reset");
    let mut heard = Vec::new();
    let ended = soon("the end of the connection", stream.read_to_end(&mut heard)).await;
    ended.expect("no reset");
    assert!(heard.windows(2).any(|pair| pair == 1002_u16.to_be_bytes()));
}

#[tokio::test]
async fn half_a_frame_and_a_vanished_client_cost_nothing() {
    let server = Server::start(&[]).await;
    for upto in 1..8 {
        let mut stream = upgraded(server.address()).await;
        let frame = masked(&[0x81, 0x82], b"{}");
        stream.write_all(&frame[..upto]).await.unwrap();
    }
    Link::greeted(server.address(), "v=10").await;
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

#[tokio::test]
async fn a_ping_is_answered_with_its_own_bytes() {
    let server = Server::start(&[]).await;
    let mut stream = upgraded(server.address()).await;
    stream
        .write_all(&masked(&[0x89, 0x84], b"echo"))
        .await
        .unwrap();
    let mut heard = Vec::new();
    while !heard.windows(6).any(|bytes| bytes == b"\x8a\x04echo") {
        heard.push(soon("the pong", stream.read_u8()).await.unwrap());
    }
}

#[tokio::test]
async fn the_gateway_refuses_requests_that_are_no_upgrade() {
    let server = Server::start(&[]).await;
    let rest = server.rest();
    assert_eq!(rest.get("/gateway").await.refusal().0, 426);
    assert_eq!(
        rest.post("/gateway", serde_json::json!({}))
            .await
            .refusal()
            .0,
        405
    );
}
