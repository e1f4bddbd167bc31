//! A gateway session over any number of connections, which keeps count of what it heard.

use std::fmt;

use serde_json::json;

use crate::link::{Heard, Link, Payload};
use crate::person::text;

/// Dispatches that are told once, have no number of their own and are not replayed.
const VOLATILE: [&str; 2] = ["PRESENCE_UPDATE", "TYPING_START"];

/// A session.
pub struct Session {
    /// Its present connection.
    pub link: Link,
    /// The token that it was opened with.
    pub token: String,
    /// Its id, as READY named it.
    pub id: String,
    /// READY.
    pub ready: Payload,
    /// The last number that was seen.
    pub s: u64,
    /// The initial GUILD_CREATEs.
    pub guilds: Vec<Payload>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session of {} at {}", self.ready.d["user"]["id"], self.s)
    }
}

impl Session {
    /// Opens a session on a fresh connection and hears its guilds.
    pub async fn identify(mut link: Link, token: &str, intents: Option<u64>) -> Self {
        link.op(10).await;
        link.identify(token, intents).await;
        let ready = link.payload().await;
        assert_eq!(ready.name(), "READY", "{ready:?}");
        assert_eq!(ready.s, Some(1), "READY begins the count");
        let mut session = Self {
            link,
            token: token.to_owned(),
            id: text(&ready.d, "/session_id"),
            s: 1,
            guilds: Vec::new(),
            ready,
        };
        let native = session.ready.d["servers"].as_array();
        let listed = native.or(session.ready.d["guilds"].as_array());
        let expected = listed.expect("READY lists guilds").len();
        // Without the GUILDS intent a bot is told of none.
        let hears_guilds = intents.is_none_or(|bits| bits & 1 == 1);
        while hears_guilds && session.guilds.len() < expected {
            let guild = session.dispatch().await;
            assert_eq!(guild.name(), "GUILD_CREATE", "{guild:?}");
            session.guilds.push(guild);
        }
        session
    }

    /// The next numbered dispatch. The numbers have no gap and no repeat.
    pub async fn dispatch(&mut self) -> Payload {
        loop {
            let payload = self.link.op(0).await;
            if let Some(payload) = self.count(payload) {
                return payload;
            }
        }
    }

    fn count(&mut self, payload: Payload) -> Option<Payload> {
        let s = payload.s.expect("dispatches have a number");
        if VOLATILE.contains(&payload.name()) {
            assert_eq!(s, self.s, "volatile dispatches repeat the present number");
            return None;
        }
        if payload.name() == "RESUMED" {
            return Some(payload);
        }
        assert_eq!(s, self.s + 1, "{self:?} hears {payload:?}");
        self.s = s;
        Some(payload)
    }

    /// The next dispatch of this name; others are passed over.
    pub async fn until(&mut self, name: &str) -> Payload {
        loop {
            let payload = self.dispatch().await;
            if payload.name() == name {
                return payload;
            }
        }
    }

    /// Every numbered dispatch up to the one that `is_last` knows, that one included.
    pub async fn up_to(&mut self, is_last: impl Fn(&Payload) -> bool) -> Vec<Payload> {
        let mut heard = Vec::new();
        loop {
            heard.push(self.dispatch().await);
            if heard.last().is_some_and(&is_last) {
                return heard;
            }
        }
    }

    /// Comes back on a new connection and hears what was missed, without RESUMED.
    pub async fn resume(&mut self) -> Vec<Payload> {
        self.reach_out().await;
        let mut missed = Vec::new();
        loop {
            let payload = self.dispatch().await;
            if payload.name() == "RESUMED" {
                assert_eq!(payload.d, json!({}), "libraries want an object");
                assert_eq!(payload.s, Some(self.s), "RESUMED takes no number");
                return missed;
            }
            missed.push(payload);
        }
    }

    /// Asks to come back on a new connection, where the answer may be no.
    pub async fn reach_out(&mut self) {
        self.link = self.link.again().await;
        self.link.op(10).await;
        self.link.resume(&self.token, &self.id, self.s).await;
    }

    /// What comes next, counted.
    pub async fn next(&mut self) -> Heard {
        let heard = self.link.next().await;
        if let Heard::Payload(payload) = &heard
            && payload.op == 0
        {
            self.count(payload.clone());
        }
        heard
    }
}
