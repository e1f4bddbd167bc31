//! The reading side of a WebSocket: whole messages of bounded size (RFC 6455 §5).

use std::io::Cursor;

use bytes::Bytes;
use fastwebsockets::{Frame, OpCode, Role, WebSocketError, WebSocketRead, after_handshake_split};
use guildhall_model::limits;
use guildhall_wire::CloseCode;
use tokio::io::{AsyncReadExt, Chain};
use tokio::net::tcp::OwnedReadHalf;

type Source = Chain<Cursor<Bytes>, OwnedReadHalf>;

/// What a client sent.
#[derive(Debug)]
pub(crate) enum Message {
    /// A payload, from text or binary frames.
    Payload(Vec<u8>),
    /// A ping, which is to be answered with the same bytes.
    Ping(Vec<u8>),
    /// The client closes, with the code that it gave.
    Close(Option<u16>),
    /// Nothing more comes.
    Gone,
    /// The client broke a rule.
    Broken(CloseCode),
}

/// Reads messages. What it holds between frames is bounded by one message.
pub(crate) struct Inlet {
    socket: WebSocketRead<Source>,
    partial: Option<Vec<u8>>,
}

impl Inlet {
    /// Reads what came with the upgrade first.
    pub(crate) fn new(early: Bytes, half: OwnedReadHalf) -> Self {
        let source = Cursor::new(early).chain(half);
        // Writing is done by the outlet: the library would copy the bodies.
        let (mut socket, _) = after_handshake_split(source, tokio::io::sink(), Role::Server);
        socket.set_auto_close(false);
        socket.set_auto_pong(false);
        // The library's bound is the first length that is refused.
        socket.set_max_message_size(limits::GATEWAY_FRAME_BYTES_MAX + 1);
        Self {
            socket,
            partial: None,
        }
    }

    /// The next message, and the inlet for the one after it. Not cancel-safe: the future is kept
    /// until it is done.
    pub(crate) async fn next(mut self) -> (Self, Message) {
        loop {
            let mut ignore = |_: Frame<'_>| async { Ok::<(), WebSocketError>(()) };
            let message = match self.socket.read_frame(&mut ignore).await {
                Ok(frame) => take(&mut self.partial, &frame),
                Err(WebSocketError::FrameTooLarge) => Some(Message::Broken(CloseCode::DecodeError)),
                Err(
                    WebSocketError::UnexpectedEOF
                    | WebSocketError::IoError(_)
                    | WebSocketError::ConnectionClosed,
                ) => Some(Message::Gone),
                Err(_) => Some(Message::Broken(CloseCode::DecodeError)),
            };
            if let Some(message) = message {
                return (self, message);
            }
        }
    }
}

fn take(partial: &mut Option<Vec<u8>>, frame: &Frame<'_>) -> Option<Message> {
    let payload = &frame.payload[..];
    match frame.opcode {
        OpCode::Ping => Some(Message::Ping(payload.to_vec())),
        OpCode::Pong => None,
        OpCode::Close => {
            let code = payload
                .first_chunk::<2>()
                .map(|code| u16::from_be_bytes(*code));
            Some(Message::Close(code))
        }
        OpCode::Text | OpCode::Binary if partial.is_some() => {
            Some(Message::Broken(CloseCode::DecodeError))
        }
        OpCode::Text | OpCode::Binary => add(partial, Vec::new(), payload, frame.fin),
        OpCode::Continuation => match partial.take() {
            Some(begun) => add(partial, begun, payload, frame.fin),
            None => Some(Message::Broken(CloseCode::DecodeError)),
        },
    }
}

fn add(
    partial: &mut Option<Vec<u8>>,
    mut begun: Vec<u8>,
    payload: &[u8],
    is_last: bool,
) -> Option<Message> {
    if begun.len() + payload.len() > limits::GATEWAY_FRAME_BYTES_MAX {
        return Some(Message::Broken(CloseCode::DecodeError));
    }
    begun.extend_from_slice(payload);
    if is_last {
        return Some(Message::Payload(begun));
    }
    *partial = Some(begun);
    None
}
