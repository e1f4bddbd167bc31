//! The rules of one gateway connection that need no I/O: what a client may send when, how often,
//! and how long it may be silent.
//!
//! Time is handed in as milliseconds from any fixed point. A clock that steps back grants time, it
//! never takes any. After an [`Effect::Close`] nothing else is asked for.

use guildhall_model::limits;

use super::{
    DecodeError, Identify, Inbound, Presence, RequestChannelInfo, RequestMembers, RequestSounds,
    Resume, VoiceState,
};
use crate::close_code::CloseCode;

/// Payloads that may wait for the session that IDENTIFY or RESUME asked for. Libraries send a
/// presence and perhaps requests for members there; one that sends more is out of order.
pub const PENDING_MAX: usize = 16;

/// What a connection asks its socket task to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send op 11. `seen` is the last dispatch that the client says it has.
    Acknowledge {
        /// `None` where it has seen nothing.
        seen: Option<u64>,
    },
    /// Check the token and open a session; then [`Connection::on_live`] or
    /// [`Connection::on_invalid_session`].
    Identify(Box<Identify>),
    /// Check the token and take the session on; then as for [`Effect::Identify`].
    Resume(Box<Resume>),
    /// Show the session's user so.
    Presence(Presence),
    /// Put the session's user there.
    VoiceState(VoiceState),
    /// Answer with chunks of members.
    RequestMembers(Box<RequestMembers>),
    /// Answer with the sounds of each guild.
    RequestSounds(RequestSounds),
    /// Answer with what the channels of the guild are about.
    RequestChannelInfo(RequestChannelInfo),
    /// Close the socket; nothing follows.
    Close {
        /// Why.
        code: CloseCode,
        /// For people; never holds anything that the client sent.
        reason: String,
    },
}

/// Where a connection stands.
#[derive(Debug)]
enum State {
    /// HELLO was sent.
    AwaitingIdentify,
    /// The session is being opened or taken on.
    Identifying {
        /// Acted on as soon as the session is there.
        pending: Vec<Effect>,
    },
    /// The session is this connection's.
    Live,
    /// Nothing is read and nothing is asked for any more.
    Closed,
}

/// One connection, from HELLO to its close.
#[derive(Debug)]
pub struct Connection {
    state: State,
    heartbeat_interval_ms: u64,
    beat_at_ms: u64,
    window_start_ms: u64,
    window_frames: u32,
}

impl Connection {
    /// A connection whose HELLO, sent now, asks for a heartbeat at this interval.
    pub fn new(now_ms: u64, heartbeat_interval_ms: u32) -> Self {
        Self {
            state: State::AwaitingIdentify,
            heartbeat_interval_ms: heartbeat_interval_ms.into(),
            beat_at_ms: now_ms,
            window_start_ms: now_ms,
            window_frames: 0,
        }
    }

    /// When [`Self::on_time`] is to be called, unless a heartbeat comes first.
    pub const fn heartbeat_due_ms(&self) -> u64 {
        // Libraries beat up to a quarter late under load (measured); half an interval is room.
        let patience = self
            .heartbeat_interval_ms
            .saturating_add(self.heartbeat_interval_ms / 2);
        self.beat_at_ms.saturating_add(patience)
    }

    /// The connection has its session.
    pub const fn is_live(&self) -> bool {
        matches!(self.state, State::Live)
    }

    /// The close was asked for.
    pub const fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// A frame came, decoded or not.
    pub fn on_frame(
        &mut self,
        now_ms: u64,
        frame: Result<Inbound, DecodeError>,
        out: &mut Vec<Effect>,
    ) {
        if self.is_closed() {
            return;
        }
        if !self.admit(now_ms) {
            self.close(CloseCode::RateLimited, out);
            return;
        }
        match frame {
            Err(error) => self.close_because(error.close_code(), &error.to_string(), out),
            Ok(Inbound::Heartbeat(seen)) => {
                self.beat_at_ms = now_ms.max(self.beat_at_ms);
                out.push(Effect::Acknowledge { seen });
            }
            Ok(Inbound::Identify(identify)) => self.begin(Effect::Identify(identify), out),
            Ok(Inbound::Resume(resume)) => self.begin(Effect::Resume(resume), out),
            Ok(Inbound::Presence(presence)) => self.act(Effect::Presence(presence), out),
            Ok(Inbound::VoiceState(voice)) => self.act(Effect::VoiceState(voice), out),
            Ok(Inbound::RequestMembers(request)) => {
                self.act(Effect::RequestMembers(request), out);
            }
            Ok(Inbound::RequestSounds(request)) => self.act(Effect::RequestSounds(request), out),
            Ok(Inbound::RequestChannelInfo(request)) => {
                self.act(Effect::RequestChannelInfo(request), out);
            }
        }
    }

    /// A ping or a pong came. It counts as a frame, because it is answered like one.
    pub fn on_control(&mut self, now_ms: u64, out: &mut Vec<Effect>) {
        if !self.is_closed() && !self.admit(now_ms) {
            self.close(CloseCode::RateLimited, out);
        }
    }

    /// Time has passed.
    pub fn on_time(&mut self, now_ms: u64, out: &mut Vec<Effect>) {
        if !self.is_closed() && self.heartbeat_due_ms() <= now_ms {
            self.close(CloseCode::SessionTimedOut, out);
        }
    }

    /// The session that was asked for is this connection's; what had to wait for it follows.
    pub fn on_live(&mut self, out: &mut Vec<Effect>) {
        if let State::Identifying { pending } = &mut self.state {
            out.append(pending);
            self.state = State::Live;
        }
    }

    /// Op 9 was sent: the client may IDENTIFY on the same connection. What waited is dropped.
    pub fn on_invalid_session(&mut self) {
        if !self.is_closed() {
            self.state = State::AwaitingIdentify;
        }
    }

    /// The server closes for a reason of its own, such as a drain or a revoked login.
    pub fn on_close(&mut self, code: CloseCode, out: &mut Vec<Effect>) {
        if !self.is_closed() {
            self.close(code, out);
        }
    }

    /// Counts a frame. A window begins with the first frame after the one before has passed, as
    /// libraries count too: fixed windows on both sides would drift against each other and refuse
    /// a client that keeps to the limit.
    fn admit(&mut self, now_ms: u64) -> bool {
        let age_ms = now_ms.saturating_sub(self.window_start_ms);
        if self.window_frames == 0 || limits::GATEWAY_SENDS_WINDOW_MS <= age_ms {
            self.window_start_ms = now_ms;
            self.window_frames = 0;
        }
        self.window_frames += 1;
        self.window_frames <= limits::GATEWAY_SENDS_MAX
    }

    /// Asks for a session.
    fn begin(&mut self, effect: Effect, out: &mut Vec<Effect>) {
        if matches!(self.state, State::AwaitingIdentify) {
            self.state = State::Identifying {
                pending: Vec::new(),
            };
            out.push(effect);
        } else {
            self.close(CloseCode::AlreadyAuthenticated, out);
        }
    }

    /// Does what needs a session.
    fn act(&mut self, effect: Effect, out: &mut Vec<Effect>) {
        match &mut self.state {
            State::Live => out.push(effect),
            State::Identifying { pending } if pending.len() < PENDING_MAX => pending.push(effect),
            State::Identifying { .. } => self.close(CloseCode::RateLimited, out),
            State::AwaitingIdentify => self.close(CloseCode::NotAuthenticated, out),
            State::Closed => {}
        }
    }

    fn close(&mut self, code: CloseCode, out: &mut Vec<Effect>) {
        self.close_because(code, code.reason(), out);
    }

    fn close_because(&mut self, code: CloseCode, reason: &str, out: &mut Vec<Effect>) {
        self.state = State::Closed;
        out.push(Effect::Close {
            code,
            reason: reason.to_owned(),
        });
    }
}

#[cfg(test)]
mod tests;
