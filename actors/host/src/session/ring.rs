//! The ring of a session partition: its newest dispatches, shared by all its sessions.

use std::collections::VecDeque;
use std::sync::Arc;

use guildhall_state::relay::Receivers;
use guildhall_state::session_partition::record::Slot;
use parking_lot::RwLock;

use super::payload::Payload;

/// One dispatch with its receivers.
#[derive(Clone, Debug)]
pub(crate) struct RingItem {
    pub(crate) receivers: Receivers,
    pub(crate) payload: Arc<Payload>,
    /// Volatile dispatches have no number of their own.
    pub(crate) is_numbered: bool,
}

/// The newest dispatches in order. Sessions keep a place in it; who falls out of it resumes from
/// the log.
#[derive(Debug)]
pub(crate) struct Ring {
    held: RwLock<Held>,
    entries_max: usize,
    bytes_max: usize,
}

#[derive(Debug, Default)]
struct Held {
    /// The place of the oldest item.
    first: u64,
    items: VecDeque<RingItem>,
    bytes: usize,
}

/// The place has left the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overrun;

impl Ring {
    pub(crate) fn new(entries_max: usize, bytes_max: usize) -> Self {
        Self {
            held: RwLock::default(),
            entries_max,
            bytes_max,
        }
    }

    /// Appends an item and says where it stands.
    pub(crate) fn push(&self, item: RingItem) -> u64 {
        let mut ring = self.held.write();
        ring.bytes += item.payload.bytes();
        ring.items.push_back(item);
        while ring.items.len() > self.entries_max
            || ring.bytes > self.bytes_max && ring.items.len() > 1
        {
            let Some(oldest) = ring.items.pop_front() else {
                break;
            };
            ring.bytes -= oldest.payload.bytes();
            ring.first += 1;
        }
        ring.first + ring.items.len() as u64 - 1
    }

    /// The place that the next item will have.
    pub(crate) fn head(&self) -> u64 {
        let ring = self.held.read();
        ring.first + ring.items.len() as u64
    }

    /// Visits a slot's items from `cursor` on, until `visit` says that it has enough. Returns the
    /// place to go on from.
    pub(crate) fn visit(
        &self,
        slot: Slot,
        cursor: u64,
        mut visit: impl FnMut(&RingItem) -> bool,
    ) -> Result<u64, Overrun> {
        let ring = self.held.read();
        if cursor < ring.first {
            return Err(Overrun);
        }
        let mut place = cursor;
        let skip = usize::try_from(cursor - ring.first)
            .unwrap_or(usize::MAX)
            .min(ring.items.len());
        for item in ring.items.range(skip..) {
            place += 1;
            if item.receivers.contains(slot) && !visit(item) {
                break;
            }
        }
        Ok(place)
    }

    /// The last `n` numbered items of a slot before `head`, in order; `None` if the ring does not
    /// hold them all.
    pub(crate) fn last(&self, slot: Slot, head: u64, n: usize) -> Option<Vec<Arc<Payload>>> {
        if n == 0 {
            return Some(Vec::new());
        }
        let ring = self.held.read();
        let upto = usize::try_from(head.checked_sub(ring.first)?).ok()?;
        let mut found = Vec::with_capacity(n);
        for item in ring.items.range(..upto.min(ring.items.len())).rev() {
            if item.is_numbered && item.receivers.contains(slot) {
                found.push(Arc::clone(&item.payload));
                if found.len() == n {
                    found.reverse();
                    return Some(found);
                }
            }
        }
        None
    }
}
