//! Promises of the connection machine, and that no sequence of frames breaks them.

use guildhall_model::user::Status;
use proptest::prelude::*;

use super::*;
use crate::encode::Encoding;
use crate::gateway::decode;

const INTERVAL_MS: u32 = 40_000;
const IDENTIFY: &str = r#"{"op":2,"d":{"token":"Bot a.b.c","intents":513}}"#;
const RESUME: &str = r#"{"op":6,"d":{"token":"t","session_id":"s","seq":4}}"#;
const PRESENCE: &str = r#"{"op":3,"d":{"status":"idle"}}"#;
const HEARTBEAT: &str = r#"{"op":1,"d":7}"#;
const MEMBERS: &str = r#"{"op":8,"d":{"guild_id":"1","query":"","limit":0}}"#;

/// A connection and what it asked for, one call at a time.
struct Client {
    connection: Connection,
    now_ms: u64,
}

impl Client {
    fn connect() -> Self {
        Self {
            connection: Connection::new(0, INTERVAL_MS),
            now_ms: 0,
        }
    }

    fn live() -> Self {
        let mut client = Self::connect();
        client.send(IDENTIFY);
        client.succeed();
        client
    }

    fn send(&mut self, frame: &str) -> Vec<Effect> {
        let mut out = Vec::new();
        let frame = decode(Encoding::Json, frame.as_bytes());
        self.connection.on_frame(self.now_ms, frame, &mut out);
        out
    }

    fn succeed(&mut self) -> Vec<Effect> {
        let mut out = Vec::new();
        self.connection.on_live(&mut out);
        out
    }

    fn wait_until(&mut self, now_ms: u64) -> Vec<Effect> {
        let mut out = Vec::new();
        self.now_ms = now_ms;
        self.connection.on_time(now_ms, &mut out);
        out
    }
}

fn code(effects: &[Effect]) -> Option<u16> {
    match effects {
        [Effect::Close { code, .. }] => Some((*code).into()),
        _ => None,
    }
}

#[test]
fn a_heartbeat_is_answered_in_every_state() {
    let answer = [Effect::Acknowledge { seen: Some(7) }];
    let mut client = Client::connect();
    assert_eq!(client.send(HEARTBEAT), answer);
    client.send(IDENTIFY);
    assert_eq!(client.send(HEARTBEAT), answer);
    client.succeed();
    assert_eq!(client.send(HEARTBEAT), answer);
}

#[test]
fn identify_asks_for_a_session_and_a_second_one_is_refused() {
    let mut client = Client::connect();
    assert!(matches!(client.send(IDENTIFY)[..], [Effect::Identify(_)]));
    assert!(!client.connection.is_live());
    client.succeed();
    assert!(client.connection.is_live());
    assert_eq!(code(&client.send(IDENTIFY)), Some(4005));
    assert_eq!(code(&Client::live().send(RESUME)), Some(4005));
    let mut hasty = Client::connect();
    hasty.send(RESUME);
    assert_eq!(code(&hasty.send(IDENTIFY)), Some(4005));
}

#[test]
fn what_needs_a_session_is_refused_before_one_was_asked_for() {
    for frame in [PRESENCE, MEMBERS, r#"{"op":4,"d":{"guild_id":"1"}}"#] {
        assert_eq!(code(&Client::connect().send(frame)), Some(4003), "{frame}");
    }
}

#[test]
fn what_comes_while_the_session_is_opened_follows_it() {
    let mut client = Client::connect();
    client.send(IDENTIFY);
    assert_eq!(client.send(PRESENCE), []);
    assert_eq!(client.send(MEMBERS), []);
    assert!(matches!(
        client.succeed()[..],
        [
            Effect::Presence(Presence {
                status: Status::Idle
            }),
            Effect::RequestMembers(_)
        ]
    ));
    assert_eq!(client.send(PRESENCE).len(), 1);
}

#[test]
fn only_so_much_waits_for_a_session() {
    let mut client = Client::connect();
    client.send(IDENTIFY);
    for _ in 0..PENDING_MAX {
        assert_eq!(client.send(PRESENCE), []);
    }
    assert_eq!(code(&client.send(PRESENCE)), Some(4008));
}

#[test]
fn after_an_invalid_session_the_client_may_identify_on_the_same_connection() {
    let mut client = Client::connect();
    client.send(RESUME);
    client.send(PRESENCE);
    client.connection.on_invalid_session();
    assert!(matches!(client.send(IDENTIFY)[..], [Effect::Identify(_)]));
    assert_eq!(
        client.succeed(),
        [],
        "what waited for the lost session is gone"
    );
}

#[test]
fn a_client_may_send_so_much_in_a_window_and_no_more() {
    let mut client = Client::live();
    for sent in 1..limits::GATEWAY_SENDS_MAX {
        assert_eq!(client.send(HEARTBEAT).len(), 1, "frame {sent}");
    }
    assert_eq!(code(&client.send(HEARTBEAT)), Some(4008));
}

#[test]
fn a_new_window_begins_with_the_first_frame_after_the_old_one() {
    let mut client = Client::connect();
    client.now_ms = 50_000;
    for round in 0..5 {
        for _ in 0..limits::GATEWAY_SENDS_MAX {
            assert_eq!(code(&client.send(HEARTBEAT)), None, "round {round}");
        }
        client.now_ms += limits::GATEWAY_SENDS_WINDOW_MS;
    }
    let mut hasty = Client::connect();
    hasty.now_ms = 1;
    for _ in 0..limits::GATEWAY_SENDS_MAX {
        hasty.send(HEARTBEAT);
    }
    hasty.now_ms = limits::GATEWAY_SENDS_WINDOW_MS;
    assert_eq!(code(&hasty.send(HEARTBEAT)), Some(4008));
}

#[test]
fn a_silent_client_is_closed_after_one_and_a_half_intervals() {
    let mut client = Client::live();
    assert_eq!(client.connection.heartbeat_due_ms(), 60_000);
    assert_eq!(client.wait_until(59_999), []);
    client.send(HEARTBEAT);
    assert_eq!(client.wait_until(60_000), []);
    assert_eq!(client.wait_until(119_998), []);
    assert_eq!(code(&client.wait_until(119_999)), Some(4009));
}

#[test]
fn other_frames_are_no_heartbeat() {
    let mut client = Client::live();
    client.now_ms = 59_000;
    client.send(PRESENCE);
    assert_eq!(code(&client.wait_until(60_000)), Some(4009));
}

#[test]
fn a_bad_frame_closes_with_its_own_code_and_says_why() {
    let effects = Client::live().send(r#"{"op":3,"d":{"status":7}}"#);
    let [Effect::Close { reason, .. }] = &effects[..] else {
        panic!("{effects:?}");
    };
    assert_eq!(
        reason,
        "d.status must be online, idle, dnd, invisible or offline"
    );
    assert_eq!(code(&effects), Some(4002));
    assert_eq!(code(&Client::live().send(r#"{"op":99}"#)), Some(4001));
}

#[test]
fn the_servers_own_close_is_the_last_word() {
    let mut client = Client::live();
    let mut out = Vec::new();
    client
        .connection
        .on_close(CloseCode::ServiceRestart, &mut out);
    assert_eq!(code(&out), Some(1012));
    client
        .connection
        .on_close(CloseCode::UnknownError, &mut out);
    assert_eq!(out.len(), 1);
    assert_eq!(client.send(HEARTBEAT), []);
}

#[derive(Clone, Debug)]
enum Step {
    Send(String),
    Live,
    Invalid,
    Wait(u64),
    Rewind(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let frame = prop_oneof![
        4 => Just(HEARTBEAT.to_owned()),
        2 => Just(IDENTIFY.to_owned()),
        1 => Just(RESUME.to_owned()),
        4 => Just(PRESENCE.to_owned()),
        2 => Just(MEMBERS.to_owned()),
        1 => "\\PC{0,60}",
    ];
    prop_oneof![
        8 => frame.prop_map(Step::Send),
        3 => Just(Step::Live),
        1 => Just(Step::Invalid),
        2 => (0_u64..30_000).prop_map(Step::Wait),
        1 => (0_u64..90_000).prop_map(Step::Rewind),
    ]
}

proptest! {
    #[test]
    fn nothing_is_asked_for_after_a_close(steps in prop::collection::vec(step(), 0..300)) {
        let mut client = Client::connect();
        let mut closed = false;
        let mut asked = 0_usize;
        for step in steps {
            let effects = match step {
                Step::Send(frame) => client.send(&frame),
                Step::Live => client.succeed(),
                Step::Invalid => {
                    client.connection.on_invalid_session();
                    Vec::new()
                }
                Step::Wait(ms) => client.wait_until(client.now_ms + ms),
                Step::Rewind(ms) => client.wait_until(client.now_ms.saturating_sub(ms)),
            };
            prop_assert!(!closed || effects.is_empty());
            let closes = effects
                .iter()
                .position(|effect| matches!(effect, Effect::Close { .. }));
            prop_assert!(closes.is_none_or(|at| at + 1 == effects.len()));
            closed |= closes.is_some();
            prop_assert_eq!(closed, client.connection.is_closed());
            asked += effects.len();
        }
        prop_assert!(asked <= 300);
    }

    #[test]
    fn a_session_is_acted_for_only_while_it_is_live(
        steps in prop::collection::vec(step(), 0..120),
    ) {
        let mut client = Client::connect();
        for step in steps {
            let effects = match step {
                Step::Send(frame) => client.send(&frame),
                Step::Live => client.succeed(),
                Step::Invalid => {
                    client.connection.on_invalid_session();
                    Vec::new()
                }
                Step::Wait(_) | Step::Rewind(_) => Vec::new(),
            };
            let acts = effects.iter().any(|effect| {
                matches!(effect, Effect::Presence(_) | Effect::RequestMembers(_))
            });
            prop_assert!(!acts || client.connection.is_live());
        }
    }
}
