//! The gateway's payloads, as a client sends and receives them.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Op codes: <https://discord.com/developers/docs/topics/opcodes-and-status-codes>
pub mod op {
    #![expect(missing_docs, reason = "the names are the documentation")]
    pub const DISPATCH: u8 = 0;
    pub const HEARTBEAT: u8 = 1;
    pub const IDENTIFY: u8 = 2;
    pub const RESUME: u8 = 6;
    pub const RECONNECT: u8 = 7;
    pub const INVALID_SESSION: u8 = 9;
    pub const HELLO: u8 = 10;
    pub const HEARTBEAT_ACK: u8 = 11;
}

/// What every payload is wrapped in.
#[derive(Debug, Deserialize)]
pub struct Envelope<'a> {
    /// What it is.
    pub op: u8,
    /// Its number; dispatches only.
    pub s: Option<u64>,
    /// The event's name; dispatches only.
    #[serde(default)]
    pub t: Option<String>,
    /// Its body.
    #[serde(borrow, default)]
    pub d: Option<&'a RawValue>,
}

/// The `d` of HELLO.
#[derive(Debug, Deserialize)]
pub struct Hello {
    /// Milliseconds between heartbeats.
    pub heartbeat_interval: u64,
}

/// How the server's bodies look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// The specification's objects.
    #[default]
    Native,
    /// Discord's objects, which bots get.
    Discord,
}

impl Dialect {
    /// Its name in the query of the gateway's address.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Discord => "discord",
        }
    }
}

#[derive(Serialize)]
struct Outgoing<T> {
    op: u8,
    d: T,
}

/// Op 1, with the last `s` that was seen.
pub fn heartbeat(seq: Option<u64>) -> String {
    write(&Outgoing {
        op: op::HEARTBEAT,
        d: seq,
    })
}

/// Op 2.
pub fn identify(token: &str, intents: Option<u64>) -> String {
    #[derive(Serialize)]
    struct Identify<'a> {
        token: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        intents: Option<u64>,
        properties: Properties,
    }
    #[derive(Serialize)]
    struct Properties {
        os: &'static str,
        browser: &'static str,
        device: &'static str,
    }
    write(&Outgoing {
        op: op::IDENTIFY,
        d: Identify {
            token,
            intents,
            properties: Properties {
                os: std::env::consts::OS,
                browser: "guildhall-loadtest",
                device: "guildhall-loadtest",
            },
        },
    })
}

/// Op 6.
pub fn resume(token: &str, session_id: &str, seq: u64) -> String {
    #[derive(Serialize)]
    struct Resume<'a> {
        token: &'a str,
        session_id: &'a str,
        seq: u64,
    }
    write(&Outgoing {
        op: op::RESUME,
        d: Resume {
            token,
            session_id,
            seq,
        },
    })
}

fn write<T: Serialize>(payload: &T) -> String {
    serde_json::to_string(payload).expect("texts and numbers are always JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_look_as_documented() {
        assert_eq!(heartbeat(None), r#"{"op":1,"d":null}"#);
        assert_eq!(heartbeat(Some(7)), r#"{"op":1,"d":7}"#);
        assert_eq!(
            resume("t", "s", 3),
            r#"{"op":6,"d":{"token":"t","session_id":"s","seq":3}}"#
        );
        let person = identify("t", None);
        assert!(
            person.starts_with(r#"{"op":2,"d":{"token":"t","properties":{"#),
            "{person}"
        );
        assert!(identify("t", Some(513)).contains(r#""intents":513"#));
    }

    #[test]
    fn an_envelope_may_lack_everything_but_its_op() {
        let ack: Envelope<'_> = serde_json::from_str(r#"{"op":11}"#).unwrap();
        assert_eq!((ack.op, ack.s, ack.t), (op::HEARTBEAT_ACK, None, None));
        let text = r#"{"t":"X","s":4,"op":0,"d":{"id":"1"}}"#;
        let dispatch: Envelope<'_> = serde_json::from_str(text).unwrap();
        assert_eq!(dispatch.d.unwrap().get(), r#"{"id":"1"}"#);
    }
}
