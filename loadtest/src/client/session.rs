//! A gateway session that keeps itself alive: it comes back after every loss of its connection,
//! RESUMEs where it can and IDENTIFYs anew where op 9 says that it must.

use std::collections::HashSet;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::api::CallError;
use super::body::{Named, Ready};
use super::gateway::{self, Dialect, Envelope, Hello, op};
use super::news::{Listener, News};
use super::person::Person;
use super::socket::{self, Incoming, Reader, SocketError, Writer};
use super::target::Target;

/// How long HELLO may take.
const HELLO_TIMEOUT: Duration = Duration::from_secs(10);
/// The first and the longest pause before the next attempt; the real one is random below it.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// The least and the most that op 9 is waited out.
const INVALID_PAUSE_MS: (u64, u64) = (100, 500);
/// Attempts at the address that READY named, before the first address is tried again.
const RESUME_ATTEMPTS: u32 = 3;
/// Times that a refused token is renewed in a row.
const RENEWALS_MAX: u32 = 3;
/// Heartbeats may not come faster, whatever HELLO says.
const HEARTBEAT_MIN: Duration = Duration::from_millis(100);

/// Who a session identifies as.
#[derive(Clone)]
pub enum Identity {
    /// Somebody who is logged in; a refused token is renewed.
    Person(Person),
    /// The holder of a token, with the intents that bots must name.
    Token {
        /// The token as such.
        token: String,
        /// The bits.
        intents: Option<u64>,
    },
}

/// Why a session cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The server closed with a code after which clients must not come back.
    #[error("the gateway closed with {0}, after which no client may come back")]
    Forbidden(u16),
    /// The token was refused and could not be replaced.
    #[error("the gateway refused the token")]
    Unauthenticated(#[source] Option<CallError>),
}

/// A session, before it runs.
pub struct Session<L> {
    target: Target,
    dialect: Dialect,
    identity: Identity,
    listener: L,
    random: fastrand::Rng,
    open: Option<Open>,
    is_connected: bool,
    /// Attempts since the server last had the session.
    failures: u32,
    renewals: u32,
}

/// What is known of the session that is open.
struct Open {
    id: String,
    resume_at: Option<Target>,
    /// Guilds of READY that have not come yet. A session is resumable from the end of them on.
    due: HashSet<String>,
    is_settled: bool,
}

/// Why a connection is over.
enum End {
    Closed(Option<u16>),
    Reconnect,
    Invalid,
    /// The server has not answered a heartbeat.
    Silent,
}

/// What the two halves of a connection tell each other.
#[derive(Default)]
struct Pulse {
    seq: AtomicU64,
    is_acked: AtomicBool,
    /// The server asks for a heartbeat (op 1).
    wanted: Notify,
}

impl<L: Listener> Session<L> {
    /// A session on `target`. The seed makes its pauses repeatable.
    pub fn new(
        target: Target,
        dialect: Dialect,
        identity: Identity,
        listener: L,
        seed: u64,
    ) -> Self {
        Self {
            target,
            dialect,
            identity,
            listener,
            random: fastrand::Rng::with_seed(seed),
            open: None,
            is_connected: false,
            failures: 0,
            renewals: 0,
        }
    }

    /// Runs until `stop` or until it cannot go on; hands the listener back.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> (L, Result<(), SessionError>) {
        let ended = tokio::select! {
            biased;
            () = stop => Ok(()),
            error = self.live() => Err(error),
        };
        (self.listener, ended)
    }

    async fn live(&mut self) -> SessionError {
        let pulse = Pulse::default();
        loop {
            let end = self.connection(&pulse).await;
            let code = match end {
                Ok(End::Closed(code)) => code,
                Ok(_) | Err(_) => None,
            };
            if mem::take(&mut self.is_connected) {
                self.listener.hear(News::Close { code });
            }
            if let Some(error) = self.recover(code).await {
                return error;
            }
            let pause = match end {
                Ok(End::Invalid) => {
                    let (least, most) = INVALID_PAUSE_MS;
                    Duration::from_millis(self.random.u64(least..=most))
                }
                Ok(End::Reconnect) => Duration::ZERO,
                Ok(End::Closed(_) | End::Silent) | Err(_) => self.pause(),
            };
            sleep(pause).await;
        }
    }

    /// A random time below a bound that doubles with every failure, so that a thousand clients do
    /// not come back at once.
    fn pause(&mut self) -> Duration {
        let (first, longest) = PAUSE;
        let bound = first
            .saturating_mul(1 << self.failures.min(10))
            .min(longest);
        self.failures = self.failures.saturating_add(1);
        bound.mul_f64(self.random.f64())
    }

    /// What a close code asks for: <https://discord.com/developers/docs/topics/opcodes-and-status-codes>
    async fn recover(&mut self, code: Option<u16>) -> Option<SessionError> {
        match code {
            Some(4004) => {
                let Identity::Person(person) = self.identity.clone() else {
                    return Some(SessionError::Unauthenticated(None));
                };
                self.renewals += 1;
                if RENEWALS_MAX < self.renewals {
                    return Some(SessionError::Unauthenticated(None));
                }
                let token = person.access_token().await;
                match person.renew(&token).await {
                    Err(error) if !error.is_passing() => {
                        Some(SessionError::Unauthenticated(Some(error)))
                    }
                    _ => None,
                }
            }
            Some(code @ 4010..=4014) => Some(SessionError::Forbidden(code)),
            Some(4007 | 4009) => {
                self.open = None;
                None
            }
            _ => None,
        }
    }

    async fn connection(&mut self, pulse: &Pulse) -> Result<End, SocketError> {
        // Below the end of READY's guilds no RESUME is possible.
        self.open.take_if(|open| !open.due.is_empty());
        let resume_at = self.open.as_ref().and_then(|open| open.resume_at.as_ref());
        let address = match resume_at {
            Some(address) if self.failures < RESUME_ATTEMPTS => address,
            _ => &self.target,
        };
        let (mut reader, mut writer) = socket::connect(address, self.dialect).await?;
        self.is_connected = true;
        self.listener.hear(News::Connect);
        let interval = timeout(HELLO_TIMEOUT, hello(&mut reader))
            .await
            .unwrap_or(Err(SocketError::Timeout))?;
        let greeting = self.greeting(pulse).await;
        writer.send(greeting).await?;
        let jitter = interval.mul_f64(self.random.f64());
        // Neither half is cancelled while the connection is still of use.
        tokio::select! {
            end = self.attend(&mut reader, pulse) => end,
            end = beat(&mut writer, pulse, interval, jitter) => end,
        }
    }

    async fn greeting(&mut self, pulse: &Pulse) -> String {
        let (token, intents) = match &self.identity {
            Identity::Person(person) => (person.access_token().await, None),
            Identity::Token { token, intents } => (token.clone(), *intents),
        };
        if let Some(open) = &self.open {
            let seq = pulse.seq.load(Ordering::Relaxed);
            let session = open.id.as_str();
            self.listener.hear(News::Resume { session, seq });
            gateway::resume(&token, session, seq)
        } else {
            pulse.seq.store(0, Ordering::Relaxed);
            self.listener.hear(News::Identify);
            gateway::identify(&token, intents)
        }
    }

    async fn attend(&mut self, reader: &mut Reader, pulse: &Pulse) -> Result<End, SocketError> {
        loop {
            let text = match reader.next().await? {
                Incoming::Text(text) => text,
                Incoming::Close(code) => return Ok(End::Closed(code)),
            };
            let envelope: Envelope<'_> = serde_json::from_slice(&text)
                .map_err(|_| SocketError::Unreadable("a payload that is none"))?;
            let session = self.open.as_ref().map(|open| open.id.as_str());
            match envelope.op {
                op::DISPATCH => self.dispatch(&envelope, pulse)?,
                op::HEARTBEAT => pulse.wanted.notify_one(),
                op::HEARTBEAT_ACK => pulse.is_acked.store(true, Ordering::Relaxed),
                op::RECONNECT => {
                    self.listener.hear(News::Reconnect { session });
                    return Ok(End::Reconnect);
                }
                op::INVALID_SESSION => {
                    let resumable = envelope.d.is_some_and(|d| d.get() == "true");
                    self.listener.hear(News::Invalid { session, resumable });
                    if !resumable {
                        self.open = None;
                    }
                    return Ok(End::Invalid);
                }
                _ => return Err(SocketError::Unreadable("an op that is not for clients")),
            }
        }
    }

    fn dispatch(&mut self, envelope: &Envelope<'_>, pulse: &Pulse) -> Result<(), SocketError> {
        let event = envelope.t.as_deref().unwrap_or_default();
        let body = envelope.d.unwrap_or(RawValue::NULL);
        if let Some(s) = envelope.s {
            pulse.seq.store(s, Ordering::Relaxed);
        }
        match event {
            "READY" => self.ready(body)?,
            "RESUMED" => self.arrive(),
            _ => {}
        }
        self.listener.hear(News::Dispatch {
            session: self.open.as_ref().map(|open| open.id.as_str()),
            s: envelope.s.unwrap_or(0),
            event,
            body,
        });
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        let is_news_of_guild = matches!(event, "GUILD_CREATE" | "GUILD_DELETE");
        if is_news_of_guild && !open.due.is_empty() {
            let guild: Named<'_> = serde_json::from_str(body.get())
                .map_err(|_| SocketError::Unreadable("a guild without id"))?;
            open.due.remove(guild.id.as_ref());
        }
        if (is_news_of_guild || event == "READY") && open.due.is_empty() && !open.is_settled {
            open.is_settled = true;
            self.listener.hear(News::Settle { session: &open.id });
        }
        Ok(())
    }

    fn ready(&mut self, body: &RawValue) -> Result<(), SocketError> {
        let ready: Ready<'_> = serde_json::from_str(body.get())
            .map_err(|_| SocketError::Unreadable("a READY without what it must have"))?;
        let resume_at = ready.resume_gateway_url.as_deref().map(Target::parse);
        let resume_at = resume_at.and_then(Result::ok);
        self.listener.hear(News::Open {
            session: &ready.session_id,
            user: &ready.user.id,
        });
        self.open = Some(Open {
            id: ready.session_id.into_owned(),
            resume_at: resume_at.filter(|address| self.target.is_same_host(address)),
            due: ready
                .servers
                .into_iter()
                .map(|guild| guild.id.into_owned())
                .collect(),
            is_settled: false,
        });
        self.arrive();
        Ok(())
    }

    /// The server has the session: whatever went wrong before is over.
    const fn arrive(&mut self) {
        self.failures = 0;
        self.renewals = 0;
    }
}

async fn hello(reader: &mut Reader) -> Result<Duration, SocketError> {
    let Incoming::Text(text) = reader.next().await? else {
        return Err(SocketError::Unreadable("a close instead of HELLO"));
    };
    let envelope: Option<Envelope<'_>> = serde_json::from_slice(&text).ok();
    envelope
        .filter(|envelope| envelope.op == op::HELLO)
        .and_then(|envelope| serde_json::from_str::<Hello>(envelope.d?.get()).ok())
        .map(|hello| Duration::from_millis(hello.heartbeat_interval).max(HEARTBEAT_MIN))
        .ok_or(SocketError::Unreadable("something else than HELLO first"))
}

/// Sends heartbeats and whatever the reader owes, until the server no longer answers.
async fn beat(
    writer: &mut Writer,
    pulse: &Pulse,
    interval: Duration,
    jitter: Duration,
) -> Result<End, SocketError> {
    let mut due = Instant::now() + jitter;
    pulse.is_acked.store(true, Ordering::Relaxed);
    loop {
        tokio::select! {
            // Cancel-safe: a reply is taken only when it is returned, and then written to its end.
            Some(reply) = writer.next_reply() => {
                writer.send_reply(reply).await?;
                continue;
            }
            () = sleep_until(due) => {
                if !pulse.is_acked.swap(false, Ordering::Relaxed) {
                    return Ok(End::Silent);
                }
                due = Instant::now() + interval;
            }
            () = pulse.wanted.notified() => {}
        }
        let seq = pulse.seq.load(Ordering::Relaxed);
        let heartbeat = gateway::heartbeat((0 < seq).then_some(seq));
        writer.send(heartbeat).await?;
    }
}

#[cfg(test)]
mod tests;
