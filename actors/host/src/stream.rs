//! One source's order of events: whoever holds its head decides what comes next.

use std::sync::Arc;

use guildhall_model::Timestamp;
use guildhall_model::event::{Event, Record, Source};
use tokio::sync::{Mutex, MutexGuard};

/// The head of a source's stream. Holding it means that no other event of the source can come in
/// between, so that rules are checked against the very state that the event will follow.
#[derive(Debug)]
pub(crate) struct Stream {
    source: Source,
    last: Mutex<u64>,
}

/// The right to write next.
pub(crate) struct Head<'a> {
    source: Source,
    last: MutexGuard<'a, u64>,
}

impl Stream {
    pub(crate) fn new(source: Source, last: u64) -> Arc<Self> {
        Arc::new(Self {
            source,
            last: Mutex::new(last),
        })
    }

    pub(crate) async fn head(&self) -> Head<'_> {
        Head {
            source: self.source,
            last: self.last.lock().await,
        }
    }
}

impl Head<'_> {
    /// The records that these events would be; the head stays where it is.
    pub(crate) fn records(&self, at: Timestamp, events: Vec<Event>) -> Vec<Record> {
        let gseqs = *self.last + 1..;
        let source = self.source;
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

    /// Moves the head behind these records.
    pub(crate) fn advance(&mut self, records: &[Record]) {
        if let Some(record) = records.last() {
            *self.last = record.gseq;
        }
    }
}
