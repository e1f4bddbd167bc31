//! The ring of a session partition: its newest dispatches, shared by all its sessions.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use guildhall_state::relay::Receivers;
use guildhall_state::session_partition::record::Slot;
use parking_lot::{Mutex, RwLock};

use super::payload::Payload;
use crate::observe::Fill;

/// One dispatch with its receivers.
#[derive(Debug)]
pub(crate) struct RingItem {
    receivers: Receivers,
    content: Content,
    /// Volatile dispatches have no number of their own.
    is_numbered: bool,
}

/// What is told.
#[derive(Debug)]
enum Content {
    Kept(Arc<Payload>),
    /// Part of a session's start, which is never replayed: given up when its one receiver takes
    /// it, because a READY or a GUILD_CREATE is large and nobody shares it.
    Once(Mutex<Option<Arc<Payload>>>),
}

impl RingItem {
    /// A dispatch with a number.
    pub(crate) const fn numbered(receivers: Receivers, payload: Arc<Payload>) -> Self {
        Self {
            receivers,
            content: Content::Kept(payload),
            is_numbered: true,
        }
    }

    /// A dispatch that repeats the number before it.
    pub(crate) const fn volatile(receivers: Receivers, payload: Arc<Payload>) -> Self {
        Self {
            receivers,
            content: Content::Kept(payload),
            is_numbered: false,
        }
    }

    /// A dispatch of a session's start.
    pub(crate) fn start(slot: Slot, payload: Arc<Payload>) -> Self {
        Self {
            receivers: Receivers::Few(vec![slot]),
            content: Content::Once(Mutex::new(Some(payload))),
            is_numbered: true,
        }
    }

    pub(crate) const fn receivers(&self) -> &Receivers {
        &self.receivers
    }

    /// What it weighs for as long as it is held.
    pub(crate) fn bytes(&self) -> usize {
        match &self.content {
            Content::Kept(payload) => payload.bytes(),
            Content::Once(payload) => payload.lock().as_ref().map_or(0, |held| held.bytes()),
        }
    }
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
    bytes: AtomicUsize,
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
        *ring.bytes.get_mut() += item.bytes();
        ring.items.push_back(item);
        while ring.items.len() > self.entries_max
            || *ring.bytes.get_mut() > self.bytes_max && ring.items.len() > 1
        {
            let Some(oldest) = ring.items.pop_front() else {
                break;
            };
            *ring.bytes.get_mut() -= oldest.bytes();
            ring.first += 1;
        }
        ring.first + ring.items.len() as u64 - 1
    }

    /// Drops everything, for items that belong in between are missing. Whoever stood in the ring
    /// is overrun.
    pub(crate) fn break_off(&self) {
        let mut ring = self.held.write();
        ring.first += ring.items.len() as u64 + 1;
        ring.items.clear();
        *ring.bytes.get_mut() = 0;
    }

    /// How full it is: entries, and what they weigh.
    pub(crate) fn fill(&self) -> (Fill, Fill) {
        let ring = self.held.read();
        let fill = |used, bound| Fill { used, bound };
        (
            fill(ring.items.len(), self.entries_max),
            fill(ring.bytes.load(Ordering::Relaxed), self.bytes_max),
        )
    }

    /// The place that the next item will have.
    pub(crate) fn head(&self) -> u64 {
        let ring = self.held.read();
        ring.first + ring.items.len() as u64
    }

    /// Visits a slot's items from `cursor` on, with whether each has a number, until `visit` says
    /// that it has enough. Returns the place to go on from.
    pub(crate) fn visit(
        &self,
        slot: Slot,
        cursor: u64,
        mut visit: impl FnMut(&Arc<Payload>, bool) -> bool,
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
            if !item.receivers.contains(slot) {
                continue;
            }
            let goes_on = match &item.content {
                Content::Kept(payload) => visit(payload, item.is_numbered),
                Content::Once(content) => {
                    let Some(payload) = content.lock().take() else {
                        continue;
                    };
                    ring.bytes.fetch_sub(payload.bytes(), Ordering::Relaxed);
                    visit(&payload, item.is_numbered)
                }
            };
            if !goes_on {
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
                // Nobody resumes from within a start.
                let Content::Kept(payload) = &item.content else {
                    return None;
                };
                found.push(Arc::clone(payload));
                if found.len() == n {
                    found.reverse();
                    return Some(found);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use guildhall_model::GuildId;
    use guildhall_model::dispatch::Dispatch;

    use super::*;

    fn payload(bytes: usize) -> Arc<Payload> {
        let guild_id = GuildId::new(1).unwrap();
        Payload::new(Arc::new(Dispatch::GuildGone(guild_id)), bytes)
    }

    fn taken(ring: &Ring, slot: Slot, cursor: u64) -> usize {
        let mut taken = 0;
        let visited = ring.visit(slot, cursor, |_, _| {
            taken += 1;
            true
        });
        assert!(visited.is_ok());
        taken
    }

    #[test]
    fn what_a_session_starts_with_is_given_up_when_it_is_taken() {
        let ring = Ring::new(10, 1_000);
        let start = payload(400);
        let cursor = ring.push(RingItem::start(7, Arc::clone(&start)));
        assert_eq!(taken(&ring, 8, cursor), 0, "it is for one session");
        assert_eq!(Arc::strong_count(&start), 2);
        assert_eq!(taken(&ring, 7, cursor), 1);
        assert_eq!(Arc::strong_count(&start), 1, "the ring holds it no longer");
        assert_eq!(taken(&ring, 7, cursor), 0);
        assert_eq!(ring.last(7, ring.head(), 1).map(|found| found.len()), None);
    }

    #[test]
    fn what_was_given_up_does_not_weigh() {
        let ring = Ring::new(10, 1_000);
        for slot in 0..5 {
            let cursor = ring.push(RingItem::start(slot, payload(900)));
            assert_eq!(taken(&ring, slot, cursor), 1);
        }
        let first = ring.push(RingItem::numbered(Receivers::Few(vec![1]), payload(900)));
        assert_eq!(taken(&ring, 1, 0), 1, "nothing has left the ring");
        ring.push(RingItem::numbered(Receivers::Few(vec![1]), payload(900)));
        assert_eq!(ring.visit(1, first, |_, _| true), Err(Overrun));
    }
}
