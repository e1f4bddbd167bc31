//! Writes what a session has for its client: many dispatches at a time, and RESUMED in its place.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;

use guildhall_host::session::{Drained, Ended};
use guildhall_wire::{CloseCode, frame};
use tracing::error;

use super::Task;
use super::ending::{End, close};
use crate::batch::Batch;

/// Bytes of dispatches that one write carries, about.
const WRITE_BYTES: usize = 64 * 1024;

thread_local! {
    /// What all connections of a thread put their writes together in: most writes are done at
    /// once, and then nobody has to hold what was written.
    static BATCH: RefCell<Batch> = RefCell::default();
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

impl Task {
    /// Writes what waits, many dispatches at a time.
    pub(super) async fn deliver(&mut self) -> io::Result<Option<End>> {
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
}
