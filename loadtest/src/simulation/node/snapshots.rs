//! Snapshots of session partitions: they bound a takeover, and index the frames log.

use std::sync::Arc;

use guildhall_model::Position;

use super::{Node, Wait};
use crate::simulation::env::{Env, Question, SECOND, Time};
use crate::simulation::scenario::Weakness;
use crate::simulation::store::Slice;

/// How often a snapshot is kept.
const SNAPSHOT_EVERY: Time = 3 * SECOND;
/// Snapshots that are kept: the oldest indexes the frames.
const SNAPSHOTS_MAX: usize = 24;

/// What holds everything before a place of the frames log.
#[derive(Debug)]
pub(super) struct Snapshot {
    number: u16,
    upto: Position,
    bytes: Arc<[u8]>,
}

impl Node {
    /// Keeps a snapshot when it is due. A former owner's would hold void frames: what it holds
    /// counted if the directory confirms the epoch after that.
    pub(super) fn keep_snapshot(&mut self, env: &mut Env, number: u16) {
        let Some(part) = self.sessions.get_mut(&number) else {
            return;
        };
        if env.now < part.snapshot_due {
            return;
        }
        part.snapshot_due = env.now + SNAPSHOT_EVERY;
        let (epoch, upto) = (part.epoch, part.end);
        let snapshot = Snapshot {
            number,
            upto,
            bytes: part.machine.to_snapshot().into(),
        };
        if env.is_weak(Weakness::UnconfirmedSnapshot) {
            return env.keep(snapshot);
        }
        let waiter = self.wait(env, Wait::Snapshot(snapshot));
        env.ask(Question::Confirm(Slice::Session(number), epoch, waiter));
    }
}

impl Env {
    /// Keeps a snapshot, and lets go of what is too old.
    pub(super) fn keep(&mut self, snapshot: Snapshot) {
        if self.chance(self.faults.snapshot) {
            return self.tally.fault("lost snapshot");
        }
        let kept = self.store.snapshots.entry(snapshot.number).or_default();
        kept.insert(snapshot.upto, snapshot.bytes);
        while kept.len() > SNAPSHOTS_MAX {
            kept.pop_first();
        }
        if let (SNAPSHOTS_MAX, Some(oldest)) = (kept.len(), kept.keys().next().copied()) {
            self.frames.release(snapshot.number, oldest);
        }
    }
}
