//! One source's order of events: whoever holds its head decides what comes next.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use guildhall_model::Timestamp;
use guildhall_model::event::{Event, Record, Source};
use guildhall_ports::Failure;
use tokio::sync::{Mutex, MutexGuard};

/// The head of a source's stream. Holding it means that no other event of the source can come in
/// between, so that rules are checked against the very state that the event will follow.
#[derive(Debug)]
pub(crate) struct Stream {
    source: Source,
    last: Mutex<u64>,
    is_over: AtomicBool,
}

/// The right to write next.
pub(crate) struct Head<'a> {
    stream: &'a Stream,
    last: MutexGuard<'a, u64>,
}

impl Stream {
    pub(crate) fn new(source: Source, last: u64) -> Arc<Self> {
        Arc::new(Self {
            source,
            last: Mutex::new(last),
            is_over: AtomicBool::new(false),
        })
    }

    /// Waits for the right to write next. Fails once the stream is over.
    pub(crate) async fn head(&self) -> Result<Head<'_>, Failure> {
        let last = self.last.lock().await;
        if self.is_over() {
            return Err(Failure::unavailable("the stream", "it is being read anew"));
        }
        Ok(Head { stream: self, last })
    }

    /// Nobody knows whether what was to come next has come: the store failed in the midst of it.
    /// Everybody who shares the stream must ask anew, or two events would take one place. Whoever
    /// calls this holds the head.
    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::Release);
    }

    /// Where it ends is not known any more: whoever holds it lets go of it and loads a new one.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }
}

impl Drop for Head<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.stream.end();
        }
    }
}

impl Head<'_> {
    /// The records that these events would be; the head stays where it is.
    pub(crate) fn records(&self, at: Timestamp, events: Vec<Event>) -> Vec<Record> {
        let gseqs = *self.last + 1..;
        let source = self.stream.source;
        gseqs
            .zip(events)
            .map(|(gseq, event)| Record {
                source,
                gseq,
                at,
                event,
            })
            .collect()
    }

    /// As [`Stream::end`].
    pub(crate) fn end(self) {
        self.stream.end();
    }

    /// Moves the head behind these records.
    pub(crate) fn advance(&mut self, records: &[Record]) {
        if let Some(record) = records.last() {
            *self.last = record.gseq;
        }
    }
}
