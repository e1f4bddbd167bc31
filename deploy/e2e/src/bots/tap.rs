//! Copies a gateway connection from end to end and reads along.

use std::io;

use fastwebsockets::{FragmentCollector, OpCode, Role, WebSocket};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex, split};

use super::record::{Frame, Record, Side};
use crate::link::{Decoder, MESSAGE_BYTES_MAX};

/// Bytes that are on their way at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// Copies both ways until both have ended, or one has failed.
pub(super) async fn copy(
    bot: impl AsyncRead + AsyncWrite,
    server: impl AsyncRead + AsyncWrite,
    query: &str,
    record: &Record,
) -> io::Result<()> {
    let connection = record.write(|seen| {
        seen.connections.push(query.to_owned());
        seen.connections.len() - 1
    });
    let (bot_reads, bot_writes) = split(bot);
    let (server_reads, server_writes) = split(server);
    let (up, up_copy) = duplex(CHUNK_BYTES);
    let (down, down_copy) = duplex(CHUNK_BYTES);
    let said = Reader::new(up_copy, Side::Bot, connection, "", record.clone());
    let heard = Reader::new(down_copy, Side::Server, connection, query, record.clone());
    let copied = tokio::join!(
        one_way(bot_reads, server_writes, up),
        one_way(server_reads, bot_writes, down),
        said.read(),
        heard.read(),
    );
    copied.0.and(copied.1)
}

async fn one_way(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut reader: DuplexStream,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let count = from.read(&mut chunk).await?;
        if count == 0 {
            return to.shutdown().await;
        }
        to.write_all(&chunk[..count]).await?;
        // A reader that cannot go on has said so, and the bytes flow all the same.
        drop(reader.write_all(&chunk[..count]).await);
    }
}

/// Makes payloads of one direction's bytes.
struct Reader {
    socket: FragmentCollector<DuplexStream>,
    decoder: Decoder,
    from: Side,
    connection: usize,
    record: Record,
}

impl Reader {
    fn new(
        bytes: DuplexStream,
        from: Side,
        connection: usize,
        query: &str,
        record: Record,
    ) -> Self {
        let role = match from {
            Side::Bot => Role::Server,
            Side::Server => Role::Client,
        };
        let mut socket = WebSocket::after_handshake(bytes, role);
        socket.set_auto_close(false);
        socket.set_auto_pong(false);
        socket.set_max_message_size(MESSAGE_BYTES_MAX);
        Self {
            socket: FragmentCollector::new(socket),
            decoder: Decoder::of(query),
            from,
            connection,
            record,
        }
    }

    async fn read(mut self) {
        loop {
            let frame = match self.socket.read_frame().await {
                Ok(frame) => frame,
                Err(fastwebsockets::WebSocketError::UnexpectedEOF) => return,
                Err(error) => {
                    let told = format!("{:?}: {error}", self.from);
                    self.record.write(|seen| seen.unreadable.push(told));
                    return;
                }
            };
            if !matches!(frame.opcode, OpCode::Text | OpCode::Binary) {
                continue;
            }
            let frame = Frame {
                connection: self.connection,
                from: self.from,
                payload: self.decoder.payload(&frame.payload),
            };
            self.record.write(|seen| seen.frames.push(frame));
        }
    }
}
