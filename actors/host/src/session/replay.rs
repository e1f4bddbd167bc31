//! What a returning session has missed, from the ring or from the logs.

use std::sync::Arc;

use guildhall_model::dispatch::Dispatch;
use guildhall_model::{Epoch, Position, SessionPartition as Number};
use guildhall_ports::Failure;
use guildhall_ports::log::LogRecord;
use guildhall_state::relay::SessionRef;
use guildhall_state::session_partition::record::{Entry, EventRef, FrameRecord};
use guildhall_state::session_partition::{Refusal, SessionPartition};

use super::payload::Payload;
use super::sequencer::{AttachError, lost, made_bytes};
use crate::event_log::{self, READ_BYTES};
use crate::node::Inner;

/// A dispatch with its number.
pub(crate) type Numbered = (u32, Arc<Payload>);

/// The dispatches `seq + 1 ..= upto` of a session whose next item in the ring is at `cursor`.
pub(crate) async fn missed(
    node: &Inner,
    session: SessionRef,
    (seq, upto): (u32, u32),
    cursor: u64,
) -> Result<Vec<Numbered>, AttachError> {
    let n = upto.saturating_sub(seq);
    if u64::from(n) > node.config.backlog_dispatches_max {
        return Err(Refusal::TooOld.into());
    }
    // It may have gone to another node since the client was attached.
    let sequencer = node.sequencers.get(session.partition).ok_or_else(lost)?;
    let wanted = usize::try_from(n).unwrap_or(usize::MAX);
    if let Some(payloads) = sequencer.ring.last(session.slot, cursor, wanted) {
        return Ok((seq + 1..=upto).zip(payloads).collect());
    }
    let epoch = sequencer.epoch()?;
    let _permit = node.replays.acquire().await.map_err(|_| Failure::Closing)?;
    let (machine, from) = starting_point(node, session, seq).await?;
    if epoch < machine.epoch() {
        return Err(lost().into());
    }
    let traced = trace(node, (session, epoch), machine, from, (seq, upto)).await?;
    let mut missed = Vec::with_capacity(traced.len());
    for (s, what) in traced {
        missed.push((s, load(node, what).await?));
    }
    Ok(missed)
}

/// The newest snapshot in which the session had not yet seen what it has missed.
async fn starting_point(
    node: &Inner,
    session: SessionRef,
    seq: u32,
) -> Result<(SessionPartition, Position), AttachError> {
    let snapshots = node.stores.snapshots.list(session.partition).await?;
    for &upto in snapshots.iter().rev() {
        let Some(bytes) = node.stores.snapshots.get(session.partition, upto).await? else {
            continue;
        };
        let machine = SessionPartition::from_snapshot(&bytes)
            .map_err(|error| Failure::damaged("snapshot", error))?;
        if machine
            .session(session.slot)
            .is_none_or(|session| session.s <= seq)
        {
            return Ok((machine, upto));
        }
    }
    // Only a log that was never trimmed can be counted from its beginning.
    if is_whole(node, session.partition).await? {
        return Ok((SessionPartition::default(), Position::START));
    }
    Err(Refusal::TooOld.into())
}

/// The frames log still begins with the takeover by its partition's first owner.
async fn is_whole(node: &Inner, partition: Number) -> Result<bool, Failure> {
    let frames = &node.stores.frames;
    let slice = frames.read(partition.0, Position::START, 1).await?;
    let Some(first) = slice.records.first() else {
        return Ok(false);
    };
    let is_takeover = matches!(decode(first)?, FrameRecord::Take { .. });
    Ok(is_takeover && first.epoch == Epoch::default().next())
}

enum Missed {
    Event(EventRef),
    Made(Arc<[u8]>),
}

/// Folds the frames log from a snapshot on, and takes down what the session has missed. What
/// counts under a later epoch than the owner's has other numbers than its sessions were told.
async fn trace(
    node: &Inner,
    (session, epoch): (SessionRef, Epoch),
    mut machine: SessionPartition,
    mut from: Position,
    (seq, upto): (u32, u32),
) -> Result<Vec<(u32, Missed)>, AttachError> {
    let mut missed = Vec::new();
    loop {
        let slice = node
            .stores
            .frames
            .read(session.partition.0, from, READ_BYTES)
            .await?;
        if slice.records.is_empty() {
            return Err(Refusal::TooOld.into());
        }
        for record in &slice.records {
            let frame = match decode(record)? {
                FrameRecord::Frame(frame) if record.epoch == machine.epoch() => frame,
                other => {
                    machine.fold(record.epoch, &other);
                    if epoch < machine.epoch() {
                        break;
                    }
                    continue;
                }
            };
            machine.fold_tracing(&frame, session.slot, |s, entry| {
                if seq < s && s <= upto {
                    missed.extend(missed_entry(entry).map(|what| (s, what)));
                }
            });
        }
        if machine
            .session(session.slot)
            .is_some_and(|session| session.s >= upto)
        {
            let whole = missed.len() == usize::try_from(upto - seq).unwrap_or(usize::MAX);
            return if whole {
                Ok(missed)
            } else {
                Err(Refusal::Unsettled.into())
            };
        }
        if epoch < machine.epoch() {
            return Err(lost().into());
        }
        from = slice.next;
    }
}

fn missed_entry(entry: &Entry) -> Option<Missed> {
    match entry {
        Entry::Event { at, .. } => Some(Missed::Event(*at)),
        Entry::Made { dispatch, .. } => Some(Missed::Made(Arc::clone(dispatch))),
        // The start of a session is not kept; `may_resume` refuses to go back that far.
        _ => None,
    }
}

async fn load(node: &Inner, what: Missed) -> Result<Arc<Payload>, AttachError> {
    match what {
        Missed::Made(bytes) => {
            let dispatch: Dispatch = rmp_serde::from_slice(&bytes)
                .map_err(|error| Failure::damaged("frames log", error))?;
            Ok(Payload::new(Arc::new(dispatch), made_bytes(bytes.len())))
        }
        Missed::Event(at) => {
            let log = &*node.stores.events;
            let stable = event_log::read_one(log, at.partition, at.position).await?;
            let stable = stable.ok_or(Refusal::TooOld)?;
            let dispatch = Arc::new(Dispatch::Event(stable.record));
            Ok(Payload::new(dispatch, stable.bytes))
        }
    }
}

/// Decodes a record of the frames log.
pub(crate) fn decode(record: &LogRecord) -> Result<FrameRecord, Failure> {
    rmp_serde::from_slice(&record.payload).map_err(|error| {
        Failure::damaged(
            "frames log",
            format!("record at {}: {error}", record.position),
        )
    })
}
