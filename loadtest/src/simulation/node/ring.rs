//! The ring of a session partition: its newest dispatches, shared by all its sessions.

use std::collections::VecDeque;
use std::sync::Arc;

use guildhall_model::dispatch::Dispatch;
use guildhall_state::relay::Receivers;
use guildhall_state::session_partition::record::Slot;

/// Dispatches that a ring holds: few, so that replays often come from the logs.
pub(super) const RING_MAX: usize = 16;

/// One dispatch with its receivers.
#[derive(Clone, Debug)]
pub(super) struct RingItem {
    pub(super) receivers: Receivers,
    pub(super) dispatch: Arc<Dispatch>,
}

/// The newest dispatches in order. Who falls out of it resumes from the log.
#[derive(Debug, Default)]
pub(super) struct Ring {
    first: u64,
    items: VecDeque<RingItem>,
}

impl Ring {
    /// Appends an item and says where it stands.
    pub(super) fn push(&mut self, item: RingItem) -> u64 {
        self.items.push_back(item);
        if self.items.len() > RING_MAX {
            self.items.pop_front();
            self.first += 1;
        }
        self.head() - 1
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// The place that the next item will have.
    pub(super) fn head(&self) -> u64 {
        self.first + self.items.len() as u64
    }

    /// A slot's next item from `cursor` on, with the place after it; an error when the cursor has
    /// left the ring.
    pub(super) fn next(&self, slot: Slot, cursor: u64) -> Result<(u64, Option<Arc<Dispatch>>), ()> {
        let skip = cursor.checked_sub(self.first).ok_or(())?;
        let mut place = cursor;
        for item in self
            .items
            .iter()
            .skip(usize::try_from(skip).unwrap_or(usize::MAX))
        {
            place += 1;
            if item.receivers.contains(slot) {
                return Ok((place, Some(Arc::clone(&item.dispatch))));
            }
        }
        Ok((place, None))
    }

    /// The last `n` items of a slot, in order; `None` if the ring does not hold them all.
    pub(super) fn last(&self, slot: Slot, n: usize) -> Option<Vec<Arc<Dispatch>>> {
        let of_slot = self.items.iter().rev();
        let mut found: Vec<_> = of_slot
            .filter(|item| item.receivers.contains(slot))
            .take(n)
            .map(|item| Arc::clone(&item.dispatch))
            .collect();
        found.reverse();
        (found.len() == n).then_some(found)
    }
}
