//! One gateway connection: a task that reads, decides by the protocol's rules, and writes.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use guildhall_app::sessions::{MembersRequest, NewSession, Which};
use guildhall_app::{Presented, Refused};
use guildhall_host::node::ResumeError;
use guildhall_host::session::{Drained, Ended, SessionHandle};
use guildhall_model::Rejection;
use guildhall_wire::encode::{Agreement, AgreementError};
use guildhall_wire::gateway::protocol::{Connection as Rules, Effect};
use guildhall_wire::gateway::{self, Identify, MemberFilter, RequestMembers, Resume};
use guildhall_wire::{CloseCode, frame};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tracing::{debug, error, warn};

use crate::gateway::Gateway;
use crate::inlet::{Inlet, Message};
use crate::outlet::{Batch, Outlet};

/// Bytes of dispatches that one write carries, about.
const WRITE_BYTES: usize = 64 * 1024;
/// How long a client may take to close after it was told to reconnect.
const RECONNECT_GRACE: Duration = Duration::from_secs(5);
/// How long a last frame may take to be written.
const CLOSE_GRACE: Duration = Duration::from_secs(2);

type Reading = Pin<Box<dyn Future<Output = (Inlet, Message)> + Send>>;
type Opening = Pin<Box<dyn Future<Output = Opened> + Send>>;

/// What became of IDENTIFY or RESUME.
enum Opened {
    Session {
        handle: Box<SessionHandle>,
        is_resumed: bool,
    },
    /// Op 9, d: false.
    Invalid,
    Close(CloseCode),
}

/// Why the loop ends.
enum End {
    Close(CloseCode, String),
    /// The client has closed; with 1000 or 1001 the session is over.
    Closed(Option<u16>),
    Gone,
}

/// Serves a connection until it ends.
pub(crate) async fn run(
    gateway: Gateway,
    stream: TcpStream,
    early: Bytes,
    agreement: Result<Agreement, AgreementError>,
) {
    let (read, write) = stream.into_split();
    let usable = agreement.unwrap_or_default();
    let outlet = Outlet::new(write, usable, *gateway.spelling());
    let started = Instant::now();
    let rules = Rules::new(0, gateway.config().heartbeat_interval_ms);
    let reading: Reading = Box::pin(Inlet::new(early, read).next());
    let mut task = Task {
        gateway,
        outlet,
        rules,
        started,
        reading: Some(reading),
        opening: None,
        session: None,
        owes_resumed: false,
        leave_at: None,
    };
    metrics::counter!("guildhall_gateway_connections_total").increment(1);
    let end = match agreement {
        Ok(_) => task.serve().await,
        Err(error) => Ok(End::Close(error.close_code(), error.to_string())),
    };
    task.finish(end).await;
}

struct Task {
    gateway: Gateway,
    outlet: Outlet,
    rules: Rules,
    started: Instant,
    reading: Option<Reading>,
    opening: Option<Opening>,
    session: Option<Box<SessionHandle>>,
    /// RESUMED follows when what was missed is written.
    owes_resumed: bool,
    /// The client was told to reconnect and is expected to be gone by then.
    leave_at: Option<Instant>,
}

impl Task {
    async fn serve(&mut self) -> io::Result<End> {
        self.outlet
            .hello(self.gateway.config().heartbeat_interval_ms)
            .await?;
        loop {
            let deadline = self.deadline();
            let step = {
                let reading = async {
                    match &mut self.reading {
                        Some(reading) => reading.await,
                        None => std::future::pending().await,
                    }
                };
                let opening = async {
                    match &mut self.opening {
                        Some(opening) => opening.await,
                        None => std::future::pending().await,
                    }
                };
                let session = &self.session;
                let is_leaving = self.leave_at.is_some();
                let waiting = async {
                    match session {
                        Some(session) if !is_leaving => session.wait().await,
                        _ => std::future::pending().await,
                    }
                };
                tokio::select! {
                    // Cancel-safe: the futures that hold something are kept in the task.
                    (inlet, message) = reading => {
                        self.reading = Some(Box::pin(inlet.next()));
                        Step::Message(message)
                    }
                    opened = opening => {
                        self.opening = None;
                        Step::Opened(opened)
                    }
                    () = waiting => Step::Deliver,
                    () = tokio::time::sleep_until(deadline) => Step::Time,
                }
            };
            if let Some(end) = self.step(step).await? {
                return Ok(end);
            }
        }
    }

    async fn step(&mut self, step: Step) -> io::Result<Option<End>> {
        match step {
            Step::Message(Message::Payload(bytes)) => {
                let decoded = gateway::decode(self.outlet.encoding(), &bytes);
                let mut effects = Vec::new();
                self.rules.on_frame(self.now_ms(), decoded, &mut effects);
                self.carry_out(effects).await
            }
            Step::Message(Message::Ping(payload)) => {
                self.outlet.pong(&payload).await?;
                Ok(None)
            }
            Step::Message(Message::Close(code)) => Ok(Some(End::Closed(code))),
            Step::Message(Message::Gone) => Ok(Some(End::Gone)),
            Step::Message(Message::Broken(code)) => {
                Ok(Some(End::Close(code, code.reason().to_owned())))
            }
            Step::Opened(opened) => self.take_opened(opened).await,
            Step::Deliver => self.deliver().await,
            Step::Time => self.take_time().await,
        }
    }

    async fn take_time(&mut self) -> io::Result<Option<End>> {
        if self.leave_at.is_some_and(|at| at <= Instant::now()) {
            return Ok(Some(close(CloseCode::ServiceRestart)));
        }
        let waited = self.started.elapsed() >= self.gateway.config().identify_timeout;
        if self.session.is_none() && self.opening.is_none() && waited {
            return Ok(Some(close(CloseCode::SessionTimedOut)));
        }
        let mut effects = Vec::new();
        self.rules.on_time(self.now_ms(), &mut effects);
        self.carry_out(effects).await
    }

    async fn take_opened(&mut self, opened: Opened) -> io::Result<Option<End>> {
        match opened {
            Opened::Session { handle, is_resumed } => {
                self.owes_resumed = is_resumed;
                self.session = Some(handle);
                if let Some(end) = self.deliver().await? {
                    return Ok(Some(end));
                }
                let mut effects = Vec::new();
                self.rules.on_live(&mut effects);
                self.carry_out(effects).await
            }
            Opened::Invalid => {
                metrics::counter!("guildhall_sessions_invalid_total").increment(1);
                self.outlet
                    .own(|encoding, out| frame::invalid_session(encoding, false, out))
                    .await?;
                self.rules.on_invalid_session();
                Ok(None)
            }
            Opened::Close(code) => Ok(Some(close(code))),
        }
    }

    async fn carry_out(&mut self, effects: Vec<Effect>) -> io::Result<Option<End>> {
        for effect in effects {
            match effect {
                Effect::Acknowledge { .. } => self.outlet.own(frame::heartbeat_ack).await?,
                Effect::Identify(identify) => {
                    self.opening = Some(Box::pin(open(self.gateway.clone(), identify)));
                }
                Effect::Resume(resume) => {
                    self.opening = Some(Box::pin(take_back(self.gateway.clone(), resume)));
                }
                Effect::Presence(presence) => {
                    if let Some(session) = &self.session {
                        session.show(presence.status);
                    }
                }
                // Voice is answered by the voice gateway once there is one.
                Effect::VoiceState(_) => {}
                Effect::RequestMembers(request) => self.request_members(*request).await,
                Effect::Close { code, reason } => return Ok(Some(End::Close(code, reason))),
            }
        }
        Ok(None)
    }

    async fn request_members(&mut self, request: RequestMembers) {
        let (Some(session), Some(request)) = (&self.session, parse(&self.gateway, request)) else {
            return;
        };
        if let Err(refused) = self.gateway.app().request_members(session, request).await {
            // The protocol has no answer that says no.
            debug!(%refused, "a request for members is not answered");
        }
    }

    /// Writes what waits, many dispatches at a time.
    async fn deliver(&mut self) -> io::Result<Option<End>> {
        let mut waiting = Vec::new();
        loop {
            let Some(session) = &mut self.session else {
                return Ok(None);
            };
            waiting.clear();
            let drained = session.drain(WRITE_BYTES, &mut waiting);
            if let Drained::Ended(ended) = drained {
                return self.take_ended(ended).await;
            }
            let mut batch = Batch::default();
            for outgoing in &waiting {
                if let Err(failure) = self.outlet.add(&session.viewer(), outgoing, &mut batch) {
                    // Leaving it out would leave a gap in the numbers.
                    error!(%failure, "a dispatch cannot be rendered");
                    return Ok(Some(close(CloseCode::UnknownError)));
                }
            }
            if !batch.is_empty() {
                metrics::counter!("guildhall_dispatches_written_total")
                    .increment(batch.len() as u64);
                let ended = tokio::select! {
                    // Not cancel-safe, but the socket is closed when the write is given up.
                    written = self.outlet.write(&batch) => { written?; None }
                    ended = until_ended(session) => Some(ended),
                };
                if let Some(ended) = ended {
                    return Ok(Some(cut(ended)));
                }
            }
            if self.owes_resumed && !session.is_replaying() {
                self.owes_resumed = false;
                let s = session.s();
                metrics::counter!("guildhall_sessions_resumed_total").increment(1);
                self.outlet
                    .own(|encoding, out| frame::resumed(encoding, s, out))
                    .await?;
            }
            if drained == Drained::Empty {
                return Ok(None);
            }
        }
    }

    /// The session asks for the socket to be closed.
    async fn take_ended(&mut self, ended: Ended) -> io::Result<Option<End>> {
        if ended == Ended::Draining {
            self.outlet.own(frame::reconnect).await?;
            self.leave_at = Some(Instant::now() + RECONNECT_GRACE);
            return Ok(None);
        }
        Ok(Some(cut(ended)))
    }

    fn deadline(&self) -> Instant {
        let heartbeat = self.started + Duration::from_millis(self.rules.heartbeat_due_ms());
        let mut deadline = heartbeat;
        if self.session.is_none() && self.opening.is_none() {
            deadline = deadline.min(self.started + self.gateway.config().identify_timeout);
        }
        self.leave_at.map_or(deadline, |at| deadline.min(at))
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    async fn finish(&mut self, end: io::Result<End>) {
        match end {
            Ok(End::Close(code, reason)) => {
                let closing = self.outlet.close(code, &reason);
                // A client that does not read is not waited for.
                let _ = tokio::time::timeout(CLOSE_GRACE, closing).await;
                self.linger().await;
                if !code.session_survives()
                    && let Some(session) = &self.session
                {
                    session.finish();
                }
            }
            Ok(End::Closed(code)) => {
                if let (Some(1000 | 1001), Some(session)) = (code, &self.session) {
                    session.finish();
                }
                let closing = self.outlet.close(CloseCode::GoingAway, "");
                let _ = tokio::time::timeout(CLOSE_GRACE, closing).await;
            }
            Ok(End::Gone) => {}
            Err(error) => debug!(%error, "a socket broke"),
        }
    }

    /// Reads on for a moment, so that the system does not discard the close frame together with
    /// what the client had sent behind it.
    async fn linger(&mut self) {
        let until_gone = async {
            while let Some(reading) = self.reading.take() {
                let (inlet, message) = reading.await;
                if matches!(message, Message::Payload(_) | Message::Ping(_)) {
                    self.reading = Some(Box::pin(inlet.next()));
                }
            }
        };
        let _ = tokio::time::timeout(CLOSE_GRACE, until_gone).await;
    }
}

/// What the task turns to next.
enum Step {
    Message(Message),
    Opened(Opened),
    Deliver,
    Time,
}

fn close(code: CloseCode) -> End {
    End::Close(code, code.reason().to_owned())
}

/// The close that fits why a session gives its socket up.
fn cut(ended: Ended) -> End {
    match ended {
        Ended::Revoked => close(CloseCode::AuthenticationFailed),
        Ended::Lagging => {
            metrics::counter!("guildhall_sockets_lagging_total").increment(1);
            End::Close(
                CloseCode::UnknownError,
                "too slow: connect again and resume".to_owned(),
            )
        }
        Ended::Superseded => End::Close(
            CloseCode::UnknownError,
            "resumed on another connection".to_owned(),
        ),
        Ended::Draining | Ended::Failed => close(CloseCode::ServiceRestart),
    }
}

async fn until_ended(session: &SessionHandle) -> Ended {
    loop {
        // A drain waits until the write is done; the other endings do not.
        if let Some(ended) = session.ended().filter(|ended| *ended != Ended::Draining) {
            return ended;
        }
        session.listen().await;
    }
}

/// IDENTIFY: who asks, what for, and a session for it.
async fn open(gateway: Gateway, identify: Box<Identify>) -> Opened {
    if gateway.is_draining() {
        return Opened::Close(CloseCode::ServiceRestart);
    }
    let app = gateway.app();
    let ctx = match app
        .authenticate(&Presented::bare(identify.token.reveal()))
        .await
    {
        Ok(ctx) => ctx,
        Err(refused) => return Opened::Close(code_of(&refused)),
    };
    let intents = match identify.intents_for(&ctx.caller.credential) {
        Ok(intents) => intents,
        Err(error) => return Opened::Close(error.close_code()),
    };
    let status = identify.presence.map(|presence| presence.status);
    match app
        .open_session(
            &ctx,
            NewSession {
                intents,
                shard: identify.shard,
                status,
            },
        )
        .await
    {
        Ok(handle) => Opened::Session {
            handle: Box::new(handle),
            is_resumed: false,
        },
        Err(refused) => Opened::Close(code_of(&refused)),
    }
}

/// RESUME: the same caller, and a session that can be continued exactly.
async fn take_back(gateway: Gateway, resume: Box<Resume>) -> Opened {
    // A node that goes away would only send the client on again.
    if gateway.is_draining() {
        return Opened::Close(CloseCode::ServiceRestart);
    }
    let app = gateway.app();
    let ctx = match app
        .authenticate(&Presented::bare(resume.token.reveal()))
        .await
    {
        Ok(ctx) => ctx,
        Err(refused) => return Opened::Close(code_of(&refused)),
    };
    match app
        .resume_session(&ctx, &resume.session_id, resume.seq)
        .await
    {
        Ok(handle) => Opened::Session {
            handle: Box::new(handle),
            is_resumed: true,
        },
        Err(ResumeError::Refusal(refusal)) => {
            debug!(%refusal, "a session is not resumed");
            Opened::Invalid
        }
        Err(ResumeError::Failure(failure)) => {
            warn!(%failure, "a session could not be resumed");
            Opened::Close(CloseCode::UnknownError)
        }
    }
}

fn code_of(refused: &Refused) -> CloseCode {
    match refused {
        Refused::Rejection(Rejection::Unauthenticated) => CloseCode::AuthenticationFailed,
        Refused::Rejection(Rejection::LimitReached {
            what: "guilds per shard",
            ..
        }) => CloseCode::ShardingRequired,
        Refused::Rejection(Rejection::LimitReached { .. }) => CloseCode::RateLimited,
        Refused::Rejection(_) => CloseCode::UnknownError,
        Refused::Failure(failure) => {
            warn!(%failure, "a session could not be opened");
            CloseCode::UnknownError
        }
    }
}

/// A request whose ids mean something here. Unknown users are answered as not found only where
/// their ids could exist.
fn parse(gateway: &Gateway, request: RequestMembers) -> Option<MembersRequest> {
    let spelling = gateway.spelling();
    let which = match request.filter {
        MemberFilter::Ids(ids) => {
            Which::Ids(ids.iter().filter_map(|id| spelling.parse(id)).collect())
        }
        MemberFilter::Prefix { query, limit } => Which::Prefix(query, limit),
    };
    let guild_id = spelling.parse(&request.guild_id)?;
    Some(MembersRequest {
        guild_id,
        which,
        presences: request.presences,
        nonce: request.nonce,
    })
}
