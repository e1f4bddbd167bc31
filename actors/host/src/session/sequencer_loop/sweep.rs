//! The sequencer's regular look at its sessions: who is over is closed.

use std::sync::Arc;

use guildhall_state::relay::SessionRef;
use guildhall_state::session_partition::S_MAX;
use guildhall_state::session_partition::record::{Entry, Slot};
use roaring::RoaringBitmap;

use super::SequencerLoop;
use super::draft::Draft;
use crate::node::Node;
use crate::session::shared::Ending;

impl SequencerLoop {
    /// Ends sessions that nobody came back to, or that were revoked, or whose numbers run out.
    pub(super) fn sweep(&mut self, draft: &mut Draft) {
        let now = self.env.steady();
        let over: Vec<Slot> = self
            .shared
            .iter()
            .filter(|(slot, shared)| {
                let exhausted = self.machine.session(**slot).is_some_and(|s| s.s >= S_MAX);
                let away = shared.detached_ms(now) > self.config.resume_window_ms;
                let left = shared.is_over() && !shared.is_attached();
                away || left || exhausted || shared.ending() == Some(Ending::Revoked)
            })
            .map(|(&slot, _)| slot)
            .collect();
        for slot in over {
            if let Some(shared) = self.shared.get(&slot) {
                shared.end(Ending::Revoked);
            }
            self.part_with(slot);
            self.take_close(slot, draft);
        }
        self.end_audiences(draft);
    }

    /// Takes a session out of the registry and the relays before it is closed.
    pub(super) fn part_with(&self, slot: Slot) {
        let Some(session) = self.machine.session(slot) else {
            return;
        };
        let user = session.viewer().user_id;
        let reference = SessionRef {
            partition: self.number,
            slot,
        };
        let was_last = self.registry.remove(user, reference);
        let guilds: Vec<_> = session.guilds.keys().copied().collect();
        if let Some(inner) = self.node.upgrade() {
            tokio::spawn(async move {
                inner.forget_session(reference, guilds.clone()).await;
                if was_last {
                    Node { inner }.end_temporary(user, guilds).await;
                }
            });
        }
    }

    /// Sets of sessions that neither a relay nor the ring holds any more lose their numbers.
    fn end_audiences(&mut self, draft: &mut Draft) {
        // One reference is this map's, one the machine's.
        let unused = |set: &Arc<RoaringBitmap>| Arc::strong_count(set) <= 2;
        self.audiences.retain(|_, (id, set)| {
            let is_used = !unused(set);
            if !is_used {
                draft.frame.entries.push(Entry::AudienceEnd { id: *id });
            }
            is_used
        });
    }
}
