//! The client: members that listen on sockets and a publisher, in one thread on epoll.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream as Blocking};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use guildhall_loadtest::client::gateway;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::frame::{self, Marks};
use crate::link::{Heard, Inlet, Link, Reader};
use crate::publisher::Publisher;

/// Sockets that are served between two looks at the clock, so that a post that is due does not
/// wait for a thousand deliveries.
const EVENTS_MAX: usize = 128;
/// Connections that are opened side by side.
const OPENED_TOGETHER: usize = 32;
/// How long a server may take for an answer while a crowd gathers.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Who a member is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guest {
    /// The access token that it identifies with; bare servers ask for none.
    pub(crate) token: Option<String>,
    /// Which messages it must get: those of the same group.
    pub(crate) group: usize,
    /// How it is connected.
    pub(crate) link: Link,
}

/// All connections to one server.
pub(crate) struct Crowd {
    poll: Poll,
    events: Events,
    members: Vec<Member>,
    publisher: Publisher,
    buffer: Vec<u8>,
    reader: Reader,
    /// Of the newest message: its payload's length.
    payload_bytes: usize,
}

struct Member {
    stream: TcpStream,
    inlet: Inlet,
    /// Of a frame that has not come completely.
    rest: Vec<u8>,
    s: u32,
    tally: Tally,
}

/// What a member has received, or should have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    messages: u64,
    /// A sum over all marks that no other selection of as many marks is likely to have.
    fingerprint: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, mark: u64) {
        // The finalizer of splitmix64.
        let mut mixed = mark.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        self.messages += 1;
        self.fingerprint = self.fingerprint.wrapping_add(mixed ^ (mixed >> 31));
    }
}

/// What happened in one turn.
#[derive(Default)]
pub(crate) struct Happened {
    /// Marks of messages with the time at which a member got each.
    pub(crate) delivered: Vec<(u64, Instant)>,
    /// Marks whose posts were answered.
    pub(crate) acknowledged: Vec<u64>,
}

impl Crowd {
    /// Connects everybody and waits until all are ready to receive.
    pub(crate) fn gather(
        address: SocketAddr,
        guests: &[Guest],
        mut publisher: Publisher,
    ) -> Result<Self> {
        let poll = Poll::new()?;
        let mut members = Vec::with_capacity(guests.len());
        for together in guests.chunks(OPENED_TOGETHER) {
            let mut opened = Vec::with_capacity(together.len());
            for guest in together {
                opened.push((Entering::knock(address, guest)?, guest));
            }
            for (entering, guest) in &mut opened {
                entering.identify(guest)?;
            }
            for (entering, guest) in opened {
                let mut member = entering.settle(guest)?;
                let token = Token(members.len());
                let registry = poll.registry();
                registry.register(&mut member.stream, token, Interest::READABLE)?;
                members.push(member);
            }
        }
        let reader = Reader::new(Marks::new(), publisher.content_bytes());
        publisher.register(poll.registry(), members.len())?;
        Ok(Self {
            poll,
            events: Events::with_capacity(EVENTS_MAX),
            members,
            publisher,
            buffer: vec![0; 256 * 1024],
            reader,
            payload_bytes: 0,
        })
    }

    pub(crate) fn publisher(&mut self) -> &mut Publisher {
        &mut self.publisher
    }

    /// The payload's length of the newest message.
    pub(crate) const fn payload_bytes(&self) -> usize {
        self.payload_bytes
    }

    /// Everybody's tally.
    pub(crate) fn tallies(&self) -> Vec<Tally> {
        self.members.iter().map(|member| member.tally).collect()
    }

    /// Serves what is ready, or waits for it until `timeout`.
    pub(crate) fn turn(&mut self, timeout: Duration, happened: &mut Happened) -> Result<()> {
        happened.delivered.clear();
        happened.acknowledged.clear();
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            polled => polled?,
        }
        for event in &self.events {
            let place = event.token().0;
            let Some(member) = self.members.get_mut(place) else {
                let line = place - self.members.len();
                let acknowledged = &mut happened.acknowledged;
                self.publisher.read(line, &mut self.buffer, acknowledged)?;
                continue;
            };
            let taken = &mut happened.delivered;
            let bytes = member.receive(&mut self.buffer, &mut self.reader, taken);
            let bytes = bytes.with_context(|| format!("member {place}"))?;
            self.payload_bytes = bytes.unwrap_or(self.payload_bytes);
        }
        Ok(())
    }
}

impl Member {
    /// Takes everything that has come. Returns the payload's length of the last message.
    fn receive(
        &mut self,
        buffer: &mut [u8],
        reader: &mut Reader,
        taken: &mut Vec<(u64, Instant)>,
    ) -> Result<Option<usize>> {
        let mut bytes = None;
        loop {
            let n = match self.stream.read(buffer) {
                Ok(0) => bail!("the server closed the connection"),
                Ok(n) => n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(bytes),
                Err(error) => return Err(error.into()),
            };
            let at = Instant::now();
            if self.rest.is_empty() {
                let used = self.take(&buffer[..n], reader, at, taken, &mut bytes)?;
                self.rest.extend_from_slice(&buffer[used..n]);
            } else {
                let mut all = std::mem::take(&mut self.rest);
                all.extend_from_slice(&buffer[..n]);
                let used = self.take(&all, reader, at, taken, &mut bytes)?;
                all.drain(..used);
                self.rest = all;
            }
            // Less than was asked for is all that there was; the next bytes are a new event.
            if n < buffer.len() {
                return Ok(bytes);
            }
        }
    }

    fn take(
        &mut self,
        bytes: &[u8],
        reader: &mut Reader,
        at: Instant,
        taken: &mut Vec<(u64, Instant)>,
        payload_bytes: &mut Option<usize>,
    ) -> Result<usize> {
        let mut used = 0;
        while let Some((frame, length)) = frame::split(&bytes[used..]) {
            used += length;
            let (s, mark) = match reader.hear(&mut self.inlet, &frame)? {
                Heard::Message { s, mark } => (s, mark),
                Heard::Dispatch(s) => {
                    self.s = s;
                    continue;
                }
                Heard::Other => continue,
            };
            ensure!(s == self.s + 1, "number {s} follows on {}", self.s);
            self.s = s;
            self.tally.add(mark);
            *payload_bytes = Some(frame.payload.len());
            taken.push((mark, at));
        }
        Ok(used)
    }
}

/// A member that is not ready yet; its socket still blocks.
struct Entering {
    stream: Blocking,
    inlet: Inlet,
    rest: Vec<u8>,
}

impl Entering {
    fn knock(address: SocketAddr, guest: &Guest) -> Result<Self> {
        let mut stream = Blocking::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        write!(
            stream,
            "GET /gateway?{} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            guest.link.query(),
        )?;
        Ok(Self {
            stream,
            inlet: Inlet::new(guest.link),
            rest: Vec::new(),
        })
    }

    fn identify(&mut self, guest: &Guest) -> Result<()> {
        let end = loop {
            if let Some(end) = memchr::memmem::find(&self.rest, b"\r\n\r\n") {
                break end + 4;
            }
            self.read()?;
        };
        let is_accepted = self.rest.starts_with(b"HTTP/1.1 101");
        ensure!(is_accepted, "{}", String::from_utf8_lossy(&self.rest));
        self.rest.drain(..end);
        let Some(token) = &guest.token else {
            return Ok(());
        };
        let identify = gateway::identify(token, guest.link.intents());
        let mut wire = Vec::new();
        frame::masked_text(identify.as_bytes(), &mut wire);
        Ok(self.stream.write_all(&wire)?)
    }

    /// Waits for READY and the guilds that it names.
    fn settle(mut self, guest: &Guest) -> Result<Member> {
        let mut s = 0;
        let mut guilds = None;
        let mut room = Vec::new();
        while guest.token.is_some() && guilds != Some(0) {
            let Some((frame, length)) = frame::split(&self.rest) else {
                self.read()?;
                continue;
            };
            let text = self.inlet.text(&frame, &mut room)?.unwrap_or_default();
            if let Some(number) = frame::dispatch_number(text) {
                s = number;
                if text.starts_with(br#"{"t":"READY""#) {
                    let ready: serde_json::Value = serde_json::from_slice(text)?;
                    let listed = &ready["d"][guest.link.guilds_of_ready()];
                    guilds = listed.as_array().map(Vec::len);
                    ensure!(guilds.is_some(), "READY names no guilds");
                } else if text.starts_with(br#"{"t":"GUILD_CREATE""#) {
                    guilds = guilds.and_then(|left| left.checked_sub(1));
                }
            }
            self.rest.drain(..length);
        }
        self.stream.set_nonblocking(true)?;
        Ok(Member {
            stream: TcpStream::from_std(self.stream),
            inlet: self.inlet,
            rest: self.rest,
            s,
            tally: Tally::default(),
        })
    }

    fn read(&mut self) -> Result<()> {
        let mut buffer = [0; 16 * 1024];
        let n = self.stream.read(&mut buffer)?;
        ensure!(n > 0, "the server closed the connection");
        self.rest.extend_from_slice(&buffer[..n]);
        Ok(())
    }
}
