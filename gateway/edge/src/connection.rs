//! One gateway connection: a task that reads, decides by the protocol's rules, and writes.

mod ending;
mod opening;

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use guildhall_host::session::{Drained, Ended, SessionHandle};
use guildhall_model::dispatch::Dispatch;
use guildhall_model::{GuildId, limits};
use guildhall_wire::encode::{Agreement, AgreementError};
use guildhall_wire::gateway::protocol::{Connection as Rules, Effect};
use guildhall_wire::gateway::{self, RequestMembers};
use guildhall_wire::ws::reader::Message;
use guildhall_wire::ws::{self, FrameKind};
use guildhall_wire::{CloseCode, frame};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};
use tracing::{debug, error};

use self::ending::{End, close};
use self::opening::Opened;
use crate::batch::Batch;
use crate::gateway::Gateway;
use crate::inlet::{Heard, Inlet};
use crate::outlet::Outlet;
use crate::socket::Socket;

/// Bytes of dispatches that one write carries, about.
const WRITE_BYTES: usize = 64 * 1024;
/// How long a client may take to close after it was told to reconnect.
const RECONNECT_GRACE: Duration = Duration::from_secs(5);
type Opening = Pin<Box<dyn Future<Output = Opened> + Send>>;

thread_local! {
    /// What all connections of a thread put their writes together in: most writes are done at
    /// once, and then nobody has to hold what was written.
    static BATCH: RefCell<Batch> = RefCell::default();
}

/// What the task turns to next.
enum Step {
    Heard(Heard),
    Opened(Opened),
    Deliver,
    Time,
}

/// What became of a write.
enum Pushed {
    /// All that was taken is written; more may wait.
    Written { more: bool },
    /// The system takes no more now.
    Blocked { batch: Batch, more: bool },
    /// The session asks for the socket to be closed.
    Ended(Ended),
    /// Leaving a dispatch out would leave a gap in the numbers.
    Unreadable,
}

/// Serves a connection until it ends.
pub(crate) async fn run(
    gateway: Gateway,
    stream: TcpStream,
    early: Bytes,
    agreement: Result<Agreement, AgreementError>,
) {
    let usable = agreement.unwrap_or_default();
    let started = Instant::now();
    let rules = Rules::new(0, gateway.config().heartbeat_interval_ms);
    gateway.meters().connections.increment(1);
    let mut task = Task {
        socket: Socket::new(stream),
        inlet: Inlet::new(&early, limits::GATEWAY_FRAME_BYTES_MAX),
        outlet: Outlet::new(usable, gateway.installation().clone()),
        gateway,
        rules,
        version: usable.version,
        started,
        timer: Box::pin(sleep_until(started)),
        opening: None,
        session: None,
        owes_resumed: false,
        leave_at: None,
    };
    // Empty, it still keeps the whole buffer of the HTTP connection.
    drop(early);
    let end = match agreement {
        Ok(_) => task.serve().await,
        Err(error) => Ok(End::Close(error.close_code(), error.to_string())),
    };
    task.finish(end).await;
}

struct Task {
    gateway: Gateway,
    socket: Socket,
    inlet: Inlet,
    outlet: Outlet,
    rules: Rules,
    /// Of the protocol.
    version: u8,
    started: Instant,
    /// Fires at the deadline, or earlier: it is not set anew with every heartbeat.
    timer: Pin<Box<Sleep>>,
    opening: Option<Opening>,
    session: Option<Box<SessionHandle>>,
    /// RESUMED follows when what was missed is written.
    owes_resumed: bool,
    /// The client was told to reconnect and is expected to be gone by then.
    leave_at: Option<Instant>,
}

impl Task {
    async fn serve(&mut self) -> io::Result<End> {
        let interval_ms = self.gateway.config().heartbeat_interval_ms;
        self.socket.write(&self.outlet.hello(interval_ms)).await?;
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
            && let Poll::Ready(opened) = opening.as_mut().poll(cx)
        {
            self.opening = None;
            return Poll::Ready(Step::Opened(opened));
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
            Step::Opened(opened) => self.take_opened(opened).await,
            Step::Deliver => self.deliver().await,
            Step::Time => self.take_time().await,
        }
    }

    async fn hear(&mut self, message: Message) -> io::Result<Option<End>> {
        let mut effects = Vec::new();
        match message {
            Message::Text(payload) | Message::Binary(payload) => {
                let decoded = gateway::decode(self.outlet.encoding(), &payload);
                self.rules.on_frame(self.now_ms(), decoded, &mut effects);
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
                self.gateway.meters().invalid.increment(1);
                let invalid = |encoding, out: &mut _| frame::invalid_session(encoding, false, out);
                self.socket.write(&self.outlet.own(invalid)).await?;
                self.rules.on_invalid_session();
                Ok(None)
            }
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
                    let open = opening::open(self.gateway.clone(), identify, self.version);
                    self.opening = Some(Box::pin(open));
                }
                Effect::Resume(resume) => {
                    let take_back = opening::take_back(self.gateway.clone(), resume);
                    self.opening = Some(Box::pin(take_back));
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

    /// Writes what waits, many dispatches at a time.
    async fn deliver(&mut self) -> io::Result<Option<End>> {
        loop {
            let more = match self.push()? {
                Pushed::Written { more } => more,
                Pushed::Blocked { batch, more } => {
                    if let Some(ended) = self.write_on(batch).await? {
                        return Ok(Some(self.cut(ended)));
                    }
                    more
                }
                Pushed::Ended(ended) => return self.take_ended(ended).await,
                Pushed::Unreadable => return Ok(Some(close(CloseCode::UnknownError))),
            };
            self.say_resumed().await?;
            if !more {
                return Ok(None);
            }
        }
    }

    /// Takes what waits, up to a bound, and writes it as far as the system takes it at once.
    fn push(&mut self) -> io::Result<Pushed> {
        let Some(session) = &mut self.session else {
            return Ok(Pushed::Written { more: false });
        };
        BATCH.with_borrow_mut(|batch| {
            batch.clear();
            let more = match session.drain(WRITE_BYTES, &mut batch.waiting) {
                Drained::More => true,
                Drained::Empty => false,
                Drained::Ended(ended) => return Ok(Pushed::Ended(ended)),
            };
            let waiting = std::mem::take(&mut batch.waiting);
            for outgoing in &waiting {
                if let Err(failure) = self.outlet.add(&session.viewer(), outgoing, batch) {
                    error!(%failure, "a dispatch cannot be rendered");
                    return Ok(Pushed::Unreadable);
                }
            }
            let dispatches = waiting.len() as u64;
            batch.waiting = waiting;
            self.gateway.meters().dispatches.increment(dispatches);
            if batch.is_empty() || batch.try_write(&self.socket)? {
                return Ok(Pushed::Written { more });
            }
            batch.waiting.clear();
            let batch = std::mem::take(batch);
            Ok(Pushed::Blocked { batch, more })
        })
    }

    /// Writes the rest of a batch, unless the session gives the socket up.
    async fn write_on(&mut self, mut batch: Batch) -> io::Result<Option<Ended>> {
        let Some(session) = &self.session else {
            return Ok(None);
        };
        tokio::select! {
            // Not cancel-safe, but the socket is closed when the write is given up.
            written = batch.write(&self.socket) => written.map(|()| None),
            ended = poll_fn(|cx| session.poll_cut(cx)) => Ok(Some(ended)),
        }
    }

    /// RESUMED goes between what was missed and what is new.
    async fn say_resumed(&mut self) -> io::Result<()> {
        let Some(session) = &self.session else {
            return Ok(());
        };
        if !self.owes_resumed || session.is_replaying() {
            return Ok(());
        }
        self.owes_resumed = false;
        self.gateway.meters().resumed.increment(1);
        let s = session.s();
        let resumed = |encoding, out: &mut _| frame::resumed(encoding, s, out);
        self.socket.write(&self.outlet.own(resumed)).await
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
