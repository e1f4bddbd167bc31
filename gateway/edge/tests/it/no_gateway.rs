//! A listener of a node that leaves sockets to others.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use guildhall_edge::listener;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const PLAIN: &str = "Connection: close\r\n";

/// The whole answer to a GET with these headers.
async fn answer(address: SocketAddr, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    // Nothing more comes: the server closes when it has answered.
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn where_there_is_no_gateway_sockets_find_nothing_and_routes_are_served() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = tower::service_fn(|_: Request<Incoming>| async {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"a route"))))
    });
    let never = std::future::pending();
    tokio::spawn(listener::serve(listener, None, routes, never));
    for path in [
        "/gateway",
        "/gateway/?v=10&encoding=json",
        "/gw",
        "/gw/",
        "/",
    ] {
        let refused = answer(address, path, UPGRADE).await;
        assert!(refused.starts_with("HTTP/1.1 404 "), "{path}: {refused}");
        assert!(
            refused.ends_with(
                "{\"code\":\"no_gateway\",\"message\":\"this node takes no WebSockets: it has not \
                 the role gateway\"}"
            ),
            "{path}: {refused}"
        );
    }
    let refused = answer(address, "/gateway", PLAIN).await;
    assert!(refused.starts_with("HTTP/1.1 404 "), "{refused}");
    for path in ["/", "/api/v10/gateway"] {
        let served = answer(address, path, PLAIN).await;
        assert!(served.ends_with("a route"), "{path}: {served}");
    }
}
