//! The sequencer of a session partition: the only writer of its frames log.
//!
//! It collects what relays and clients say into one frame, appends it, and only when the frame is
//! stable folds it, publishes it to the ring and rings the doorbells. While an append is under
//! way the next frame collects.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use guildhall_model::dispatch::Dispatch;
use guildhall_model::{Epoch, EventPartition, GuildId, Position, SessionPartition as Number};
use guildhall_ports::{Env, Failure, Log};
use guildhall_state::relay::{Receivers, SessionRef, Step};
use guildhall_state::session_partition::record::{Entry, Frame, FrameRecord, Opening, Slot, To};
use guildhall_state::session_partition::{Refusal, S_MAX, SessionPartition};
use roaring::RoaringBitmap;
use rustc_hash::FxHashMap;
use tokio::sync::{mpsc, oneshot};
use tracing::{error, info, warn};

use super::payload::Payload;
use super::registry::Registry;
use super::ring::{Ring, RingItem};
use super::sequencer::{AttachError, Attached, Claim, Input, Opened, Request, Told, made_bytes};
use super::shared::{Ending, SessionShared};
use super::snapshots::Keeper;
use crate::config::HostConfig;
use crate::event_log::after;
use crate::node::{Inner, Node};

/// Inputs that one frame carries at most.
const BATCH_MAX: usize = 512;
/// Pause before an append is tried again when the disk is full.
const RETRY_AFTER: Duration = Duration::from_millis(200);
/// How often sessions without a socket are looked at.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// The sequencer's own state.
pub(crate) struct SequencerLoop {
    pub(crate) number: Number,
    pub(crate) epoch: Epoch,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) machine: SessionPartition,
    pub(crate) shared: FxHashMap<Slot, Arc<SessionShared>>,
    pub(crate) ring: Arc<Ring>,
    pub(crate) load: Arc<AtomicUsize>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) keeper: Keeper,
    pub(crate) config: HostConfig,
    pub(crate) env: Env,
    /// Just after the last record that is folded.
    pub(crate) end: Position,
    pub(crate) audiences: FxHashMap<usize, (u32, Arc<RoaringBitmap>)>,
    pub(crate) next_slot: Slot,
    pub(crate) next_audience: u32,
    pub(crate) node: std::sync::Weak<Inner>,
}

/// What happens when the entries before it are stable.
enum Then {
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
struct Draft {
    frame: Frame,
    /// Each with the number of entries that come before it.
    then: Vec<(usize, Then)>,
    /// Sessions whose start is complete with this frame.
    settled: Vec<Slot>,
    stop: Option<oneshot::Sender<()>>,
}

impl Draft {
    fn then(&mut self, then: Then) {
        self.then.push((self.frame.entries.len(), then));
    }
}

impl SequencerLoop {
    /// Runs until it is told to stop, or the log fails for good.
    pub(crate) async fn run(mut self, mut inbox: mpsc::Receiver<Input>) {
        let mut sweep = tokio::time::interval(SWEEP_EVERY);
        sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut batch = Vec::new();
        loop {
            let mut draft = Draft::default();
            tokio::select! {
                // Cancel-safe: `recv_many` and `tick` lose nothing.
                n = inbox.recv_many(&mut batch, BATCH_MAX) => if n == 0 { return },
                _ = sweep.tick() => self.sweep(&mut draft),
            }
            for input in batch.drain(..) {
                self.take(input, &mut draft);
            }
            let stop = draft.stop.take();
            if let Err(failure) = self.commit(draft).await {
                error!(session.partition = self.number.0, %failure, "the frames log cannot be written");
                self.shared
                    .values()
                    .for_each(|shared| shared.end(Ending::Failed));
                return;
            }
            let now = self.env.now();
            if stop.is_some() || self.keeper.is_due(now) {
                self.keeper.keep(&self.machine, self.end, now).await;
            }
            if let Some(done) = stop {
                info!(
                    session.partition = self.number.0,
                    "session partition closed"
                );
                let _ = done.send(());
                return;
            }
        }
    }

    fn take(&mut self, input: Input, draft: &mut Draft) {
        match input {
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
            Input::Open { request, reply } => self.take_open(*request, reply, draft),
            Input::Settle { slot } => {
                draft.settled.push(slot);
                draft.frame.entries.push(Entry::Settled { slot });
                self.note_all_heard(draft);
            }
            Input::Attach { claim, reply } => self.take_attach(claim, reply, draft),
            Input::Stop { done } => draft.stop = Some(done),
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
        self.next_audience += 1;
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
        self.next_slot += 1;
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

    fn take_close(&mut self, slot: Slot, draft: &mut Draft) {
        if self.machine.session(slot).is_some() {
            draft.frame.entries.push(Entry::Close { slot });
            draft.then(Then::Closed { slot });
        }
    }

    /// Makes a frame stable, then folds and publishes it entry by entry.
    async fn commit(&mut self, draft: Draft) -> Result<(), Failure> {
        let Draft { frame, then, .. } = draft;
        if frame.entries.is_empty() {
            self.publish(&frame, then);
            return Ok(());
        }
        let record = FrameRecord::Frame(frame);
        let bytes = rmp_serde::to_vec(&record).expect("plain data in memory always encodes");
        self.end = after(self.append(bytes.into()).await?);
        if let FrameRecord::Frame(frame) = record {
            self.publish(&frame, then);
        }
        Ok(())
    }

    async fn append(&self, bytes: Bytes) -> Result<Position, Failure> {
        loop {
            let appended = self
                .log
                .append(self.number.0, self.epoch, vec![bytes.clone()])
                .await;
            match appended {
                Ok(positions) => {
                    return positions.last().copied().ok_or(Failure::Closing);
                }
                // Nothing was written: the same frame may be tried again.
                Err(Failure::Full { what }) => {
                    warn!(
                        session.partition = self.number.0,
                        what, "the disk is full, dispatches wait"
                    );
                    tokio::time::sleep(RETRY_AFTER).await;
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    fn publish(&mut self, frame: &Frame, then: Vec<(usize, Then)>) {
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
                let shared = Arc::new(SessionShared::new(self.env.now()));
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
                let unknown = guildhall_state::session_partition::Refusal::Unknown;
                let _ = reply.send(attached.ok_or(unknown.into()));
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

    /// Ends sessions that nobody came back to, or that were revoked, or whose numbers run out.
    fn sweep(&mut self, draft: &mut Draft) {
        let now = self.env.now();
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
            self.part_with(slot);
            self.take_close(slot, draft);
        }
        self.end_audiences(draft);
    }

    /// Takes a session out of the registry and the relays before it is closed.
    fn part_with(&self, slot: Slot) {
        let Some(session) = self.machine.session(slot) else {
            return;
        };
        if let Some(shared) = self.shared.get(&slot) {
            shared.end(Ending::Revoked);
        }
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
