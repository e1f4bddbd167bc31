//! The part of a session that its sequencer and its socket share.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::task::Waker;

use guildhall_model::Timestamp;
use guildhall_model::user::Status;
use parking_lot::Mutex;

/// Nothing waits in the ring.
const ASLEEP: u64 = u64::MAX;
/// The session has a socket.
const ATTACHED: i64 = i64::MAX;
const NO_STATUS: u8 = u8::MAX;

/// Why a session's socket is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The credential was revoked: the session is over.
    Revoked,
    /// The socket fell too far behind. The session may be resumed.
    Lagging,
    /// The node goes away. The session may be resumed.
    Draining,
    /// The log cannot be written. The session may be resumed later.
    Failed,
}

impl Ending {
    const fn code(self) -> u8 {
        match self {
            Self::Revoked => 1,
            Self::Lagging => 2,
            Self::Draining => 3,
            Self::Failed => 4,
        }
    }

    const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Revoked),
            2 => Some(Self::Lagging),
            3 => Some(Self::Draining),
            4 => Some(Self::Failed),
            _ => None,
        }
    }
}

/// A doorbell with what must be known on both sides of it. A few dozen bytes per session.
#[derive(Debug)]
pub(crate) struct SessionShared {
    /// The first place in the ring that may concern the session, or [`ASLEEP`].
    wake_at: AtomicU64,
    /// The socket's task of the present attachment, while it waits.
    waiter: Mutex<Option<Waker>>,
    /// Dispatches and bytes that were published for the session and not yet taken.
    behind: AtomicU64,
    behind_bytes: AtomicU64,
    ending: AtomicU8,
    /// Which attachment is the present one; an older socket must give way.
    attachment: AtomicU32,
    /// When the last socket was lost, or [`ATTACHED`].
    detached_at: AtomicI64,
    status: AtomicU8,
    /// What the client chose last, for when it comes back.
    chosen: AtomicU8,
    is_over: AtomicBool,
    /// Its partition belongs to another node from now on.
    has_moved: AtomicBool,
}

impl SessionShared {
    /// A session without a socket since `now`, by the steady clock.
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            wake_at: AtomicU64::new(ASLEEP),
            waiter: Mutex::new(None),
            behind: AtomicU64::new(0),
            behind_bytes: AtomicU64::new(0),
            ending: AtomicU8::new(0),
            attachment: AtomicU32::new(0),
            detached_at: AtomicI64::new(now.0),
            status: AtomicU8::new(NO_STATUS),
            chosen: AtomicU8::new(0),
            is_over: AtomicBool::new(false),
            has_moved: AtomicBool::new(false),
        }
    }

    /// Something for this session stands in the ring at `place`.
    pub(crate) fn ring(&self, place: u64) {
        let asleep =
            self.wake_at
                .compare_exchange(ASLEEP, place, Ordering::AcqRel, Ordering::Acquire);
        if asleep.is_ok() {
            self.wake();
        }
    }

    /// Counts what was published; the new backlog in dispatches and bytes.
    pub(crate) fn add_backlog(&self, bytes: u64) -> (u64, u64) {
        let behind = self.behind.fetch_add(1, Ordering::Relaxed) + 1;
        let behind_bytes = self.behind_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        (behind, behind_bytes)
    }

    /// Counts what was taken.
    pub(crate) fn take_backlog(&self, dispatches: u64, bytes: u64) {
        // A socket that is being superseded may still take what is no longer counted.
        let _ = self
            .behind
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |behind| {
                Some(behind.saturating_sub(dispatches))
            });
        let _ = self
            .behind_bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |behind| {
                Some(behind.saturating_sub(bytes))
            });
    }

    /// Starts counting anew, for a socket that has just been attached.
    pub(crate) fn reset_backlog(&self) {
        self.behind.store(0, Ordering::Relaxed);
        self.behind_bytes.store(0, Ordering::Relaxed);
    }

    /// Falls asleep and says where to look first, if the bell had rung.
    pub(crate) fn fall_asleep(&self) -> Option<u64> {
        match self.wake_at.swap(ASLEEP, Ordering::AcqRel) {
            ASLEEP => None,
            place => Some(place),
        }
    }

    /// The bell has rung and nobody has answered.
    pub(crate) fn is_awake(&self) -> bool {
        self.wake_at.load(Ordering::Acquire) != ASLEEP
    }

    /// Has `waker` called at the bell, an ending, or another attachment. The caller looks once
    /// more afterwards. False when this attachment is not the present one any more: only one
    /// task is woken, and it must not be the one that gives way.
    pub(crate) fn listen(&self, attachment: u32, waker: &Waker) -> bool {
        let mut waiter = self.waiter.lock();
        if self.attachment() != attachment {
            return false;
        }
        if !waiter.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *waiter = Some(waker.clone());
        }
        true
    }

    fn wake(&self) {
        if let Some(waker) = &*self.waiter.lock() {
            waker.wake_by_ref();
        }
    }

    /// Closes the socket, now or when one is attached. A revoked session stays revoked.
    pub(crate) fn end(&self, ending: Ending) {
        let revoked = Ending::Revoked.code();
        let _ = self
            .ending
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |code| {
                (code != revoked).then_some(ending.code())
            });
        self.wake();
    }

    /// The session is another node's from now on: its socket is asked to come back, and so is one
    /// that was attached at the same moment.
    pub(crate) fn move_away(&self) {
        self.has_moved.store(true, Ordering::Release);
        self.end(Ending::Draining);
    }

    /// Why the socket is to be closed, if it is.
    pub(crate) fn ending(&self) -> Option<Ending> {
        let ending = Ending::from_code(self.ending.load(Ordering::Acquire));
        let has_moved = self.has_moved.load(Ordering::Acquire);
        ending.or(has_moved.then_some(Ending::Draining))
    }

    /// A new socket takes over. An ending that allows resuming is forgotten.
    pub(crate) fn attach(&self) -> u32 {
        if self
            .ending()
            .is_some_and(|ending| ending != Ending::Revoked)
        {
            self.ending.store(0, Ordering::Release);
        }
        let mut waiter = self.waiter.lock();
        let attachment = self.attachment.fetch_add(1, Ordering::AcqRel) + 1;
        self.detached_at.store(ATTACHED, Ordering::Release);
        if let Some(superseded) = waiter.take() {
            superseded.wake();
        }
        attachment
    }

    /// The present attachment's number.
    pub(crate) fn attachment(&self) -> u32 {
        self.attachment.load(Ordering::Acquire)
    }

    /// The socket of this attachment is lost.
    pub(crate) fn detach(&self, attachment: u32, now: Timestamp) {
        let mut waiter = self.waiter.lock();
        if self.attachment() == attachment {
            *waiter = None;
            self.detached_at.store(now.0, Ordering::Release);
        }
    }

    /// A session without a socket waits for one as if it had just been lost.
    pub(crate) fn wait_anew(&self, now: Timestamp) {
        let _ = self
            .detached_at
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |at| {
                (at != ATTACHED).then_some(now.0)
            });
    }

    /// The session has a socket.
    pub(crate) fn is_attached(&self) -> bool {
        self.detached_at.load(Ordering::Acquire) == ATTACHED
    }

    /// Milliseconds without a socket.
    pub(crate) fn detached_ms(&self, now: Timestamp) -> u64 {
        match self.detached_at.load(Ordering::Acquire) {
            ATTACHED => 0,
            at => now.ms_since(Timestamp(at)),
        }
    }

    /// What the session shows of its user; `None` without a socket.
    pub(crate) fn status(&self) -> Option<Status> {
        status_of(self.status.load(Ordering::Relaxed))
    }

    /// What the client chose last.
    pub(crate) fn chosen(&self) -> Status {
        status_of(self.chosen.load(Ordering::Relaxed)).unwrap_or(Status::Online)
    }

    pub(crate) fn set_status(&self, status: Option<Status>) {
        let code = match status {
            Some(Status::Online) => 0,
            Some(Status::Idle) => 1,
            Some(Status::Dnd) => 2,
            Some(Status::Invisible) => 3,
            None => NO_STATUS,
        };
        self.status.store(code, Ordering::Relaxed);
        if status.is_some() {
            self.chosen.store(code, Ordering::Relaxed);
        }
    }

    /// The session's own client has ended it: it is not kept for a return.
    pub(crate) fn set_over(&self) {
        self.is_over.store(true, Ordering::Release);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }
}

const fn status_of(code: u8) -> Option<Status> {
    match code {
        0 => Some(Status::Online),
        1 => Some(Status::Idle),
        2 => Some(Status::Dnd),
        3 => Some(Status::Invisible),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_has_moved_asks_every_socket_to_come_back() {
        let shared = SessionShared::new(Timestamp(0));
        shared.move_away();
        shared.attach();
        assert_eq!(shared.ending(), Some(Ending::Draining));
        shared.end(Ending::Revoked);
        assert_eq!(shared.ending(), Some(Ending::Revoked));
    }

    #[test]
    fn a_revoked_session_stays_revoked_whatever_else_ends_it() {
        let shared = SessionShared::new(Timestamp(0));
        shared.end(Ending::Revoked);
        shared.end(Ending::Failed);
        shared.attach();
        assert_eq!(shared.ending(), Some(Ending::Revoked));
    }
}
