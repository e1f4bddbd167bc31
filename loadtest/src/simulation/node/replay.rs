//! What a returning session has missed, from the ring or from the logs.

use std::sync::Arc;

use guildhall_model::dispatch::Dispatch;
use guildhall_model::{Epoch, Position};
use guildhall_state::session_partition::record::{Entry, EventRef, FrameRecord, Slot};
use guildhall_state::session_partition::{Refusal, SessionPartition};

use super::sessions::SessionPart;
use crate::simulation::env::Env;
use crate::simulation::log::{EventsRecord, decode};
use crate::simulation::scenario::Weakness;

/// Why a session is not told what it has missed.
#[derive(Debug)]
pub(super) enum NoReplay {
    /// It cannot be exact, so it is not done.
    Refused(Refusal),
    /// The log says that somebody else owns the partition.
    Lost,
}

impl From<Refusal> for NoReplay {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl SessionPart {
    /// The dispatches `seq + 1 ..= upto` of a session.
    pub(super) fn missed(
        &self,
        env: &mut Env,
        slot: Slot,
        (seq, upto): (u32, u32),
    ) -> Result<Vec<Arc<Dispatch>>, NoReplay> {
        let n = upto.saturating_sub(seq) as usize;
        if let Some(missed) = self.ring.last(slot, n) {
            return Ok(missed);
        }
        env.tally.replays_from_log += 1;
        let (machine, from) = self.starting_point(env, slot, seq)?;
        if self.is_superseded_by(env, machine.epoch()) {
            return Err(NoReplay::Lost);
        }
        self.trace(env, slot, (machine, from), (seq, upto))
    }

    /// The newest snapshot in which the session had not yet seen what it has missed.
    fn starting_point(
        &self,
        env: &Env,
        slot: Slot,
        seq: u32,
    ) -> Result<(SessionPartition, Position), Refusal> {
        let snapshots = env.store.snapshots.get(&self.number);
        for (&upto, bytes) in snapshots.into_iter().flatten().rev() {
            let machine = SessionPartition::from_snapshot(bytes)
                .expect("only what was encoded is kept as a snapshot");
            let session = machine.session(slot);
            if session.is_none_or(|session| session.s <= seq) {
                return Ok((machine, upto));
            }
        }
        // Only a log that was never trimmed can be counted from its beginning.
        if env.frames.start(self.number) <= Position(1) {
            return Ok((SessionPartition::default(), Position::START));
        }
        Err(Refusal::TooOld)
    }

    /// What counts under a later epoch than its own has other numbers than its sessions were told.
    fn is_superseded_by(&self, env: &Env, epoch: Epoch) -> bool {
        self.epoch < epoch && !env.is_weak(Weakness::ForeignReplay)
    }

    /// Folds the frames log from a snapshot on, and takes down what the session has missed.
    fn trace(
        &self,
        env: &Env,
        slot: Slot,
        (mut machine, from): (SessionPartition, Position),
        (seq, upto): (u32, u32),
    ) -> Result<Vec<Arc<Dispatch>>, NoReplay> {
        let wanted = (upto - seq) as usize;
        let mut missed = Vec::new();
        for record in env.frames.read(self.number, from) {
            // Who has seen its frame is stable has read no further.
            if self.end <= record.position {
                break;
            }
            let counts = record.epoch == machine.epoch() || env.is_weak(Weakness::Epochs);
            let frame = match decode(&record.payload) {
                FrameRecord::Frame(frame) if counts => frame,
                other => {
                    machine.fold(record.epoch, &other);
                    let is_lost = self.is_superseded_by(env, machine.epoch());
                    if is_lost && missed.len() < wanted {
                        return Err(NoReplay::Lost);
                    }
                    continue;
                }
            };
            machine.fold_tracing(&frame, slot, |s, entry| {
                if seq < s && s <= upto {
                    missed.push(dispatch_of(env, entry));
                }
            });
            machine.fold_heard(&frame);
        }
        let missed: Option<Vec<_>> = missed.into_iter().collect();
        match missed {
            Some(missed) if missed.len() == wanted => Ok(missed),
            _ => Err(Refusal::Unsettled.into()),
        }
    }
}

/// What an entry told; `None` for the start of a session, which is not kept.
fn dispatch_of(env: &Env, entry: &Entry) -> Option<Arc<Dispatch>> {
    match entry {
        Entry::Event { at, .. } => load(env, *at),
        Entry::Made { dispatch, .. } => Some(Arc::new(decode(dispatch))),
        _ => None,
    }
}

fn load(env: &Env, at: EventRef) -> Option<Arc<Dispatch>> {
    let record = env.events.read(at.partition.0, at.position).first()?;
    match decode(&record.payload) {
        EventsRecord::Event(event) if record.position == at.position => {
            Some(Arc::new(Dispatch::Event(Arc::from(event))))
        }
        _ => None,
    }
}
