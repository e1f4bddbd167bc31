//! One gateway connection: a task that reads, decides by the protocol's rules, and writes.

mod delivery;
mod ending;
mod handing_over;
mod opening;

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use guildhall_host::session::{Ended, SessionHandle};
use guildhall_model::dispatch::Dispatch;
use guildhall_model::{GuildId, limits};
use guildhall_wire::encode::{Agreement, AgreementError};
use guildhall_wire::gateway::protocol::{Connection as Rules, Effect};
use guildhall_wire::gateway::{self, RequestMembers};
use guildhall_wire::ws::reader::Message;
use guildhall_wire::ws::{self, FrameKind};
use guildhall_wire::{CloseCode, frame};
use tokio::time::{Instant, Sleep, sleep_until};
use tracing::debug;

use self::ending::{End, close};
use self::opening::Opened;
use crate::gateway::Gateway;
use crate::inlet::{Heard, Inlet};
use crate::outlet::Outlet;
use crate::preface::Preface;
use crate::socket::Socket;

/// How long a client may take to close after it was told to reconnect.
const RECONNECT_GRACE: Duration = Duration::from_secs(5);

/// A session that was asked for.
struct Opening {
    asked: Pin<Box<dyn Future<Output = Opened> + Send>>,
    /// RESUME and what waits for its answer, as the client has sent it. Nothing of IDENTIFY, which
    /// no other node answers.
    said: Option<Vec<u8>>,
}

impl Opening {
    fn of(asked: impl Future<Output = Opened> + Send + 'static, said: Option<Vec<u8>>) -> Self {
        let asked = Box::pin(asked);
        Self { asked, said }
    }
}

/// What the task turns to next.
enum Step {
    Heard(Heard),
    /// With what the client has said meanwhile.
    Opened(Opened, Vec<u8>),
    Deliver,
    Time,
}

/// Serves a connection until it ends.
pub(crate) async fn run(
    gateway: Gateway,
    socket: Socket,
    early: Bytes,
    agreement: Result<Agreement, AgreementError>,
) {
    let beginning = Beginning {
        agreement: agreement.unwrap_or_default(),
        heartbeat_interval_ms: gateway.config().heartbeat_interval_ms,
        hops: 0,
    };
    let mut task = Task::new(gateway, socket, &early, beginning);
    // Empty, it still keeps the whole buffer of the HTTP connection.
    drop(early);
    let end = match agreement {
        Ok(_) => task.greet_and_serve().await,
        Err(error) => Ok(End::Close(error.close_code(), error.to_string())),
    };
    task.finish(end).await;
}

/// Goes on with a connection that another node has begun.
pub(crate) async fn go_on(gateway: Gateway, socket: Socket, preface: Preface) {
    let Preface {
        agreement,
        heartbeat_interval_ms,
        hops,
        early,
    } = preface;
    let beginning = Beginning {
        agreement,
        heartbeat_interval_ms,
        hops,
    };
    let mut task = Task::new(gateway, socket, &early, beginning);
    drop(early);
    let end = task.serve().await;
    task.finish(end).await;
}

/// How a connection began, here or at another node.
#[derive(Clone, Copy)]
struct Beginning {
    agreement: Agreement,
    heartbeat_interval_ms: u32,
    hops: u8,
}

struct Task {
    gateway: Gateway,
    socket: Socket,
    inlet: Inlet,
    outlet: Outlet,
    rules: Rules,
    /// As HELLO has it.
    heartbeat_interval_ms: u32,
    /// How often the socket was handed over until it came here.
    hops: u8,
    started: Instant,
    /// Fires at the deadline, or earlier: it is not set anew with every heartbeat.
    timer: Pin<Box<Sleep>>,
    opening: Option<Box<Opening>>,
    session: Option<Box<SessionHandle>>,
    /// RESUMED follows when what was missed is written.
    owes_resumed: bool,
    /// The client was told to reconnect and is expected to be gone by then.
    leave_at: Option<Instant>,
}

impl Task {
    fn new(gateway: Gateway, socket: Socket, early: &[u8], beginning: Beginning) -> Self {
        let Beginning {
            agreement,
            heartbeat_interval_ms,
            hops,
        } = beginning;
        gateway.meters().connections.increment(1);
        let started = Instant::now();
        Self {
            socket,
            inlet: Inlet::new(early, limits::GATEWAY_FRAME_BYTES_MAX),
            outlet: Outlet::new(agreement, gateway.installation().clone()),
            gateway,
            rules: Rules::new(0, heartbeat_interval_ms),
            heartbeat_interval_ms,
            hops,
            started,
            timer: Box::pin(sleep_until(started)),
            opening: None,
            session: None,
            owes_resumed: false,
            leave_at: None,
        }
    }

    async fn greet_and_serve(&mut self) -> io::Result<End> {
        let hello = self.outlet.hello(self.heartbeat_interval_ms);
        self.socket.write(&hello).await?;
        drop(hello);
        self.serve().await
    }

    async fn serve(&mut self) -> io::Result<End> {
        loop {
            let step = poll_fn(|cx| self.poll_step(cx)).await;
            if let Some(end) = self.step(step).await? {
                return Ok(end);
            }
        }
    }

    /// Deliveries come first: they are what a connection is for. What a client has sent before its
    /// time ran out is heard before that is noticed.
    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        if let (Some(session), None) = (&self.session, self.leave_at)
            && session.poll_wait(cx).is_ready()
        {
            return Poll::Ready(Step::Deliver);
        }
        if let Some(opening) = &mut self.opening
            && let Poll::Ready(opened) = opening.asked.as_mut().poll(cx)
        {
            let said = opening.said.take().unwrap_or_default();
            self.opening = None;
            return Poll::Ready(Step::Opened(opened, said));
        }
        if let Poll::Ready(heard) = self.inlet.poll_next(&self.socket, cx) {
            return Poll::Ready(Step::Heard(heard));
        }
        self.poll_deadline(cx).map(|()| Step::Time)
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = self.deadline();
        if deadline < self.timer.deadline() {
            self.timer.as_mut().reset(deadline);
        }
        loop {
            ready!(self.timer.as_mut().poll(cx));
            if deadline <= self.timer.deadline() {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(deadline);
        }
    }

    async fn step(&mut self, step: Step) -> io::Result<Option<End>> {
        match step {
            Step::Heard(Heard::Message(message)) => self.hear(message).await,
            Step::Heard(Heard::Broken(violation)) => {
                let reason = violation.to_string();
                Ok(Some(End::Close(violation.close_code(), reason)))
            }
            Step::Heard(Heard::Gone) => Ok(Some(End::Gone)),
            Step::Opened(opened, said) => self.take_opened(opened, said).await,
            Step::Deliver => self.deliver().await,
            Step::Time => self.take_time().await,
        }
    }

    async fn hear(&mut self, message: Message) -> io::Result<Option<End>> {
        let mut effects = Vec::new();
        match message {
            Message::Text(payload) => return self.hear_payload(FrameKind::Text, &payload).await,
            Message::Binary(payload) => {
                return self.hear_payload(FrameKind::Binary, &payload).await;
            }
            Message::Ping(payload) => {
                self.rules.on_control(self.now_ms(), &mut effects);
                if effects.is_empty() {
                    let pong = ws::frame(FrameKind::Pong, &payload);
                    self.socket.write(&pong).await?;
                }
            }
            Message::Pong => self.rules.on_control(self.now_ms(), &mut effects),
            Message::Close(code) => return Ok(Some(End::Closed(code))),
        }
        self.carry_out(effects).await
    }

    async fn hear_payload(&mut self, kind: FrameKind, payload: &[u8]) -> io::Result<Option<End>> {
        let decoded = gateway::decode(self.outlet.encoding(), payload);
        let mut effects = Vec::new();
        self.rules.on_frame(self.now_ms(), decoded, &mut effects);
        // What asks for nothing now waits until there is a session.
        let waits = matches!(effects[..], [] | [Effect::Resume(_)]);
        let end = self.carry_out(effects).await?;
        if let Some(said) = self.opening.as_mut().and_then(|it| it.said.as_mut())
            && waits
        {
            ws::client_frame(kind, payload, said);
        }
        Ok(end)
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

    async fn take_opened(&mut self, opened: Opened, said: Vec<u8>) -> io::Result<Option<End>> {
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
                self.gateway.meters().invalid.increment(1);
                let invalid = |encoding, out: &mut _| frame::invalid_session(encoding, false, out);
                self.socket.write(&self.outlet.own(invalid)).await?;
                self.rules.on_invalid_session();
                Ok(None)
            }
            // Most connections stay here: they need not have room for this.
            Opened::Elsewhere(node) => Ok(Some(Box::pin(self.hand_over(node, said)).await)),
            Opened::Close(code) => Ok(Some(close(code))),
        }
    }

    async fn carry_out(&mut self, effects: Vec<Effect>) -> io::Result<Option<End>> {
        for effect in effects {
            match effect {
                Effect::Acknowledge { .. } => {
                    let acknowledged = self.outlet.own(frame::heartbeat_ack);
                    self.socket.write(&acknowledged).await?;
                }
                Effect::Identify(identify) => {
                    let version = self.outlet.agreement().version;
                    let open = opening::open(self.gateway.clone(), identify, version);
                    self.opening = Some(Box::new(Opening::of(open, None)));
                }
                Effect::Resume(resume) => {
                    let take_back = opening::take_back(self.gateway.clone(), resume);
                    self.opening = Some(Box::new(Opening::of(take_back, Some(Vec::new()))));
                }
                Effect::Presence(presence) => {
                    if let Some(session) = &self.session {
                        session.show(presence.status);
                    }
                }
                // Voice is answered by the voice gateway once there is one.
                Effect::VoiceState(_) => {}
                Effect::RequestMembers(request) => self.request_members(*request).await,
                Effect::RequestSounds(request) => {
                    for guild in request.guild_ids {
                        self.answer(&guild, Dispatch::Sounds).await;
                    }
                }
                Effect::RequestChannelInfo(request) => {
                    self.answer(&request.guild_id, Dispatch::ChannelInfo).await;
                }
                Effect::Close { code, reason } => return Ok(Some(End::Close(code, reason))),
            }
        }
        Ok(None)
    }

    async fn request_members(&mut self, request: RequestMembers) {
        let request = opening::members_request(&self.gateway, request);
        let (Some(session), Some(request)) = (&self.session, request) else {
            return;
        };
        if let Err(refused) = self.gateway.app().request_members(session, request).await {
            // The protocol has no answer that says no.
            debug!(%refused, "a request for members is not answered");
        }
    }

    /// Answers a question about a guild to whom is in it.
    async fn answer(&mut self, guild: &str, answer: fn(GuildId) -> Dispatch) {
        let guild = self.gateway.spelling().parse(guild);
        let (Some(session), Some(guild)) = (&self.session, guild) else {
            return;
        };
        if let Err(refused) = self.gateway.app().answer(session, guild, answer).await {
            debug!(%refused, "a question about a guild is not answered");
        }
    }

    /// The session asks for the socket to be closed.
    async fn take_ended(&mut self, ended: Ended) -> io::Result<Option<End>> {
        if ended == Ended::Draining {
            let reconnect = self.outlet.own(frame::reconnect);
            self.socket.write(&reconnect).await?;
            self.leave_at = Some(Instant::now() + RECONNECT_GRACE);
            return Ok(None);
        }
        Ok(Some(self.cut(ended)))
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
}
