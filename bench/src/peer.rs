//! The bare limit: a server that does nothing but broadcast, in one thread on epoll.
//!
//! It speaks WebSocket framing and gives each member its own `s`, as Discord's protocol demands,
//! and knows neither users, permissions, logs nor replay. What it costs is what the kernel costs.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;

use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use crate::frame;

/// What a publisher says first on its connection; each 8 bytes after it are the mark of a message.
pub(crate) const PUBLISHER: &[u8; 8] = b"PUBLISH\n";
/// The answer to every handshake; all clients send the sample key of RFC 6455 §1.3.
const ACCEPTED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
/// What a request for a WebSocket ends with.
const END_OF_REQUEST: &[u8] = b"\r\n\r\n";
/// Requests are not longer than this.
const REQUEST_BYTES_MAX: usize = 4096;
const LISTENER: Token = Token(usize::MAX - 1);

/// How messages that wait together are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Style {
    /// `epoll+seq`: one write(2) for each message and member.
    Each,
    /// `epollb+seq`: one write(2) for each member, with all messages that wait.
    Batched,
}

impl Style {
    /// Its name in tables.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Each => "epoll+seq",
            Self::Batched => "epollb+seq",
        }
    }
}

/// The server.
pub(crate) struct Peer {
    poll: Poll,
    listener: TcpListener,
    style: Style,
    payload_bytes: usize,
    connections: Vec<Option<Connection>>,
    /// Bodies of messages that are not yet written, each with the part that all members share.
    waiting: Vec<Vec<u8>>,
    buffer: Vec<u8>,
    scratch: Vec<u8>,
}

struct Connection {
    stream: TcpStream,
    role: Role,
    /// The number of the last dispatch.
    s: u32,
    /// Received or to be sent, and not complete.
    rest: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Unknown,
    Member,
    Publisher,
}

impl Peer {
    /// Listens on a free port of the loopback interface.
    pub(crate) fn bind(style: Style, payload_bytes: usize) -> io::Result<Self> {
        let mut listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let poll = Poll::new()?;
        let registry = poll.registry();
        registry.register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            poll,
            listener,
            style,
            payload_bytes,
            connections: Vec::new(),
            waiting: Vec::new(),
            buffer: vec![0; 64 * 1024],
            scratch: Vec::new(),
        })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the process is killed.
    pub(crate) fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        loop {
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            for event in &events {
                if event.token() == LISTENER {
                    self.accept()?;
                } else {
                    self.serve(event);
                }
            }
            self.broadcast();
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            stream.set_nodelay(true)?;
            let token = Token(self.connections.len());
            let registry = self.poll.registry();
            registry.register(&mut stream, token, Interest::READABLE)?;
            self.connections.push(Some(Connection {
                stream,
                role: Role::Unknown,
                s: 0,
                rest: Vec::new(),
            }));
        }
    }

    fn serve(&mut self, event: &Event) {
        let token = event.token();
        let Some(slot) = self.connections.get_mut(token.0) else {
            return;
        };
        let Some(connection) = slot else { return };
        let mut marks = Vec::new();
        let served = if event.is_writable() {
            connection.flush()
        } else {
            Ok(())
        };
        let served = served.and_then(|()| connection.receive(&mut self.buffer, &mut marks));
        if served.is_err() {
            *slot = None;
        }
        for mark in marks {
            let body = body(mark, self.payload_bytes);
            self.waiting.push(body);
        }
    }

    fn broadcast(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let waiting = std::mem::take(&mut self.waiting);
        let together = match self.style {
            Style::Each => 1,
            Style::Batched => waiting.len(),
        };
        for bodies in waiting.chunks(together) {
            for (slot, place) in self.connections.iter_mut().zip(0..) {
                let Some(member) = slot.as_mut().filter(|it| it.role == Role::Member) else {
                    continue;
                };
                self.scratch.clear();
                for body in bodies {
                    member.s += 1;
                    stamp(member.s, body, &mut self.scratch);
                }
                let registry = self.poll.registry();
                if member.send(&self.scratch, registry, Token(place)).is_err() {
                    *slot = None;
                }
            }
        }
    }
}

impl Connection {
    fn receive(&mut self, buffer: &mut [u8], marks: &mut Vec<u64>) -> io::Result<()> {
        loop {
            let n = match self.stream.read(buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(n) => n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            if self.role != Role::Member {
                self.rest.extend_from_slice(&buffer[..n]);
            }
            if self.role == Role::Unknown {
                self.greet()?;
            }
            if self.role == Role::Publisher {
                let (whole, part) = self.rest.as_chunks::<8>();
                marks.extend(whole.iter().map(|mark| u64::from_le_bytes(*mark)));
                self.rest = part.to_vec();
            }
            if n < buffer.len() {
                return Ok(());
            }
        }
    }

    fn greet(&mut self) -> io::Result<()> {
        if self.rest.starts_with(PUBLISHER) {
            self.role = Role::Publisher;
            self.rest.drain(..PUBLISHER.len());
        } else if self.rest.ends_with(END_OF_REQUEST) {
            self.role = Role::Member;
            self.rest = Vec::new();
            self.stream.write_all(ACCEPTED)?;
        } else if REQUEST_BYTES_MAX < self.rest.len() {
            return Err(ErrorKind::InvalidData.into());
        }
        Ok(())
    }

    /// Writes now what the socket takes, and the rest when it takes more.
    fn send(&mut self, bytes: &[u8], registry: &mio::Registry, token: Token) -> io::Result<()> {
        if !self.rest.is_empty() {
            self.rest.extend_from_slice(bytes);
            return Ok(());
        }
        let n = match self.stream.write(bytes) {
            Ok(n) => n,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(error) => return Err(error),
        };
        if n < bytes.len() {
            self.rest.extend_from_slice(&bytes[n..]);
            let both = Interest::READABLE | Interest::WRITABLE;
            registry.reregister(&mut self.stream, token, both)?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        while self.role == Role::Member && !self.rest.is_empty() {
            match self.stream.write(&self.rest) {
                Ok(n) => drop(self.rest.drain(..n)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The part of a message that all members share, sized so that the payload has about
/// `payload_bytes`.
fn body(mark: u64, payload_bytes: usize) -> Vec<u8> {
    const AROUND: usize = r#"{"t":"MESSAGE_CREATE","s":100,"op":0,"d":{"content":""}}"#.len();
    let mut body = br#"{"content":""#.to_vec();
    frame::content(mark, payload_bytes.saturating_sub(AROUND), &mut body);
    body.extend_from_slice(br#""}}"#);
    body
}

/// Writes the frame of one member: its own number before the shared body.
fn stamp(s: u32, body: &[u8], out: &mut Vec<u8>) {
    const BEFORE: &[u8] = br#"{"t":"MESSAGE_CREATE","s":"#;
    const BEHIND: &[u8] = br#","op":0,"d":"#;
    let mut digits = itoa::Buffer::new();
    let digits = digits.format(s).as_bytes();
    let length = BEFORE.len() + digits.len() + BEHIND.len() + body.len();
    frame::text_header(length, out);
    out.extend_from_slice(BEFORE);
    out.extend_from_slice(digits);
    out.extend_from_slice(BEHIND);
    out.extend_from_slice(body);
}
