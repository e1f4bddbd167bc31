//! REST calls that stand in the history, and that are repeated until they are answered.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::meter::Meter;
use crate::client::{Api, CallError, Person, Reply};
use crate::history::writer::Recorder;
use crate::history::{Access, Action, Entry, Request, Response};

/// The answer of a server that limits how often it is called.
const TOO_MANY_REQUESTS: u16 = 429;
/// How long a call is repeated.
const PATIENCE: Duration = Duration::from_mins(1);
/// The first and the longest pause between two tries.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// What everybody in a run shares.
pub(super) struct Stage {
    pub(super) api: Api,
    pub(super) meter: Arc<Meter>,
    recorders: Vec<Recorder>,
    calls: AtomicU64,
}

/// What a call is about, as the history tells it.
#[derive(Clone, Debug)]
pub(super) struct Deed {
    pub(super) action: Action,
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) channel: Option<String>,
    pub(super) message: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) tag: Option<String>,
    /// Who may see what once it is done: channel, user, sight.
    pub(super) access: Vec<(String, String, bool)>,
}

impl Deed {
    pub(super) const fn new(action: Action, method: &'static str, path: String) -> Self {
        Self {
            action,
            method,
            path,
            channel: None,
            message: None,
            nonce: None,
            tag: None,
            access: Vec::new(),
        }
    }

    fn request<'a>(&'a self, call: u64, user: &'a str) -> Request<'a> {
        Request {
            call,
            user: user.into(),
            action: self.action,
            method: self.method.into(),
            path: self.path.as_str().into(),
            channel: self.channel.as_deref().map(Into::into),
            message: self.message.as_deref().map(Into::into),
            nonce: self.nonce.as_deref().map(Into::into),
            tag: self.tag.as_deref().map(Into::into),
            access: self
                .access
                .iter()
                .map(|(channel, user, view)| Access {
                    channel: channel.as_str().into(),
                    user: user.as_str().into(),
                    view: *view,
                })
                .collect(),
        }
    }
}

impl Stage {
    pub(super) fn new(api: Api, recorders: Vec<Recorder>, meter: Arc<Meter>) -> Arc<Self> {
        Arc::new(Self {
            api,
            meter,
            recorders,
            calls: AtomicU64::new(1),
        })
    }

    /// The file of a user's calls or of a session.
    pub(super) fn recorder(&self, index: usize) -> &Recorder {
        &self.recorders[index % self.recorders.len()]
    }

    pub(super) fn flush(&self) -> io::Result<()> {
        self.recorders.iter().try_for_each(Recorder::flush)
    }

    /// Makes a call, once, and writes it down; `made` finds the id of the message that it made.
    pub(super) async fn once<T>(
        &self,
        (index, user): (usize, &str),
        deed: &Deed,
        call: impl Future<Output = Result<Reply<T>, CallError>>,
        made: Option<fn(&T) -> &str>,
    ) -> Result<T, CallError> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let recorder = self.recorder(index);
        recorder.record(Entry::Request(deed.request(number, user)));
        let answer = call.await;
        let (status, message) = match &answer {
            Ok(reply) => (reply.status, made.map(|made| made(&reply.body))),
            Err(error) => (error.status(), None),
        };
        recorder.record(Entry::Response(Response {
            call: number,
            status,
            message: message.map(Into::into),
        }));
        answer.map(|reply| reply.body)
    }

    /// Makes a call until it is answered: losses of the connection, overload and failures of the
    /// server pass.
    pub(super) async fn insist<T, F: Future<Output = Result<Reply<T>, CallError>>>(
        &self,
        caller: (usize, &str),
        deed: &Deed,
        call: impl Fn() -> F,
        made: Option<fn(&T) -> &str>,
    ) -> Result<T, CallError> {
        let deadline = Instant::now() + PATIENCE;
        let mut pause = PAUSE.0;
        loop {
            match self.once(caller, deed, call(), made).await {
                Err(error) if error.is_passing() && Instant::now() < deadline => {
                    self.meter.retried();
                    if error.status() == TOO_MANY_REQUESTS {
                        // The rate that was asked for is not what the server is measured with.
                        let what = "the server limits rates; start it with \
                                    GUILDHALL__LIMITS__RATE_LIMITS=off to measure it";
                        self.meter.complain(what.to_owned());
                    }
                    sleep(error.retry_after().unwrap_or(pause).min(PATIENCE)).await;
                    pause = (pause * 2).min(PAUSE.1);
                }
                other => return other,
            }
        }
    }
}

/// A user of the town: the person, and the number that says where its calls are written down.
#[derive(Clone)]
pub(super) struct Citizen {
    pub(super) index: usize,
    pub(super) person: Person,
}

impl Citizen {
    /// Who calls, for [`Stage::insist`].
    pub(super) fn caller(&self) -> (usize, &str) {
        (self.index, self.person.id())
    }
}

#[cfg(test)]
mod tests;
