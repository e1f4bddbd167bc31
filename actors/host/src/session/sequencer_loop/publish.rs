//! What follows when a frame is stable: its entries are folded, the ring takes its dispatches, and
//! the doorbells ring.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use guildhall_state::session_partition::Refusal;
use guildhall_state::session_partition::record::Frame;

use super::SequencerLoop;
use super::draft::Then;
use crate::session::ring::RingItem;
use crate::session::sequencer::{Attached, Opened};
use crate::session::shared::{Ending, SessionShared};

impl SequencerLoop {
    pub(super) fn publish(&mut self, frame: &Frame, then: Vec<(usize, Then)>) {
        let mut folded = 0;
        for (upto, then) in then {
            for entry in &frame.entries[folded..upto] {
                self.machine.fold_entry(entry);
            }
            folded = upto;
            self.follow(then);
        }
        for entry in &frame.entries[folded..] {
            self.machine.fold_entry(entry);
        }
        self.load.store(self.shared.len(), Ordering::Relaxed);
    }

    fn follow(&mut self, then: Then) {
        match then {
            Then::Publish(item) => {
                self.push(item);
            }
            Then::Opened { slot, item, reply } => {
                let shared = Arc::new(SessionShared::new(self.env.steady()));
                self.shared.insert(slot, Arc::clone(&shared));
                let cursor = self.push(item);
                let _ = reply.send(Ok(Opened {
                    slot,
                    shared,
                    cursor,
                }));
            }
            Then::Attached { claim, reply } => {
                let session = self.machine.session(claim.slot);
                let shared = self.shared.get(&claim.slot);
                let attached = session.zip(shared).map(|(session, shared)| {
                    shared.reset_backlog();
                    let (viewer, s) = (session.viewer(), session.s);
                    Attached {
                        shared: Arc::clone(shared),
                        viewer,
                        cursor: self.ring.head(),
                        s,
                    }
                });
                let _ = reply.send(attached.ok_or(Refusal::Unknown.into()));
            }
            Then::Closed { slot } => {
                self.shared.remove(&slot);
            }
            Then::Heard(from, heard) => self.machine.note_heard(from, heard),
        }
    }

    /// Puts an item into the ring and rings the doorbells of its receivers.
    fn push(&self, item: RingItem) -> u64 {
        let bytes = item.bytes() as u64;
        let receivers = item.receivers().clone();
        let place = self.ring.push(item);
        let (dispatches_max, bytes_max) = (
            self.config.backlog_dispatches_max,
            self.config.backlog_bytes_max,
        );
        receivers.for_each(|slot| {
            let Some(shared) = self.shared.get(&slot) else {
                return;
            };
            let (behind, behind_bytes) = shared.add_backlog(bytes);
            if (behind > dispatches_max || behind_bytes > bytes_max) && shared.is_attached() {
                shared.end(Ending::Lagging);
            }
            shared.ring(place);
        });
        metrics::counter!("guildhall_dispatches_published_total").increment(receivers.len());
        place
    }
}
