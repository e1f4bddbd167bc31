//! What a frame is made of: each input adds its entries, and what follows when they are stable.

use std::sync::Arc;

use guildhall_model::dispatch::Dispatch;
use guildhall_model::{EventPartition, GuildId, Position};
use guildhall_ports::Failure;
use guildhall_state::relay::{Receivers, Step};
use guildhall_state::session_partition::Refusal;
use guildhall_state::session_partition::record::{Entry, Frame, Opening, Slot, To};
use tokio::sync::oneshot;

use super::SequencerLoop;
use crate::session::payload::Payload;
use crate::session::ring::RingItem;
use crate::session::sequencer::{
    AttachError, Attached, Claim, Input, Opened, Request, Told, made_bytes, recovering,
};

/// What happens when the entries before it are stable.
pub(super) enum Then {
    Publish(RingItem),
    Opened {
        slot: Slot,
        item: RingItem,
        reply: oneshot::Sender<Result<Opened, Failure>>,
    },
    Attached {
        claim: Claim,
        reply: oneshot::Sender<Result<Attached, AttachError>>,
    },
    Closed {
        slot: Slot,
    },
    Heard(EventPartition, Position),
}

/// A frame under way, with what follows from each of its parts.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) frame: Frame,
    /// Each with the number of entries that come before it.
    pub(super) then: Vec<(usize, Then)>,
    /// Sessions whose start is complete with this frame.
    pub(super) settled: Vec<Slot>,
    pub(super) stop: Option<oneshot::Sender<()>>,
    /// Somebody else owns the partition: the frame is void.
    pub(super) lost: Option<oneshot::Sender<()>>,
}

impl Draft {
    pub(super) fn then(&mut self, then: Then) {
        self.then.push((self.frame.entries.len(), then));
    }
}

impl SequencerLoop {
    pub(super) fn take(&mut self, input: Input, draft: &mut Draft) {
        match input {
            Input::Told { from, .. } if self.deaf_to.contains(&from) => {}
            Input::Told { told, from, heard } => {
                for told in told {
                    self.take_told(told, draft);
                }
                draft.then(Then::Heard(from, heard));
                draft
                    .frame
                    .heard
                    .retain(|(partition, _)| *partition != from);
                draft.frame.heard.push((from, heard));
            }
            Input::Volatile { receivers, payload } => {
                draft.then(Then::Publish(RingItem::volatile(receivers, payload)));
            }
            // A relay would subscribe it before it tells again who is subscribed.
            Input::Open { reply, .. } if !self.deaf_to.is_empty() => {
                drop(reply.send(Err(recovering())));
            }
            Input::Open { request, reply } => self.take_open(*request, reply, draft),
            // Closed while it started.
            Input::Settle { slot, .. } if !self.shared.contains_key(&slot) => {}
            Input::Settle { slot, done } => {
                let _ = done.send(());
                draft.settled.push(slot);
                draft.frame.entries.push(Entry::Settled { slot });
                self.note_all_heard(draft);
            }
            Input::Attach { claim, reply } => self.take_attach(claim, reply, draft),
            Input::Retelling { from, epoch } => self.hear_again(from, epoch),
            Input::Stop { done } => draft.stop = Some(done),
            Input::Lose { done } => draft.lost = Some(done),
        }
    }

    /// Writes down how far every relay has been heard: what came before a session's start is not
    /// told to it by a successor either.
    fn note_all_heard(&self, draft: &mut Draft) {
        for partition in (0..self.config.event_partitions).map(EventPartition) {
            if !draft
                .frame
                .heard
                .iter()
                .any(|(noted, _)| *noted == partition)
            {
                draft
                    .frame
                    .heard
                    .push((partition, self.machine.heard(partition)));
            }
        }
    }

    fn take_told(&mut self, told: Told, draft: &mut Draft) {
        match told.step {
            Step::Event(receivers) => {
                let Some((at, payload)) = told.event else {
                    return;
                };
                let to = self.address(&receivers, draft);
                draft.frame.entries.push(Entry::Event { at, to });
                draft.then(Then::Publish(RingItem::numbered(receivers, payload)));
            }
            Step::Made(receivers, dispatch) => self.make(receivers, dispatch, draft),
            Step::Subscribed {
                slot,
                guild_id,
                gseq,
                announced,
            } => {
                self.subscribe(slot, (guild_id, gseq), announced, draft);
            }
            Step::Unsubscribed { slot, guild_id } => {
                draft
                    .frame
                    .entries
                    .push(Entry::Unsubscribed { slot, guild_id });
            }
        }
    }

    /// A session hears a guild. What it is told is kept only if it joins while it is live: who
    /// breaks off during its start begins anew.
    fn subscribe(
        &mut self,
        slot: Slot,
        (guild_id, gseq): (GuildId, u64),
        told: Option<Arc<Dispatch>>,
        draft: &mut Draft,
    ) {
        let Some(session) = self.machine.session(slot) else {
            return;
        };
        let is_live = session.settled_at.is_some() || draft.settled.contains(&slot);
        let announced = told.is_some() && !is_live;
        draft.frame.entries.push(Entry::Subscribed {
            slot,
            guild_id,
            gseq,
            announced,
        });
        let Some(dispatch) = told else { return };
        if is_live {
            self.make(Receivers::Few(vec![slot]), dispatch, draft);
        } else {
            let payload = Payload::new(dispatch, made_bytes(0));
            draft.then(Then::Publish(RingItem::start(slot, payload)));
        }
    }

    fn make(&mut self, receivers: Receivers, dispatch: Arc<Dispatch>, draft: &mut Draft) {
        let bytes = rmp_serde::to_vec(&*dispatch).expect("plain data in memory always encodes");
        let payload = Payload::new(dispatch, made_bytes(bytes.len()));
        let to = self.address(&receivers, draft);
        draft.frame.entries.push(Entry::Made {
            to,
            dispatch: bytes.into(),
        });
        draft.then(Then::Publish(RingItem::numbered(receivers, payload)));
    }

    /// Names receivers in the log. A set that has no number yet is given one first.
    fn address(&mut self, receivers: &Receivers, draft: &mut Draft) -> To {
        let set = match receivers {
            Receivers::Few(slots) => return To::Slots(slots.clone()),
            Receivers::Many(set) => set,
        };
        let key = Arc::as_ptr(set) as usize;
        if let Some((id, _)) = self.audiences.get(&key) {
            return To::Audience(*id);
        }
        let id = self.next_audience;
        let Some(next) = id.checked_add(1) else {
            // After four billion sets there are no numbers left; lists need none.
            return To::Slots(set.iter().collect());
        };
        self.next_audience = next;
        self.audiences.insert(key, (id, Arc::clone(set)));
        draft.frame.entries.push(Entry::Audience {
            id,
            slots: Arc::clone(set),
        });
        To::Audience(id)
    }

    fn take_open(
        &mut self,
        request: Request,
        reply: oneshot::Sender<Result<Opened, Failure>>,
        draft: &mut Draft,
    ) {
        let slot = self.next_slot;
        let Some(next) = slot.checked_add(1) else {
            let what = "sessions of a partition";
            return drop(reply.send(Err(Failure::Full { what })));
        };
        self.next_slot = next;
        draft.frame.entries.push(Entry::Open(Opening {
            slot,
            secret: request.secret,
            credential: request.credential,
            login: request.login,
            viewer: request.viewer,
            shard: request.shard,
        }));
        let payload = Payload::new(Arc::new((request.ready)(self.number, slot)), made_bytes(0));
        let item = RingItem::start(slot, payload);
        draft.then(Then::Opened { slot, item, reply });
    }

    fn take_attach(
        &mut self,
        claim: Claim,
        reply: oneshot::Sender<Result<Attached, AttachError>>,
        draft: &mut Draft,
    ) {
        let Claim {
            slot,
            secret,
            credential,
            seq,
        } = claim;
        // A client that has ended its session may be back before the sweep has closed it.
        if self
            .shared
            .get(&slot)
            .is_some_and(|shared| shared.is_over())
        {
            drop(reply.send(Err(Refusal::Unknown.into())));
            return;
        }
        match self.machine.may_resume(slot, &secret, &credential, seq) {
            Ok(_) => {
                draft.frame.entries.push(Entry::Attach { slot });
                draft.then(Then::Attached { claim, reply });
            }
            Err(refusal) => drop(reply.send(Err(refusal.into()))),
        }
    }

    pub(super) fn take_close(&mut self, slot: Slot, draft: &mut Draft) {
        if self.machine.session(slot).is_some() {
            draft.frame.entries.push(Entry::Close { slot });
            draft.then(Then::Closed { slot });
        }
    }
}
