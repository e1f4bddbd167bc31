//! One WebSocket to a gateway: the handshake, whole text frames, and nothing else.

use std::io::{self, Cursor};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use fastwebsockets::{
    Frame, OpCode, Payload, Role, WebSocketError, WebSocketRead, WebSocketWrite,
    after_handshake_split, handshake,
};
use http_body_util::Empty;
use hyper::header::{CONNECTION, HOST, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use hyper::upgrade::Parts;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, Chain};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::sync::mpsc;

use super::gateway::Dialect;
use super::target::Target;

/// Bytes of one message from the server, fragments together. A guild with thousands of channels
/// and members stays below.
const MESSAGE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How long the handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Replies to pings and closes that wait for the writer; a server that sends pings faster than it
/// reads the replies waits for us.
const REPLIES_MAX: usize = 8;

/// Why a socket could not be opened or is of no use any more.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The handshake took too long.
    #[error("the handshake timed out")]
    Timeout,
    /// The server answered with something else than a WebSocket.
    #[error("the gateway answered {0} instead of 101")]
    Status(StatusCode),
    /// The server sent what this client cannot read.
    #[error("the server sent {0}")]
    Unreadable(&'static str),
    /// A message beyond [`MESSAGE_BYTES_MAX`].
    #[error("the server sent a message of more than {MESSAGE_BYTES_MAX} bytes")]
    TooLarge,
    /// The connection or its framing broke.
    #[error(transparent)]
    Broken(#[from] WebSocketError),
}

/// What the server sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A text message.
    Text(Bytes),
    /// The server closes.
    Close(Option<u16>),
}

/// The reading side. Its future must run to its end, or the stream is lost.
pub struct Reader {
    socket: WebSocketRead<Chain<Cursor<Bytes>, OwnedReadHalf>>,
    replies: mpsc::Sender<Reply>,
}

/// The writing side.
pub struct Writer {
    socket: WebSocketWrite<OwnedWriteHalf>,
    replies: mpsc::Receiver<Reply>,
}

/// What the reader owes to the server.
pub enum Reply {
    /// The answer to a ping.
    Pong(Vec<u8>),
    /// The answer to a close.
    Close(Vec<u8>),
}

/// Opens a gateway socket with JSON and without compression.
pub async fn connect(target: &Target, dialect: Dialect) -> Result<(Reader, Writer), SocketError> {
    let (stream, read_ahead) = open(target, dialect, None).await?;
    Ok(split(stream, read_ahead))
}

/// A stream after the handshake, and what was read ahead of it. The kernel buffers about so many bytes for
/// us, if that is said.
pub(super) async fn open(
    target: &Target,
    dialect: Dialect,
    receive_bytes: Option<u32>,
) -> Result<(TcpStream, Bytes), SocketError> {
    let opened = async {
        let stream = dial(target, receive_bytes).await.map_err(broken)?;
        shake_hands(stream, target, dialect).await
    };
    tokio::time::timeout(HANDSHAKE_TIMEOUT, opened)
        .await
        .unwrap_or(Err(SocketError::Timeout))
}

async fn dial(target: &Target, receive_bytes: Option<u32>) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in lookup_host(target.authority()).await? {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        if let Some(bytes) = receive_bytes {
            socket.set_recv_buffer_size(bytes)?;
        }
        match socket.connect(address).await {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn shake_hands(
    stream: TcpStream,
    target: &Target,
    dialect: Dialect,
) -> Result<(TcpStream, Bytes), SocketError> {
    let authority = target.authority();
    let path = format!("/gateway?v=10&encoding=json&dialect={}", dialect.name());
    let request = Request::get(path)
        .header(HOST, authority)
        .header(UPGRADE, "websocket")
        .header(CONNECTION, "Upgrade")
        .header(SEC_WEBSOCKET_KEY, handshake::generate_key())
        .header(SEC_WEBSOCKET_VERSION, "13")
        .body(Empty::<Bytes>::new())
        .map_err(|_| SocketError::Unreadable("an address that is no header"))?;
    let http = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = http.map_err(WebSocketError::from)?;
    // Takes the sender along: a connection over which more could be asked would not end after a
    // refusal.
    let exchange = async move {
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        Ok((status, hyper::upgrade::on(answer).await))
    };
    // The connection only moves while it is polled, and ends by handing the stream over.
    let (_, exchanged) = tokio::join!(connection.with_upgrades(), exchange);
    let (status, upgraded) =
        exchanged.map_err(|error: hyper::Error| WebSocketError::from(error))?;
    if status != StatusCode::SWITCHING_PROTOCOLS {
        return Err(SocketError::Status(status));
    }
    let parts = upgraded
        .map_err(WebSocketError::from)?
        .downcast::<TokioIo<TcpStream>>();
    let Parts { io, read_buf, .. } = parts.expect("the stream was given as this type");
    Ok((io.into_inner(), read_buf))
}

fn broken(error: io::Error) -> SocketError {
    SocketError::Broken(WebSocketError::IoError(error))
}

fn split(stream: TcpStream, read_ahead: Bytes) -> (Reader, Writer) {
    let (read, write) = stream.into_split();
    // HELLO may have come with the answer to the handshake.
    let read = Cursor::new(read_ahead).chain(read);
    let (mut read, write) = after_handshake_split(read, write, Role::Client);
    read.set_max_message_size(MESSAGE_BYTES_MAX);
    let (replies, due) = mpsc::channel(REPLIES_MAX);
    let reader = Reader {
        socket: read,
        replies,
    };
    let writer = Writer {
        socket: write,
        replies: due,
    };
    (reader, writer)
}

impl Reader {
    /// The next whole message.
    pub async fn next(&mut self) -> Result<Incoming, SocketError> {
        let mut begun: Option<BytesMut> = None;
        loop {
            let replies = &self.replies;
            let mut reply = |frame: Frame<'_>| {
                let payload = frame.payload.to_vec();
                let reply = match frame.opcode {
                    OpCode::Close => Reply::Close(payload),
                    _ => Reply::Pong(payload),
                };
                async move { replies.send(reply).await.map_err(|_| "the writer is gone") }
            };
            let frame = self.socket.read_frame(&mut reply).await?;
            match frame.opcode {
                OpCode::Close => {
                    let code = frame
                        .payload
                        .first_chunk()
                        .map(|code| u16::from_be_bytes(*code));
                    return Ok(Incoming::Close(code));
                }
                OpCode::Text if begun.is_none() => {
                    let bytes = taken(frame.payload);
                    if frame.fin {
                        return Ok(Incoming::Text(bytes));
                    }
                    begun = Some(BytesMut::from(&bytes[..]));
                }
                OpCode::Continuation if let Some(whole) = &mut begun => {
                    // Bounded here, because each fragment alone may be of the full size.
                    if MESSAGE_BYTES_MAX < whole.len() + frame.payload.len() {
                        return Err(SocketError::TooLarge);
                    }
                    whole.extend_from_slice(&frame.payload);
                    if frame.fin {
                        return Ok(Incoming::Text(std::mem::take(whole).freeze()));
                    }
                }
                OpCode::Ping | OpCode::Pong => {}
                OpCode::Binary => return Err(SocketError::Unreadable("a binary message")),
                OpCode::Text | OpCode::Continuation => {
                    return Err(SocketError::Unreadable("fragments out of order"));
                }
            }
        }
    }
}

fn taken(payload: Payload<'_>) -> Bytes {
    match payload {
        Payload::Bytes(bytes) => bytes.freeze(),
        other => Bytes::copy_from_slice(&other),
    }
}

impl Writer {
    /// Sends a text message. Its future must run to its end, or the stream is broken.
    pub async fn send(&mut self, text: String) -> Result<(), SocketError> {
        let payload = Payload::Owned(text.into_bytes());
        Ok(self.socket.write_frame(Frame::text(payload)).await?)
    }

    /// The next reply that the reader owes. Cancel-safe: it is taken only when returned.
    pub async fn next_reply(&mut self) -> Option<Reply> {
        self.replies.recv().await
    }

    /// Sends a reply.
    pub async fn send_reply(&mut self, reply: Reply) -> Result<(), SocketError> {
        let frame = match reply {
            Reply::Pong(payload) => Frame::pong(Payload::Owned(payload)),
            Reply::Close(payload) => Frame::close_raw(Payload::Owned(payload)),
        };
        Ok(self.socket.write_frame(frame).await?)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_refused_handshake_ends_although_its_connection_stays_open() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            // Nobody is answered before they ask.
            let mut asked = [0; 1];
            stream.read_exact(&mut asked).await.unwrap();
            let refusal = b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 2\r\n\r\nno";
            stream.write_all(refusal).await.unwrap();
            stream
        };
        let target = Target::parse(&url).unwrap();
        let (_open, refused) = tokio::join!(serve, connect(&target, Dialect::Native));
        assert!(matches!(
            refused.err(),
            Some(SocketError::Status(StatusCode::BAD_GATEWAY))
        ));
    }
}
