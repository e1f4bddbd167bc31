//! What went between a bot and the server, as the proxy between them has seen it.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::watch;

use crate::link::Payload;

/// Ids have at least so many digits.
const ID_DIGITS_MIN: usize = 15;
/// No segment of a path is so long but a secret.
const SECRET_CHARS_MIN: usize = 40;

/// One REST call.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The method, in capitals.
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
    /// The answer's media type, empty if it has none.
    pub media_type: String,
    /// The answer's body.
    pub body: Bytes,
}

impl Exchange {
    /// Whether the server has no such route, in the words of either dialect.
    pub fn is_unknown_route(&self) -> bool {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let has_no_resource = body["code"] == 0 || body["code"] == "unknown_route";
        matches!(self.status, 405 | 501) || (self.status == 404 && has_no_resource)
    }

    /// Whether the route takes no body of the kind that it got, such as a file.
    pub fn is_unknown_media_type(&self) -> bool {
        self.status == 415
    }

    /// The path with names in place of ids and secrets.
    pub fn template(&self) -> String {
        let segments = self.path.split('/').map(|segment| {
            let is_id =
                segment.len() >= ID_DIGITS_MIN && segment.bytes().all(|b| b.is_ascii_digit());
            match segment {
                _ if is_id => "{id}",
                _ if segment.starts_with('%') => "{emoji}",
                _ if segment.len() >= SECRET_CHARS_MIN => "{token}",
                other => other,
            }
        });
        segments.collect::<Vec<_>>().join("/")
    }
}

/// One payload of the gateway.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The connection, counted from 0.
    pub connection: usize,
    /// Who has sent it.
    pub from: Side,
    /// What it is.
    pub payload: Payload,
}

/// An end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The bot.
    Bot,
    /// The server.
    Server,
}

/// Everything, in the order in which it was seen. Clones share it.
#[derive(Clone, Debug)]
pub struct Record {
    seen: Arc<Mutex<Seen>>,
    changed: watch::Sender<()>,
}

/// The contents of a record.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The REST calls.
    pub exchanges: Vec<Exchange>,
    /// The payloads, of all connections.
    pub frames: Vec<Frame>,
    /// The query of each connection.
    pub connections: Vec<String>,
    /// Frames that nobody could read.
    pub unreadable: Vec<String>,
}

/// A point in a record, behind which something is looked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mark {
    exchanges: usize,
    frames: usize,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            seen: Arc::default(),
            changed: watch::Sender::new(()),
        }
    }
}

impl Record {
    /// Where it ends at present.
    pub fn mark(&self) -> Mark {
        let seen = self.seen.lock();
        Mark {
            exchanges: seen.exchanges.len(),
            frames: seen.frames.len(),
        }
    }

    /// A copy of everything.
    pub fn all(&self) -> Seen {
        self.seen.lock().clone()
    }

    /// The REST calls behind a mark.
    pub fn exchanges_since(&self, mark: Mark) -> Vec<Exchange> {
        self.seen.lock().exchanges[mark.exchanges..].to_vec()
    }

    /// The payloads behind a mark.
    pub fn frames_since(&self, mark: Mark) -> Vec<Frame> {
        self.seen.lock().frames[mark.frames..].to_vec()
    }

    /// Waits for so many payloads behind a mark that are as wanted.
    pub async fn until(&self, mark: Mark, count: usize, is_wanted: impl Fn(&Frame) -> bool) {
        let mut changed = self.changed.subscribe();
        while {
            let seen = self.seen.lock();
            let found = seen.frames[mark.frames..].iter().filter(|f| is_wanted(f));
            found.count() < count
        } {
            changed.changed().await.expect("the sender is ours");
        }
    }

    pub(super) fn write<T>(&self, change: impl FnOnce(&mut Seen) -> T) -> T {
        let written = change(&mut self.seen.lock());
        self.changed.send_replace(());
        written
    }
}
