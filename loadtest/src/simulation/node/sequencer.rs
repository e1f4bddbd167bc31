//! The sequencer of a session partition: collects what relays and clients say into one frame,
//! appends it, and only when the frame is stable folds and publishes it.

use std::sync::Arc;

use guildhall_model::dispatch::{Dispatch, Shard, Viewer};
use guildhall_model::{EventPartition, GuildId, Position};
use guildhall_state::relay::{Receivers, Step};
use guildhall_state::session_partition::record::{
    Entry, EventRef, Frame, FrameRecord, Opening, Slot, To,
};

use super::returns::Return;
use super::ring::RingItem;
use super::sessions::SessionPart;
use super::{Node, Wait};
use crate::simulation::env::Env;
use crate::simulation::log::{Topic, after, encode};
use crate::simulation::scenario::Weakness;

/// Inputs that one frame carries at most.
const BATCH_MAX: usize = 32;
/// Inputs that wait at most: what a relay reads from the log at once is one input.
const QUEUE_MAX: usize = 2_048;

/// What a sequencer is told.
#[derive(Debug)]
pub(super) enum Input {
    Told {
        told: Vec<Told>,
        from: EventPartition,
        heard: Position,
    },
    Open(Box<Opened>),
    Settle(Slot),
    Attach(Return),
    Close(Slot),
}

/// One step with the event that it may be about.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) step: Step,
    pub(super) event: Option<(EventRef, Arc<Dispatch>)>,
}

/// A session that begins.
#[derive(Clone, Debug)]
pub(super) struct Opened {
    pub(super) client: usize,
    pub(super) conn: u64,
    pub(super) secret: [u8; 16],
    pub(super) credential: [u8; 32],
    pub(super) viewer: Viewer,
    pub(super) guilds: Vec<GuildId>,
}

/// What happens when the entries before it are stable.
#[derive(Debug)]
enum Then {
    Publish(RingItem),
    Opened(Slot, Box<Opened>, RingItem),
    Attached(Return),
    Closed(Slot),
    Heard(EventPartition, Position),
}

/// What the node has to see to once a frame is published.
#[derive(Debug)]
pub(super) enum Followup {
    Subscribe(Slot, Box<Opened>),
    Attached(Return),
    Closed(Slot),
}

/// A frame under way, with what follows from each of its parts.
#[derive(Debug, Default)]
pub(super) struct Draft {
    frame: Frame,
    then: Vec<(usize, Then)>,
    settled: Vec<Slot>,
    is_published: bool,
}

impl Draft {
    fn then(&mut self, then: Then) {
        self.then.push((self.frame.entries.len(), then));
    }
}

impl Node {
    pub(super) fn tell(&mut self, env: &mut Env, number: u16, input: Input) {
        let Some(part) = self.sessions.get_mut(&number) else {
            return;
        };
        part.queue.push_back(input);
        if part.queue.len() > QUEUE_MAX {
            env.broken
                .push("I8: a sequencer's queue is full".to_owned());
        }
        self.pump(env, number);
    }

    /// Goes on with what waits, if no frame is under way.
    pub(super) fn pump(&mut self, env: &mut Env, number: u16) {
        loop {
            let Some(part) = self.sessions.get_mut(&number) else {
                return;
            };
            if part.under_way.is_some() || part.queue.is_empty() {
                return;
            }
            let mut draft = Draft::default();
            let n = part.queue.len().min(BATCH_MAX);
            let batch: Vec<Input> = part.queue.drain(..n).collect();
            for input in batch {
                part.take(env, input, &mut draft);
            }
            if draft.frame.entries.is_empty() {
                self.publish(env, number, draft);
                continue;
            }
            if env.is_weak(Weakness::Watermark) {
                draft.frame.heard.clear();
            }
            let record = FrameRecord::Frame(draft.frame.clone());
            let epoch = part.epoch;
            part.under_way = Some(Draft::default());
            if env.is_weak(Weakness::Stable) {
                self.publish(env, number, draft);
                draft = Draft {
                    is_published: true,
                    ..Draft::default()
                };
            }
            if let Some(part) = self.sessions.get_mut(&number) {
                part.under_way = Some(draft);
                let to = (Topic::Frames, number, epoch);
                self.append(env, to, vec![encode(&record)], Wait::Frame(number));
            }
            return;
        }
    }

    pub(super) fn frame_appended(&mut self, env: &mut Env, number: u16, last: Position) {
        let Some(part) = self.sessions.get_mut(&number) else {
            return;
        };
        part.end = after(last);
        if let Some(draft) = part.under_way.take()
            && !draft.is_published
        {
            self.publish(env, number, draft);
        }
        self.keep_snapshot(env, number);
        self.pump(env, number);
    }

    fn publish(&mut self, env: &mut Env, number: u16, draft: Draft) {
        let Some(part) = self.sessions.get_mut(&number) else {
            return;
        };
        let mut followups = Vec::new();
        let mut folded = 0;
        let Draft { frame, then, .. } = draft;
        for (upto, then) in then {
            for entry in &frame.entries[folded..upto] {
                part.machine.fold_entry(entry);
            }
            folded = upto;
            part.follow(env, then, &mut followups);
        }
        for entry in &frame.entries[folded..] {
            part.machine.fold_entry(entry);
        }
        part.drain_all(env);
        for followup in followups {
            match followup {
                Followup::Subscribe(slot, opened) => self.subscribe(env, number, slot, &opened),
                Followup::Attached(back) => self.attached(env, number, &back),
                Followup::Closed(slot) => self.forget(number, slot),
            }
        }
    }
}

impl SessionPart {
    fn take(&mut self, env: &mut Env, input: Input, draft: &mut Draft) {
        match input {
            Input::Told { told, from, heard } => {
                for told in told {
                    self.take_told(told, draft);
                }
                draft.then(Then::Heard(from, heard));
                draft.frame.heard.retain(|(noted, _)| *noted != from);
                draft.frame.heard.push((from, heard));
            }
            Input::Open(opened) => self.take_open(opened, draft),
            Input::Settle(slot) => {
                draft.settled.push(slot);
                draft.frame.entries.push(Entry::Settled { slot });
                for number in (0..env.scenario.event_partitions).map(EventPartition) {
                    if !draft.frame.heard.iter().any(|(noted, _)| *noted == number) {
                        let heard = self.machine.heard(number);
                        draft.frame.heard.push((number, heard));
                    }
                }
            }
            Input::Attach(back) => {
                if let Err(refusal) = self.may_return(env, &back) {
                    return env.refuse(&back, refusal);
                }
                draft.frame.entries.push(Entry::Attach { slot: back.slot });
                draft.then(Then::Attached(back));
            }
            Input::Close(slot) => {
                if self.machine.session(slot).is_some() {
                    draft.frame.entries.push(Entry::Close { slot });
                    draft.then(Then::Closed(slot));
                }
            }
        }
    }

    fn take_told(&mut self, told: Told, draft: &mut Draft) {
        match told.step {
            Step::Event(receivers) => {
                let Some((at, dispatch)) = told.event else {
                    return;
                };
                let to = self.address(&receivers, draft);
                draft.frame.entries.push(Entry::Event { at, to });
                draft.then(Then::Publish(RingItem {
                    receivers,
                    dispatch,
                }));
            }
            Step::Made(receivers, dispatch) => self.make(receivers, dispatch, draft),
            Step::Subscribed {
                slot,
                guild_id,
                gseq,
                announced,
            } => self.take_subscribed(slot, (guild_id, gseq), announced, draft),
            Step::Unsubscribed { slot, guild_id } => {
                let entry = Entry::Unsubscribed { slot, guild_id };
                draft.frame.entries.push(entry);
            }
        }
    }

    fn take_subscribed(
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
        draft.frame.entries.push(Entry::Subscribed {
            slot,
            guild_id,
            gseq,
            announced: told.is_some() && !is_live,
        });
        let Some(dispatch) = told else { return };
        let receivers = Receivers::Few(vec![slot]);
        if is_live {
            self.make(receivers, dispatch, draft);
        } else {
            draft.then(Then::Publish(RingItem {
                receivers,
                dispatch,
            }));
        }
    }

    fn make(&mut self, receivers: Receivers, dispatch: Arc<Dispatch>, draft: &mut Draft) {
        let to = self.address(&receivers, draft);
        draft.frame.entries.push(Entry::Made {
            to,
            dispatch: encode(&*dispatch),
        });
        draft.then(Then::Publish(RingItem {
            receivers,
            dispatch,
        }));
    }

    /// Names receivers in the log. A set that has no number yet is given one first.
    fn address(&mut self, receivers: &Receivers, draft: &mut Draft) -> To {
        let set = match receivers {
            Receivers::Few(slots) => return To::Slots(slots.clone()),
            Receivers::Many(set) => set,
        };
        let known = self
            .audiences
            .iter()
            .find(|(_, held)| Arc::ptr_eq(held, set));
        if let Some((id, _)) = known {
            return To::Audience(*id);
        }
        let id = self.next_audience;
        self.next_audience += 1;
        self.audiences.push((id, Arc::clone(set)));
        draft.frame.entries.push(Entry::Audience {
            id,
            slots: Arc::clone(set),
        });
        To::Audience(id)
    }

    fn take_open(&mut self, opened: Box<Opened>, draft: &mut Draft) {
        let slot = self.next_slot;
        self.next_slot += 1;
        draft.frame.entries.push(Entry::Open(Opening {
            slot,
            secret: opened.secret,
            credential: opened.credential,
            login: None,
            viewer: opened.viewer,
            shard: Shard::WHOLE,
        }));
        let item = RingItem {
            receivers: Receivers::Few(vec![slot]),
            dispatch: Arc::new(self.ready(slot, &opened)),
        };
        draft.then(Then::Opened(slot, opened, item));
    }

    fn follow(&mut self, env: &mut Env, then: Then, followups: &mut Vec<Followup>) {
        match then {
            Then::Publish(item) => {
                self.ring.push(item);
                // Whoever is not slow takes it before it can leave the ring.
                self.drain_all(env);
            }
            Then::Opened(slot, opened, item) => {
                let cursor = self.ring.push(item);
                self.open(env, slot, &opened, cursor);
                followups.push(Followup::Subscribe(slot, opened));
            }
            Then::Attached(back) => followups.push(Followup::Attached(back)),
            Then::Closed(slot) => followups.push(Followup::Closed(slot)),
            Then::Heard(from, heard) => self.machine.note_heard(from, heard),
        }
    }
}
