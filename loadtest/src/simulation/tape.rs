//! The history of a run, in memory, and a trail of what happened last.

use std::collections::VecDeque;

use super::env::Time;
use crate::history::{Action, Entry, Line, Request, Response};

/// Happenings that are kept for the report of a failure.
const TRAIL_MAX: usize = 60;

/// What clients saw, as the load tester would have written it down.
#[derive(Debug, Default)]
pub(super) struct Tape {
    pub(super) lines: Vec<Line<'static>>,
    trail: VecDeque<String>,
    last: u64,
    calls: u64,
}

impl Tape {
    /// Appends a line; its time is later than that of all lines before.
    pub(super) fn record(&mut self, now: Time, what: Entry<'static>) {
        self.last = (now * 1_000).max(self.last + 1);
        self.lines.push(Line {
            at: self.last,
            what,
        });
    }

    /// A call number that was never used.
    pub(super) fn call(&mut self) -> u64 {
        self.calls += 1;
        self.calls
    }

    /// A request that is answered at once: how things stand at the beginning.
    pub(super) fn given(&mut self, now: Time, access: Vec<crate::history::Access<'static>>) {
        let call = self.call();
        let request = Request {
            call,
            user: "founder".into(),
            action: Action::Other,
            method: "POST".into(),
            path: "/".into(),
            channel: None,
            message: None,
            nonce: None,
            tag: None,
            access,
        };
        self.record(now, Entry::Request(request));
        let response = Response {
            call,
            status: 200,
            message: None,
        };
        self.record(now, Entry::Response(response));
    }

    pub(super) fn trail(&mut self, what: &str) {
        if self.trail.len() == TRAIL_MAX {
            self.trail.pop_front();
        }
        self.trail.push_back(what.to_owned());
    }

    /// What happened last.
    pub(super) fn tail(&self) -> Vec<String> {
        self.trail.iter().cloned().collect()
    }

    /// The whole history as bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(&self.lines).expect("plain data in memory always encodes")
    }
}
