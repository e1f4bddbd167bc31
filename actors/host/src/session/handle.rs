//! A socket's side of a session: what to send next, and when to stop.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use guildhall_model::dispatch::Viewer;
use guildhall_model::user::Status;
use guildhall_ports::Env;
use guildhall_state::relay::SessionRef;

use super::payload::Payload;
use super::replay::Numbered;
use super::ring::Ring;
use super::shared::{Ending, SessionShared};
use crate::node::Node;

/// One dispatch that is ready to be written: it is stable.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Its number; a volatile dispatch repeats the number before it.
    pub s: u32,
    /// What is told.
    pub payload: Arc<Payload>,
}

/// Whether more waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// The budget was used up; more waits.
    More,
    /// Nothing waits; the bell will ring.
    Empty,
    /// The socket is to be closed.
    Ended(Ended),
}

/// Why a socket is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The credential was revoked: 4004.
    Revoked,
    /// The socket is too slow; the session may be resumed.
    Lagging,
    /// The node goes away; the session may be resumed.
    Draining,
    /// The log cannot be written; the session may be resumed later.
    Failed,
    /// Another socket has resumed the session.
    Superseded,
}

/// A session with this socket attached. Dropping it leaves the session waiting for a return.
#[derive(Debug)]
pub struct SessionHandle {
    pub(crate) node: Node,
    pub(crate) session: SessionRef,
    pub(crate) session_id: String,
    pub(crate) viewer: Viewer,
    pub(crate) shared: Arc<SessionShared>,
    pub(crate) ring: Arc<Ring>,
    pub(crate) attachment: u32,
    /// What was missed, before what stands in the ring.
    pub(crate) replay: VecDeque<Numbered>,
    pub(crate) cursor: u64,
    /// Everything before `cursor` that concerns the session has been taken.
    pub(crate) is_caught_up: bool,
    /// The number of the last dispatch that was taken.
    pub(crate) s: u32,
}

impl SessionHandle {
    /// What RESUME names.
    pub fn session_id(&self) -> &str {
        &self.session_id
    }

    /// Whose session it is, and what it wants.
    pub const fn viewer(&self) -> Viewer {
        self.viewer
    }

    /// The session's name within this node.
    pub const fn reference(&self) -> SessionRef {
        self.session
    }

    /// The number of the last dispatch that was taken.
    pub const fn s(&self) -> u32 {
        self.s
    }

    /// What was missed has not been taken completely yet.
    pub fn is_replaying(&self) -> bool {
        !self.replay.is_empty()
    }

    /// Takes what waits, in order, until about `budget` bytes are taken.
    pub fn drain(&mut self, budget: usize, out: &mut Vec<Outgoing>) -> Drained {
        if let Some(ended) = self.ended() {
            return Drained::Ended(ended);
        }
        let mut bytes = 0;
        while let Some((s, payload)) = self.replay.pop_front() {
            bytes += payload.bytes();
            self.s = s;
            out.push(Outgoing { s, payload });
            if bytes >= budget {
                return Drained::More;
            }
        }
        if out.is_empty() {
            self.drain_ring(budget, out)
        } else {
            // RESUMED goes between what was missed and what is new.
            Drained::More
        }
    }

    fn drain_ring(&mut self, budget: usize, out: &mut Vec<Outgoing>) -> Drained {
        // Once caught up, nothing of this session stands before the place where the bell rang.
        if let Some(place) = self.shared.fall_asleep().filter(|_| self.is_caught_up) {
            self.cursor = self.cursor.max(place.min(self.ring.head()));
        }
        let (mut bytes, mut taken) = (0, 0);
        let s = &mut self.s;
        let slot = self.session.slot;
        let visited = self.ring.visit(slot, self.cursor, |payload, is_numbered| {
            *s += u32::from(is_numbered);
            bytes += payload.bytes();
            taken += 1;
            let payload = Arc::clone(payload);
            out.push(Outgoing { s: *s, payload });
            bytes < budget
        });
        self.shared.take_backlog(taken, bytes as u64);
        match visited {
            Err(_) => Drained::Ended(Ended::Lagging),
            Ok(cursor) => {
                self.cursor = cursor;
                self.is_caught_up = bytes < budget;
                if bytes >= budget {
                    self.shared.ring(cursor);
                    Drained::More
                } else {
                    Drained::Empty
                }
            }
        }
    }

    /// Returns when there is something to drain or the socket is to be closed.
    pub async fn wait(&self) {
        poll_fn(|cx| self.poll_wait(cx)).await;
    }

    /// Ready when there is something to drain or the socket is to be closed.
    pub fn poll_wait(&self, cx: &mut Context<'_>) -> Poll<()> {
        let is_due = || self.shared.is_awake() || self.ended().is_some() || !self.replay.is_empty();
        let is_ready = is_due() || !self.shared.listen(self.attachment, cx.waker()) || is_due();
        if is_ready {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// Ready when the socket is to be closed at once; a drain waits for what is being written.
    pub fn poll_cut(&self, cx: &mut Context<'_>) -> Poll<Ended> {
        let cut = || self.ended().filter(|ended| *ended != Ended::Draining);
        if let Some(ended) = cut() {
            return Poll::Ready(ended);
        }
        if !self.shared.listen(self.attachment, cx.waker()) {
            return Poll::Ready(Ended::Superseded);
        }
        cut().map_or(Poll::Pending, Poll::Ready)
    }

    /// Why the socket is to be closed, if it is.
    pub fn ended(&self) -> Option<Ended> {
        if self.shared.attachment() != self.attachment {
            return Some(Ended::Superseded);
        }
        self.shared.ending().map(|ending| match ending {
            Ending::Revoked => Ended::Revoked,
            Ending::Lagging => Ended::Lagging,
            Ending::Draining => Ended::Draining,
            Ending::Failed => Ended::Failed,
        })
    }

    /// Shows the user differently in this session.
    pub fn show(&self, status: Status) {
        self.node
            .show(self.viewer.user_id, self.session, Some(status));
    }

    /// The client has ended the session by closing with 1000 or 1001: it will not come back.
    pub fn finish(&self) {
        self.shared.set_over();
    }

    /// The node that holds the session.
    pub const fn node(&self) -> &Node {
        &self.node
    }

    fn env(&self) -> &Env {
        self.node.env()
    }
}

impl Drop for SessionHandle {
    fn drop(&mut self) {
        let now = self.env().steady();
        if !self.is_caught_up {
            // A start that nobody will take any more would stay in the ring.
            let _ = self.ring.visit(self.session.slot, self.cursor, |_, _| true);
        }
        if self.shared.attachment() == self.attachment {
            self.node.show(self.viewer.user_id, self.session, None);
        }
        self.shared.detach(self.attachment, now);
    }
}
