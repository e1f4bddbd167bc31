//! One gateway connection, seen as it is: payload by payload, up to its close code.

mod decode;
mod trickle;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytes::Bytes;
use fastwebsockets::{FragmentCollector, Frame, OpCode, handshake};
use http_body_util::Empty;
use hyper::Request;
use hyper::header::{CONNECTION, HOST, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use hyper::upgrade::Upgraded;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};

use crate::{PATIENCE, soon};
pub(crate) use decode::Decoder;
use trickle::Trickle;

/// A guild with many members is one message.
pub(crate) const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How long a frame may take to somebody who reads a byte per second.
const SLOW_PATIENCE: Duration = Duration::from_mins(10);

/// An open connection.
pub struct Link {
    socket: FragmentCollector<TokioIo<Upgraded>>,
    decoder: Decoder,
    address: SocketAddr,
    target: String,
    patience: Duration,
}

/// What the server said.
#[derive(Clone, Debug)]
pub enum Heard {
    /// A payload.
    Payload(Payload),
    /// It closed with this code, or without one.
    Closed(Option<u16>),
}

/// One payload.
#[derive(Clone, Debug)]
pub struct Payload {
    /// What it is.
    pub op: u64,
    /// Its number, if it is a dispatch.
    pub s: Option<u64>,
    /// Its event, if it is a dispatch.
    pub t: Option<String>,
    /// Its body.
    pub d: Value,
    /// The payload as it was written, unpacked.
    pub raw: Vec<u8>,
}

impl Payload {
    /// The event's name, or nothing.
    pub fn name(&self) -> &str {
        self.t.as_deref().unwrap_or_default()
    }
}

impl Link {
    /// Connects with this query; HELLO has not been read.
    pub async fn open(address: SocketAddr, query: &str) -> Self {
        let stream = connect(address).await;
        Self::upgrade(stream, address, &at_gateway(query)).await
    }

    /// As [`Self::open`], at any path, with a query or none.
    pub async fn open_at(address: SocketAddr, target: &str) -> Self {
        let stream = connect(address).await;
        Self::upgrade(stream, address, target).await
    }

    /// As [`Self::open_narrow`], and while it is told to be slow it reads a byte per second. Then
    /// it hangs up.
    pub async fn open_slow(address: SocketAddr, query: &str, is_slow: Arc<AtomicBool>) -> Self {
        let stream = Self::narrow(address).await;
        let stream = stream.map(|stream| Trickle::new(stream, is_slow));
        let mut link = Self::upgrade(stream, address, &at_gateway(query)).await;
        link.patience = SLOW_PATIENCE;
        link
    }

    /// As [`Self::open`], with as little room for what is not read yet as the system allows.
    pub async fn open_narrow(address: SocketAddr, query: &str) -> Self {
        Self::upgrade(Self::narrow(address).await, address, &at_gateway(query)).await
    }

    async fn narrow(address: SocketAddr) -> io::Result<TcpStream> {
        let socket = TcpSocket::new_v4().expect("the system has sockets");
        let narrowed = socket.set_recv_buffer_size(1);
        narrowed.expect("the system raises it to its own least");
        let stream = socket.connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    async fn upgrade(
        stream: io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static>,
        address: SocketAddr,
        target: &str,
    ) -> Self {
        let stream = stream.unwrap_or_else(|error| panic!("{address}: {error}"));
        let opened = soon("the handshake", Self::shake_hands(stream, address, target));
        let opened = opened.await;
        opened.unwrap_or_else(|error| panic!("{target}: {error}"))
    }

    async fn shake_hands(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        address: SocketAddr,
        target: &str,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let request = Request::get(target)
            .header(HOST, address.to_string())
            .header(UPGRADE, "websocket")
            .header(CONNECTION, "upgrade")
            .header(SEC_WEBSOCKET_KEY, handshake::generate_key())
            .header(SEC_WEBSOCKET_VERSION, "13")
            .body(Empty::<Bytes>::new())?;
        let (mut socket, _) = handshake::client(&TokioExecutor::new(), request, stream).await?;
        socket.set_max_message_size(MESSAGE_BYTES_MAX);
        Ok(Self {
            socket: FragmentCollector::new(socket),
            decoder: Decoder::of(target.split_once('?').map_or("", |(_, query)| query)),
            address,
            target: target.to_owned(),
            patience: PATIENCE,
        })
    }

    /// A new connection to the same place with the same query.
    pub async fn again(&self) -> Self {
        Self::open_at(self.address, &self.target).await
    }

    /// Connects and takes HELLO.
    pub async fn greeted(address: SocketAddr, query: &str) -> Self {
        let mut link = Self::open(address, query).await;
        let hello = link.payload().await;
        assert_eq!(hello.op, 10, "{hello:?}");
        link
    }

    /// What comes next.
    pub async fn next(&mut self) -> Heard {
        let read = tokio::time::timeout(self.patience, self.socket.read_frame()).await;
        let read = read.unwrap_or_else(|_| panic!("no frame for {:?}", self.patience));
        let Ok(frame) = read else {
            return Heard::Closed(None);
        };
        match frame.opcode {
            OpCode::Close => {
                let code = frame.payload.first_chunk::<2>();
                Heard::Closed(code.map(|code| u16::from_be_bytes(*code)))
            }
            _ => Heard::Payload(self.decoder.payload(&frame.payload)),
        }
    }

    /// The next payload; the connection must not be closed.
    pub async fn payload(&mut self) -> Payload {
        match self.next().await {
            Heard::Payload(payload) => payload,
            Heard::Closed(code) => panic!("closed with {code:?} instead of a payload"),
        }
    }

    /// The next payload with this op code; others are passed over.
    pub async fn op(&mut self, op: u64) -> Payload {
        loop {
            let payload = self.payload().await;
            if payload.op == op {
                return payload;
            }
        }
    }

    /// The code that the connection is closed with; payloads before it are passed over.
    pub async fn close_code(&mut self) -> Option<u16> {
        loop {
            if let Heard::Closed(code) = self.next().await {
                return code;
            }
        }
    }

    /// Sends a payload in the connection's encoding. A server that has closed already is found
    /// out by reading.
    pub async fn send(&mut self, payload: &Value) {
        let frame = if self.decoder.is_msgpack() {
            let bytes = rmp_serde::to_vec(payload).expect("JSON fits msgpack");
            Frame::binary(bytes.into())
        } else {
            Frame::text(payload.to_string().into_bytes().into())
        };
        let _ = self.socket.write_frame(frame).await;
    }

    /// Sends any text.
    pub async fn send_text(&mut self, text: &str) {
        let frame = Frame::text(text.as_bytes().to_vec().into());
        let _ = self.socket.write_frame(frame).await;
    }

    /// Sends any frame.
    pub async fn send_frame(&mut self, frame: Frame<'_>) {
        let _ = self.socket.write_frame(frame).await;
    }

    /// Closes without a code, which keeps the session, and waits for the server's close.
    pub async fn hang_up(&mut self) {
        self.send_frame(Frame::close_raw(Vec::new().into())).await;
        self.close_code().await;
    }

    /// Sends IDENTIFY.
    pub async fn identify(&mut self, token: &str, intents: Option<u64>) {
        let mut data = json!({ "token": token, "properties": { "os": "linux" } });
        if let Some(intents) = intents {
            data["intents"] = intents.into();
        }
        self.send(&json!({ "op": 2, "d": data })).await;
    }

    /// Sends RESUME.
    pub async fn resume(&mut self, token: &str, session_id: &str, seq: u64) {
        let data = json!({ "token": token, "session_id": session_id, "seq": seq });
        self.send(&json!({ "op": 6, "d": data })).await;
    }
}

fn at_gateway(query: &str) -> String {
    format!("/gateway?{query}")
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
