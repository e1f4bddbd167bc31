//! A client's session over any number of sockets, which keeps count of what it is told.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::{Value, json};

use crate::decode::Decoder;
use crate::house::{HANGS, Person};
use crate::wire::{CLOSE, FINAL, TEXT, close_code, frame, take_frame};

/// Dispatches that are told once, have no number of their own and are not replayed.
const VOLATILE: [&str; 2] = ["PRESENCE_UPDATE", "TYPING_START"];

/// What comes next on a socket.
#[derive(Debug)]
pub(crate) enum Heard {
    Payload(Value),
    /// A close frame.
    Closed(Option<u16>),
    /// The socket ends without one.
    Ended,
}

/// One socket.
pub(crate) struct Socket {
    stream: TcpStream,
    held: Vec<u8>,
    decoder: Decoder,
}

impl Socket {
    /// Connects and takes HELLO.
    pub(crate) fn open(address: SocketAddr, query: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(HANGS)).unwrap();
        let mut socket = Self {
            stream,
            held: Vec::new(),
            decoder: Decoder::of(query),
        };
        let request = format!(
            "GET /gateway?{query} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        socket.write(request.as_bytes());
        let end = loop {
            if let Some(at) = socket.held.windows(4).position(|it| it == b"\r\n\r\n") {
                break at + 4;
            }
            assert!(socket.read(), "the answer is whole");
        };
        let head: Vec<u8> = socket.held.drain(..end).collect();
        assert!(head.starts_with(b"HTTP/1.1 101 "));
        assert_eq!(socket.payload()["op"], 10);
        socket
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    pub(crate) fn send(&mut self, payload: &Value) {
        self.write(&frame(FINAL | TEXT, payload.to_string().as_bytes()));
    }

    /// Reads once. False at the end.
    fn read(&mut self) -> bool {
        let mut bytes = [0; 4_096];
        match self.stream.read(&mut bytes) {
            Ok(n) => {
                self.held.extend_from_slice(&bytes[..n]);
                n > 0
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => false,
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) fn next(&mut self) -> Heard {
        loop {
            if let Some(frame) = take_frame(&mut self.held) {
                return match frame.opcode {
                    CLOSE => Heard::Closed(close_code(&frame.payload)),
                    _ => Heard::Payload(self.decoder.payload(&frame.payload)),
                };
            }
            if !self.read() {
                return Heard::Ended;
            }
        }
    }

    pub(crate) fn payload(&mut self) -> Value {
        match self.next() {
            Heard::Payload(payload) => payload,
            heard => panic!("{heard:?} instead of a payload"),
        }
    }

    /// How the socket ends; payloads before that are passed over.
    pub(crate) fn end(&mut self) -> Heard {
        loop {
            match self.next() {
                Heard::Payload(_) => {}
                end => return end,
            }
        }
    }
}

/// A session.
pub(crate) struct Client {
    pub(crate) socket: Socket,
    token: String,
    pub(crate) session_id: String,
    query: String,
    /// The number of the last dispatch.
    pub(crate) s: u64,
}

impl Client {
    /// Opens a session and takes its start.
    pub(crate) fn identify(address: SocketAddr, query: &str, person: &Person) -> Self {
        let mut socket = Socket::open(address, query);
        let token = person.token.clone();
        socket.send(&json!({"op": 2, "d": {"token": token, "properties": {}}}));
        let ready = socket.payload();
        assert_eq!(ready["t"], "READY", "{ready}");
        let mut client = Self {
            socket,
            token,
            session_id: ready["d"]["session_id"].as_str().unwrap().to_owned(),
            query: query.to_owned(),
            s: 1,
        };
        client.until("GUILD_CREATE");
        client
    }

    /// The payload that asks for the session.
    pub(crate) fn resume(&self) -> Value {
        let (token, session_id, seq) = (&self.token, &self.session_id, self.s);
        json!({"op": 6, "d": {"token": token, "session_id": session_id, "seq": seq}})
    }

    /// Leaves its socket and asks for its session on a new one.
    pub(crate) fn reach_out(&mut self, address: SocketAddr) {
        self.socket = Socket::open(address, &self.query);
        let resume = self.resume();
        self.socket.send(&resume);
    }

    /// Comes back on a new socket. The texts of the messages that were missed.
    pub(crate) fn come_back(&mut self, address: SocketAddr) -> Vec<String> {
        self.reach_out(address);
        self.missed()
    }

    /// The texts of the messages that come before RESUMED.
    pub(crate) fn missed(&mut self) -> Vec<String> {
        let mut texts = Vec::new();
        loop {
            let dispatch = self.dispatch();
            match dispatch["t"].as_str() {
                Some("RESUMED") => return texts,
                Some("MESSAGE_CREATE") => texts.push(text_of(&dispatch)),
                _ => {}
            }
        }
    }

    /// The next dispatch that is not volatile. The numbers have no gap and no repeat.
    fn dispatch(&mut self) -> Value {
        loop {
            let payload = self.socket.payload();
            if payload["op"] != 0 {
                continue;
            }
            let (name, s) = (payload["t"].as_str().unwrap(), payload["s"].as_u64());
            if name == "RESUMED" {
                assert_eq!(s, Some(self.s), "RESUMED takes no number");
                return payload;
            }
            if VOLATILE.contains(&name) {
                assert_eq!(s, Some(self.s), "volatile dispatches take no number");
                continue;
            }
            assert_eq!(s, Some(self.s + 1), "{payload}");
            self.s += 1;
            return payload;
        }
    }

    /// The next dispatch of this name; others are passed over.
    pub(crate) fn until(&mut self, name: &str) -> Value {
        loop {
            let dispatch = self.dispatch();
            if dispatch["t"] == name {
                return dispatch;
            }
        }
    }

    /// The text of the next message.
    pub(crate) fn text(&mut self) -> String {
        text_of(&self.until("MESSAGE_CREATE"))
    }

    /// Sends a heartbeat and waits until it is acknowledged.
    pub(crate) fn beat(&mut self) {
        self.socket.send(&json!({"op": 1, "d": self.s}));
        while self.socket.payload()["op"] != 11 {}
    }
}

fn text_of(dispatch: &Value) -> String {
    dispatch["d"]["content"].as_str().unwrap().to_owned()
}
