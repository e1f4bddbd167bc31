//! An echo on the reader and the writer of the gateway's frames, for suites that test WebSocket
//! servers. No route of the server leads to it.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;

use bytes::Bytes;
use guildhall_wire::ws::reader::Message;
use guildhall_wire::ws::{self, FrameKind};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tracing::debug;

use crate::farewell::{linger, say_close};
use crate::gateway::{refusal_of_others, stream_of};
use crate::inlet::{Heard, Inlet};
use crate::socket::Socket;

/// Sends every message back, whatever the path, to whoever comes. Messages have at most so many
/// bytes.
pub async fn serve(listener: TcpListener, message_bytes_max: usize) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            let service = service_fn(move |request| async move {
                Ok::<_, Infallible>(upgrade(request, message_bytes_max))
            });
            let served = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            if let Err(error) = served.await {
                debug!(%error, "a connection ended early");
            }
        });
    }
}

fn upgrade(mut request: Request<Incoming>, message_bytes_max: usize) -> Response<Full<Bytes>> {
    let Ok((response, upgraded)) = fastwebsockets::upgrade::upgrade(&mut request) else {
        return refusal_of_others();
    };
    tokio::spawn(async move {
        match upgraded.await {
            Ok(upgraded) => {
                let (stream, early) = stream_of(upgraded.into_inner());
                let echo = Echo {
                    socket: Socket::Own(stream),
                    inlet: Inlet::new(&early, message_bytes_max),
                };
                echo.run().await;
            }
            Err(error) => debug!(%error, "an upgrade was not completed"),
        }
    });
    response.map(|_| Full::default())
}

struct Echo {
    socket: Socket,
    inlet: Inlet,
}

impl Echo {
    async fn run(mut self) {
        let closing = loop {
            let heard = poll_fn(|cx| self.inlet.poll_next(&self.socket, cx)).await;
            let answer = match heard {
                Heard::Message(Message::Text(bytes)) => ws::frame(FrameKind::Text, &bytes),
                Heard::Message(Message::Binary(bytes)) => ws::frame(FrameKind::Binary, &bytes),
                Heard::Message(Message::Ping(bytes)) => ws::frame(FrameKind::Pong, &bytes),
                Heard::Message(Message::Pong) => continue,
                Heard::Message(Message::Close(code)) => break ws::close_answer(code),
                Heard::Broken(violation) => {
                    break ws::close_payload(violation.close_code(), &violation.to_string());
                }
                Heard::Gone => return,
            };
            if self.socket.write(&answer).await.is_err() {
                return;
            }
        };
        say_close(&mut self.socket, &closing).await;
        linger(&self.socket, &mut self.inlet).await;
    }
}
