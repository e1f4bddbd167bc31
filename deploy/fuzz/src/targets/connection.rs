//! The rules of a gateway connection under any sequence of frames and times, against a slow twin
//! that keeps the whole history.

use guildhall_model::limits;
use guildhall_wire::gateway::protocol::{Connection, Effect, PENDING_MAX};
use guildhall_wire::gateway::{DecodeError, Inbound, decode};
use guildhall_wire::{CloseCode, Encoding};

use crate::script::Script;

const INTERVAL_MS: u32 = 40_000;
const FRAMES: [&str; 8] = [
    r#"{"op":1,"d":7}"#,
    r#"{"op":1,"d":null}"#,
    r#"{"op":2,"d":{"token":"Bot a.b.c","intents":513}}"#,
    r#"{"op":6,"d":{"token":"t","session_id":"s","seq":4}}"#,
    r#"{"op":3,"d":{"status":"idle"}}"#,
    r#"{"op":4,"d":{"guild_id":"1"}}"#,
    r#"{"op":8,"d":{"guild_id":"1","query":"","limit":0}}"#,
    r#"{"op":99}"#,
];

/// Where a connection stands, by its history.
enum Stage {
    Open,
    /// A session was asked for; so many frames wait for it.
    Asking(usize),
    Live,
    Closed,
}

/// What an observer of the wire knows.
struct Twin {
    stage: Stage,
    now_ms: u64,
    beat_at_ms: u64,
    /// Every frame since the beginning.
    frames_at_ms: Vec<u64>,
    /// The first frame of the present window.
    window_begin: usize,
}

pub(crate) fn run(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let begin = script.u32().into();
    let mut connection = Connection::new(begin, INTERVAL_MS);
    let mut twin = Twin {
        stage: Stage::Open,
        now_ms: begin,
        beat_at_ms: begin,
        frames_at_ms: Vec::new(),
        window_begin: 0,
    };
    while !script.is_over() {
        step(&mut script, &mut connection, &mut twin);
        assert_eq!(
            connection.is_closed(),
            matches!(twin.stage, Stage::Closed),
            "closed"
        );
        assert_eq!(
            connection.is_live(),
            matches!(twin.stage, Stage::Live),
            "live"
        );
    }
}

fn step(script: &mut Script<'_>, connection: &mut Connection, twin: &mut Twin) {
    let mut out = Vec::new();
    match script.below(16) {
        0..=7 => frame(script, connection, twin),
        8 => {
            // As much as a window holds, about.
            let beat = decode(Encoding::Json, FRAMES[0].as_bytes());
            for _ in 0..script.below(130) {
                send(beat.clone(), connection, twin);
            }
        }
        9 | 10 => {
            connection.on_live(&mut out);
            twin.live(&out);
        }
        11 => {
            connection.on_invalid_session();
            if !matches!(twin.stage, Stage::Closed) {
                twin.stage = Stage::Open;
            }
        }
        12 if script.is_set() => {
            connection.on_control(twin.now_ms, &mut out);
            twin.control(&out);
        }
        12 => {
            connection.on_close(CloseCode::ServiceRestart, &mut out);
            twin.closes(CloseCode::ServiceRestart, &out);
        }
        kind => {
            // Clocks step back now and then.
            twin.now_ms = match kind {
                13 => twin.now_ms + u64::from(script.byte()),
                14 => twin.now_ms + u64::from(script.u32() % 70_000),
                _ => twin.now_ms.saturating_sub(u64::from(script.byte()) * 256),
            };
            connection.on_time(twin.now_ms, &mut out);
            let due = twin.beat_at_ms + u64::from(INTERVAL_MS) * 3 / 2;
            assert_eq!(connection.heartbeat_due_ms(), due);
            if due <= twin.now_ms {
                twin.closes(CloseCode::SessionTimedOut, &out);
            } else {
                assert!(out.is_empty(), "{out:?}");
            }
        }
    }
}

/// One of ours, or bytes of the script.
fn frame(script: &mut Script<'_>, connection: &mut Connection, twin: &mut Twin) {
    let which = script.below(FRAMES.len() + 1);
    let raw = if let Some(frame) = FRAMES.get(which) {
        frame.as_bytes()
    } else {
        let length = script.below(60);
        script.take(length)
    };
    send(decode(Encoding::Json, raw), connection, twin);
}

fn send(decoded: Result<Inbound, DecodeError>, connection: &mut Connection, twin: &mut Twin) {
    let mut out = Vec::new();
    connection.on_frame(twin.now_ms, decoded.clone(), &mut out);
    twin.frame(decoded, &out);
}

impl Twin {
    fn frame(&mut self, decoded: Result<Inbound, DecodeError>, out: &[Effect]) {
        if matches!(self.stage, Stage::Closed) {
            return assert!(out.is_empty(), "{out:?}");
        }
        if !self.admits() {
            return self.closes(CloseCode::RateLimited, out);
        }
        match decoded {
            Err(error) => self.closes(error.close_code(), out),
            Ok(Inbound::Heartbeat(seen)) => {
                self.beat_at_ms = self.beat_at_ms.max(self.now_ms);
                assert_eq!(out, [Effect::Acknowledge { seen }]);
            }
            Ok(Inbound::Identify(identify)) => self.asks(&Effect::Identify(identify), out),
            Ok(Inbound::Resume(resume)) => self.asks(&Effect::Resume(resume), out),
            Ok(Inbound::Presence(presence)) => self.acts(&Effect::Presence(presence), out),
            Ok(Inbound::VoiceState(voice)) => self.acts(&Effect::VoiceState(voice), out),
            Ok(Inbound::RequestMembers(request)) => {
                self.acts(&Effect::RequestMembers(request), out);
            }
            Ok(Inbound::RequestSounds(request)) => {
                self.acts(&Effect::RequestSounds(request), out);
            }
            Ok(Inbound::RequestChannelInfo(request)) => {
                self.acts(&Effect::RequestChannelInfo(request), out);
            }
        }
    }

    /// A ping or a pong counts like other frames.
    fn control(&mut self, out: &[Effect]) {
        if matches!(self.stage, Stage::Closed) || self.admits() {
            return assert!(out.is_empty(), "{out:?}");
        }
        self.closes(CloseCode::RateLimited, out);
    }

    /// Whether the frame at this moment is within the limit: windows begin with a frame, and hold
    /// [`limits::GATEWAY_SENDS_MAX`].
    fn admits(&mut self) -> bool {
        let this = self.frames_at_ms.len();
        let opened = self.frames_at_ms.get(self.window_begin);
        let is_over = opened.is_none_or(|&opened| {
            opened.saturating_add(limits::GATEWAY_SENDS_WINDOW_MS) <= self.now_ms
        });
        if is_over {
            self.window_begin = this;
        }
        self.frames_at_ms.push(self.now_ms);
        this - self.window_begin < limits::GATEWAY_SENDS_MAX as usize
    }

    fn asks(&mut self, effect: &Effect, out: &[Effect]) {
        if matches!(self.stage, Stage::Open) {
            self.stage = Stage::Asking(0);
            assert_eq!(out, std::slice::from_ref(effect));
        } else {
            self.closes(CloseCode::AlreadyAuthenticated, out);
        }
    }

    fn acts(&mut self, effect: &Effect, out: &[Effect]) {
        match &mut self.stage {
            Stage::Live => assert_eq!(out, std::slice::from_ref(effect)),
            Stage::Asking(waiting) if *waiting < PENDING_MAX => {
                *waiting += 1;
                assert!(out.is_empty(), "{out:?}");
            }
            Stage::Asking(_) => self.closes(CloseCode::RateLimited, out),
            Stage::Open => self.closes(CloseCode::NotAuthenticated, out),
            Stage::Closed => unreachable!("nothing is read after the close"),
        }
    }

    fn live(&mut self, out: &[Effect]) {
        let Stage::Asking(waiting) = self.stage else {
            return assert!(out.is_empty(), "{out:?}");
        };
        assert_eq!(out.len(), waiting);
        assert!(out.iter().all(needs_a_session), "{out:?}");
        self.stage = Stage::Live;
    }

    fn closes(&mut self, expected: CloseCode, out: &[Effect]) {
        if matches!(self.stage, Stage::Closed) {
            return assert!(out.is_empty(), "{out:?}");
        }
        let [Effect::Close { code, .. }] = out else {
            panic!("{out:?} instead of a close with {expected:?}");
        };
        assert_eq!(*code, expected);
        self.stage = Stage::Closed;
    }
}

fn needs_a_session(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Presence(_)
            | Effect::VoiceState(_)
            | Effect::RequestMembers(_)
            | Effect::RequestSounds(_)
            | Effect::RequestChannelInfo(_)
    )
}
