//! The sequencer of a session partition: the only writer of its frames log.
//!
//! It collects what relays and clients say into one frame, appends it, and only when the frame is
//! stable folds it, publishes it to the ring and rings the doorbells. While an append is under
//! way the next frame collects.

mod draft;
mod publish;
mod repair;
mod sweep;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use bytes::Bytes;
use guildhall_model::{Epoch, EventPartition, Position, SessionPartition as Number};
use guildhall_ports::crash::{self, Point};
use guildhall_ports::{Env, Failure, Log};
use guildhall_state::session_partition::SessionPartition;
use guildhall_state::session_partition::record::{FrameRecord, Slot};
use roaring::RoaringBitmap;
use rustc_hash::{FxHashMap, FxHashSet};
use tokio::sync::{mpsc, watch};
use tracing::{info, warn};

use super::frames;
use super::registry::Registry;
use super::ring::Ring;
use super::sequencer::{Condition, Input};
use super::shared::{Ending, SessionShared};
use super::snapshots::Keeper;
use crate::config::HostConfig;
use crate::node::Inner;
use draft::Draft;

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
    pub(crate) condition: watch::Sender<Condition>,
    /// Relays that have not begun to tell again what the log has refused: what they tell before
    /// has gaps.
    pub(crate) deaf_to: FxHashSet<EventPartition>,
}

/// Why the sequencer does not go on as before.
enum Turn {
    /// It was told to.
    Stopped,
    /// The log has refused a frame.
    Refused(Failure),
}

impl SequencerLoop {
    /// Runs until it is told to stop, or somebody else owns the partition.
    pub(crate) async fn run(mut self, mut inbox: mpsc::Receiver<Input>) {
        while let Turn::Refused(failure) = self.serve(&mut inbox).await {
            if matches!(failure, Failure::Stale { .. }) {
                self.give_up();
                return;
            }
            if self.repair(failure, &mut inbox).await.is_break() {
                return;
            }
        }
    }

    /// Somebody else owns the partition: its sockets are asked to come back.
    fn give_up(&self) {
        warn!(
            session.partition = self.number.0,
            "somebody else owns the session partition"
        );
        self.end_all(Ending::Failed);
        self.condition.send_replace(Condition::Lost);
    }

    async fn serve(&mut self, inbox: &mut mpsc::Receiver<Input>) -> Turn {
        let mut sweep = tokio::time::interval(SWEEP_EVERY);
        sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut batch = Vec::new();
        loop {
            let mut draft = Draft::default();
            tokio::select! {
                // Cancel-safe: `recv_many` and `tick` lose nothing.
                n = inbox.recv_many(&mut batch, BATCH_MAX) => if n == 0 { return Turn::Stopped },
                _ = sweep.tick(), if self.deaf_to.is_empty() => self.sweep(&mut draft),
            }
            for input in batch.drain(..) {
                self.take(input, &mut draft);
            }
            if let Some(done) = draft.lost.take() {
                self.give_up();
                let _ = done.send(());
                return Turn::Stopped;
            }
            let stop = draft.stop.take();
            if let Err(failure) = self.commit(draft).await {
                return Turn::Refused(failure);
            }
            let now = self.env.steady();
            if stop.is_some() || self.keeper.is_due(now) {
                self.keeper.keep(&self.machine, self.end, now).await;
            }
            if let Some(done) = stop {
                info!(
                    session.partition = self.number.0,
                    "session partition closed"
                );
                let _ = done.send(());
                return Turn::Stopped;
            }
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
        crash::pass(Point::FrameDrafted);
        self.end = self.append(bytes.into()).await?;
        crash::pass(Point::FrameStable);
        if let FrameRecord::Frame(frame) = record {
            self.publish(&frame, then);
        }
        crash::pass(Point::FramePublished);
        Ok(())
    }

    /// Appends a frame, and says where the log goes on.
    async fn append(&self, bytes: Bytes) -> Result<Position, Failure> {
        let owner = (self.number, self.epoch);
        loop {
            match frames::append(&*self.log, owner, self.end, bytes.clone()).await {
                // Nothing was written: the same frame may be tried again.
                Err(Failure::Full { what }) => {
                    warn!(
                        session.partition = self.number.0,
                        what, "the disk is full, dispatches wait"
                    );
                    tokio::time::sleep(RETRY_AFTER).await;
                }
                appended => return appended,
            }
        }
    }
}
