//! How messages are sent: by POST over kept-alive HTTP/1.1 connections, or as marks to a bare
//! server. All of it without blocking, in the client's one thread.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use guildhall_loadtest::client::gateway::Dialect;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use crate::frame;
use crate::peer::PUBLISHER;

/// Answers are not longer than this.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Servers close connections that nobody uses; after this time a post takes a new one.
const IDLE_MAX: Duration = Duration::from_secs(5);
/// Posts that wait for a connection; more means that the server cannot follow.
const WAITING_MAX: usize = 100_000;

/// Where a post goes and by whom.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    /// A channel's id.
    pub(crate) channel: String,
    /// The token of somebody who may post there: a person in the native dialect, a bot in Discord's.
    pub(crate) token: String,
}

/// The sending side of a crowd.
pub(crate) enum Publisher {
    /// One connection to a bare server.
    Bare(TcpStream),
    /// REST.
    Rest(Rest),
}

/// Connections over which posts are made; a post takes whichever is free.
pub(crate) struct Rest {
    address: SocketAddr,
    dialect: Dialect,
    desks: Vec<Desk>,
    content_bytes: usize,
    lines: Vec<Line>,
    free: Vec<usize>,
    waiting: VecDeque<u64>,
    request: Vec<u8>,
    /// Where connections are registered, and the token of the first.
    registered: Option<(Registry, usize)>,
}

/// What a dialect's route for posts differs in.
#[derive(Clone, Copy, Debug)]
struct Route {
    /// Before the path.
    prefix: &'static str,
    /// Before the token.
    scheme: &'static str,
    /// The status of an answer to a post that was taken.
    taken: u16,
}

impl Route {
    const fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Native => Self {
                prefix: "",
                scheme: "Bearer",
                taken: 201,
            },
            Dialect::Discord => Self {
                prefix: "/api/v10",
                scheme: "Bot",
                taken: 200,
            },
        }
    }
}

struct Line {
    stream: TcpStream,
    /// The mark whose answer is awaited.
    posted: Option<u64>,
    answer: Vec<u8>,
    used_at: Instant,
}

impl Publisher {
    /// Connects to a bare server.
    pub(crate) fn bare(address: SocketAddr) -> Result<Self> {
        let mut stream = connect(address)?;
        stream.write_all(PUBLISHER)?;
        stream.set_nonblocking(true)?;
        Ok(Self::Bare(TcpStream::from_std(stream)))
    }

    /// Opens `lines` connections for posts at `desks` in turn.
    pub(crate) fn rest(
        (address, dialect): (SocketAddr, Dialect),
        desks: Vec<Desk>,
        lines: usize,
        content_bytes: usize,
    ) -> Result<Self> {
        let open = |_| {
            let stream = connect(address)?;
            stream.set_nonblocking(true)?;
            anyhow::Ok(Line {
                stream: TcpStream::from_std(stream),
                posted: None,
                answer: Vec::new(),
                used_at: Instant::now(),
            })
        };
        Ok(Self::Rest(Rest {
            address,
            dialect,
            desks,
            content_bytes,
            lines: (0..lines).map(open).collect::<Result<_>>()?,
            free: (0..lines).collect(),
            waiting: VecDeque::new(),
            request: Vec::new(),
            registered: None,
        }))
    }

    /// Bytes of the contents that it posts; a bare server decides on its own.
    pub(crate) const fn content_bytes(&self) -> usize {
        match self {
            Self::Bare(_) => 0,
            Self::Rest(rest) => rest.content_bytes,
        }
    }

    /// Registers all connections, from `first` on.
    pub(crate) fn register(&mut self, registry: &Registry, first: usize) -> Result<()> {
        let streams: Vec<&mut TcpStream> = match self {
            Self::Bare(stream) => vec![stream],
            Self::Rest(rest) => rest.lines.iter_mut().map(|line| &mut line.stream).collect(),
        };
        for (stream, token) in streams.into_iter().zip(first..) {
            registry.register(stream, Token(token), Interest::READABLE)?;
        }
        if let Self::Rest(rest) = self {
            rest.registered = Some((registry.try_clone()?, first));
        }
        Ok(())
    }

    /// Sends a message. Returns whether it counts as acknowledged at once.
    pub(crate) fn post(&mut self, mark: u64) -> Result<bool> {
        match self {
            Self::Bare(stream) => {
                let n = stream.write(&mark.to_le_bytes())?;
                ensure!(n == 8, "a bare server does not take marks");
                Ok(true)
            }
            Self::Rest(rest) => {
                rest.post(mark)?;
                Ok(false)
            }
        }
    }

    /// Reads what came on a connection; a mark whose POST was taken is added to
    /// `acknowledged`.
    pub(crate) fn read(
        &mut self,
        line: usize,
        buffer: &mut [u8],
        acknowledged: &mut Vec<u64>,
    ) -> Result<()> {
        match self {
            Self::Bare(_) => bail!("a bare server closed the publisher's connection"),
            Self::Rest(rest) => rest.read(line, buffer, acknowledged),
        }
    }
}

impl Rest {
    fn post(&mut self, mark: u64) -> Result<()> {
        let Some(line) = self.free.pop() else {
            ensure!(self.waiting.len() < WAITING_MAX, "posts are not answered");
            self.waiting.push_back(mark);
            return Ok(());
        };
        self.write_request(mark)?;
        let place = line;
        let line = &mut self.lines[place];
        if IDLE_MAX < line.used_at.elapsed()
            && let Some((registry, first)) = &self.registered
        {
            let stream = connect(self.address)?;
            stream.set_nonblocking(true)?;
            line.stream = TcpStream::from_std(stream);
            let token = Token(first + place);
            registry.register(&mut line.stream, token, Interest::READABLE)?;
        }
        line.used_at = Instant::now();
        let n = line.stream.write(&self.request)?;
        // A connection that is free has an empty buffer, far larger than a request.
        ensure!(n == self.request.len(), "a request was not taken whole");
        line.posted = Some(mark);
        Ok(())
    }

    fn write_request(&mut self, mark: u64) -> Result<()> {
        let place = usize::try_from(mark)? % self.desks.len();
        let Desk { channel, token } = &self.desks[place];
        let Route { prefix, scheme, .. } = Route::of(self.dialect);
        let mut body = br#"{"content":""#.to_vec();
        frame::content(mark, self.content_bytes, &mut body);
        write!(body, r#"","nonce":"{mark}"}}"#)?;
        self.request.clear();
        write!(
            self.request,
            "POST {prefix}/channels/{channel}/messages HTTP/1.1\r\nHost: {}\r\nAuthorization: \
             {scheme} {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.address,
            body.len()
        )?;
        self.request.extend_from_slice(&body);
        Ok(())
    }

    fn read(&mut self, place: usize, buffer: &mut [u8], acknowledged: &mut Vec<u64>) -> Result<()> {
        let line = self.lines.get_mut(place).context("no such connection")?;
        loop {
            let n = match line.stream.read(buffer) {
                // It is opened again when it is needed.
                Ok(0) if line.posted.is_none() => return Ok(()),
                Ok(0) => bail!("the server closed a connection with a post under way"),
                Ok(n) => n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            };
            line.answer.extend_from_slice(&buffer[..n]);
            if n < buffer.len() {
                break;
            }
        }
        if !is_complete(&line.answer, Route::of(self.dialect).taken)? {
            return Ok(());
        }
        line.answer.clear();
        let mark = line.posted.take();
        acknowledged.push(mark.context("an answer without a request")?);
        self.free.push(place);
        match self.waiting.pop_front() {
            Some(mark) => self.post(mark),
            None => Ok(()),
        }
    }
}

fn connect(address: SocketAddr) -> Result<std::net::TcpStream> {
    let stream = std::net::TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Whether `bytes` are a whole answer; another status than `taken` is an error.
fn is_complete(bytes: &[u8], taken: u16) -> Result<bool> {
    ensure!(bytes.len() <= ANSWER_BYTES_MAX, "an answer is too large");
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut answer = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = answer.parse(bytes)? else {
        return Ok(false);
    };
    let length = answer
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"))
        .context("an answer without a length")?;
    let length: usize = std::str::from_utf8(length.value)?.parse()?;
    if bytes.len() < head + length {
        return Ok(false);
    }
    if answer.code != Some(taken) {
        bail!("a post was refused: {}", String::from_utf8_lossy(bytes));
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_complete_with_its_last_byte_and_counts_with_its_dialects_status_only() {
        let answer = b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}";
        for cut in 0..answer.len() {
            assert!(!is_complete(&answer[..cut], 201).unwrap(), "{cut}");
        }
        assert!(is_complete(answer, 201).unwrap());
        assert!(is_complete(answer, 200).is_err());
        let refused = b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n";
        assert!(is_complete(refused, 201).is_err());
    }
}
