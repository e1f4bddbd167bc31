//! The way to the sequencers of the session partitions: what they are told, and by whom.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use guildhall_model::dispatch::{Dispatch, Shard, Viewer};
use guildhall_model::{Epoch, EventPartition, LoginId, Position, SessionPartition};
use guildhall_ports::Failure;
use guildhall_state::relay::audience::Reach;
use guildhall_state::relay::{Receivers, Step, Steps};
use guildhall_state::session_partition::Refusal;
use guildhall_state::session_partition::record::{EventRef, Slot};
use parking_lot::RwLock;
use rustc_hash::FxHashMap;
use tokio::sync::{mpsc, oneshot, watch};

use super::payload::Payload;
use super::ring::Ring;
use super::shared::SessionShared;
use super::snapshots::Floors;
use crate::event_log::Stable;
use crate::observe::{Fill, SessionPartitionState};

/// A dispatch that was made for somebody weighs about this much before it is rendered.
const MADE_BYTES: usize = 1_024;
/// Batches that wait before a sequencer.
pub(crate) const QUEUE_MAX: usize = 1_024;

/// What a sequencer is told.
pub(crate) enum Input {
    /// What a relay has found out, and how far it has heard with that.
    Told {
        told: Vec<Told>,
        from: EventPartition,
        heard: Position,
    },
    /// Something that is not kept.
    Volatile {
        receivers: Receivers,
        payload: Arc<Payload>,
    },
    /// A session begins.
    Open {
        request: Box<Request>,
        reply: oneshot::Sender<Result<Opened, Failure>>,
    },
    /// A session's start is complete. Not answered if it was closed meanwhile.
    Settle {
        slot: Slot,
        done: oneshot::Sender<()>,
    },
    /// A client comes back.
    Attach {
        claim: Claim,
        reply: oneshot::Sender<Result<Attached, AttachError>>,
    },
    /// A relay is about to tell again what this partition has missed.
    Retelling { from: EventPartition, epoch: Epoch },
    /// Snapshot, then stop.
    Stop { done: oneshot::Sender<()> },
    /// Stop at once: the partition belongs to somebody else.
    Lose { done: oneshot::Sender<()> },
}

/// One step with the event that it may be about.
pub(crate) struct Told {
    pub(crate) step: Step,
    pub(crate) event: Option<(EventRef, Arc<Payload>)>,
}

/// A session that is to be opened.
pub(crate) struct Request {
    pub(crate) secret: [u8; 16],
    pub(crate) credential: [u8; 32],
    pub(crate) login: Option<LoginId>,
    pub(crate) viewer: Viewer,
    pub(crate) shard: Shard,
    /// Makes READY once the slot is known.
    pub(crate) ready: Box<dyn FnOnce(SessionPartition, Slot) -> Dispatch + Send>,
}

/// A session that was opened: READY stands in the ring at `cursor`.
pub(crate) struct Opened {
    pub(crate) slot: Slot,
    pub(crate) shared: Arc<SessionShared>,
    pub(crate) cursor: u64,
}

/// What a returning client says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    pub(crate) slot: Slot,
    pub(crate) secret: [u8; 16],
    pub(crate) credential: [u8; 32],
    pub(crate) seq: u64,
}

/// A session that a client has come back to: it gets everything up to `s` again that it has
/// missed, and goes on in the ring at `cursor`.
pub(crate) struct Attached {
    pub(crate) shared: Arc<SessionShared>,
    pub(crate) viewer: Viewer,
    pub(crate) cursor: u64,
    pub(crate) s: u32,
}

/// Why a client could not come back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttachError {
    #[error(transparent)]
    Refusal(#[from] Refusal),
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// Whether a sequencer takes sessions.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    /// It does, under this epoch.
    Working(Epoch),
    /// The log has refused a frame: it takes the partition over from itself.
    Recovering(Failure),
    /// Somebody else owns the partition.
    Lost,
}

/// The way to one sequencer.
#[derive(Clone, Debug)]
pub(crate) struct Sequencer {
    pub(crate) queue: mpsc::Sender<Input>,
    pub(crate) condition: watch::Receiver<Condition>,
    pub(crate) ring: Arc<Ring>,
    /// Sessions in the partition, for placing new ones.
    pub(crate) load: Arc<AtomicUsize>,
    /// What the events log must keep for its replays.
    pub(crate) floors: Floors,
    /// The epoch under which the partition was taken over; later ones are its own.
    pub(crate) taken: Epoch,
}

impl Sequencer {
    /// The epoch under which sessions are taken, or why none are.
    pub(crate) fn epoch(&self) -> Result<Epoch, Failure> {
        match &*self.condition.borrow() {
            Condition::Working(epoch) => Ok(*epoch),
            Condition::Recovering(failure) => Err(failure.clone()),
            Condition::Lost => Err(lost()),
        }
    }

    /// It has found out that somebody else owns the partition, or did for a moment.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(*self.condition.borrow(), Condition::Lost)
    }

    /// Lets it write what it has and a last snapshot. Nothing is delivered afterwards.
    pub(crate) async fn stop(&self) {
        let (done, stopped) = oneshot::channel();
        if self.queue.send(Input::Stop { done }).await.is_ok() {
            let _ = stopped.await;
        }
    }

    /// Ends its sockets and itself: nothing that it writes counts.
    pub(crate) async fn lose(&self) {
        let (done, lost) = oneshot::channel();
        if self.queue.send(Input::Lose { done }).await.is_ok() {
            let _ = lost.await;
        }
    }

    /// Waits until sessions are taken. Fails when somebody else owns the partition before.
    pub(crate) async fn until_working(&self) -> Result<(), Failure> {
        let mut condition = self.condition.clone();
        let settled = condition
            .wait_for(|condition| !matches!(condition, Condition::Recovering(_)))
            .await;
        match *settled.map_err(|_| Failure::Closing)? {
            Condition::Lost => Err(lost()),
            Condition::Working(_) | Condition::Recovering(_) => Ok(()),
        }
    }

    pub(crate) fn observe(&self, number: SessionPartition) -> SessionPartitionState {
        let epoch = self.epoch();
        let (ring_entries, ring_bytes) = self.ring.fill();
        SessionPartitionState {
            number,
            failure: epoch.as_ref().err().map(ToString::to_string),
            epoch: epoch.ok(),
            sessions: self.load.load(Ordering::Relaxed),
            queue: Fill::of(&self.queue),
            ring_entries,
            ring_bytes,
        }
    }

    /// Ends a session's start. Fails when the partition was taken over meanwhile, which closes
    /// sessions that are starting.
    pub(crate) async fn settle(&self, slot: Slot) -> Result<(), Failure> {
        let (done, settled) = oneshot::channel();
        let sent = self.queue.send(Input::Settle { slot, done }).await;
        sent.map_err(|_| Failure::Closing)?;
        let broke_off = || Failure::unavailable("the session", "its start was interrupted");
        settled.await.map_err(|_| broke_off())
    }
}

/// What is answered as long as relays have not begun to tell what was missed.
pub(crate) fn recovering() -> Failure {
    Failure::unavailable("the session partition", "it is being taken over")
}

/// What is answered by an owner that was taken over.
pub(crate) const fn lost() -> Failure {
    Failure::Stale {
        what: "the session partition",
    }
}

/// The sequencers of the session partitions that a node owns at one moment.
type Owned = Arc<[(SessionPartition, Sequencer)]>;

/// The ways to all sequencers of this node; clones see the same ones. They come and go with their
/// partitions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sequencers(Arc<RwLock<Owned>>);

impl Sequencers {
    /// Adds the sequencer of a partition, in place of the one that it had.
    pub(crate) fn insert(&self, partition: SessionPartition, sequencer: Sequencer) {
        let mut owned = self.0.write();
        let others = owned.iter().filter(|(other, _)| *other != partition);
        let mut all: Vec<_> = others.cloned().collect();
        all.push((partition, sequencer));
        all.sort_unstable_by_key(|(number, _)| *number);
        *owned = all.into();
    }

    /// Takes the sequencer of a partition out.
    pub(crate) fn remove(&self, partition: SessionPartition) -> Option<Sequencer> {
        let removed = self.get(partition);
        let mut owned = self.0.write();
        let others = owned.iter().filter(|(other, _)| *other != partition);
        *owned = others.cloned().collect();
        removed
    }

    pub(crate) fn get(&self, partition: SessionPartition) -> Option<Sequencer> {
        let owned = self.all();
        let at = owned.binary_search_by_key(&partition, |(number, _)| *number);
        Some(owned.get(at.ok()?)?.1.clone())
    }

    /// The partition with the fewest sessions among those that work; if none does, why.
    pub(crate) fn least_loaded(&self) -> Result<(SessionPartition, Sequencer), Failure> {
        let owned = self.all();
        let working = owned.iter().filter(|(_, other)| other.epoch().is_ok());
        let least = working.min_by_key(|(_, other)| other.load.load(Ordering::Relaxed));
        least.cloned().ok_or_else(|| {
            let mut reasons = owned.iter().filter_map(|(_, other)| other.epoch().err());
            reasons.next().unwrap_or(Failure::Closing)
        })
    }

    /// There are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.read().is_empty()
    }

    /// Those that there are at this moment, by partition.
    pub(crate) fn all(&self) -> Owned {
        Arc::clone(&self.0.read())
    }

    /// Gives each partition its share. Waits while a sequencer's queue is full.
    pub(crate) async fn send(&self, shares: Shares, from: EventPartition, heard: Position) {
        for (partition, told) in shares.0 {
            self.tell(partition, Input::Told { told, from, heard })
                .await;
        }
    }

    /// Says how far a relay has heard, though nobody received anything.
    pub(crate) async fn tell_heard(&self, from: EventPartition, heard: Position) {
        for (partition, _) in self.all().iter() {
            let told = Input::Told {
                told: Vec::new(),
                from,
                heard,
            };
            self.tell(*partition, told).await;
        }
    }

    /// Tells something that is not kept.
    pub(crate) async fn tell_volatile(&self, reach: &Reach, dispatch: &Arc<Dispatch>) {
        let payload = Payload::new(Arc::clone(dispatch), MADE_BYTES);
        for (partition, receivers) in reach.partitions() {
            let (receivers, payload) = (receivers.clone(), Arc::clone(&payload));
            self.tell(*partition, Input::Volatile { receivers, payload })
                .await;
        }
    }

    pub(crate) async fn tell(&self, partition: SessionPartition, input: Input) {
        if let Some(sequencer) = self.get(partition) {
            // It ends with the node, or because its partition belongs to somebody else.
            let _ = sequencer.queue.send(input).await;
        }
    }
}

/// What each session partition is to be told, in order.
#[derive(Default)]
pub(crate) struct Shares(FxHashMap<SessionPartition, Vec<Told>>);

impl Shares {
    /// Adds what follows from one event.
    pub(crate) fn add(&mut self, at: EventRef, stable: &Stable, steps: Steps) {
        if steps.is_empty() {
            return;
        }
        let dispatch = Arc::new(Dispatch::Event(Arc::clone(&stable.record)));
        let payload = Payload::new(dispatch, stable.bytes);
        for (partition, step) in steps {
            let event = matches!(step, Step::Event(_)).then(|| (at, Arc::clone(&payload)));
            self.0
                .entry(partition)
                .or_default()
                .push(Told { step, event });
        }
    }

    /// Adds steps that are about no event.
    pub(crate) fn add_made(&mut self, steps: Steps) {
        for (partition, step) in steps {
            self.0
                .entry(partition)
                .or_default()
                .push(Told { step, event: None });
        }
    }
}

/// What a made dispatch roughly weighs.
pub(crate) const fn made_bytes(encoded: usize) -> usize {
    if encoded < MADE_BYTES {
        MADE_BYTES
    } else {
        encoded
    }
}
